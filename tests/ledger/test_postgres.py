"""What is PostgreSQL's own: locks between processes, commits that do not wait, and its errors in words."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import ccm.ledger
from ccm.ledger import tables
from ccm.ledger.database import Database
from ccm.ledger.interface import LedgerError, RunBusy
from ccm.ledger.sql import SqlLedger, open_ledger
from ccm.model.records import PieceState, StateChange
from ccm.testing import sample_decision, sample_run
from ccm.testing.samples import NOON, RUN_ID


def test_migrations_make_the_same_tables(postgres_url: str, tmp_path: Path) -> None:
    """What SQLite gets, PostgreSQL gets."""
    for module in pkgutil.iter_modules(ccm.ledger.__path__):  # whichever of them define tables
        importlib.import_module(f"ccm.ledger.{module.name}")
    opened = Database(postgres_url, tmp_path)
    with opened.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    opened.close()


def test_only_commits_that_must_wait_for_the_disk(postgres_url: str, tmp_path: Path) -> None:
    """An intent waits, a mark does not; a reader cannot write."""
    opened = Database(postgres_url, tmp_path)
    for durable, said in ((True, "on"), (False, "off")):
        with opened.write(durable=durable) as connection:
            assert connection.scalar(sa.text("SHOW synchronous_commit")) == said
    with pytest.raises(LedgerError, match="read-only"), opened.read() as connection:
        connection.execute(sa.delete(tables.runs))
    opened.close()


def test_eight_claims_at_once(postgres_url: str, tmp_path: Path) -> None:
    """Of eight ledgers that claim a new run at once, one gets it."""
    open_ledger(postgres_url, tmp_path).close()
    got: list[str] = []

    def work(number: int) -> None:
        ledger = open_ledger(postgres_url, tmp_path)
        try:
            ledger.claim_run(sample_run(), owner=f"owner-{number}", now=NOON, lease_seconds=60)
            got.append(f"owner-{number}")
        except RunBusy:
            pass
        finally:
            ledger.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_two_runs_write_at_once(postgres_url: str, tmp_path: Path) -> None:
    """While one run's transaction is open, another run's marks go through: they lock their own run alone."""
    ledger, other = (
        open_ledger(postgres_url, tmp_path),
        SqlLedger(Database(postgres_url, tmp_path, busy_seconds=0.5), boot="b"),
    )
    for run in (sample_run(), sample_run(occurrence="2026-11")):
        ledger.claim_run(run, owner="me", now=NOON, lease_seconds=60)
        other.claim_run(run, owner="me", now=NOON, lease_seconds=60)
    decision = sample_decision("C-1")
    other.save(RUN_ID, [decision], owner="me", now=NOON)
    opened = Database(postgres_url, tmp_path)
    with opened.write(alone=False) as connection:
        key = sample_run(occurrence="2026-11").run_id
        connection.execute(sa.select(tables.runs).where(tables.runs.c.run_id == key).with_for_update())
        change = StateChange(decision.pieces[0].piece_id, PieceState.SENDING, NOON)
        other.advance(RUN_ID, [change], owner="me", durable=False)
        with pytest.raises(LedgerError, match="another process holds"):
            other.renew_lease(key, owner="me", now=NOON, lease_seconds=60)
    for one in (ledger, other, opened):
        one.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("host=", "host=/nowhere"), "cannot be reached"),
        (("/t", "/absent"), "does not exist|cannot be reached"),
        (("ccm@", "nobody@"), "refuses the login|cannot be reached"),
    ],
)
def test_errors_are_words(postgres_url: str, tmp_path: Path, change: tuple[str, str], words: str) -> None:
    """A server that is away, a database or a user that it has not: named, with a remedy, and without the address."""
    wrong = postgres_url.replace(*change, 1)
    with pytest.raises(LedgerError, match=words) as caught:
        Database(wrong, tmp_path)
    assert caught.value.remedy
    assert "ccm-pg-" not in str(caught.value)
