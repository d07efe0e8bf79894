"""The fact proof over the composed sample: every seeded mistake is caught, nothing right is held."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.mutations.__main__ import false_alarms, measure
from benchmarks.mutations.sample import Sample, samples
from ccm.check.comparable import comparable
from ccm.check.facts.statements import Said, statements


@pytest.fixture(scope="module")
def composed() -> list[Sample]:
    """A few customers of each language of every campaign, without documents."""
    found = list(samples(documents_each=0, per_language=2))
    assert len(found) >= 5
    return found


def test_every_seeded_mistake_is_caught(composed: list[Sample]) -> None:
    """The short form of `make mutations`: every kind of mistake in every channel and language."""
    figures = measure(composed, each=1)
    kinds = figures["kinds"]
    assert isinstance(kinds, dict)
    assert int(str(figures["mutations"])) >= 200
    wanted = {"one cent", "sign", "currency", "date", "day and month", "code", "link target", "name"}
    assert wanted | {"opt-out line dropped", "other customer", "stale price"} <= set(kinds)
    assert figures["escaped"] == {}


def test_nothing_right_is_held(composed: list[Sample]) -> None:
    """No false alarm over the same pieces, in Arabic and Japanese too."""
    pieces, alarms = false_alarms(composed)
    languages = Counter(one.communication.language for sample in composed for one in sample.composed)
    assert {"ar-EG", "ja-JP"} <= set(languages)
    assert pieces > 100
    assert alarms == Counter()


@pytest.mark.parametrize(
    ("text", "locale", "said"),
    [
        ("nur noch 19,99 € im Monat", "de-DE", [(Said.AMOUNT, "19,99 €")]),
        ("月額1,980円を2026年11月30日までに", "ja-JP", [(Said.DATE, "2026年11月30日"), (Said.AMOUNT, "1,980円")]),
        ("الرصيد \u200f١٬٢٣٤٫٥٠\u00a0ج.م.\u200f", "ar-EG", [(Said.AMOUNT, "1٬234٫50 ج.م")]),
        ("VAT 19% £20.18", "en-GB", [(Said.PERCENT, "19%"), (Said.AMOUNT, "£20.18")]),
        ("15 % Rabatt bis 30.11.2026", "de-DE", [(Said.DATE, "30.11.2026"), (Said.PERCENT, "15 %")]),
        ("1 234,50 zł 10 szt.", "pl-PL", [(Said.AMOUNT, "1 234,50 zł")]),
        ("Invoice INV-2026-0012 of 3 May 2026", "en-GB", [(Said.DATE, "3 May 2026"), (Said.CODE, "INV-2026-0012")]),
        ("See https://bank.example/pay/X7?a=1.", "en-GB", [(Said.LINK, "https://bank.example/pay/X7?a=1")]),
        ("12 months, 3 steps, 08:00-20:00, version 1.2.3", "en-GB", []),
        ("850 kWh, +353 21 555 0142", "en-GB", []),
    ],
)
def test_statements_are_read(text: str, locale: str, said: list[tuple[Said, str]]) -> None:
    """Amounts, shares, dates, codes and links are found as the locale writes them; plain numbers are none."""
    found = statements(comparable(text), locale, locale)
    assert [(one.said, one.text) for one in found] == said
    assert all(one.readings for one in found)
