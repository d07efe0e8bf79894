"""Which of the filled pages are laid out by both: a share of them, the same ones whoever fills them, and whenever."""

from __future__ import annotations

import hashlib

_ALL = 1 << 32  # pieces' ids are spread evenly below


def is_compared(piece_id: str, share: float) -> bool:
    """Tell whether a piece's page is laid out by the layout engine as well, and compared.

    Args:
        share: Of all pages, from 0 to 1.
    """
    return int.from_bytes(hashlib.sha256(piece_id.encode()).digest()[:4], "big") < round(share * _ALL)
