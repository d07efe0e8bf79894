"""Promise: what the vault keeps can be read with the customer's key alone, and never again once it is destroyed."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccm.archive.folder import FolderArchive
from ccm.archive.interface import ArchiveError
from ccm.archive.vault import Kept, KeyMissing, MasterKey, SealBroken, Vault, VaultLocked, master_key
from ccm.archive.vault.keys import KeyStore
from ccm.archive.vault.master import VARIABLE
from ccm.archive.vault.sealing import KEY_BYTES, seal, unseal

MASTER = MasterKey(bytes(range(32)), "the test")
URL = "sqlite:///keys/keys.db"
AT = datetime(2026, 11, 2, tzinfo=UTC)
LETTER = Kept(b"Dear Ms CANARY, you owe 12.34", "text/plain", {"fields": "ab"})


def vault_at(root: Path, master: MasterKey | None = MASTER) -> Vault:
    """Open a vault in a folder."""
    return Vault(FolderArchive(root / "archive"), KeyStore.open(URL, root, master))


def raw(root: Path) -> bytes:
    """Return every byte below a folder, and every name."""
    return b"".join(path.name.encode() + path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def test_content_comes_back_for_its_owner_and_name_alone(tmp_path: Path) -> None:
    """Another customer's key, another piece's name or one changed bit: refused, not garbage."""
    vault = vault_at(tmp_path)
    kept = vault.keep("C-1", "piece p-1", LETTER)
    vault.keep("C-2", "piece p-1", LETTER)
    vault.sync()
    assert vault.read("C-1", "piece p-1", kept.address) == LETTER
    for recipient, name in (("C-2", "piece p-1"), ("C-1", "piece p-2")):
        with pytest.raises(SealBroken):
            vault.read(recipient, name, kept.address)
    with pytest.raises(KeyMissing) as unknown:
        vault.read("C-3", "piece p-1", kept.address)
    assert not unknown.value.erased
    assert b"CANARY" not in raw(tmp_path)
    assert b"C-1" not in raw(tmp_path / "keys"), "the key store names customers"


def test_one_changed_bit_is_refused() -> None:
    """Anywhere in the sealed bytes."""
    sealed = seal(bytes(KEY_BYTES), "piece p-1", LETTER)
    for place in range(0, len(sealed), 7):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            unseal(bytes(KEY_BYTES), "piece p-1", bytes(changed))


def test_keeping_twice_changes_nothing(tmp_path: Path) -> None:
    """The same content for the same piece has one address; a customer's or piece's own address otherwise."""
    vault = vault_at(tmp_path)
    first = vault.keep("C-1", "piece p-1", LETTER)
    before = raw(tmp_path / "archive")
    assert vault.keep("C-1", "piece p-1", LETTER) == first
    assert vault_at(tmp_path).keep("C-1", "piece p-1", LETTER) == first, "a key was drawn twice"
    assert raw(tmp_path / "archive") == before
    others = {vault.keep("C-2", "piece p-1", LETTER).address, vault.keep("C-1", "piece p-2", LETTER).address}
    assert len({first.address, *others}) == 3
    assert first.sha256 not in {first.address, *others}, "a file is named by the hash of what it says"


def test_a_destroyed_key_cannot_come_back(tmp_path: Path) -> None:
    """Erased is told from lost; the others' content stays; a new contract begins with a new key."""
    vault = vault_at(tmp_path)
    address = vault.keep("C-1", "piece p-1", LETTER).address
    other = vault.keep("C-2", "piece p-2", LETTER).address
    with sqlite3.connect(tmp_path / "keys" / "keys.db") as database:
        wrapped = [
            row[0] for row in database.execute("SELECT wrapped FROM ccm_keys WHERE tag = ?", [vault.keys.tag("C-1")])
        ]
    assert vault.keys.destroy("C-1", at=AT)
    assert not vault.keys.destroy("C-1", at=AT)
    vault.keys.scrub()
    vault.close()
    vault = vault_at(tmp_path)
    with pytest.raises(KeyMissing) as gone:
        vault.read("C-1", "piece p-1", address)
    assert gone.value.erased
    assert vault.read("C-2", "piece p-2", other) == LETTER
    assert wrapped[0] not in raw(tmp_path), "the wrapped key is still in a free page"
    again = vault.keep("C-1", "piece p-1", LETTER).address
    assert again != address
    with pytest.raises(SealBroken):
        vault.read("C-1", "piece p-1", address)


def test_the_wrong_master_key_is_told_before_anything(tmp_path: Path) -> None:
    """Wrong, missing or malformed: one sentence with a remedy, and never the key itself."""
    vault_at(tmp_path).keep("C-1", "piece p-1", LETTER)
    with pytest.raises(VaultLocked, match="not the one"):
        vault_at(tmp_path, MasterKey(bytes(32), "the test"))
    with pytest.raises(VaultLocked, match="no master key"):
        vault_at(tmp_path, None)
    with pytest.raises(ArchiveError, match="32 bytes") as short:
        master_key({VARIABLE: "c2hvcnQtc2VjcmV0"}, tmp_path / "key", make=True)
    assert "short-secret" not in str(short.value)
    assert "c2hvcnQ" not in str(short.value)
    assert repr(MASTER) == "MasterKey(place='the test')"


def test_the_master_key_comes_from_the_environment_or_a_private_file(tmp_path: Path) -> None:
    """The file is drawn once, mode 0600; a file that others may read is refused."""
    file = tmp_path / "keys" / "master.key"
    assert master_key({}, file, make=False) is None
    drawn = master_key({}, file, make=True)
    assert drawn is not None
    assert master_key({}, file, make=False) == drawn
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = b64encode(MASTER.secret).decode()
    for form in (text, MASTER.secret.hex(), f" {text}\n"):
        found = master_key({VARIABLE: form}, file, make=False)
        assert found is not None
        assert found.secret == MASTER.secret
    file.chmod(0o640)
    with pytest.raises(ArchiveError, match="others may read"):
        master_key({}, file, make=False)


def test_a_changed_key_is_told(tmp_path: Path) -> None:
    """A bit of a wrapped key: named, not taken for a wrong seal."""
    vault = vault_at(tmp_path)
    address = vault.keep("C-1", "piece p-1", LETTER).address
    with sqlite3.connect(tmp_path / "keys" / "keys.db") as database:
        database.execute("UPDATE ccm_keys SET wrapped = zeroblob(80) WHERE tag <> 'check'")
    with pytest.raises(VaultLocked, match="changed in the key store"):
        vault.read("C-1", "piece p-1", address)


def _draw_many(root: str, gate: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    store = KeyStore.open(URL, root, MASTER)
    for start in range(0, 200, 20):
        store.ensured(f"C-{number}" for number in range(start, start + 40))


def test_processes_draw_one_key_for_one_customer(tmp_path: Path) -> None:
    """Four processes that meet the same new customers at once end with the same keys."""
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(4)
    processes = [context.Process(target=_draw_many, args=(str(tmp_path), gate)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    store = KeyStore.open(URL, tmp_path, MASTER)
    keys = store.ensured(f"C-{number}" for number in range(220))
    assert len(set(keys.values())) == 220
    with sqlite3.connect(tmp_path / "keys" / "keys.db") as database:
        assert database.execute("SELECT count(*) FROM ccm_keys").fetchone() == (221,)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """No traceback of the database, no address with a password in it."""
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(ArchiveError) as told:
        KeyStore.open(URL, tmp_path, MASTER)
    assert "ccm.yaml" in str(told.value)
    with pytest.raises(ArchiveError, match="not understood"):
        KeyStore.open("nonsense://user:secret@x", tmp_path, MASTER)
