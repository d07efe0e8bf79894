"""Alterations of a kept workspace: each changes one thing behind the engine's back and says what must be named."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ccm.archive.vault import Kept, Vault, read_snapshot, write_snapshot
from ccm.load import load_workspace
from ccm.model.records import Communication, PieceRecord
from ccm.model.values import Money
from ccm.model.workspace import Workspace
from ccm.release.layout import object_key
from ccm.release.sealed import SEAL, seal
from ccm.run import workspace_ledger
from ccm.run.keeping import piece_name, snapshot_name
from ccm.run.vault import open_vault


@dataclass(frozen=True)
class Expected:
    """What verifying the altered piece must say.

    kind: The cause's kind; `note` where nothing but a version differs; `locked` where no piece can be read.
    names: Texts that cause or note must hold.
    environment: To be set for the command.
    """

    piece_id: str
    kind: str
    names: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None


@dataclass
class Place:
    """One copy of a kept workspace, open for alterations.

    scratch: A folder beside it, for what an alteration brings along.
    """

    root: Path
    scratch: Path
    rng: random.Random
    pieces: tuple[PieceRecord, ...]

    @property
    def workspace(self) -> Workspace:
        """Load what ccm.yaml says."""
        workspace, _ = load_workspace(self.root, lint=False)
        assert workspace is not None
        return workspace

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.root / ".ccm" / "ledger.db"

    @property
    def keys(self) -> Path:
        """The key store's file."""
        return self.root / ".ccm" / "keys" / "keys.db"

    def piece(self, *channels: str) -> PieceRecord:
        """Draw a customer's piece of these channels; of any if none is named."""
        customers = [one for one in self.pieces if not one.recipient_id.startswith("broadcast:")]
        return self.rng.choice([one for one in customers if not channels or one.channel in channels])

    def other(self, than: PieceRecord) -> PieceRecord:
        """Draw a piece of another customer."""
        return self.rng.choice([one for one in self.pieces if one.recipient_id != than.recipient_id])

    def stored(self, address: str) -> Path:
        """Return a file of the archive."""
        return self.root / "archive" / address[:2] / address[2:4] / address

    def flip(self, path: Path) -> None:
        """Change one bit of a file."""
        content = bytearray(path.read_bytes())
        content[self.rng.randrange(len(content))] ^= 1 << self.rng.randrange(8)
        path.write_bytes(bytes(content))

    def sql(self, database: Path, statement: str, *values: object) -> None:
        """Change a database as its administrator could."""
        connection = sqlite3.connect(database)
        with connection:
            changed = connection.execute(statement, values).rowcount
        connection.close()
        assert changed, statement

    def release(self, piece: PieceRecord) -> tuple[Path, dict[str, Any]]:
        """Return the manifest that a piece was made from, and what it says."""
        for path in sorted((self.root / "releases").rglob("*.json")):
            record = json.loads(path.read_text())
            if "files" in record and record["content_hash"].startswith(piece.release.partition("+")[2]):
                return path, record
        raise LookupError(piece.release)

    def object(self, piece: PieceRecord, *endings: str) -> tuple[str, Path]:
        """Draw a file of the piece's release by its ending; return its path and where its bytes are."""
        files = self.release(piece)[1]["files"]
        path = self.rng.choice([name for name in sorted(files) if name.endswith(endings)])
        return path, self.root / "releases" / object_key(files[path])

    def exchange(self, piece: PieceRecord, change: Callable[[Communication], Communication]) -> None:
        """Put another snapshot in place of a piece's own, sealed with the right key, and note it in the ledger."""
        vault = open_vault(self.workspace)
        name = snapshot_name(piece.communication_id)
        kept = vault.read(piece.recipient_id, name, piece.snapshot)
        other = write_snapshot(change(read_snapshot(kept.content)))
        address = vault.keep(piece.recipient_id, name, Kept(other, kept.media_type)).address
        vault.close()
        self.sql(self.ledger, "UPDATE pieces SET snapshot = ? WHERE piece_id = ?", address, piece.piece_id)


Alteration = Callable[[Place], Expected]


