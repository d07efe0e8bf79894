"""Every ledger of ours keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger.postgres_server import new_database, postgres

from ccm.ledger.interface import Ledger
from ccm.ledger.memory import MemoryLedger
from ccm.ledger.sql import open_ledger
from ccm.testing import LedgerContract


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server for this test process."""
    with postgres() as address:
        yield address


class TestMemoryLedger(LedgerContract):
    def open(self, folder: Path) -> Ledger:
        return MemoryLedger()


class TestSqliteLedger(LedgerContract):
    def open(self, folder: Path) -> Ledger:
        return open_ledger("sqlite:///.ccm/ledger.db", folder)


class TestPostgresLedger(LedgerContract):
    @pytest.fixture(autouse=True)
    def _server(self, server: str) -> None:
        self._address = server

    def open(self, folder: Path) -> Ledger:
        return open_ledger(new_database(self._address), folder)
