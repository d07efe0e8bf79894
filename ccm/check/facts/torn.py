"""A part taken apart: what stands between its shared pieces, with and without its digits, all values at once.

Why bytes: There are many values and each is short. What is done to all of them in one call is done twenty times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_BETWEEN, _GAP = "\x1f", b"\x1f"
_NAUGHTS = bytes.maketrans(b"123456789", b"000000000")
_OTHERS = bytes(code for code in range(256) if code not in b"0123456789" + _GAP)
# What opens or ends anything. A private letter begins with the last of these in UTF-8, as do a few signs no message needs.
_ENDS = (b"<", b">", b'"', b"\x7f", b"\n", b"\xf3")


class Torn(NamedTuple):
    """The values of one part.

    fillings: As they stand there.
    masks: In UTF-8, with a naught for every digit.
    digits: Their digits alone. In both, only those of ASCII are digits.
    """

    fillings: Sequence[str]
    masks: list[bytes]
    digits: list[bytes]


def torn(source: str, outline: Sequence[str], fillings: Sequence[str]) -> Torn | None:
    """Take a text apart that is said to be shared pieces with values between them.

    Returns:
        None unless both together are the text, sign by sign, and no value opens or ends anything.
    """
    count = len(fillings)
    if not count or len(outline) != count + 1:
        return None
    raw = _BETWEEN.join(fillings).encode("utf-8", "surrogatepass")
    for sign in _ENDS:
        if sign in raw:
            return None
    parts = [""] * (2 * count + 1)
    parts[0::2] = outline
    parts[1::2] = fillings
    if "".join(parts) != source:
        return None
    masks = raw.translate(_NAUGHTS).split(_GAP)
    return Torn(fillings, masks, raw.translate(None, _OTHERS).split(_GAP)) if len(masks) == count else None
