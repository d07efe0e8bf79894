"""Declared facts are told by every variant, in whatever form its channel writes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ccm.check import prove_facts
from ccm.check.comparable import comparable, stands_in
from ccm.check.pdf_text import pdf_text
from ccm.model.definitions import Channel, FactKind
from ccm.model.records import Composed, DocumentRendition, FactValue, SmsRendition
from tests.check.conftest import HTML, LINK, SMS, TEXT, changed


def test_right_output_is_silent(good: Composed) -> None:
    """All facts on all channels are found."""
    assert prove_facts(good) == ()


@pytest.mark.parametrize(
    ("wanted", "text", "told"),
    [
        ("234.50", "it is 234.50.", True),
        ("234.50", "1,234.50", False),
        ("234.50", "234.501", False),
        ("1,234", "1,234.50", False),
        ("5.00", "-5.00", False),
        ("-5.00", "now -5.00 left", True),
        ("5", "1-5 days", True),
        ("5", "15 or 5 days", True),
        ("SAVE1", "SAVE10", False),
        ("SAVE", "xSAVE", False),
        ("€5", "EUR€5", True),
        ("1 234,50 €", "1\u202f234,50\u00a0€", True),
        ("١٢٣", "123", True),
        ("O’Brien", "O'Brien", True),
        ("Müller", "Mu\u0308l\u00adler", True),
        ("12,5 %", "\u200f12,5\u00a0%\u200f", True),
        ("ﬁ", "fi", True),
    ],
)
def test_comparison(wanted: str, text: str, told: bool) -> None:
    """Spacing, digits, marks and composition do not matter; a number within a longer one is another number."""
    assert stands_in(comparable(wanted), comparable(text)) is told


@pytest.mark.parametrize(
    ("channel", "part", "before", "after", "fact"),
    [
        (Channel.EMAIL, "html", "234.50, due", "234.5, due", "balance"),
        (Channel.EMAIL, "html", "November", "December", "due"),
        (Channel.EMAIL, "html", "SAVE10", "SAVE100", "code"),
        (Channel.EMAIL, "html", "X7?a", "X8?a", "link"),
        (Channel.EMAIL, "text", "€1,234.50", "€1,243.50", "balance"),
        (Channel.EMAIL, "text", "SAVE10", "save10", "code"),
        (Channel.SMS, "text", "€1,234.50", "€11,234.50", "balance"),
        (Channel.SMS, "text", "30 November", "3 November", "due"),
        (Channel.MASTODON, "text", "€1,234.50", "$1,234.50", "balance"),
    ],
)
def test_changed_fact_is_missing(
    good: Composed, channel: Channel, part: str, before: str, after: str, fact: str
) -> None:
    """One changed character in one part of one channel is found there and nowhere else."""
    source = {Channel.EMAIL: {"html": HTML, "text": TEXT}, Channel.SMS: {"text": SMS}}.get(channel, {})
    text = source.get(part) or next(one for one in good.renditions if one.channel is channel).text  # type: ignore[union-attr]
    assert before in text
    found = prove_facts(changed(good, channel, **{part: text.replace(before, after)}))
    assert [(finding.code, finding.channel) for finding in found] == [("fact-missing", channel)]
    assert f'"{fact}"' in found[0].message


def test_document_tells_or_not(good: Composed, pdf: bytes) -> None:
    """Text and link annotations are read from the PDF itself, across line breaks."""
    assert "€1,234.50" in "".join(pdf_text(pdf)).replace("\n", " ")
    only = replace(good, renditions=tuple(one for one in good.renditions if isinstance(one, DocumentRendition)))
    assert prove_facts(only) == ()
    wrong = (
        FactValue("balance", FactKind.MONEY, None, "€1,234.51", ()),
        FactValue("part", FactKind.MONEY, None, "234.50", ()),
        FactValue("day", FactKind.DATE, None, "30 October 2026", ()),
        FactValue("link", FactKind.LINK, None, LINK + "9", ()),
    )
    assert len(prove_facts(replace(only, facts=wrong))) == 4


def test_arabic_document_is_compared_by_its_numbers(good: Composed) -> None:
    """Shaped letters may come out of a PDF in another order; the numbers must be right all the same."""
    from weasyprint import HTML as Page

    amount = "\u200f١٬٢٣٤٫٥٠\u00a0ج.م.\u200f"
    content = Page(
        string=f"<html lang='ar' dir='rtl'><title>x</title><p>الرصيد {amount} في ٣٠ نوفمبر</p></html>"
    ).write_pdf()
    facts = (FactValue("balance", FactKind.MONEY, None, amount, ()),)
    composed = replace(good, facts=facts, renditions=(DocumentRendition("p-document", "a.pdf", "x", 1, content),))
    assert prove_facts(composed) == ()
    wrong = (
        FactValue("balance", FactKind.MONEY, None, amount.replace("٤", "٥"), ()),
        FactValue("reference", FactKind.CODE, None, "RF83INV43", ()),
        FactValue("other", FactKind.CODE, None, "XY83INV42", ()),
    )
    assert [finding.code for finding in prove_facts(replace(composed, facts=wrong))] == ["fact-missing"] * 3


def test_transliterated_text_message_tells_its_name(good: Composed) -> None:
    """A GSM-7 message may write Łódź as Lodz; a UCS-2 message may not."""
    facts = (FactValue("town", FactKind.NAME, "Łódź", "Łódź", (Channel.SMS,)),)
    for alphabet, missing in (("gsm7", 0), ("ucs2", 1)):
        sms = SmsRendition("p-sms", "Welcome to Lodz", alphabet, ("Welcome to Lodz",))
        assert len(prove_facts(replace(good, facts=facts, renditions=(sms,)))) == missing


def test_channels_of_a_fact(good: Composed) -> None:
    """Only the channels that a fact names must tell it."""
    facts = (FactValue("other", FactKind.TEXT, "zebra", "zebra", (Channel.SMS,)),)
    found = prove_facts(replace(good, facts=facts))
    assert [finding.channel for finding in found] == [Channel.SMS]
