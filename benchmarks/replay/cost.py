"""What keeping costs for each piece: writing the snapshot, sealing, and the file itself."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean

from ccm.archive.folder import FolderArchive
from ccm.archive.vault import read_snapshot, write_snapshot
from ccm.archive.vault.sealing import KEY_BYTES, Kept, seal, unseal
from ccm.archive.vault.snapshot import digests_of
from ccm.load import load_workspace
from ccm.model.records import PieceRecord
from ccm.run.keeping import piece_name, snapshot_name
from ccm.run.vault import open_vault

_PIECES = 200


def cost_of_keeping(root: Path, pieces: tuple[PieceRecord, ...]) -> dict[str, float]:
    """Return milliseconds and bytes, on average over pieces of the run."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    step = max(1, len(pieces) // _PIECES)
    some = pieces[::step]
    vault = open_vault(workspace)
    try:
        renditions = [vault.read(one.recipient_id, piece_name(one.piece_id), one.archived) for one in some]
        snapshots = [
            vault.read(one.recipient_id, snapshot_name(one.communication_id), one.snapshot).content for one in some
        ]
        new_keys = _seconds(lambda: vault.keys.ensured(f"cost-{number}" for number in range(_PIECES)))
        known_keys = _seconds(lambda: vault.keys.ensured(f"cost-{number}" for number in range(_PIECES)))
    finally:
        vault.close()
    communications = [read_snapshot(content) for content in snapshots]
    key = bytes(KEY_BYTES)
    sealed = [seal(key, "x", kept) for kept in renditions]
    with tempfile.TemporaryDirectory() as folder:
        archive = FolderArchive(folder)
        put = _seconds(lambda: [archive.put(content, "x") for content in sealed])
        sync = _seconds(archive.sync)
    count = len(some)
    return {
        "write_snapshot_ms": _each(lambda: [write_snapshot(one) for one in communications], count),
        "digest_fields_ms": _each(lambda: [digests_of(one) for one in snapshots], count),
        "seal_snapshot_ms": _each(lambda: [seal(key, "x", Kept(one, "x")) for one in snapshots], count),
        "seal_rendition_ms": _each(lambda: [seal(key, "x", one) for one in renditions], count),
        "open_rendition_ms": _each(lambda: [unseal(key, "x", one) for one in sealed], count),
        "new_key_ms": round(new_keys / _PIECES * 1000, 3),
        "known_key_ms": round(known_keys / _PIECES * 1000, 3),
        "write_file_ms": round(put / count * 1000, 3),
        "sync_file_ms": round(sync / count * 1000, 3),
        "rendition_bytes": round(mean(len(one.content) for one in renditions)),
        "snapshot_bytes": round(mean(map(len, snapshots))),
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _each(work: Callable[[], object], count: int) -> float:
    return round(min(_seconds(work) for _ in range(3)) / count * 1000, 3)
