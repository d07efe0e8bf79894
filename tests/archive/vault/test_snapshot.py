"""Promise: a data snapshot gives back the communication it was made of, equal in every value and type."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccm.archive.vault.snapshot import (
    SnapshotUnreadable,
    changed_fields,
    decode,
    digests_of,
    encode,
    leaves,
    read_snapshot,
    write_snapshot,
)
from ccm.model.definitions import Channel, Purpose
from ccm.model.records import (
    ChannelExclusion,
    Communication,
    ExclusionReason,
    PlannedPiece,
    ReleaseRef,
)
from ccm.model.values import Money

DATA = {
    "customer": {"name": "Zoë Ś. 'Ō\u200f", "vip": True, "age": 10**40, "note": None},
    "lines": (
        {"amount": Money(Decimal("1.10"), "EUR"), "on": date(2026, 10, 31)},
        {"amount": Money(Decimal("-0"), "JPY")},
    ),
    "rate": Decimal("4.500"),
    "at": datetime(2026, 10, 31, 8, 30, tzinfo=UTC),
    "$odd": {"$money": "text", "": ()},
}
COMMUNICATION = Communication(
    communication_id="c-1",
    run_id="news.once",
    campaign="news",
    occurrence="once",
    recipient_id="P-001",
    language="en",
    locale="de-AT",
    zone="Europe/Vienna",
    purpose=Purpose.LEGAL,
    release=ReleaseRef("notice", "1.0.0", "ab" * 32),
    pieces=(PlannedPiece("p-1", Channel.EMAIL, "a@example.org", True, "outbox"),),
    data=DATA,
    parameters={"code": "X", "until": date(2026, 12, 24)},
    issued_at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    period=(date(2026, 10, 1), date(2026, 10, 31)),
    exclusions=(ChannelExclusion(Channel.SMS, ExclusionReason.NO_CONSENT, "none"),),
    alternatives=(PlannedPiece("p-2", Channel.SMS, "+441234", False, "outbox"),),
)

_single = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30)), ZoneInfo("Asia/Kolkata")])
    ),
    st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(["EUR", "KWD"])),
)
_values = st.recursive(
    _single,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def shape(value: object) -> object:
    """Return a value with its types, so that 1 and True, or 1.1 and 1.10, are not alike."""
    if isinstance(value, dict):
        return [(name, shape(inner)) for name, inner in value.items()]
    if isinstance(value, tuple):
        return [shape(inner) for inner in value]
    if isinstance(value, Money):
        return (str(value.amount), value.currency)
    return (type(value), str(value), str(getattr(value, "tzinfo", "")))


@given(_values)
def test_every_value_comes_back_as_it_was(value: object) -> None:
    """Through JSON text, for any nesting of every type of the data contract."""
    back = decode(json.loads(json.dumps(encode(value))))
    assert shape(back) == shape(value)


def test_a_communication_comes_back_whole() -> None:
    """Pieces, exclusions, alternatives, zone, fold and the order of fields too."""
    content = write_snapshot(COMMUNICATION)
    back = read_snapshot(content)
    assert back == COMMUNICATION
    assert shape(back.data) == shape(COMMUNICATION.data)
    assert (back.issued_at.fold, str(back.issued_at.tzinfo)) == (1, "Europe/Berlin")
    assert type(back.purpose) is Purpose
    assert write_snapshot(back) == content, "the same communication must give the same bytes"


@given(st.text(st.characters()) | st.sampled_from(["\ud800 half", "".join(map(chr, range(256))), "\u2028\ufeff"]))
def test_bytes_are_those_of_the_standard_library(text: str) -> None:
    """A faster writer changes no byte: the seal of what was kept before is the same, half characters included."""
    one = replace(COMMUNICATION, data={"x": text, text: "y"})
    content = write_snapshot(one)
    record = json.loads(content.decode("utf-8", "surrogatepass"))
    again = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert content == again
    assert read_snapshot(content).data == one.data
    assert len(digests_of(content)) == 8 * len(leaves(content))


def test_what_no_contract_has_is_refused() -> None:
    """A type that could not come back exactly is a bug, told when it is written and not years later."""
    for value in (1.5, {1: "x"}, [1], object(), b"x"):
        with pytest.raises(TypeError):
            write_snapshot(replace(COMMUNICATION, data={"x": value}))


@pytest.mark.parametrize(
    "broken",
    [
        lambda record: record | {"snapshot": 2},
        lambda record: {"snapshot": 1, "communication": record["communication"] | {"later": "x"}},
        lambda record: {"snapshot": 1, "communication": {"campaign": "x"}},
        lambda record: {"snapshot": 1, "communication": record["communication"] | {"period": {"$never": 1}}},
        lambda record: {"snapshot": 1, "communication": record["communication"] | {"purpose": "fun"}},
        lambda record: [],
    ],
)
def test_a_snapshot_of_another_form_is_told(broken: object) -> None:
    """A later version or a broken record never becomes a communication that is nearly right."""
    record = json.loads(write_snapshot(COMMUNICATION))
    with pytest.raises(SnapshotUnreadable):
        read_snapshot(json.dumps(broken(record)).encode())  # type: ignore[operator]


def test_a_changed_field_is_named() -> None:
    """One cent, one missing line, one other address: the path says which."""
    digests = digests_of(write_snapshot(COMMUNICATION))
    assert changed_fields(write_snapshot(COMMUNICATION), digests) == ()
    for path, other in (
        (
            "data.lines[1].amount",
            replace(
                COMMUNICATION,
                data={
                    **DATA,
                    "lines": ({**DATA["lines"][0], "amount": Money(Decimal("1.11"), "EUR")}, DATA["lines"][1]),
                },
            ),
        ),  # type: ignore[index,dict-item]
        ("zone", replace(COMMUNICATION, zone="UTC")),
        (
            "pieces[1].address",
            replace(COMMUNICATION, pieces=(replace(COMMUNICATION.pieces[0], address="b@example.org"),)),
        ),
    ):
        assert changed_fields(write_snapshot(other), digests) == (path,)
    assert len(dict(leaves(write_snapshot(COMMUNICATION)))) * 8 == len(digests) > 240