def kept_pieces(workspace: Workspace) -> tuple[PieceRecord, ...]:
    """Return every piece that has a snapshot."""
    ledger = workspace_ledger(workspace)
    try:
        return tuple(piece for run in ledger.runs() for piece in ledger.pieces(run.run_id) if piece.snapshot)
    finally:
        ledger.close()


# ── the archive ──────────────────────────────────────────────────────────────


def rendition_bit(place: Place) -> Expected:
    """One bit of an archived email."""
    piece = place.piece("email")
    place.flip(place.stored(piece.archived))
    return Expected(piece.piece_id, "archive", ("bytes changed", piece.archived))


def rendition_cut(place: Place) -> Expected:
    """The end of an archived piece is missing."""
    piece = place.piece()
    path = place.stored(piece.archived)
    path.write_bytes(path.read_bytes()[:-20])
    return Expected(piece.piece_id, "archive", ("bytes changed", piece.archived))


def rendition_gone(place: Place) -> Expected:
    """An archived text message was deleted."""
    piece = place.piece("sms")
    place.stored(piece.archived).unlink()
    return Expected(piece.piece_id, "archive", ("missing", piece.archived))


def renditions_swapped(place: Place) -> Expected:
    """The files of two customers were swapped."""
    piece = place.piece()
    one, two = place.stored(piece.archived), place.stored(place.other(piece).archived)
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)
    return Expected(piece.piece_id, "archive", ("bytes changed",))


def rendition_exchanged(place: Place) -> Expected:
    """Another text under the right key, noted in the ledger: only composing again can tell."""
    piece = place.piece("sms")
    vault: Vault = open_vault(place.workspace)
    kept = vault.read(piece.recipient_id, piece_name(piece.piece_id), piece.archived)
    other = replace(kept, content=kept.content + b" ")
    address = vault.keep(piece.recipient_id, piece_name(piece.piece_id), other).address
    vault.close()
    place.sql(place.ledger, "UPDATE pieces SET archived = ? WHERE piece_id = ?", address, piece.piece_id)
    return Expected(piece.piece_id, "archive", ("exchanged",))


# ── the snapshot ─────────────────────────────────────────────────────────────


def snapshot_bit(place: Place) -> Expected:
    """One bit of a snapshot."""
    piece = place.piece()
    place.flip(place.stored(piece.snapshot))
    return Expected(piece.piece_id, "snapshot", ("bytes changed", piece.snapshot))


def snapshot_gone(place: Place) -> Expected:
    """A snapshot was deleted."""
    piece = place.piece()
    place.stored(piece.snapshot).unlink()
    return Expected(piece.piece_id, "snapshot", ("missing", piece.snapshot))


def snapshot_of_another(place: Place) -> Expected:
    """The ledger points to another customer's snapshot."""
    piece = place.piece()
    place.sql(
        place.ledger, "UPDATE pieces SET snapshot = ? WHERE piece_id = ?", place.other(piece).snapshot, piece.piece_id
    )
    return Expected(piece.piece_id, "snapshot", ("sealed as something else",))


def amount_changed(place: Place) -> Expected:
    """One cent of an amount in a snapshot that is otherwise perfect."""
    piece = place.piece("email", "sms")
    changed: list[str] = []
    place.exchange(piece, lambda one: replace(one, data=_one_more(one.data, changed, "data")))
    return Expected(piece.piece_id, "snapshot-field", (changed[0],))


def locale_changed(place: Place) -> Expected:
    """Another locale in the snapshot."""
    piece = place.piece("email", "sms")
    place.exchange(piece, lambda one: replace(one, locale="da" if one.locale != "da" else "is"))
    return Expected(piece.piece_id, "snapshot-field", ("locale",))


def time_changed(place: Place) -> Expected:
    """Another time of issue in the snapshot."""
    piece = place.piece("email")
    place.exchange(piece, lambda one: replace(one, issued_at=one.issued_at + timedelta(days=1)))
    return Expected(piece.piece_id, "snapshot-field", ("issued_at",))


