"""Staged child rows: reused while the file is the same, rebuilt when it is not or they are damaged, whole or absent."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
from datetime import date
from pathlib import Path

from source_workspaces import campaign, row, workspace

from ccm.load.source.recipients import load_recipients

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def texts(root: Path, only: str | None = None) -> list[str]:
    found = load_recipients(workspace(root), campaign(), period=OCTOBER, only=only)
    return [item["text"] for one in found for item in one.data["transactions"]]  # type: ignore[attr-defined]


def staged(root: Path) -> list[Path]:
    return sorted((root / ".ccm/staging").iterdir())


def make(root: Path, text: str = "Tea", customers: int = 3) -> None:
    rows = [row(f"C-{number}") for number in range(customers)]
    workspace(root, rows=rows, children=[f"C-{number},2026-10-01,{text},1.00" for number in range(customers)])


def test_a_second_run_reuses_what_was_staged(tmp_path: Path) -> None:
    """The same content is staged once, whatever its time stamps say."""
    make(tmp_path)
    assert texts(tmp_path) == ["Tea"] * 3
    (before,) = staged(tmp_path)
    made_at = before.stat().st_mtime_ns
    make(tmp_path)
    assert texts(tmp_path) == ["Tea"] * 3
    assert [(path.name, path.stat().st_mtime_ns) for path in staged(tmp_path)] == [(before.name, made_at)]


def test_a_changed_file_is_staged_anew_and_the_old_rows_are_removed(tmp_path: Path) -> None:
    """Same size, same second: the hash still tells them apart. Outdated customer data does not stay."""
    make(tmp_path)
    texts(tmp_path)
    (before,) = staged(tmp_path)
    make(tmp_path, text="Jam")
    assert texts(tmp_path) == ["Jam"] * 3
    (after,) = staged(tmp_path)
    assert after != before


def test_damaged_staging_is_rebuilt(tmp_path: Path) -> None:
    """Whatever happened to the file, the rows come from the source again."""
    make(tmp_path)
    for damage in (b"", b"not a database", b"SQLite format 3\0" + bytes(4096)):
        texts(tmp_path)
        (path,) = staged(tmp_path)
        path.write_bytes(damage)
        assert texts(tmp_path) == ["Tea"] * 3
    path.write_bytes(path.read_bytes()[:5000])  # cut off in the middle
    assert texts(tmp_path) == ["Tea"] * 3


def test_damage_among_the_rows_is_found_by_every_process_and_after_every_change(tmp_path: Path) -> None:
    """A file is looked through when a process opens it first, and when it is not what it was then."""
    make(tmp_path, customers=300)
    expected = texts(tmp_path)
    (path,) = staged(tmp_path)
    whole = path.read_bytes()
    for place in range(4096, len(whole), 4096):  # pages behind the first one, which every opening reads
        path.write_bytes(whole[:place] + b"\xff" * 4096 + whole[place + 4096 :])
        assert texts(tmp_path) == expected
        assert path.read_bytes() == whole
    code = f"import sys; sys.path[:0] = {sys.path!r}; import test_staging as one; from pathlib import Path; print(*one.texts(Path(sys.argv[1])))"
    path.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    found = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert found.stdout.split() == expected


def test_reading_one_customer_stages_nothing(tmp_path: Path) -> None:
    """A preview of one customer does not read the whole table into a second file, and uses one that is there."""
    make(tmp_path)
    assert texts(tmp_path, only="C-1") == ["Tea"]
    assert staged(tmp_path) == []
    texts(tmp_path)
    assert texts(tmp_path, only="C-1") == ["Tea"]


def test_staged_rows_are_for_their_owner_alone(tmp_path: Path) -> None:
    """They are customer data."""
    make(tmp_path)
    texts(tmp_path)
    assert (tmp_path / ".ccm/staging").stat().st_mode & 0o077 == 0


def test_many_processes_may_stage_at_once(tmp_path: Path) -> None:
    """Each sees all rows, whoever was first; no draft is left behind."""
    make(tmp_path, customers=2_000)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.map(texts, [tmp_path] * 8)
    assert [len(one) for one in found] == [2_000] * 8
    assert [path.suffix for path in staged(tmp_path)] == [".db"]


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_staging import texts
from ccm.load.source.tables import SourceUnreadable
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # files cannot grow further, as on a full disk
try:
    texts(Path({root!r}))
except SourceUnreadable as error:
    print(error.diagnostic.code, error.diagnostic.location.path)
"""


def test_a_full_disk_is_a_clear_error_and_leaves_no_draft(tmp_path: Path) -> None:
    """Rows that cannot be staged stop the reading with a remedy, not with half of them."""
    make(tmp_path, customers=20_000)
    script = FULL_DISK.format(here=str(Path(__file__).parent), root=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["staging-failed", ".ccm/staging"], done.stderr
    assert staged(tmp_path) == []
    assert len(texts(tmp_path)) == 20_000


def test_staged_rows_are_those_of_the_table(tmp_path: Path) -> None:
    """Rows of several months, mixed among customers, wrong ones and untrusted ones among them: each customer gets the same."""
    draw = random.Random(7)
    lines = []
    for number in range(400):
        day = draw.choice(["2026-09-30", "2026-10-01", "2026-10-07", "2026-10", "2026-10-31", "2026-11-01", ""])
        text, amount = draw.choice(["Tea", "Café", "Zoe\u0308", "Tea"]), draw.choice(["1.00", "12.5", "-3", "20.10"])
        key = f"C-{draw.choice([0, 1, 2, 3, 3, 3])}"
        if number % 97 == 5:
            lines.append(f"{key},{day},{text}")  # a cell is missing
        elif number % 89 == 7:
            lines.append(f"C-2,{day},{text},much")
        else:
            lines.append(f"{key},{day},{text},{amount}")
    children = [line for line in lines if not line.startswith("C-0") or line.count(",") == 3]
    workspace(tmp_path, rows=[row(f"C-{number}") for number in range(4)], children=children)
    keys = [f"C-{number}" for number in range(4)]
    loaded = workspace(tmp_path)
    unstaged = [next(load_recipients(loaded, campaign(), period=OCTOBER, only=key)) for key in keys]
    assert not (tmp_path / ".ccm/staging").exists() or not list((tmp_path / ".ccm/staging").glob("*.db"))
    assert list(load_recipients(loaded, campaign(), period=OCTOBER)) == unstaged
    assert all(one.data["transactions"] or one.faults for one in unstaged)
