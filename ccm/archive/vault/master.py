"""The master key: wraps every customer's key. From the environment, or a file that only its owner may read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ccm.archive.interface import ArchiveError
from ccm.durable_file import create_once

VARIABLE = "CCM_ARCHIVE_KEY"
KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class VaultLocked(ArchiveError):
    """The master key is missing or is not the one that the customers' keys were wrapped with."""


@dataclass(frozen=True)
class MasterKey:
    """32 secret bytes and where they came from.

    place: For people: the variable's name or the file's path.
    """

    secret: bytes = field(repr=False)
    place: str = ""

    def derived(self, use: str, length: int) -> bytes:
        """Return a key for one use; nothing is told about the others.

        Source: RFC 5869 (HKDF, expand step; the master key is uniform already).
        """
        block, output, counter = b"", b"", 1
        while len(output) < length:
            block = hmac.digest(self.secret, block + use.encode() + bytes([counter]), "sha256")
            output += block
            counter += 1
        return output[:length]

    def tag(self, use: str, text: str) -> str:
        """Return a keyed hash of a text: 26 lower-case base32 characters, the same wherever this key is."""
        digest = hmac.digest(self.derived(f"tag:{use}", 32), text.encode(), hashlib.sha256)
        return base64.b32encode(digest).decode().lower()[:26]


def master_key(environ: Mapping[str, str], file: Path, *, make: bool) -> MasterKey | None:
    """Return the master key from the environment, else from its file.

    Args:
        file: Made with mode 0600 at first use, unless the environment has the key.
        make: Make the file if there is none; otherwise None is returned.
    Raises:
        ArchiveError: If the key is malformed or others may read its file.
    """
    if environ.get(VARIABLE):
        return MasterKey(_parsed(environ[VARIABLE], VARIABLE), VARIABLE)
    try:
        if not file.exists():
            if not make:
                return None
            _make(file)
        if os.name == "posix" and file.stat().st_mode & _OTHERS:
            raise ArchiveError(f"others may read the master key in {file.name}", f"chmod 600 {file}")
        return MasterKey(_parsed(file.read_text(), file.name), str(file))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ArchiveError(
            f"the master key in {file.name} cannot be used ({reason})",
            f"correct the permissions of {file.parent}, or set {VARIABLE}",
        ) from None


def _make(file: Path) -> None:
    """Draw a key. Another process may be faster: the file that is there first counts."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = os.umask(0o077)
    try:
        create_once(file, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    finally:
        os.umask(before)


def _parsed(text: str, place: str) -> bytes:
    """Read 64 hexadecimal digits or base64."""
    text = text.strip()
    try:
        secret = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ArchiveError(
            f"the master key in {place} is not {KEY_BYTES} bytes",
            "make one with: openssl rand -base64 32",
        )
    return secret
