"""Promise: keys, erasure and audit log do on PostgreSQL what they do on SQLite."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from e2e.forked_ccm import ForkedCcm
from ledger.postgres_server import new_database
from run.small_workspace import AS_OF, CCM, people, small_workspace

from ccm.archive.vault import MasterKey, VaultLocked
from ccm.archive.vault.keys import KeyStore
from ccm.ledger.audit import AuditLog, audit
from ccm.ledger.database import Database
from ccm.model.audit import AuditAction

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MASTER = MasterKey(bytes(range(32)), "the test")


def test_keys_live_and_die_in_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """Drawn once by whoever comes first, destroyed for good, replaced for what is held; another master opens nothing."""
    with closing(KeyStore.open(postgres_url, tmp_path, MASTER)) as store:
        first = store.ensured(["C-1", "C-2"])
        with closing(KeyStore.open(postgres_url, tmp_path, MASTER)) as other:
            assert other.ensured(["C-1", "C-2"]) == first
        assert store.destroy("C-1", at=AT)
        assert not store.destroy("C-1", at=AT)
        assert store.key("C-1") is None
        with pytest.raises(LookupError):
            store.key("C-3")
        following = store.successor("C-2")
        store.succeed("C-2")
        store.scrub()
        assert store.key("C-2") == following != first["C-2"]
        assert store.waiting("C-2") is None
        assert store.ensured(["C-1"])["C-1"] != first["C-1"], "a new contract begins with a new key"
    with pytest.raises(VaultLocked):
        KeyStore.open(postgres_url, tmp_path, MasterKey(bytes(32), "another"))


def test_eight_draw_the_same_key(postgres_url: str, tmp_path: Path) -> None:
    """At once, from a store that nobody has made yet."""
    found: list[bytes] = []

    def draw() -> None:
        with closing(KeyStore.open(postgres_url, tmp_path, MASTER)) as store:
            found.append(store.ensured(["C-1"])["C-1"])

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_audit_chain_holds_in_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """Several writers, one chain; a changed and a removed entry are found."""

    def write(name: str) -> None:
        with closing(AuditLog.open(postgres_url, tmp_path, tmp_path / "heads")) as log:
            for number in range(10):
                log.append(AuditAction.EXPORTED, f"{name}-{number}", actor=name, at=AT, details={"pieces": number})

    AuditLog.open(postgres_url, tmp_path, tmp_path / "heads").close()
    threads = [threading.Thread(target=write, args=(f"op{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(AuditLog.open(postgres_url, tmp_path, tmp_path / "heads")) as log:
        verdict = log.verify()
        assert (verdict.entries, verdict.faults) == (40, ())
        database = Database(postgres_url, tmp_path)
        with database.write() as connection:
            connection.execute(sa.update(audit).where(audit.c.number == 7).values(actor="me"))
        assert "entry 7 was changed" in log.verify().faults
        with database.write() as connection:
            connection.execute(sa.delete(audit).where(audit.c.number == 40))
        assert any("missing" in fault for fault in log.verify().faults)
        database.close()


def test_a_customer_is_erased_from_postgresql(tmp_path: Path) -> None:
    """Ledger, permissions, audit log and keys in two databases: history forgets, sums stay, the chain verifies."""
    ledger, keys = new_database(), new_database()
    root = small_workspace(tmp_path, people(3), ccm_dot_yaml=f"{CCM}ledger: {ledger}\nkeys: {keys}\n")
    with ForkedCcm() as ccm:
        ran = ccm("run", "news", "--as-of", AS_OF, cwd=root)
        assert ran.code == 0, ran.stderr
        before = ccm("report", "news.once", "--json", cwd=root).json
        erased = ccm("erase", "P-001", "--yes", "--json", cwd=root)
        one = erased.json["erased"][0]
        assert (one["pieces"], one["key_destroyed"], one["removed"]) == (2, True, {"outbox": 2})
        assert (erased.code, erased.json["scrubbed"]) == (1, False), "overwriting free pages is PostgreSQL's own"
        assert ccm("history", "P-001", cwd=root).code == 1
        assert ccm("report", "news.once", "--json", cwd=root).json == before
        assert ccm("verify", "news.once", cwd=root).stdout.strip() == "4 identical"
        assert ccm("audit", "verify", cwd=root).code == 0
    database = Database(ledger, root)
    with database.read() as connection:
        names = sa.inspect(connection).get_table_names()
        assert "pieces" in names
        for name in names:
            rows = str(connection.execute(sa.text(f'SELECT * FROM "{name}"')).fetchall())
            assert "P-001" not in rows, name
            assert "p001@example.org" not in rows, name
    database.close()
