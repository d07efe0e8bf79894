"""Small JSON records that know their own hash: one changed byte is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ccm.release.interface import ReleaseError

SEAL = "hash"


def seal(record: Mapping[str, object]) -> tuple[bytes, str]:
    """Return the file of a record, with its hash in it, and that hash.

    The form is fixed (sorted keys, two blanks, one line feed at the end), so that the same record gives the same
    bytes everywhere and git shows one line per difference.
    """
    digest = _digest(record)
    return _written({**record, SEAL: digest}), digest


def unseal(content: bytes, place: str) -> dict[str, Any]:
    """Return the record of a file after checking that no byte of it changed.

    Raises:
        ReleaseError: If the file is not what was written.
    """
    try:
        record = json.loads(content)
        sound = isinstance(record, dict) and _written(record) == content
        sound = sound and record.get(SEAL) == _digest({key: value for key, value in record.items() if key != SEAL})
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise ReleaseError(
            "release-changed",
            f"{place} is not what was written: its bytes changed",
            "restore the file from version control or a backup",
            place,
        )
    return dict(record)


def _digest(record: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _written(record: Mapping[str, object]) -> bytes:
    return (json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
