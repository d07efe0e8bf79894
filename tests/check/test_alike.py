"""What was proved for one customer holds for another whose message is alike, and for no message that is wrong."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from benchmarks.mutations.mistakes import mistakes
from benchmarks.mutations.sample import Sample, samples
from ccm.check.facts.alike import likeness
from ccm.check.facts.frame import is_woven, text_frame
from ccm.check.facts.known import Known
from ccm.check.facts.marks import Marks
from ccm.check.facts.meaning import Sort, masked, meanings_for
from ccm.check.inspection import check
from ccm.diagnostics import Severity
from ccm.model.records import Composed, EmailRendition, SmsRendition

NBSP = "\u00a0"


@pytest.fixture(scope="module")
def invoices() -> Sample:
    """Invoices with rows, every message proved twice, so that the second time finds the first."""
    (sample,) = samples(documents_each=0, per_language=12, only="october-invoices")
    assert len(sample.composed) > 50
    for composed in sample.composed * 2:
        assert not [one for one in check(composed, sample.rules) if one.severity is Severity.ERROR]
    return sample


def _known(composed: Composed, sample: Sample) -> Known:
    assert sample.rules.authored is not None
    return Known(composed, sample.rules.authored)


def test_messages_with_rows_are_alike(invoices: Sample) -> None:
    """Most emails and text messages with rows of amounts are met again, whatever their amounts."""
    met = 0
    for composed in invoices.composed:
        known = _known(composed, invoices)
        for rendition in composed.renditions:
            left = likeness(rendition, known)
            met += left is not None and known.authored.proved.holds(left.digest, "test") and left.explained()
    assert met >= 1.8 * len(invoices.composed)


def test_no_mistake_is_taken_for_alike(invoices: Sample) -> None:
    """Also when composing makes the mistake itself, and its hints agree with the wrong text."""
    import random

    rng = random.Random(7)
    tried = 0
    for composed in invoices.composed[:40]:
        for mistake in mistakes(composed, tuple(invoices.composed[40:44]), rng):
            known = _known(mistake.composed, invoices)
            right = {one.piece_id: one for one in composed.renditions}
            for rendition in mistake.composed.renditions:
                if rendition == right[rendition.piece_id]:
                    continue
                left = likeness(rendition, known)
                taken = left is not None and known.authored.proved.holds(left.digest, "test") and left.explained()
                assert not taken, (mistake.kind, mistake.where)
                tried += 1
    assert tried > 300


def test_hints_are_not_believed(invoices: Sample) -> None:
    """Values that are not what stands in the page give no likeness; hints stay where they were made."""
    composed = invoices.composed[0]
    known = _known(composed, invoices)
    email = next(one for one in composed.renditions if isinstance(one, EmailRendition))
    assert likeness(email, known) is not None
    lie = replace(email, html=email.html.replace("</p>", " </p>", 1) + " ")
    assert likeness(lie, known) is None
    assert likeness(pickle.loads(pickle.dumps(email)), known) is None
    assert pickle.loads(pickle.dumps(email)) == email
    assert not is_woven("<b>a</b>", ("<b>", "</b>"), ("a", "b"))
    assert not is_woven('<b>"</b>', ("<b>", "</b>"), ('"',))
    assert is_woven("<b>a</b>", ("<b>", "</b>"), ("a",))


def test_another_name_or_text_is_not_alike(invoices: Sample) -> None:
    """A text message that names nobody else's values is alike; one with a fact lost is not."""
    composed = invoices.composed[0]
    known = _known(composed, invoices)
    sms = next(one for one in composed.renditions if isinstance(one, SmsRendition))
    left = likeness(sms, known)
    fact = next(fact for fact in composed.facts if fact.text in sms.text)
    other = likeness(replace(sms, text=sms.text.replace(fact.text, "")), known)
    assert left is not None
    assert other is not None
    assert left.digest != other.digest


