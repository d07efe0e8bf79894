"""Opening the ledger's database: engine, migrations, transactions. SQLite or PostgreSQL, told apart here and nowhere else."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import PoolProxiedConnection

from ccm.ledger.database_errors import named_errors
from ccm.ledger.interface import LedgerError

# Revision of the newest file in migrations/versions/.
HEAD = "0008"

_MIGRATIONS = Path(__file__).parent / "migrations"

_WAL_ATTEMPTS = 100
_WAL_PAUSE_SECONDS = 0.05
_LEDGER_LOCK = 0x63636D  # "ccm"; advisory locks of PostgreSQL are numbers
_upgrading = threading.Lock()  # alembic keeps its context in a module


class Database:
    """An engine with our transaction rules. Every statement runs inside `read` or `write`."""

    def __init__(self, url: str, root: str | Path, *, busy_seconds: float = 30.0) -> None:
        """Open the database, make its folder if needed, and bring its tables up to date.

        Args:
            url: SQLAlchemy URL; a relative SQLite path starts at root.
            root: Absolute folder of the workspace.
            busy_seconds: How long to wait for another process's transaction.
        Raises:
            LedgerError: If it cannot be opened, is damaged, or was made by a newer ccm.
        """
        self._write_lock = threading.Lock()  # one writer in this process; waiting here is fair and cheap
        self.engine = _engine(url, root, busy_seconds)
        self._kept: PoolProxiedConnection | None = None  # of `write_sqlite`
        try:
            self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run statements on one consistent snapshot."""
        with named_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True, alone: bool = True) -> Iterator[Connection]:
        """Run statements in one transaction.

        Args:
            durable: False gives the commit to the operating system only: it survives a kill, not a power cut.
            alone: No other writer can interleave. False where a locked row is enough; SQLite has one writer anyway.
        """
        with self._write_lock, named_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(ccm_write=True, ccm_durable=durable, ccm_alone=alone)
            with connection.begin():
                yield connection

    @property
    def is_sqlite(self) -> bool:
        """Whether `write_sqlite` may be used."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write_sqlite(self, *, durable: bool) -> Iterator[sqlite3.Cursor]:
        """Run statements of SQLite's own in one transaction, as `write` does; for thousands of small ones a second.

        Why: what SQLAlchemy does around a small transaction costs more than the transaction.
        """
        with self._write_lock, named_errors():
            kept = self._kept = self._kept or self.engine.raw_connection()
            try:
                assert isinstance(kept.driver_connection, sqlite3.Connection)
                cursor = kept.driver_connection.cursor()
                _wait_for_disk(cursor.execute, kept.info, durable)
                cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                self._give_back()  # which rolls back
                raise

    def _give_back(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def close(self) -> None:
        """Give back all connections."""
        with self._write_lock:
            self._give_back()
        self.engine.dispose()

    def _migrate(self) -> None:
        with self.read() as connection:
            if _revision(connection) == HEAD:
                return
        with self.write() as connection:
            revision = _revision(connection)  # again: another process may have been faster
            if revision == HEAD:
                return
            if revision is not None and revision > HEAD:
                raise LedgerError("the ledger was made by a newer version of ccm", "update ccm")
            _upgrade(connection)


def _engine(url: str, root: str | Path, busy_seconds: float) -> Engine:
    try:
        parsed = _absolute(make_url(url), root)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": busy_seconds}} if sqlite else {"pool_pre_ping": True}
        if parsed.database != ":memory:":
            # The connection used last has the pages; every other one would fill a cache of its own.
            options["pool_use_lifo"] = True
        engine = sa.create_engine(parsed, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        if error.name == "psycopg":
            raise LedgerError(
                "the driver of PostgreSQL is missing", "install it: pip install 'ccm-engine[postgres]'"
            ) from None
        raise _not_understood() from None
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise _not_understood() from None
    if sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        sa.event.listen(engine, "begin", partial(_begin_postgres, busy_seconds))
    return engine


def _not_understood() -> LedgerError:
    return LedgerError(
        "the ledger's address is not understood",
        "write `ledger: sqlite:///.ccm/ledger.db` or `ledger: postgresql://user@host/name` in ccm.yaml",
    )


def _absolute(url: URL, root: str | Path) -> URL:
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    path = Path(root) / url.database
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"the ledger's folder cannot be made ({error.strerror})", "check permissions, or set `ledger` in ccm.yaml"
        ) from None
    return url.set(database=str(path))


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin below, not inside the driver
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    # KiB: enough for the pages that one window of decisions touches. More fills up with the run and makes nothing faster:
    # the system keeps the file's pages anyway.
    cursor.execute("PRAGMA cache_size=-2048")
    cursor.close()


def _switch_to_wal(cursor: sa.engine.interfaces.DBAPICursor) -> None:
    """Turn the log on; the file remembers it.

    Why: SQLite does not wait for its busy timeout here when two processes open a new file at once.
    """
    for attempt in range(_WAL_ATTEMPTS):
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() == ("wal",):
            return
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("ccm_write"):
        connection.exec_driver_sql("BEGIN")
        return
    _wait_for_disk(connection.exec_driver_sql, connection.info, options.get("ccm_durable", False))
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _wait_for_disk(execute: Callable[[str], object], info: MutableMapping[Any, Any], durable: bool) -> None:
    """Choose what the next commit of a connection waits for."""
    # FULL syncs the log at this commit, and with it every earlier commit that did not wait.
    wanted = "FULL" if durable else "NORMAL"
    if info.get("ccm_synchronous") != wanted:
        execute(f"PRAGMA synchronous={wanted}")
        info["ccm_synchronous"] = wanted


def _begin_postgres(busy_seconds: float, connection: Connection) -> None:
    """Begin as on SQLite: readers see one snapshot, and a writer that must be alone is.

    Why a lock of the whole ledger and not of tables: it is given back with the transaction, also when the client dies,
    and writers who only move their own run's pieces share it.
    """
    options = connection.get_execution_options()
    if not options.get("ccm_write"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    commit = "on" if options.get("ccm_durable") else "off"
    connection.exec_driver_sql(f"SET LOCAL synchronous_commit = {commit}")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{round(busy_seconds * 1000)}ms'")
    lock = "pg_advisory_xact_lock" if options.get("ccm_alone") else "pg_advisory_xact_lock_shared"
    connection.exec_driver_sql(f"SELECT {lock}({_LEDGER_LOCK})")


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _upgrading:
        command.upgrade(config, "head")
