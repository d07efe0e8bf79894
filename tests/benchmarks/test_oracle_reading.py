"""The oracle's own reader: what it accepts, and that wrong output is found."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from email.message import EmailMessage

import pytest
from babel.numbers import format_currency

from benchmarks.oracle.places import country_code, main_locale
from benchmarks.oracle.reading import Misread, amounts, day, money, read_mail, values

LOCALES = "en-GB de-DE de-CH de-AT fr-FR es-ES es-CL pt-PT pt-BR it-IT nl-BE sv-SE da-DK fi-FI pl-PL cs-CZ hu-HU el-GR he-IL ja-JP is-IS lt-LT hi-IN mt-MT"


@pytest.mark.parametrize("locale", LOCALES.split())
@pytest.mark.parametrize("currency", ["GBP", "USD"])
@pytest.mark.parametrize("amount", ["0.00", "0.01", "711.79", "-3.99", "1234.50", "-77183.60", "1234567.89"])
def test_amounts_are_read_back_in_every_locale(locale: str, currency: str, amount: str) -> None:
    """CLDR writes, the oracle's own reader reads: the same cents, the same sign."""
    written = format_currency(Decimal(amount), currency, locale=locale.replace("-", "_"))
    assert money(written, locale) == Decimal(amount)
    assert amounts(f"x {written} {written} y", locale, written) == Counter([Decimal(amount)] * 2)


def test_a_whole_number_before_an_amount_is_no_part_of_it() -> None:
    """Quantity, unit price and amount stand side by side in the text of a PDF."""
    assert amounts("6 18 108,00\u00a0£\n4,25 1\u202f125,00\u00a0£", "fr-FR", "1,00 £") == Counter(
        [Decimal("108.00"), Decimal("1125.00")]
    )


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("£1,234.5", "en-GB"),  # one decimal
        ("£12,34.50", "en-GB"),  # neither thousands nor lakhs
        ("1,234.50 €", "de-DE"),  # another locale's separators
        ("£1.234,50", "en-GB"),
        ("£", "en-GB"),
        ("1.234.50 £", "de-CH"),  # group and decimal separator alike
    ],
)
def test_wrongly_written_amounts_are_found(text: str, locale: str) -> None:
    """A formatting mistake is a difference even where the digits are right."""
    with pytest.raises(Misread):
        money(text, locale)


def test_a_label_must_be_there_and_every_one_counts() -> None:
    """A missing label is a difference; a second amount under the same label is read too."""
    text = "Net £1.00\nbody Net £9.99\nNet: £2.00; more"
    assert values(text, "Net") == ["£1.00", "£2.00"]
    with pytest.raises(Misread):
        values("Nett £1.00", "Net")


def test_dates_are_read_in_the_order_of_the_country() -> None:
    """The same digits are another day in another country."""
    assert day("1/6/2021", "US") == (2021, 1, 6)
    assert day("6.1.2021", "DE") == (2021, 1, 6)
    assert day("2021-01-06", "SE") == (2021, 1, 6)
    with pytest.raises(Misread):
        day("6/1/2021", "SE")


def test_mails_are_read_as_a_client_shows_them() -> None:
    """Styles and titles are not shown; cells stand on lines of their own."""
    mail = EmailMessage()
    mail.set_content("Net £1.00\n")
    html = "<html><head><title>Net £9</title><style>Net £8</style></head><body><tr><th>Net</th><td><b>£1</b>.00</td></tr></body></html>"
    mail.add_alternative(html, subtype="html")
    assert values(read_mail(mail.as_bytes()).html, "Net") == ["£1.00"]
    assert values(read_mail(mail.as_bytes()).text, "Net") == ["£1.00"]


def test_countries_of_the_data_have_codes_and_locales() -> None:
    """Old and informal names too; the main language is the most spoken official one."""
    names = ["EIRE", "USA", "Czech Republic", "Belgium", "Switzerland", "Brazil", "Israel"]
    codes = [country_code(name) for name in names]
    assert codes == ["IE", "US", "CZ", "BE", "CH", "BR", "IL"]
    assert [main_locale(code) for code in codes] == ["en-IE", "en-US", "cs-CZ", "nl-BE", "de-CH", "pt-BR", "he-IL"]
