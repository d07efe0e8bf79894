"""The postal address of one composed letter, for providers that print."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.compose.failure import FormatRefused
from ccm.compose.formats.locale_formats import parse_locale
from ccm.compose.formats.postal import address_lines, address_parts
from ccm.model.records import Composed, PostalAddress
from ccm.model.workspace import Brand
from ccm.plan.capabilities import POSTAL_FIELD


def postal_address(composed: Composed, brand: Brand) -> PostalAddress | None:
    """Return where a letter goes, laid out as templates print it; None if the data holds no usable address."""
    communication = composed.communication
    record = communication.data.get(POSTAL_FIELD)
    if not isinstance(record, Mapping):
        return None
    try:
        text = parse_locale(communication.language)
        lines = address_lines(record, text, home=brand.definition.contact.get("country"))
    except FormatRefused:
        return None
    parts = address_parts(record)
    return PostalAddress(
        lines=lines,
        name=parts["name"],
        company=parts["company_name"],
        postal_code=parts["postal_code"],
        country=parts["country_code"].upper(),
    )
