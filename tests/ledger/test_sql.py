"""What only the ledger in a database can break: files, locks, disks, kills, migrations."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import ccm.ledger
from ccm.ledger import database, permission_tables, rate_tables, tables
from ccm.ledger.database import Database
from ccm.ledger.interface import LeaseLost, LedgerError
from ccm.ledger.sql import SqlLedger, open_ledger
from ccm.model.definitions import Channel
from ccm.model.records import PieceState, StateChange
from ccm.testing import sample_decision, sample_run
from ccm.testing.samples import NOON, RUN_ID

URL = "sqlite:///ledger.db"
OWNER = "host:1"


def claimed(folder: Path, *, boot: str = "boot-1", owner: str = OWNER, seconds: float = 0) -> SqlLedger:
    ledger = SqlLedger(Database(URL, folder), boot=boot)
    ledger.claim_run(sample_run(), owner=owner, now=NOON + timedelta(seconds=seconds), lease_seconds=60)
    return ledger


def test_everything_survives_closing(tmp_path: Path) -> None:
    """A reopened ledger knows what the closed one knew."""
    ledger = claimed(tmp_path)
    ledger.save(RUN_ID, [sample_decision("C-1")], owner=OWNER, now=NOON)
    before = (ledger.tally(RUN_ID), ledger.history("C-1"), list(ledger.pieces(RUN_ID)))
    ledger.close()
    ledger = SqlLedger(Database(URL, tmp_path), boot="boot-1")
    assert (ledger.tally(RUN_ID), ledger.history("C-1"), list(ledger.pieces(RUN_ID))) == before
    ledger.close()


def test_the_address_is_relative_to_the_workspace(tmp_path: Path) -> None:
    """The folder of the file is made when it is absent."""
    open_ledger("sqlite:///.ccm/deep/ledger.db", tmp_path).close()
    assert (tmp_path / ".ccm" / "deep" / "ledger.db").is_file()


def test_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    """tables.py and migrations/ agree, and HEAD is the newest step."""
    for module in pkgutil.iter_modules(ccm.ledger.__path__):  # whichever of them define tables
        importlib.import_module(f"ccm.ledger.{module.name}")
    assert permission_tables.metadata is rate_tables.metadata is tables.metadata
    opened = Database(URL, tmp_path)
    with opened.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    opened.close()
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == database.HEAD
    assert len(list(script.walk_revisions())) >= 1


def test_a_ledger_of_a_newer_ccm_is_refused(tmp_path: Path) -> None:
    """An older program does not write into tables that it does not know."""
    Database(URL, tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerError, match="update ccm"):
        Database(URL, tmp_path)


def test_two_processes_may_make_the_tables_at_once(tmp_path: Path) -> None:
    """Opening a new ledger from several places at the same time works for all of them."""
    errors: list[Exception] = []

    def work() -> None:
        try:
            Database(URL, tmp_path).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("url", ["", "nonsense", "nosuchdb://host/x", "postgresql+nosuchdriver://h/x"])
def test_an_address_that_is_not_understood_is_named(url: str, tmp_path: Path) -> None:
    """A wrong `ledger` in ccm.yaml is an error with a remedy."""
    with pytest.raises(LedgerError, match=r"ccm\.yaml"):
        open_ledger(url, tmp_path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A text file in place of the ledger stays as it is."""
    (tmp_path / "ledger.db").write_text("customer list of Northwind Bank, 2026 " * 50)
    with pytest.raises(LedgerError, match="no SQLite database"):
        open_ledger(URL, tmp_path)
    assert (tmp_path / "ledger.db").read_text().startswith("customer list")


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    """Damage in the middle of the file is an error, and no personal data is in it."""
    ledger = claimed(tmp_path)
    ledger.save(RUN_ID, [sample_decision(f"C-{n}") for n in range(200)], owner=OWNER, now=NOON)
    ledger.close()
    path = tmp_path / "ledger.db"
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"damaged|no SQLite database") as caught:
        list(SqlLedger(Database(URL, tmp_path), boot="boot-1").pieces(RUN_ID))
    assert "C-1" not in str(caught.value)


def test_a_lock_held_by_another_program_is_named(tmp_path: Path) -> None:
    """Waiting for a lock ends with an error that says what to do."""
    opened = Database(URL, tmp_path, busy_seconds=0.1)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger = SqlLedger(opened, boot="boot-1")
    with pytest.raises(LedgerError, match="write lock"):
        ledger.claim_run(sample_run(), owner=OWNER, now=NOON, lease_seconds=60)
    other.execute("ROLLBACK")
    other.close()
    ledger.claim_run(sample_run(), owner=OWNER, now=NOON, lease_seconds=60)
    ledger.close()


def test_naive_times_are_refused(tmp_path: Path) -> None:
    """A time without a zone never gets into the ledger."""
    ledger = SqlLedger(Database(URL, tmp_path), boot="boot-1")
    with pytest.raises((ValueError, sa.exc.StatementError), match="aware"):
        ledger.claim_run(sample_run(started_at=NOON.replace(tzinfo=None)), owner=OWNER, now=NOON, lease_seconds=60)
    ledger.close()


