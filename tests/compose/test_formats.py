"""Numbers, money, dates: equal to Babel, exact, and in the right one of two locales."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel import Locale
from babel.dates import format_date
from babel.localedata import locale_identifiers
from babel.numbers import format_currency, format_decimal, get_territory_currencies, list_currencies

from ccm.compose.failure import FormatRefused
from ccm.compose.formats.digits import digit_table
from ccm.compose.formats.locale_formats import Formats, formats_for
from ccm.model.values import Money, minor_digits

LOCALES = sorted(name for name in locale_identifiers() if name.count("_") <= 2 and "POSIX" not in name)
CURRENCIES = sorted(list_currencies())


def tag(identifier: str) -> str:
    return identifier.replace("_", "-")


def expected(amount: Decimal, currency: str, locale: Locale) -> str:
    """Babel's form, its digits in the locale's own numbering system (Babel only changes the separators)."""
    written = format_currency(amount, currency, locale=locale, numbering_system="default")
    return written.translate(digit_table(locale.default_numbering_system))


def test_money_equals_babel_in_every_locale_and_currency() -> None:
    """Our compiled form is Babel's, for every locale of CLDR and values of every size and sign."""
    draw = random.Random(7)
    checked = 0
    for identifier in LOCALES:
        locale = Locale.parse(identifier)
        formats = Formats(tag(identifier), tag(identifier))
        assert formats.same_language
        for currency in [*draw.sample(CURRENCIES, 6), "EUR", "JPY", "KWD"]:
            digits = minor_digits(currency)
            amount = Decimal(draw.randint(-(10 ** draw.randint(1, 12)), 10 ** draw.randint(1, 12))).scaleb(-digits)
            ours = formats.money(Money(amount, currency))
            theirs = expected(amount, currency, locale)
            if formats.direction == "ltr":
                theirs = theirs.replace("\u200e", "").replace("\u200f", "")
            assert ours == theirs, (identifier, currency, amount)
            checked += 1
    assert checked > 5_000


def test_short_amounts_equal_babel_in_every_currency() -> None:
    """Fewer digits than the currency has, as many, none before the point: in every currency that is or was."""
    amounts = [
        Decimal(text)
        for text in ("0.1", "-0.1", "5", "-5", "12", "999", "1000", "-1000", "99999.9", "1E+3", "2E+10", "0E-2")
    ]
    for identifier in ("de_DE", "hi_IN", "ar_EG", "pt_BR", "fr_CH", "fa_IR"):
        locale = Locale.parse(identifier)
        formats = Formats(tag(identifier), tag(identifier))
        for currency in CURRENCIES:
            for amount in amounts:
                if amount % 1 and not minor_digits(currency):
                    continue
                theirs = expected(amount, currency, locale)
                if formats.direction == "ltr":
                    theirs = theirs.replace("\u200e", "").replace("\u200f", "")
                for _ in range(2):  # compiled, and remembered
                    assert formats.money(Money(amount, currency)) == theirs, (identifier, currency, amount)


def test_whole_numbers_equal_babel() -> None:
    """Of every size, with every grouping: by threes, by twos and not at all."""
    groupings = set()
    for identifier in LOCALES[::5]:
        locale = Locale.parse(identifier)
        formats = Formats(tag(identifier), tag(identifier))
        groupings.add(locale.decimal_formats[None].grouping)
        for number in (0, 7, -7, 99, 999, -999, 1000, 99_999, 100_000, -1_234_567, 10**14, 10**15, -(10**21)):
            theirs = format_decimal(number, locale=locale, decimal_quantization=False, numbering_system="default")
            assert formats.number(number) == theirs.translate(digit_table(locale.default_numbering_system)), identifier
    assert {(3, 3), (3, 2)} <= groupings


def test_numbers_equal_babel() -> None:
    """Decimals have all their digits, grouped and separated as CLDR says."""
    draw = random.Random(8)
    for identifier in LOCALES:
        locale = Locale.parse(identifier)
        amount = Decimal(draw.randint(-(10**9), 10**9)).scaleb(-draw.randint(0, 6))
        theirs = format_decimal(amount, locale=locale, decimal_quantization=False, numbering_system="default")
        assert Formats(tag(identifier), tag(identifier)).number(amount) == theirs.translate(
            digit_table(locale.default_numbering_system)
        ), (identifier, amount)


def test_dates_equal_babel_but_for_digits() -> None:
    """The four CLDR styles are Babel's; digits follow the locale."""
    day = date(2026, 10, 3)
    for identifier in LOCALES[::7]:
        locale = Locale.parse(identifier)
        formats = Formats(tag(identifier), tag(identifier))
        for style in ("short", "medium", "long", "full"):
            theirs = format_date(day, style, locale=locale).translate(digit_table(locale.default_numbering_system))
            if formats.direction == "ltr":
                theirs = theirs.replace("\u200e", "").replace("\u200f", "")
            assert formats.date(day, style) == theirs


@pytest.mark.parametrize(
    ("amount", "currency"), [("12.345", "EUR"), ("1.5", "JPY"), ("0.0001", "KWD"), ("-0.001", "USD")]
)
def test_more_digits_than_the_currency_has_are_refused(amount: str, currency: str) -> None:
    """No amount is rounded behind the author's back."""
    with pytest.raises(FormatRefused) as refused:
        formats_for("en", "en-GB").money(Money(Decimal(amount), currency))
    assert refused.value.code == "money-precision"
    assert amount not in str(refused.value)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("12.5", "£12.50"),
        ("12.5000", "£12.50"),
        ("1E+3", "£1,000.00"),
        ("-0.00", "£0.00"),
        ("0", "£0.00"),
        ("-1234567.89", "-£1,234,567.89"),
    ],
)
def test_money_is_padded_and_never_negative_zero(amount: str, text: str) -> None:
    """Short, long and scientific decimals print in whole minor units."""
    assert formats_for("en", "en-GB").money(Money(Decimal(amount), "GBP")) == text


