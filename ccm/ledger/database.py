"""Opening the ledger's database: engine, migrations, transactions, errors. The only place that knows SQLite."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ccm.ledger.interface import LedgerError

# Revision of the newest file in migrations/versions/.
HEAD = "0004"

_MIGRATIONS = Path(__file__).parent / "migrations"

_WAL_ATTEMPTS = 100
_WAL_PAUSE_SECONDS = 0.05
_upgrading = threading.Lock()  # alembic keeps its context in a module

_REMEDIES = {
    "SQLITE_BUSY": ("another program holds the ledger's write lock", "close it (a database browser?) and try again"),
    "SQLITE_LOCKED": ("another program holds the ledger's write lock", "close it (a database browser?) and try again"),
    "SQLITE_READONLY": ("the ledger is read-only", "give this user write permission on the file and its folder"),
    "SQLITE_PERM": ("the ledger may not be opened", "give this user write permission on the file and its folder"),
    "SQLITE_CANTOPEN": ("the ledger cannot be opened", "check that its folder exists and may be written"),
    "SQLITE_FULL": ("the disk of the ledger is full", "free space and give the command again"),
    "SQLITE_IOERR": ("the disk of the ledger fails", "check free space and the disk's health, then try again"),
    "SQLITE_CORRUPT": ("the ledger is damaged", "stop all runs and restore it from the last backup"),
    "SQLITE_NOTADB": ("the ledger's file is no SQLite database", "correct `ledger` in ccm.yaml or restore a backup"),
}


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
        self._write_lock = threading.Lock()  # SQLite has one writer; waiting here is fair and cheap
        self.engine = _engine(url, root, busy_seconds)
        try:
            self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run statements on one consistent snapshot."""
        with _named_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """Run statements in one transaction that no other writer can interleave with.

        Args:
            durable: False gives the commit to the operating system only: it survives a kill, not a power cut.
        """
        with self._write_lock, _named_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(ccm_write=True, ccm_durable=durable)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give back all connections."""
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
        options = {"connect_args": {"timeout": busy_seconds}} if parsed.get_backend_name() == "sqlite" else {}
        engine = sa.create_engine(parsed, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"the ledger's database needs the package {error.name}", 'run: pip install "ccm-engine[postgres]"'
        ) from None
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise LedgerError(
            "the ledger's address is not understood", "write `ledger: sqlite:///.ccm/ledger.db` in ccm.yaml"
        ) from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


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
    cursor.execute("PRAGMA cache_size=-32768")  # KiB: random ids touch many index pages
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
    # FULL syncs the log at this commit, and with it every earlier commit that did not wait.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('ccm_durable') else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        code = getattr(getattr(error, "orig", error), "sqlite_errorname", "")
        for name, (message, remedy) in _REMEDIES.items():
            if code.startswith(name):
                raise LedgerError(message, remedy) from None
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise LedgerError("the connection to the ledger was lost", "give the command again") from None
        raise


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
