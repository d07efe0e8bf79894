"""A message that was proved helps to read others of its structure, and lets none pass that is wrong."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from benchmarks.mutations.mistakes import mistakes
from benchmarks.mutations.sample import Sample, samples
from ccm.check.facts.known import Known
from ccm.check.facts.meaning import meanings_for
from ccm.check.facts.origin import Origins, follows, is_share, value_on
from ccm.check.facts.precedent import has_precedent
from ccm.check.facts.torn import torn
from ccm.check.inspection import check
from ccm.diagnostics import Severity
from ccm.model.records import Composed, EmailRendition, SmsRendition
from ccm.model.values import Money


@pytest.fixture(scope="module")
def invoices() -> Sample:
    """Invoices with rows, proved three times: met, learnt from, and read by what was learnt."""
    (sample,) = samples(documents_each=0, per_language=10, only="october-invoices")
    assert len(sample.composed) > 40
    for composed in sample.composed * 3:
        assert not [one for one in check(composed, sample.rules) if one.severity is Severity.ERROR]
    return sample


def _known(composed: Composed, sample: Sample) -> Known:
    assert sample.rules.authored is not None
    return Known(composed, sample.rules.authored)


def test_messages_of_known_structure_have_a_precedent(invoices: Sample) -> None:
    """Emails and text messages with rows of amounts, in every language of the sample, are read by what was learnt."""
    met = {
        (composed.communication.language, rendition.channel)
        for composed in invoices.composed
        for rendition in composed.renditions
        if has_precedent(rendition, _known(composed, invoices))
    }
    assert {language for language, _ in met} == {one.communication.language for one in invoices.composed}
    assert len({channel for _, channel in met}) == 2


def test_no_mistake_has_a_precedent(invoices: Sample) -> None:
    """Also when composing makes the mistake itself, and its hints agree with the wrong text."""
    rng = random.Random(11)
    tried = 0
    for composed in invoices.composed[:40]:
        right = {one.piece_id: one for one in composed.renditions}
        for mistake in mistakes(composed, tuple(invoices.composed[40:44]), rng):
            known = _known(mistake.composed, invoices)
            for rendition in mistake.composed.renditions:
                if rendition != right[rendition.piece_id]:
                    assert not has_precedent(rendition, known), (mistake.kind, mistake.where)
                    tried += 1
    assert tried > 300


def test_a_fact_that_its_message_lacks_has_no_precedent(invoices: Sample) -> None:
    """A message of a structure that never told a fact is no right message of somebody who has that fact."""
    composed = invoices.composed[0]
    sms = next(one for one in composed.renditions if isinstance(one, SmsRendition))
    assert has_precedent(sms, _known(composed, invoices))
    more = replace(composed.facts[0], name="another", text="99,98 €", channels=())
    richer = replace(composed, facts=(*composed.facts, more))
    assert not has_precedent(sms, _known(richer, invoices))
    assert "fact-missing" in {one.code for one in check(richer, invoices.rules)}


def test_a_value_that_moved_in_the_data_is_found_again(invoices: Sample) -> None:
    """Where a value came from is a place to look first, and not the only one."""
    composed = next(one for one in invoices.composed if len(one.data["lines"]) > 1)  # type: ignore[index,arg-type]
    data = dict(composed.data or {})
    data["lines"] = tuple(reversed(data["lines"]))  # type: ignore[call-overload]
    email = next(one for one in composed.renditions if isinstance(one, EmailRendition))
    for _ in range(4):
        assert has_precedent(email, _known(replace(composed, data=data), invoices))
    assert has_precedent(email, _known(composed, invoices))


def test_another_customers_rows_have_no_precedent(invoices: Sample) -> None:
    """Amounts are looked up in the data of the customer who gets them."""
    composed = invoices.composed[0]
    email = next(one for one in composed.renditions if isinstance(one, EmailRendition))
    assert has_precedent(email, _known(composed, invoices))
    data = {**(composed.data or {}), "lines": ()}
    assert not has_precedent(email, _known(replace(composed, data=data, computed=()), invoices))


def test_what_was_learnt_stays_in_its_process(invoices: Sample) -> None:
    """The author's side of the proof travels between processes without it."""
    authored = invoices.rules.authored
    assert authored is not None
    assert authored.proved.precedents
    again = pickle.loads(pickle.dumps(authored))
    assert again == authored
    assert not again.proved.precedents


def test_values_are_torn_out_whole() -> None:
    """Pieces and values must be the text, and a value may open and end nothing."""
    found = torn("<b>1.50</b> x2", ("<b>", "</b> x", ""), ("1.50", "2"))
    assert found is not None
    assert found.masks == [b"0.00", b"0"]
    assert found.digits == [b"150", b"2"]
    assert torn("<b>1.50</b>", ("<b>", "</b>"), ("1.51",)) is None
    assert torn("<b>1.50</b>", ("<b>", "</b>"), ("1.50", "")) is None
    for sign in '<>"\x7f\n\x1f\U000f0001':
        assert torn(f"<b>a{sign}</b>", ("<b>", "</b>"), (f"a{sign}",)) is None


@pytest.mark.parametrize(
    ("text", "value", "follow"),
    [
        ("€1,234.50", Money(Decimal("1234.5"), "EUR"), True),
        ("€1,234.50", Money(Decimal("1234.51"), "EUR"), False),
        ("€1,234.50", Money(Decimal("1234.5"), "USD"), False),
        ("5 October 2026", date(2026, 10, 5), True),
        ("October 2026", date(2026, 10, 31), True),
        ("October 2026", date(2026, 11, 1), False),
        ("19%", Decimal(19), True),
        ("19%", Decimal("19.4"), True),
        ("19%", Decimal("19.5"), False),
        ("INV-2026-0012", "INV-2026-0012", True),
        ("INV-2026-0012", "INV-2026-0013", False),
        ("€5.00", "€5.00", False),  # an amount is proved by an amount
    ],
)
def test_what_follows_from_one_value(text: str, value: object, follow: bool) -> None:
    """An amount to the cent and in its currency, a day or a part of it, a rounded share, a text as it is."""
    meaning = meanings_for("en-IE", "en-IE").of(text)
    assert follows(meaning, value) is follow
    roots = ({"rows": ({"it": value},), "none": None},)
    assert Origins(roots).of(meaning) == (((0, "rows", 0, "it"),) if follow else ())
    assert value_on(roots, (0, "rows", 0, "it")) == value
    assert value_on(roots, (0, "rows", 1, "it")) is None
    assert value_on(roots, (0, "none", 1)) is None


def test_a_share_is_rounded_as_it_is_told() -> None:
    """Half goes up, and a share that is no number explains nothing."""
    assert is_share(Decimal("7.7"), Decimal("7.65"))
    assert not is_share(Decimal("7.7"), Decimal("7.64"))
    assert not is_share(Decimal(7), Decimal("NaN"))