def address_changed(place: Place) -> Expected:
    """Another recipient's address in the snapshot."""
    piece = place.piece("email")
    place.exchange(
        piece, lambda one: replace(one, pieces=tuple(replace(item, address="x@example.org") for item in one.pieces))
    )
    return Expected(piece.piece_id, "snapshot-field", ("address",))


def _one_more(data: Mapping[str, object], changed: list[str], path: str) -> dict[str, object]:
    """Add a cent to the first amount or decimal, or a letter to the first text."""
    copy = dict(data)
    for name, value in data.items():
        if changed:
            break
        if isinstance(value, Money):
            copy[name] = Money(value.amount + Decimal("0.01"), value.currency)
        elif isinstance(value, Decimal):
            copy[name] = value + Decimal("0.01")
        elif isinstance(value, Mapping):
            copy[name] = _one_more(value, changed, f"{path}.{name}")
            continue
        elif name == "name" and isinstance(value, str):
            copy[name] = value + "s"
        else:
            continue
        changed.append(f"{path}.{name}")
    return copy


# ── the ledger ───────────────────────────────────────────────────────────────


def hash_changed(place: Place) -> Expected:
    """One digit of the ledger's hash."""
    piece = place.piece()
    digit = "0" if piece.sha256[9] != "0" else "1"
    other = piece.sha256[:9] + digit + piece.sha256[10:]
    place.sql(place.ledger, "UPDATE pieces SET sha256 = ? WHERE piece_id = ?", other, piece.piece_id)
    return Expected(piece.piece_id, "ledger", ("hash",))


def hash_of_another(place: Place) -> Expected:
    """The ledger has another piece's hash."""
    piece = place.piece()
    other = place.other(piece).sha256
    place.sql(place.ledger, "UPDATE pieces SET sha256 = ? WHERE piece_id = ?", other, piece.piece_id)
    return Expected(piece.piece_id, "ledger", ("hash",))


def release_noted_changed(place: Place) -> Expected:
    """The ledger names another release."""
    piece = place.piece()
    place.sql(place.ledger, "UPDATE pieces SET release = 'other@9.9.9+0' WHERE piece_id = ?", piece.piece_id)
    return Expected(piece.piece_id, "ledger", ("other@9.9.9", piece.release))


# ── the release ──────────────────────────────────────────────────────────────


def template_changed(place: Place) -> Expected:
    """One bit of a template's file."""
    piece = place.piece("email")
    path, stored = place.object(piece, ".mjml", ".txt")
    place.flip(stored)
    return Expected(piece.piece_id, "release-file", (path,))


def tokens_changed(place: Place) -> Expected:
    """One bit of the brand's tokens or definition."""
    piece = place.piece()
    path, stored = place.object(piece, "tokens.json", "brand.yaml")
    place.flip(stored)
    return Expected(piece.piece_id, "release-file", (path,))


def file_gone(place: Place) -> Expected:
    """A file of the release was deleted."""
    piece = place.piece()
    _, stored = place.object(piece, "template.yaml", ".po", ".svg", ".png")
    stored.unlink()
    return Expected(piece.piece_id, "release-file", ("missing",))


def font_changed(place: Place) -> Expected:
    """One bit of a font."""
    piece = place.piece()
    path, stored = place.object(piece, ".ttf", ".otf")
    place.flip(stored)
    return Expected(piece.piece_id, "font", (path,))


def manifest_changed(place: Place) -> Expected:
    """One bit of the manifest."""
    piece = place.piece()
    path, _ = place.release(piece)
    text = path.read_text()
    path.write_text(text.replace('"created_by": "', '"created_by": "X', 1))
    return Expected(piece.piece_id, "release", (path.name,))