@pytest.mark.parametrize(
    ("value", "locale", "sort", "amounts"),
    [
        (f"1.234,50{NBSP}€", "de-DE", Sort.AMOUNT, ["1234.50"]),
        (f"-0,99{NBSP}€", "de-DE", Sort.AMOUNT, ["-0.99"]),
        (f"0,00{NBSP}€", "de-DE", Sort.AMOUNT, ["0.00"]),
        ("£1,234.50", "en-GB", Sort.AMOUNT, ["1234.50"]),
        ("(£5.00)", "en-GB", Sort.AMOUNT, ["5.00", "-5.00"]),
        ("\u200f١٬٢٣٤٫٥٠\u00a0ج.م.\u200f", "ar-EG", Sort.AMOUNT, ["1234.50"]),
        ("5. Oktober", "de-DE", Sort.OTHER, []),
        ("INV-2026-0012", "en-GB", Sort.OTHER, []),
        ("12", "en-GB", Sort.NUMBER, []),
        ("Balls to the Wall", "en-GB", Sort.WORDS, []),
        ("", "en-GB", Sort.WORDS, []),
        ("Red heart CUP", "en-GB", Sort.OPEN, []),  # Cuban pesos, if a number follows
        ("Mai", "de-DE", Sort.OPEN, []),
        ("save -", "en-GB", Sort.OPEN, []),
        ("U2 live", "en-GB", Sort.PARTED, []),
    ],
)
def test_what_a_value_tells_by_itself(value: str, locale: str, sort: Sort, amounts: list[str]) -> None:
    """Amounts are read to the cent in the locale's own writing; what could join its neighbours stays open."""
    found = meanings_for(locale, locale).of(value)
    assert found.sort is sort
    assert [amount for amount, _ in found.amounts] == list(map(Decimal, amounts))


def test_amounts_of_one_form_are_read_by_it() -> None:
    """Every digit counts, whichever amount came first; escaped and plain say the same."""
    meanings = meanings_for("de-AT", "de-AT")
    for cents in (0, 1, 10, 99, 100, 12345, 99999):
        written = f"€{NBSP}{cents // 100},{cents % 100:02}"
        assert meanings.of(written).amounts[0][0] == Decimal(cents) / 100
        assert meanings.of_escaped(written.replace(NBSP, "&nbsp;")) == meanings.of(written)
    assert masked("1.23 €") == "0.00 €"
    assert masked("١٫٢") == "0٫0"


@pytest.mark.parametrize("locale", ["en-GB", "de-AT", "fr-FR", "ar-EG", "ja-JP", "en-IN"])
def test_numbers_among_words_are_read_by_their_places(locale: str) -> None:
    """Whatever digits a way of writing was met with first, any others tell what they tell when they are read in full."""
    chance = Random(locale)
    words = ["REF", "Card", "payment,", "Café", "U0", "A0000-00", "000000", "00", "0000.00", "00/00", "EUR", "may", "0%", "www",
             "00.00.0000", "0000-00-00", "0kg", "Nr.", "0 000", "000000", "年0", "x0.0", "l'an", "No", "(00)", "٠٠", "000000kg"]  # fmt: skip
    met = 0
    for _ in range(400):
        text = " ".join(chance.choices(words, k=chance.randint(1, 4)))
        warm = meanings_for.__wrapped__(locale, locale)
        for _ in range(6):
            value = re.sub("0", lambda _: chance.choice("0123456789"), text)
            found = warm.of(value)
            assert found == meanings_for.__wrapped__(locale, locale).of(value), (text, value)
            met += found.sort is Sort.PARTED and bool(found.statements)
    assert met > 200


def test_values_with_one_text_have_both_names() -> None:
    """Where two facts are told alike, neither is taken for the other alone."""
    marks = Marks.of([("facts.due", "5 May"), ("facts.issued", "5 May"), ("customer.name", "Ann"), ("none", " ")])
    assert marks.texts == {"5 May": "facts.due|facts.issued", "Ann": "customer.name"}
    assert [mark.name for mark in marks.lines] == ["facts.due|facts.issued", "customer.name"]
    assert len({mark.sign for mark in marks.lines}) == 2


def test_a_text_frame_keeps_lines_apart() -> None:
    """Lines with words beside values are read in full until they are known to tell no more than their values."""
    frame = text_frame(("Total ", "\n", "\nSince 1999\n"))
    assert frame is not None
    assert frame.places == 2
    assert [line.pieces for _, line in frame.mixed] == [("Total ", "")]
    assert frame.fixed == ("Since 1999",)