def test_errors_show_no_values(tmp_path: Path) -> None:
    """Even a fault of ours shows no bound values of a statement."""
    ledger = claimed(tmp_path)
    with ledger._database.write() as connection, pytest.raises(sa.exc.IntegrityError) as caught:
        connection.execute(sa.insert(tables.runs), {"run_id": "Ann Example"})
    assert "Ann Example" not in str(caught.value)
    ledger.close()


def test_after_a_power_cut_intents_count_as_handed_over(tmp_path: Path) -> None:
    """The mark of sending may be lost with the power, so a written intent is doubtful after another start."""
    for boot, expected in (("boot-1", PieceState.INTENT), ("boot-2", PieceState.SENDING), ("", PieceState.SENDING)):
        folder = tmp_path / (boot or "unknown")
        folder.mkdir()
        ledger = claimed(folder)
        decision = sample_decision("C-1", [Channel.EMAIL])
        ledger.save(RUN_ID, [decision], owner=OWNER, now=NOON)
        change = StateChange(decision.pieces[0].piece_id, PieceState.INTENT, NOON)
        ledger.advance(RUN_ID, [change], owner=OWNER, durable=True)
        ledger.close()
        ledger = claimed(folder, boot=boot, owner="host:2", seconds=61)
        assert [piece.state for piece in ledger.pieces(RUN_ID)] == [expected]
        ledger.close()


def test_after_a_clean_end_intents_are_not_in_doubt(tmp_path: Path) -> None:
    """An execution that gave its lease back had nothing in flight."""
    ledger = claimed(tmp_path)
    decision = sample_decision("C-1", [Channel.EMAIL])
    ledger.save(RUN_ID, [decision], owner=OWNER, now=NOON)
    change = StateChange(decision.pieces[0].piece_id, PieceState.INTENT, NOON)
    ledger.advance(RUN_ID, [change], owner=OWNER, durable=True)
    ledger.close_run(RUN_ID, owner=OWNER, state="stopped", now=NOON, read=0, outside_segment=0)
    ledger.close()
    ledger = claimed(tmp_path, boot="boot-2", owner="host:2")
    assert [piece.state for piece in ledger.pieces(RUN_ID)] == [PieceState.INTENT]
    ledger.close()


def test_an_older_execution_under_the_same_name_is_fenced(tmp_path: Path) -> None:
    """A process id that comes back does not let the process before it write."""
    old = claimed(tmp_path)
    new = claimed(tmp_path, seconds=61)
    with pytest.raises(LeaseLost):
        old.save(RUN_ID, [sample_decision("C-1")], owner=OWNER, now=NOON)
    new.save(RUN_ID, [sample_decision("C-1")], owner=OWNER, now=NOON)
    old.close()
    new.close()


def test_every_change_of_state_leaves_a_line(tmp_path: Path) -> None:
    """Events are the append-only history: claim, composed, sending, accepted, settled."""
    ledger = claimed(tmp_path)
    decision = sample_decision("C-1", [Channel.EMAIL])
    ledger.save(RUN_ID, [decision], owner=OWNER, now=NOON)
    for state in (PieceState.SENDING, PieceState.ACCEPTED):
        change = StateChange(decision.pieces[0].piece_id, state, NOON)
        ledger.advance(RUN_ID, [change], owner=OWNER, durable=False)
    with ledger._database.read() as connection:
        states = connection.scalars(sa.select(tables.events.c.state).order_by(tables.events.c.number)).all()
    assert states == ["claimed", "composed", "sending", "accepted"]
    ledger.close()


def test_threads_share_a_ledger(tmp_path: Path) -> None:
    """Four threads saving and advancing at once lose nothing."""
    ledger = claimed(tmp_path)

    def work(thread: int) -> None:
        for n in range(10):
            decision = sample_decision(f"C-{thread}-{n}", [Channel.EMAIL])
            ledger.save(RUN_ID, [decision], owner=OWNER, now=NOON)
            change = StateChange(decision.pieces[0].piece_id, PieceState.ACCEPTED, NOON)
            ledger.advance(RUN_ID, [change], owner=OWNER, durable=False)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.tally(RUN_ID).pieces == {(Channel.EMAIL, PieceState.ACCEPTED): 40}
    ledger.close()


