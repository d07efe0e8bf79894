"""The fact proof over the composed sample: every seeded mistake is caught, nothing right is held."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from benchmarks.mutations.__main__ import false_alarms, measure
from benchmarks.mutations.sample import Sample, samples
from ccm.check.comparable import comparable
from ccm.check.facts.statements import Said, statements
from ccm.compose.formats.locale_formats import formats_for
from ccm.model.values import Money


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


@pytest.mark.parametrize(
    ("text", "locale", "amount"),
    [
        ("-0.99US$", "bn", "-0.99"),
        ("-0,99US$", "zgh", "-0.99"),
        ("-1,234,567JP\u00a5", "km", "-1234567"),
        ("-\u20ac\u00a0\u07c1\u060c\u07c2\u07c3\u07c4.\u07c5\u07c0", "nqo", "-1234.50"),
    ],
)
def test_signs_and_groups_of_rare_locales_are_read(text: str, locale: str, amount: str) -> None:
    """A letter sign right behind the number makes no code of it; N'Ko parts groups with an Arabic comma."""
    (found,) = statements(comparable(text), locale, locale)
    assert found.said is Said.AMOUNT
    (reading,) = found.readings
    assert isinstance(reading, tuple)
    assert reading[0] == Decimal(amount)


def test_every_locale_reads_its_own_negative_amounts() -> None:
    """What composing writes in any locale of CLDR is read back to the cent, or control totals could stop a run."""
    from babel.localedata import locale_identifiers

    misread = set()
    for tag in sorted({one.partition("_")[0] for one in locale_identifiers()} - {"tok"}):  # Toki Pona groups by two
        for amount, currency in ((Decimal("-1234.50"), "EUR"), (Decimal("-0.99"), "USD")):
            text = formats_for(tag, tag, "UTC").money(Money(amount, currency))
            read = [one for one in statements(comparable(text), tag, tag) if one.said is Said.AMOUNT]
            if not read or not any(value == amount for value, _ in read[0].readings):  # type: ignore[misc]
                misread.add(tag)
    assert misread == set()
