"""Letters go where the data says, in the layout that the template prints; only providers that print are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run.messages import BRAND, communication, made

from ccm.model.definitions import Channel
from ccm.model.records import PostalAddress
from ccm.run.deciding import decide
from ccm.run.postal import postal_address
from ccm.run.workers import Made

DATA = {
    "address": {
        "name": "Ann Example",
        "street": "Musterweg 1",
        "postal_code": "12345",
        "city": "Berlin",
        "country": "DE",
    }
}


def letter(data: dict[str, object]) -> Made:
    """Return a composed letter to somebody with this data."""
    one = made(communication("C-1", (Channel.DOCUMENT,)))
    return replace(one, composed=replace(one.composed, communication=replace(one.composed.communication, data=data)))


def test_the_address_is_laid_out_and_kept_in_parts() -> None:
    """Lines as in the window; name, postal code and country for sorting and shared envelopes."""
    lines = ("Ann Example", "Musterweg 1", "12345 BERLIN", "GERMANY")
    assert postal_address(letter(DATA).composed, BRAND) == PostalAddress(lines, "Ann Example", "", "12345", "DE")


@pytest.mark.parametrize("data", [{}, {"address": None}, {"address": {"planet": "Mars"}}, {"address": "Musterweg"}])
def test_data_without_an_address_gives_none(data: dict[str, object]) -> None:
    """Nothing is made up; the printer refuses such a piece."""
    assert postal_address(letter(data).composed, BRAND) is None


def test_only_providers_that_print_are_told() -> None:
    """An archive or a webhook has no use for it."""
    told = [decide(letter(DATA), {}, BRAND, paper)[1] for paper in (frozenset(), frozenset({"document"}))]
    postal = [job.envelopes[0].postal for job in told if job]
    assert postal[0] is None
    assert postal[1] is not None
    assert postal[1].country == "DE"
