"""What many messages share, read once: their lines with places for values, and where their links lead.

Composing tells which pieces messages share and what it put between them. That is a hint and is not believed: both together
must be the text, sign by sign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ccm.check.shape import FIRST_LETTER, TEXT_ENDS, VALUE_LETTER, Pattern, pattern_lines, shape_of, tells


@dataclass(frozen=True)
class Frame:
    """Shared pieces of an HTML page or a text.

    mixed: Lines in which values stand beside fixed words or beside each other, with their places.
    fixed: Lines without values that may tell something.
    targets: Where links lead.
    attributes: Values that stand in attributes.
    places: How many values there are.
    digest: Of the pieces.
    """

    mixed: tuple[tuple[int, Pattern], ...]
    fixed: tuple[str, ...]
    targets: tuple[Pattern, ...]
    attributes: frozenset[int]
    places: int
    digest: str


def is_woven(source: str, outline: Sequence[str], fillings: Sequence[str]) -> bool:
    """Tell whether a text is these pieces with these values between them, and no value opens or ends anything."""
    count = len(fillings)
    if len(outline) != count + 1:
        return False
    parts = [""] * (2 * count + 1)
    parts[0::2] = outline
    parts[1::2] = fillings
    values = "".join(fillings)
    return "".join(parts) == source and "\n" not in values and not TEXT_ENDS.search(values)


@lru_cache(maxsize=512)
def page_frame(outline: tuple[str, ...]) -> Frame | None:
    """Return the frame of a page; None where values cannot be told from it."""
    shape = shape_of(outline)
    if shape is None:
        return None
    return _frame(outline, shape.telling, shape.targets, shape.attributes)


@lru_cache(maxsize=512)
def text_frame(outline: tuple[str, ...]) -> Frame | None:
    """Return the frame of a plain text, as `page_frame`."""
    if any(map(VALUE_LETTER.search, outline)):
        return None
    text = outline[0] + "".join(chr(FIRST_LETTER + number) + piece for number, piece in enumerate(outline[1:]))
    return _frame(outline, pattern_lines(text), (), frozenset())


def _frame(
    outline: tuple[str, ...], lines: Sequence[Pattern], targets: tuple[Pattern, ...], attributes: frozenset[int]
) -> Frame:
    digest = hashlib.sha256("\0".join(outline).encode("utf-8", "surrogatepass")).hexdigest()
    mixed = tuple((number, line) for number, line in enumerate(lines) if line.slots and not _bare(line))
    fixed = tuple(line.pieces[0] for line in lines if not line.slots and tells(line.pieces[0]))
    return Frame(mixed, fixed, targets, attributes, len(outline) - 1, digest)


def _bare(line: Pattern) -> bool:
    return len(line.slots) == 1 and not any(piece.strip() for piece in line.pieces)
