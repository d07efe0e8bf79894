"""Bytes to ciphertext and back, bound to what they are: the wrong key, piece or one changed bit is refused.

AES-SIV gives the same ciphertext for the same content, key and name. So keeping something twice changes
nothing, and the ciphertext's hash, which is its address, tells nobody without the key what the content is.
A fresh nonce would make a second object each time; a plain hash as name could be found by guessing the text.

Source: RFC 5297 (AES-SIV). The cipher is imported when it is used: a preview needs none.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from ccm.archive.interface import ArchiveError

KEY_BYTES = 64  # AES-256-SIV takes two keys of 256 bits
_MAGIC = b"ccm-sealed-1\n"
_LENGTH = struct.Struct(">I")


class SealBroken(ArchiveError):
    """Sealed bytes were changed, are something else, or belong to another key."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the archive's bytes cannot be opened: {what}", "restore them from a backup")


@dataclass(frozen=True)
class Kept:
    """What was sealed.

    notes: What the content is: its media type, and for a rendition the digests of the data it was made from.
    """

    content: bytes
    media_type: str
    notes: Mapping[str, object] = field(default_factory=dict)


def seal(key: bytes, name: str, kept: Kept) -> bytes:
    """Encrypt content with its notes under a name, deterministically.

    Args:
        key: 64 bytes.
        name: What it is kept as, such as `piece p-…`; needed again to open it.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    notes = json.dumps({"media_type": kept.media_type, **kept.notes}, sort_keys=True, separators=(",", ":")).encode()
    plain = _LENGTH.pack(len(notes)) + notes + kept.content
    return _MAGIC + AESSIV(key).encrypt(plain, [_MAGIC, name.encode()])


def unseal(key: bytes, name: str, sealed: bytes) -> Kept:
    """Decrypt what `seal` made.

    Raises:
        SealBroken: If a bit changed, or key or name are not those it was sealed with.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    if not sealed.startswith(_MAGIC):
        raise SealBroken("not something that this engine sealed")
    try:
        plain = AESSIV(key).decrypt(sealed[len(_MAGIC) :], [_MAGIC, name.encode()])
    except (InvalidTag, ValueError):
        raise SealBroken("changed, or sealed with another key") from None
    start = _LENGTH.size
    (length,) = _LENGTH.unpack(plain[:start])
    notes = json.loads(plain[start : start + length])
    return Kept(plain[start + length :], notes.pop("media_type"), notes)
