"""From the country names of the data to ISO codes, and from there to the main language of each country."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from babel.languages import get_official_languages

# Names that are not CLDR's English ones. The last two are no country: the shop is British.
_NAMED = {
    "Channel Islands": "JE",
    "Czech Republic": "CZ",
    "EIRE": "IE",
    "European Community": "GB",
    "Hong Kong": "HK",
    "RSA": "ZA",
    "USA": "US",
    "Unspecified": "GB",
}


@lru_cache
def _by_name() -> dict[str, str]:
    names = Locale("en").territories
    return {name: code for code, name in names.items() if len(code) == 2} | _NAMED


def country_code(name: str) -> str:
    """Return the ISO 3166-1 code of a country as the data writes it."""
    return _by_name()[name]


@lru_cache
def main_locale(country: str) -> str:
    """Return the locale of a country's most spoken official language, such as nl-BE."""
    languages = get_official_languages(country, de_facto=True) or ("en",)
    return f"{languages[0]}-{country}".replace("_", "-")
