"""Every ledger of ours keeps the contract."""

from __future__ import annotations

from pathlib import Path

from ledger.postgres_server import new_database

from ccm.ledger.interface import Ledger
from ccm.ledger.memory import MemoryLedger
from ccm.ledger.sql import open_ledger
from ccm.testing import LedgerContract


class TestMemoryLedger(LedgerContract):
    def open(self, folder: Path) -> Ledger:
        return MemoryLedger()


class TestSqliteLedger(LedgerContract):
    def open(self, folder: Path) -> Ledger:
        return open_ledger("sqlite:///.ccm/ledger.db", folder)


class TestPostgresLedger(LedgerContract):
    def open(self, folder: Path) -> Ledger:
        return open_ledger(new_database(), folder)
