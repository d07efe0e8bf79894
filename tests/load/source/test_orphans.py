"""Child rows that belong to nobody are counted, with their places: rows of strangers, without a key, or of no use."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from source_workspaces import SOURCE, campaign, row, workspace

from ccm.load.source.recipients import load_recipients
from ccm.model.orphans import OrphanRows
from ccm.model.workspace import Workspace

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
SOUND = ["C-1,2026-10-01,Tea,1.00", "C-2,2026-10-02,Jam,2.00"]


def orphans(space: Workspace, *, first: bool = False) -> list[OrphanRows]:
    told: list[tuple[OrphanRows, ...]] = []
    list(load_recipients(space, campaign(), period=OCTOBER, tell_orphans=told.append, orphans_first=first))
    (found,) = told  # once for each reading
    return list(found)


def in_file(root: Path, children: list[str], rows: list[str] | None = None) -> Workspace:
    return workspace(root, rows=[row("C-1"), row("C-2")] if rows is None else rows, children=children)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    ("children", "count", "lines"),
    [
        (SOUND, 0, []),
        ([*SOUND, "C-9,2026-10-03,Rum,3.00"], 1, [4]),
        (["C-9,2026-10-03,Rum,3.00", *SOUND, "C-8,2026-10-03,Rum,3.00", "C-9,2026-10-04,Rum,3.00"], 3, [2, 5]),
        ([*SOUND, "C-9,2026-09-03,Rum,3.00"], 0, []),  # of another month: this run is not about it
        ([*SOUND, ",2026-10-03,Rum,3.00", "  ,2026-10-03,Rum,3.00"], 2, [4]),  # no key at all
        ([*SOUND, "C-9,soon,Rum,3.00"], 1, [4]),  # of no month: it may be this one
        ([*SOUND, "C-1,soon,Rum,3.00"], 0, []),  # holds C-1
        ([*SOUND, "C-9,2026-10-03"], 1, [4]),  # cut off, and of nobody
        ([*SOUND, "C-1,2026-10-03"], 0, []),  # cut off: holds C-1
        ([*SOUND, "C-9,C-1,2026-10-03"], 0, []),  # cells too few: may be C-1's, and holds them
        ([f"X-{number},2026-10-03,Rum,3.00" for number in range(9)], 9, [2, 3, 4, 5, 6]),  # the first five places
    ],
)
def test_rows_of_nobody_are_counted(
    tmp_path: Path, children: list[str], count: int, lines: list[int], first: bool
) -> None:
    """Each row that no recipient was made from and that holds nobody counts once, before or after the reading."""
    found = orphans(in_file(tmp_path, children), first=first)
    assert [(one.table, one.rows) for one in found] == ([("transactions", count)] if count else [])
    assert [place.line for one in found for place in one.places] == lines
    assert {place.path for one in found for place in one.places} <= {"data/transactions.csv"}


def test_a_parent_that_is_held_still_owns_its_rows(tmp_path: Path) -> None:
    """A doubled or broken row of the main table is somebody's matter already; its child rows are not lost unseen."""
    rows = [row("C-1"), row("C-1"), row("C-2") + ",one,too,many", row("C-3", balance="?")]
    children = [*SOUND, "C-3,2026-10-03,Rum,3.00"]
    assert orphans(in_file(tmp_path, children, rows)) == []


def test_an_empty_main_table_leaves_all_rows(tmp_path: Path) -> None:
    """An export of customers that failed beside one of movements that did not."""
    (found,) = orphans(in_file(tmp_path, SOUND, rows=[]))
    assert found.rows == 2


def test_rows_of_a_database_are_counted(tmp_path: Path) -> None:
    """There the place is the number of the row."""
    space = in_file(tmp_path, SOUND)
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE moves (id TEXT, day TEXT, text TEXT, amount TEXT)")
        shop.executemany("INSERT INTO moves VALUES (?, '2026-10-01', 'Tea', '1.00')", [("C-1",), ("C-9",), (None,)])
    shop.close()
    rows = {"url": f"sqlite:///{tmp_path / 'shop.db'}", "table": "moves"}
    children = {"transactions": {"rows": rows, "key": "id", "period": "day"}}
    space = workspace(tmp_path, source={**SOURCE, "children": children})
    for first in (False, True):
        (found,) = orphans(space, first=first)
        assert (found.rows, [place.line for place in found.places]) == (2, [2, 3])


def test_no_value_is_told(tmp_path: Path) -> None:
    """Keys may be account numbers; a place is enough."""
    assert "C-9" not in str(orphans(in_file(tmp_path, [*SOUND, "C-9,2026-10-03,Rum,3.00"])))