def manifest_rewritten(place: Place) -> Expected:
    """A manifest that is sound in itself and names another file: no longer the release the piece was made from."""
    piece = place.piece()
    path, record = place.release(piece)
    name = next(one for one in sorted(record["files"]) if one.endswith(".mjml"))
    content = (place.root / "releases" / object_key(record["files"][name])).read_bytes() + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    stored = place.root / "releases" / object_key(digest)
    stored.parent.mkdir(exist_ok=True)
    stored.write_bytes(content)
    record["files"][name] = digest
    text = json.dumps({"engine": record["engine"], "files": record["files"]}, sort_keys=True, separators=(",", ":"))
    record["content_hash"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_bytes(seal({key: value for key, value in record.items() if key != SEAL})[0])
    return Expected(piece.piece_id, "release", (piece.release.partition("+")[0],))


# ── the engine ───────────────────────────────────────────────────────────────


def engine_changed(place: Place) -> Expected:
    """A later version of the part that makes an email's text, and it writes otherwise."""
    piece = place.piece("email")
    folder, old = _overlay(place, "inscriptis")
    module = folder / "inscriptis" / "__init__.py"
    module.write_text(
        module.read_text() + "\n_before = get_text\ndef get_text(*a, **k):\n    return _before(*a, **k).upper()\n"
    )
    return Expected(piece.piece_id, "engine", (f"inscriptis {old} → 99.0", "text/plain"), {"PYTHONPATH": str(folder)})


def engine_version_only(place: Place) -> Expected:
    """A later version of a part that gives the same bytes: identical, and told."""
    piece = place.piece("email", "sms")
    folder, old = _overlay(place, "segno")
    return Expected(piece.piece_id, "note", (f"segno {old} → 99.0",), {"PYTHONPATH": str(folder)})


def _overlay(place: Place, package: str) -> tuple[Path, str]:
    """Copy an installed package to a folder that comes first, with a later version."""
    distribution = importlib.metadata.distribution(package)
    source = Path(str(distribution.locate_file(package)))
    folder = place.scratch / "overlay"
    shutil.copytree(source, folder / package)
    info = folder / f"{package}-99.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 99.0\n")
    return folder, distribution.version


# ── the keys ─────────────────────────────────────────────────────────────────


def key_gone(place: Place) -> Expected:
    """A customer's key was taken out of the key store."""
    piece = place.piece()
    place.sql(place.keys, "DELETE FROM ccm_keys WHERE tag = ?", _tag(place, piece))
    return Expected(piece.piece_id, "key", ("no key",))


def key_changed(place: Place) -> Expected:
    """A bit of a customer's wrapped key."""
    piece = place.piece()
    tag = _tag(place, piece)
    connection = sqlite3.connect(place.keys)
    (wrapped,) = connection.execute("SELECT wrapped FROM ccm_keys WHERE tag = ?", [tag]).fetchone()
    connection.close()
    changed = bytearray(wrapped)
    changed[place.rng.randrange(len(changed))] ^= 1
    place.sql(place.keys, "UPDATE ccm_keys SET wrapped = ? WHERE tag = ?", bytes(changed), tag)
    return Expected(piece.piece_id, "key", ("changed",))


def keys_swapped(place: Place) -> Expected:
    """A customer has another one's key."""
    piece = place.piece()
    one, two = _tag(place, piece), _tag(place, place.other(piece))
    place.sql(
        place.keys, "UPDATE ccm_keys SET wrapped = (SELECT wrapped FROM ccm_keys WHERE tag = ?) WHERE tag = ?", two, one
    )
    return Expected(piece.piece_id, "key", ("changed",))


def master_changed(place: Place) -> Expected:
    """Another master key: nothing can be read, and that is told before anything is composed."""
    other = place.rng.randbytes(32).hex()
    return Expected(place.piece().piece_id, "locked", ("CCM_ARCHIVE_KEY", "not the one"), {"CCM_ARCHIVE_KEY": other})


def _tag(place: Place, piece: PieceRecord) -> str:
    vault = open_vault(place.workspace)
    try:
        return vault.keys.tag(piece.recipient_id)
    finally:
        vault.close()


ALTERATIONS: tuple[Alteration, ...] = (
    rendition_bit, rendition_cut, rendition_gone, renditions_swapped, rendition_exchanged,
    snapshot_bit, snapshot_gone, snapshot_of_another, amount_changed, locale_changed, time_changed, address_changed,
    hash_changed, hash_of_another, release_noted_changed,
    template_changed, tokens_changed, file_gone, font_changed, manifest_changed, manifest_rewritten,
    engine_changed, engine_version_only,
    key_gone, key_changed, keys_swapped, master_changed,
)  # fmt: skip
