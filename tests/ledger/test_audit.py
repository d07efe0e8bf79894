"""Promise: whatever is changed, removed, moved or cut off in the audit log is found; nobody personal stands in it."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, people, small_workspace

from ccm.ledger.audit import AuditLog
from ccm.model.audit import AuditAction

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENTRIES = 40
TAMPERINGS = 1000


def opened(folder: Path) -> AuditLog:
    """Open the log of a folder."""
    return AuditLog.open("sqlite:///ledger.db", folder, folder / "audit.heads")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with some entries."""
    folder = tmp_path_factory.mktemp("audit")
    with closing(opened(folder)) as log:
        for number in range(ENTRIES):
            action = list(AuditAction)[number % len(AuditAction)]
            log.append(action, f"run-{number}", actor="op", at=AT, details={"pieces": number, "state": "closed"})
        assert log.verify().faults == ()
    with sqlite3.connect(folder / "ledger.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


Tampering = Callable[[sqlite3.Connection, random.Random, Path], None]


def change(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """One character of one column of one entry."""
    column = rng.choice(["at", "action", "actor", "subject", "details", "previous", "hash"])
    number = rng.randint(1, ENTRIES)
    (text,) = database.execute(f"SELECT {column} FROM audit WHERE number = ?", [number]).fetchone()
    place = rng.randrange(len(text))
    other = rng.choice([letter for letter in 'abcdef0123456789-{}" ' if letter != text[place]])
    new = text[:place] + other + text[place + 1 :]
    database.execute(f"UPDATE audit SET {column} = ? WHERE number = ?", [new, number])


def remove(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """One entry."""
    database.execute("DELETE FROM audit WHERE number = ?", [rng.randint(1, ENTRIES)])


def remove_and_close_up(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """One entry, and the later ones are numbered anew."""
    gone = rng.randint(1, ENTRIES)
    database.execute("DELETE FROM audit WHERE number = ?", [gone])
    for number in range(gone + 1, ENTRIES + 1):
        database.execute("UPDATE audit SET number = ? WHERE number = ?", [number - 1, number])


def swap(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """Two entries change places."""
    one, two = rng.sample(range(1, ENTRIES + 1), 2)
    for old, new in ((one, 0), (two, one), (0, two)):
        database.execute("UPDATE audit SET number = ? WHERE number = ?", [new, old])


def cut_off(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """The last entries."""
    database.execute("DELETE FROM audit WHERE number > ?", [rng.randint(0, ENTRIES - 1)])


def rewrite(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """An entry and every later hash, so that the chain is whole again; the anchor is forgotten."""
    from ccm.ledger import audit

    first = rng.randint(1, ENTRIES)
    previous = audit.GENESIS
    columns = ", ".join(audit._COLUMNS)
    for row in database.execute(f"SELECT {columns} FROM audit ORDER BY number").fetchall():
        entry = audit._entry(dict(zip(audit._COLUMNS, row, strict=True)))  # type: ignore[arg-type]
        values = {name: getattr(entry, name) for name in audit._COLUMNS} | {"previous": previous}
        if entry.number == first:
            values["actor"] = "nobody"
        sealed = audit._sealed(audit.AuditEntry(**values))
        database.execute(
            "UPDATE audit SET actor = ?, previous = ?, hash = ? WHERE number = ?",
            [sealed.actor, sealed.previous, sealed.hash, sealed.number],
        )
        previous = sealed.hash


def cut_anchor(database: sqlite3.Connection, rng: random.Random, anchor: Path) -> None:
    """A bit of the anchor."""
    content = bytearray(anchor.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(7)
    anchor.write_bytes(bytes(content))


@pytest.mark.parametrize("part", range(4))
def test_a_thousand_tamperings_are_found(written: Path, tmp_path: Path, part: int) -> None:
    """Changed, removed, renumbered, swapped, cut off, rewritten to the end, or the anchor altered: all of them."""
    kinds: tuple[Tampering, ...] = (change, change, remove, remove_and_close_up, swap, cut_off, rewrite, cut_anchor)
    missed = []
    for number in range(part, TAMPERINGS, 4):
        rng, kind = random.Random(number), kinds[number // 4 % len(kinds)]
        for name in ("ledger.db", "audit.heads"):
            shutil.copy(written / name, tmp_path / name)
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
            kind(database, rng, tmp_path / "audit.heads")
        with closing(opened(tmp_path)) as log:
            if not log.verify().faults:
                missed.append((number, kind.__name__))
    assert missed == []


def test_an_anchor_that_was_cut_to_fit_is_found_by_a_kept_head(written: Path, tmp_path: Path) -> None:
    """Both cut to the same length is a whole log; the head that was printed before is not in it."""
    for name in ("ledger.db", "audit.heads"):
        shutil.copy(written / name, tmp_path / name)
    with closing(opened(tmp_path)) as log:
        head = log.verify().head
        assert log.verify(head).faults == ()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute("DELETE FROM audit WHERE number > 30")
    lines = (tmp_path / "audit.heads").read_text().splitlines()[:30]
    (tmp_path / "audit.heads").write_text("\n".join(lines) + "\n")
    with closing(opened(tmp_path)) as log:
        assert log.verify().faults == ()
        assert log.verify(head).faults == ("the head that was kept elsewhere is not in the chain",)


def test_what_was_cut_off_is_not_repaired_by_going_on(written: Path, tmp_path: Path) -> None:
    """New entries after a cut neither hide it nor take the anchored heads away."""
    for name in ("ledger.db", "audit.heads"):
        shutil.copy(written / name, tmp_path / name)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute("DELETE FROM audit WHERE number > 35")
    with closing(opened(tmp_path)) as log:
        for _ in range(10):
            log.append(AuditAction.EXPORTED, "p-1", actor="op", at=AT)
        assert "entry 36 is not the one that was anchored" in log.verify().faults


def test_an_entry_whose_anchor_was_lost_to_a_kill_is_anchored_later(tmp_path: Path) -> None:
    """The anchor may be behind the log, and the next entry brings it up."""
    with closing(opened(tmp_path)) as log:
        for number in range(3):
            log.append(AuditAction.ERASED, f"erased:{number}", actor="op", at=AT)
        anchor = tmp_path / "audit.heads"
        anchor.write_text("".join(anchor.read_text().splitlines(keepends=True)[:2]))
        assert log.verify().faults == ()
        log.append(AuditAction.ERASED, "erased:3", actor="op", at=AT)
        assert len(anchor.read_text().splitlines()) == 4
        assert log.verify().faults == ()


def _append_many(folder: str, name: str) -> None:
    with closing(opened(Path(folder))) as log:
        for number in range(25):
            log.append(AuditAction.RUN_STARTED, f"{name}-{number}", actor=name, at=AT)


def test_processes_write_one_chain(tmp_path: Path) -> None:
    """Four at once: no number twice, no line of the anchor out of order."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append_many, args=(str(tmp_path), f"op{number}")) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    with closing(opened(tmp_path)) as log:
        verdict = log.verify()
    assert (verdict.entries, verdict.faults) == (100, ())


def test_what_is_done_here_is_written_down(tmp_path: Path) -> None:
    """Releases, approvals, runs, exports and erasures, by whom; and no word about a customer."""
    root = small_workspace(tmp_path, people(2), released=False)
    with ForkedCcm() as ccm:
        assert ccm("release", "notice", "--by", "author", cwd=root).code == 0
        assert ccm("approve", "notice@1.0.0", "--by", "approver", cwd=root).code == 0
        assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
        piece = ccm("history", "P-001", "--json", cwd=root).json[0]
        listed = ccm("suppress", "p002@example.org", cwd=root)
        assert listed.code == 0, listed.stderr
        ledger = root / ".ccm" / "ledger.db"
        ident = piece["piece"]
        assert ccm("archive", "get", ident, "-o", str(tmp_path / "piece"), cwd=root).code == 0
        stands_for = ccm("erase", "P-001", "--yes", "--json", cwd=root).json["erased"][0]["stands_for"]
        assert ccm("retire", "notice@1.0.0", "--by", "approver", "--reason", "old", cwd=root).code == 0
        entries = ccm("audit", "--json", cwd=root).json
        done = [(one["action"], one["subject"]) for one in entries]
        assert done == [
            ("released", "notice@1.0.0 (plain)"),
            ("approved", "notice@1.0.0 (plain)"),
            ("run-started", "news.once"),
            ("run-ended", "news.once"),
            ("suppressed", ""),
            ("exported", ident),
            ("erased", stands_for),
            ("retired", "notice@1.0.0 (plain)"),
        ]
        assert [entries[0]["actor"], entries[1]["actor"]] == ["author", "approver"]
        verified = ccm("audit", "verify", "--json", cwd=root)
        assert (verified.code, verified.json["entries"]) == (0, len(done))
        assert ccm("audit", "verify", "--head", verified.json["head"], cwd=root).code == 0
        with closing(sqlite3.connect(ledger)) as database, database:
            said = str(database.execute("SELECT * FROM audit").fetchall())
            database.execute("UPDATE audit SET actor = 'me' WHERE number = 3")
        assert "P-00" not in said
        assert "example.org" not in said
        told = ccm("audit", "verify", cwd=root)
        assert told.code == 1
        assert "entry 3 was changed" in told.stdout