def test_accounting_style_uses_brackets() -> None:
    """Accounting style is the locale's own."""
    assert formats_for("en", "en-US").money(Money(Decimal("-5"), "USD"), style="accounting") == "($5.00)"


def test_a_reader_of_another_language_gets_own_separators_and_no_foreign_word() -> None:
    """A Brazilian who gets English: Brazilian separators, Latin digits, numeric dates in Brazilian order."""
    formats = formats_for("en", "pt-BR", "America/Sao_Paulo")
    assert formats.money(Money(Decimal("1234.5"), "BRL")) == "R$\u00a01.234,50"
    assert formats.date(date(2026, 10, 3), "long") == "03/10/2026"
    assert formats.month(date(2026, 10, 3)) == "10/2026"
    assert formats.datetime(datetime(2026, 10, 3, 12, 5, tzinfo=UTC)) == "03/10/2026 09:05"
    assert formats.list(["a", "b", "c"]) == "a, b, and c"


def test_an_arabic_reader_of_english_text_gets_latin_digits_and_no_direction_marks() -> None:
    """Direction marks would turn the left-to-right sentence around."""
    formats = formats_for("en", "ar-EG")
    written = formats.money(Money(Decimal("-1234.5"), "EGP")) + formats.date(date(2026, 10, 3))
    assert written.isascii() or set(written) <= {*map(chr, range(32, 127)), "\u00a0"}


def test_arabic_text_has_arabic_digits() -> None:
    """ar-EG writes Arabic-Indic digits in money, numbers and dates, with CLDR's marks."""
    formats = formats_for("ar", "ar-EG")
    assert formats.money(Money(Decimal("1234.5"), "EGP")) == "\u200f١٬٢٣٤٫٥٠\u00a0ج.م.\u200f"
    assert formats.date(date(2026, 10, 3), "long") == "٣ أكتوبر ٢٠٢٦"
    assert formats.percent(Decimal("4.5")).startswith("٤٫٥")


def test_other_script_is_another_language() -> None:
    """Simplified Chinese words do not go into a Taiwanese date pattern."""
    assert not formats_for("zh", "zh-TW").same_language
    assert formats_for("zh-Hant", "zh-TW").same_language


def test_units_take_the_plural_of_the_text_and_the_number_of_the_reader() -> None:
    """12 km in words of the text's language, digits of the recipient's."""
    assert formats_for("de", "de-DE").unit(Decimal("1200.5"), "kilometer", "long") == "1.200,5 Kilometer"
    assert formats_for("en", "de-DE").unit(1, "day", "long") == "1 day"
    with pytest.raises(FormatRefused):
        formats_for("en", "en-GB").unit(1, "smoot")


@pytest.mark.parametrize("value", [1.5, "12", None, True, Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_number_is_refused(value: object) -> None:
    """Floats and texts are not money, and neither is infinity."""
    with pytest.raises(FormatRefused):
        formats_for("en", "en-GB").number(value)


@pytest.mark.parametrize("zone", ["Europe", "America/Argentina", "", "Mars/Base", "x" * 300, "a\0b"])
def test_an_unusable_zone_is_utc(zone: str) -> None:
    """Zones come from data: a name that is none, the name of a folder among them, stops nothing."""
    assert Formats("en", "en-GB", zone).zone.key == "UTC"


@pytest.mark.parametrize(
    ("moment", "zone"),
    [(datetime(1, 1, 1, tzinfo=UTC), "America/New_York"), (datetime(9999, 12, 31, 23, tzinfo=UTC), "Asia/Tokyo")],
)
def test_a_moment_beyond_the_calendar_is_refused(moment: datetime, zone: str) -> None:
    """The first and the last day of the calendar do not exist everywhere; only the piece suffers."""
    formats = Formats("en", "en-GB", zone)
    for write in (formats.date, formats.datetime, formats.month):
        with pytest.raises(FormatRefused) as caught:
            write(moment)
        assert caught.value.code == "impossible-date"


def test_ten_thousand_statements_sum_exactly() -> None:
    """T21: lines rendered in any CLDR currency sum to the rendered total, to the last minor unit."""
    draw = random.Random(21)
    formats = formats_for("en", "en-US")
    for number in range(10_000):
        currency = CURRENCIES[number % len(CURRENCIES)]
        digits = minor_digits(currency)
        lines = [Money(Decimal(draw.randint(-(10**9), 10**9)).scaleb(-digits), currency) for _ in range(5)]
        printed = [formats.money(line) for line in lines]
        total = sum(lines, start=Money(Decimal(0), currency))
        symbol = Locale.parse("en_US").currency_symbols.get(currency, currency)

        def read(text: str, sign: str = symbol) -> Decimal:
            return Decimal(text.replace(sign, "").replace(",", "").replace("\u00a0", ""))

        assert sum(map(read, printed)) == total.amount == read(formats.money(total))


def test_money_is_fast_enough() -> None:
    """A statement prints hundreds of amounts: a warm one takes a few microseconds, Babel's takes 30."""
    import timeit

    formats, amount = formats_for("de", "de-AT"), Money(Decimal("1234.56"), "EUR")
    best = min(timeit.repeat(lambda: formats.money(amount), number=2000, repeat=7)) / 2000
    babel = (
        min(timeit.repeat(lambda: format_currency(amount.amount, "EUR", locale="de_AT"), number=200, repeat=5)) / 200
    )
    assert best < babel / 4
    assert get_territory_currencies("AT", date(2026, 1, 1)) == ["EUR"]
