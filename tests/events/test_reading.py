"""Values of others: whatever they are, they become ours or nothing."""

from __future__ import annotations

import pytest

from ccm.events.reading import first_text, moment, piece_in, record, records, text, word

PIECE = "p-" + "a" * 26


@pytest.mark.parametrize("value", [None, 5, [], {}, b"x", True])
def test_what_is_no_text_is_nothing(value: object) -> None:
    """And a number is no time, a text no record."""
    assert text(value) == ""
    assert moment(value) is None
    assert record("x") == {}
    assert list(records({"a": 1})) == []
    assert first_text([5]) == ""
    assert first_text(["a", "b"]) == "a"


def test_a_piece_id_is_found_alone() -> None:
    """Within a Message-ID or an address; not inside a longer word, not one of two."""
    assert piece_in(f"<{PIECE}@x.example>") == PIECE
    assert piece_in(f"bounces+{PIECE}@x.example") == PIECE
    assert piece_in(f"{PIECE} {PIECE}") == PIECE
    for other in (f"{PIECE}x", f"x{PIECE}", f"{PIECE} p-{'b' * 26}", "p-" + "a" * 25, "p-" + "A" * 26, "p-" + "1" * 26):
        assert piece_in(other) == ""


def test_a_word_holds_no_address_and_no_sign() -> None:
    """What a provider says goes into reports and logs."""
    assert word("smtp; 550 <ann@example.org> rejected\r\nX: y") == "smtp- 550 rejected X: y"
    assert len(word("x " * 1000)) <= 200


def test_times_without_an_offset_are_utc() -> None:
    """And with one they keep it."""
    found = moment("2026-11-02T12:00:00")
    assert found is not None
    assert found == moment("2026-11-02T12:00:00Z") == moment("2026-11-02T13:00:00+01:00")