KILLED = """
    import os, random, signal, sys, time
    from datetime import timedelta
    from pathlib import Path
    from ccm.ledger.sql import open_ledger
    from ccm.model.definitions import Channel
    from ccm.model.records import PieceState, StateChange
    from ccm.testing import sample_decision, sample_run
    from ccm.testing.samples import NOON, RUN_ID

    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    warm = open_ledger("sqlite:///ledger.db", folder)  # imports and tables, before anything is killed
    warm.close()

    def work(number, promised):
        ledger = open_ledger("sqlite:///ledger.db", folder)
        owner = f"owner-{number}"
        ledger.claim_run(sample_run(), owner=owner, now=NOON + timedelta(hours=number), lease_seconds=60)
        for batch in range(10_000):
            decisions = [sample_decision(f"C-{number}-{batch}-{n}") for n in range(10)]
            ledger.save(RUN_ID, decisions, owner=owner, now=NOON)
            os.write(promised, f"saved {number}-{batch}\\n".encode())
            pieces = [piece.piece_id for decision in decisions for piece in decision.pieces]
            for state in (PieceState.INTENT, PieceState.SENDING, PieceState.ACCEPTED):
                changes = [StateChange(piece, state, NOON) for piece in pieces]
                ledger.advance(RUN_ID, changes, owner=owner, durable=state is PieceState.INTENT)
                os.write(promised, f"{state} {number}-{batch}\\n".encode())

    promised = os.open(folder / "promised.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(rounds):
        child = os.fork()
        if not child:
            work(number, promised)
        lines = os.path.getsize(folder / "promised.txt") + 18 * random.Random(number).randrange(40)
        while os.path.getsize(folder / "promised.txt") < lines:
            time.sleep(0.001)
        time.sleep(random.Random(-number).uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
"""


def test_kill_in_the_middle_of_writing(tmp_path: Path) -> None:
    """After kill -9 at any moment the file is whole, batches are there completely or not at all, and
    everything that a call returned from is there."""
    subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), "12"], check=True, timeout=120)
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    ledger = open_ledger(URL, tmp_path)
    batches: dict[str, list[PieceState]] = {}
    for piece in ledger.pieces(RUN_ID):
        batches.setdefault(piece.recipient_id.rpartition("-")[0].removeprefix("C-"), []).append(piece.state)
    ledger.close()
    promises = [line.split() for line in (tmp_path / "promised.txt").read_text().splitlines()]
    order = ["composed", "intent", "sending", "accepted"]
    assert len(promises) > 50
    for states in batches.values():
        assert len(states) == 20
        assert len(set(states)) == 1
    for state, batch in promises:
        assert order.index(batches[batch][0]) >= order.index("composed" if state == "saved" else state)


CLAIMING = """
    import os, sys
    from pathlib import Path
    from ccm.ledger.interface import RunBusy
    from ccm.ledger.sql import open_ledger
    from ccm.testing import sample_run
    from ccm.testing.samples import NOON

    folder = Path(sys.argv[1])
    open_ledger("sqlite:///ledger.db", folder).close()
    children = []
    for number in range(8):
        child = os.fork()
        if not child:
            ledger = open_ledger("sqlite:///ledger.db", folder)
            try:
                ledger.claim_run(sample_run(), owner=f"owner-{number}", now=NOON, lease_seconds=60)
                os._exit(7)
            except RunBusy:
                os._exit(0)
        children.append(child)
    print(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7 for child in children))
"""


def test_eight_processes_and_one_run(tmp_path: Path) -> None:
    """Of eight processes that claim a run at once, one gets it."""
    command = [sys.executable, "-c", textwrap.dedent(CLAIMING), str(tmp_path)]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout.strip() == "1"


FULL = """
    import sys
    from pathlib import Path
    from ccm.ledger.interface import LedgerError
    from ccm.ledger.sql import open_ledger
    from ccm.testing import sample_decision, sample_run
    from ccm.testing.samples import NOON, RUN_ID

    folder = Path(sys.argv[1])
    ledger = open_ledger("sqlite:///ledger.db", folder)
    ledger.claim_run(sample_run(), owner="me", now=NOON, lease_seconds=60)
    saved = 0
    try:
        for batch in range(1000):
            decisions = [sample_decision(f"C-{batch}-{n}") for n in range(50)]
            ledger.save(RUN_ID, decisions, owner="me", now=NOON)
            saved += 100
    except LedgerError as error:
        print(error)
    assert sum(1 for _ in ledger.pieces(RUN_ID)) == saved > 0
    (folder / "ballast").unlink()
    ledger.save(RUN_ID, decisions, owner="me", now=NOON)
    assert sum(1 for _ in ledger.pieces(RUN_ID)) == saved + 100
    ledger.close()
"""


def on_a_small_disk(folder: Path, script: str) -> str:
    """Run a script with a file system of 2 MB, a quarter of it ballast; return what it prints."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no mount of a small disk")
    shell = 'mount -t tmpfs -o size=2m none "$1" && head -c 500000 /dev/zero > "$1/ballast" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", shell, "sh", str(folder), sys.executable, textwrap.dedent(script)]
    done = subprocess.run(command, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    """On a full disk the call fails as a whole; with space again the same ledger goes on."""
    assert "full" in on_a_small_disk(tmp_path, FULL)


def test_a_read_only_ledger_is_named(tmp_path: Path) -> None:
    """A ledger that may be read but not written says so at the first write or before."""
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    Database(URL, tmp_path).close()
    for path in tmp_path.iterdir():
        path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(LedgerError, match="permission"):
            claimed(tmp_path)
    finally:
        tmp_path.chmod(0o755)
