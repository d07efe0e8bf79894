"""The words of a print provider's settings."""

from __future__ import annotations

from enum import StrEnum


class Marks(StrEnum):
    """What an inserter machine reads on the front of every sheet."""

    DATAMATRIX = "datamatrix"  # one square code: piece, sheet of the envelope, envelope, sequence
    OMR = "omr"  # bars: first, last, sequence, inserts, parity
    NONE = "none"  # nothing is printed


class Householding(StrEnum):
    """Whose documents share an envelope; always of one brand and to one address."""

    NO = "no"  # every document has its own
    PERSON = "person"  # the same name
    FAMILY = "family"  # the same surname


class Paper(StrEnum):
    """The size that every page must have."""

    A4 = "a4"
    LETTER = "letter"

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        return (210.0, 297.0) if self is Paper.A4 else (215.9, 279.4)
