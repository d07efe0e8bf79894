"""What decisions mean, apart from any database."""

from __future__ import annotations

import pytest

from ccm.ledger.decisions import settled_read


@pytest.mark.parametrize(
    ("read", "outside", "decided", "executions", "expected"),
    [
        (None, 0, 7, 1, 7),  # never read to the end: as many as were decided
        (10, 3, 7, 1, 10),  # 10 - 3 = 7 decided: balanced
        (10, 3, 6, 1, 10),  # one lost: stays visible
        (10, 3, 8, 1, 10),  # one too many in a first execution: stays visible
        (10, 3, 6, 2, 10),  # one lost in a second execution: stays visible
        (9, 3, 7, 2, 10),  # one left the source since: was read once
    ],
)
def test_how_many_were_read(read: int | None, outside: int, decided: int, executions: int, expected: int) -> None:
    """Only people with an outcome who are gone at a later reading are added."""
    assert settled_read(read, outside, decided, executions) == expected
