"""The key store: one wrapped key for each customer, in a database of its own.

Why of its own: whoever erases a customer destroys one row here. A backup of the ledger or the archive that
still had the key would bring the customer back; this store is backed up apart and for a short time.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ccm.archive.interface import ArchiveError
from ccm.archive.vault.master import VARIABLE, MasterKey, VaultLocked
from ccm.archive.vault.sealing import KEY_BYTES

_CHECK = "check"  # a row that tells whether the master key is the right one
_NEXT = "next:"  # before the tag: the key that held pieces move to
_CHECK_TEXT = b"ccm key store"
_IDS_PER_QUERY = 500
_BUSY_SECONDS = 30
_STORE_LOCK = 0x6B657973  # "keys"; advisory locks of PostgreSQL are numbers

_metadata = sa.MetaData()
# tag: keyed hash of the customer's id. wrapped: None once it was destroyed, so that "erased" is told from "lost".
_keys = sa.Table(
    "ccm_keys",
    _metadata,
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("destroyed_at", sa.Text),
)
_TABLE = "CREATE TABLE IF NOT EXISTS ccm_keys (tag TEXT PRIMARY KEY, wrapped {binary}, destroyed_at TEXT)"


class KeyStore:
    """Customers' keys, wrapped by the master key. May be shared by threads; every process opens its own."""

    def __init__(self, engine: Engine, master: MasterKey) -> None:
        """Use an open database; `open` makes one from an address."""
        self._engine = engine
        self._master = master
        self._wrap = AESSIV(master.derived("wrap", KEY_BYTES))

    @classmethod
    def open(cls, url: str, root: str | Path, master: MasterKey | None) -> KeyStore:
        """Open the store, making its table at first use.

        Args:
            url: SQLAlchemy URL; a relative SQLite path starts at root.
            master: None where there is neither the variable nor the file.
        Raises:
            VaultLocked: If there is no master key, or it is not the one of this store.
            ArchiveError: If the database cannot be opened.
        """
        engine = _engine(url, root)
        try:
            if master is None:
                raise VaultLocked(
                    "there is no master key for the archive", f"set {VARIABLE} to the key it was made with"
                )
            store = cls(engine, master)
            with _named_errors():
                store._prepare()
            return store
        except BaseException:
            engine.dispose()
            raise

    @property
    def place(self) -> str:
        """Where the master key came from, for people."""
        return self._master.place

    def tag(self, owner: str) -> str:
        """Return the keyed hash that stands for a customer here and, once erased, in the ledger."""
        return self._master.tag("owner", owner)

    def ensured(self, owners: Iterable[str]) -> Mapping[str, bytes]:
        """Return the keys of customers, drawing those that are new; durable before this returns.

        Why durable first: content sealed with a key that a power cut takes away could never be read.
        """
        tags = {self.tag(owner): owner for owner in owners}
        with _named_errors():
            found = self._found(tags)
            missing = [tag for tag in tags if found.get(tag) is None]
            if missing:
                self._draw(missing)
                found |= self._found(missing)
        return {owner: self._unwrapped(tag, found[tag]) for tag, owner in tags.items()}

    def key(self, owner: str) -> bytes | None:
        """Return a customer's key; None if it was destroyed.

        Raises:
            LookupError: If there never was one.
            VaultLocked: If it was changed, so that it cannot be unwrapped.
        """
        return self.key_of_tag(self.tag(owner))

    def key_of_tag(self, tag: str) -> bytes | None:
        """Return the key that a tag stands for, see `key`."""
        with _named_errors():
            found = self._found([tag])
        if tag not in found:
            raise LookupError(tag)
        wrapped = found[tag]
        return None if wrapped is None else self._unwrapped(tag, wrapped)

    def destroy(self, owner: str, *, at: datetime) -> bool:
        """Destroy a customer's key for good; a mark that there was one stays.

        Returns:
            Whether there was a key.
        """
        values = {"wrapped": None, "destroyed_at": at.astimezone(UTC).isoformat(timespec="seconds")}
        with _named_errors(), self._write() as connection:
            query = sa.update(_keys).where(_keys.c.tag == self.tag(owner), _keys.c.wrapped.is_not(None)).values(values)
            return connection.execute(query).rowcount > 0

    def successor(self, owner: str) -> bytes:
        """Return the key that follows a customer's own, drawing it at first; durable before this returns."""
        tag = _NEXT + self.tag(owner)
        with _named_errors():
            if self._found([tag]).get(tag) is None:
                self._draw([tag])
            return self._unwrapped(tag, self._found([tag])[tag])

    def waiting(self, owner: str) -> bytes | None:
        """Return the key that follows a customer's own while an erasure is under way, or None."""
        tag = _NEXT + self.tag(owner)
        with _named_errors():
            wrapped = self._found([tag]).get(tag)
        return None if wrapped is None else self._unwrapped(tag, wrapped)

    def succeed(self, owner: str) -> None:
        """Put the successor in place of a customer's key, which is destroyed; nothing where there is no successor."""
        tag = self.tag(owner)
        with _named_errors():
            following = self._found([_NEXT + tag]).get(_NEXT + tag)
            if following is None:
                return
            wrapped = self._wrap.encrypt(self._unwrapped(_NEXT + tag, following), [tag.encode()])
            with self._write() as connection:
                connection.execute(sa.update(_keys).where(_keys.c.tag == tag).values(wrapped=wrapped))
                connection.execute(sa.delete(_keys).where(_keys.c.tag == _NEXT + tag))

    def scrub(self) -> None:
        """Overwrite what destroyed keys left in the database's free space (SQLite)."""
        if self._engine.dialect.name == "sqlite":
            with _named_errors(), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("VACUUM")

    def close(self) -> None:
        """Give back connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        binary = "BYTEA" if self._engine.dialect.name == "postgresql" else "BLOB"
        if not sa.inspect(self._engine).has_table("ccm_keys"):
            with self._write() as connection:
                if self._engine.dialect.name == "postgresql":  # whose IF NOT EXISTS fails for the second of two at once
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_STORE_LOCK})")
                connection.exec_driver_sql(_TABLE.format(binary=binary))
        check = self._found([_CHECK]).get(_CHECK)
        if check is None:
            with self._write() as connection:
                self._insert(connection, [{"tag": _CHECK, "wrapped": self._wrap.encrypt(_CHECK_TEXT, [b"check"])}])
            check = self._found([_CHECK])[_CHECK]
        try:
            self._wrap.decrypt(check or b"", [b"check"])
        except (InvalidTag, ValueError):
            raise VaultLocked(
                f"the master key in {self._master.place} is not the one that the customers' keys were wrapped with",
                f"set {VARIABLE} to the right one, or restore its file",
            ) from None

    def _draw(self, tags: Sequence[str]) -> None:
        rows: list[dict[str, object]] = []
        for tag in tags:
            rows.append({"tag": tag, "wrapped": self._wrap.encrypt(secrets.token_bytes(KEY_BYTES), [tag.encode()])})
        with self._write() as connection:
            # Somebody erased who is written to again (a new contract) starts with a new key.
            again = sa.delete(_keys).where(
                _keys.c.wrapped.is_(None), _keys.c.tag.in_(sa.bindparam("gone", expanding=True))
            )
            for start in range(0, len(tags), _IDS_PER_QUERY):
                connection.execute(again, {"gone": list(tags[start : start + _IDS_PER_QUERY])})
            self._insert(connection, rows)

    def _insert(self, connection: Connection, rows: list[dict[str, object]]) -> None:
        """Insert rows; one that another process was faster with stays as it is."""
        statement = sa.text("INSERT INTO ccm_keys (tag, wrapped) VALUES (:tag, :wrapped) ON CONFLICT DO NOTHING")
        connection.execute(statement, rows)

    def _found(self, tags: Iterable[str]) -> dict[str, bytes | None]:
        wanted, found = list(tags), dict[str, bytes | None]()
        with self._engine.connect() as connection, connection.begin():
            for start in range(0, len(wanted), _IDS_PER_QUERY):
                query = sa.select(_keys.c.tag, _keys.c.wrapped).where(
                    _keys.c.tag.in_(wanted[start : start + _IDS_PER_QUERY])
                )
                found |= {
                    row.tag: None if row.wrapped is None else bytes(row.wrapped) for row in connection.execute(query)
                }
        return found

    def _unwrapped(self, tag: str, wrapped: bytes | None) -> bytes:
        try:
            return self._wrap.decrypt(wrapped or b"", [tag.encode()])
        except (InvalidTag, ValueError):
            raise VaultLocked(
                "a customer's key was changed in the key store", "restore the key store from its backup"
            ) from None

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connection = connection.execution_options(ccm_write=True)
            with connection.begin():
                yield connection


def _engine(url: str, root: str | Path) -> Engine:
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        if sqlite and parsed.database and parsed.database != ":memory:":
            path = Path(root) / parsed.database
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            parsed = parsed.set(database=str(path))
        options = {"connect_args": {"timeout": _BUSY_SECONDS}} if sqlite else {}
        engine = sa.create_engine(parsed, hide_parameters=True, **options)
    except OSError as error:
        raise ArchiveError(
            f"the folder of the key store cannot be made ({error.strerror})",
            "correct its permissions, or set `keys` in ccm.yaml",
        ) from None
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise ArchiveError(
            "the key store's address is not understood", "write `keys: sqlite:///.ccm/keys/keys.db` in ccm.yaml"
        ) from None
    if sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin below, not inside the driver
    cursor = connection.cursor()
    # A plain journal, not a log: what was deleted is then in one file only, and secure_delete overwrites it there.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA journal_mode=DELETE")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("ccm_write") else "BEGIN")


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        origin = getattr(error, "orig", error)
        code = getattr(origin, "sqlite_errorname", "") or type(origin).__name__
        raise ArchiveError(
            f"the key store cannot be used ({code})", "check its disk, permissions and `keys` in ccm.yaml"
        ) from None


def is_there(url: str, root: str | Path) -> bool:
    """Tell whether an SQLite key store was made before; of other databases nobody knows before they are opened."""
    path = _file(url, root)
    return path is not None and path.exists()


def readable_by_owner_only(url: str, root: str | Path) -> None:
    """Take the right to read an SQLite key store from everybody but its owner."""
    path = _file(url, root)
    if path is not None and path.exists():
        path.chmod(0o600)


def _file(url: str, root: str | Path) -> Path | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(root) / parsed.database
