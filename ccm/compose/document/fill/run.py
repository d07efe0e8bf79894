"""A text as it is set: glyphs and their places, and the operator that shows them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

UNITS = 1024  # in a CSS pixel


class Glyph(NamedTuple):
    """One glyph as Pango placed it.

    face: Its font. advance, across: In units of 1/1,024 px. rise: How far down it is moved, as the engine counts.
    opens: Whether it is the first of what Pango shaped as one.
    """

    face: int
    number: int
    advance: int
    across: int
    rise: float
    opens: bool


@dataclass(eq=False, slots=True)
class Run:
    """Shaped text.

    glyphs: Glyph ids with their advances and horizontal offsets in units of 1/1,024 px; none where the text was put together from parts.
    width: In px, letter spacing included.
    shown: The operator that shows it, once it was written. rare: Its glyphs that not every subset of the font has.
    rise: Baseline under the top of the line height, where other fonts than the style's first may make it another.
    parts: Its glyphs, where Pango placed them; `clusters` says how many stand for which text together.
    turned: Whether Pango read it from right to left.
    """

    text: str
    glyphs: tuple[tuple[int, int, int], ...]
    width: float
    face: int
    size: float
    shown: bytes = b""
    rise: float | None = None
    parts: tuple[Glyph, ...] = ()
    rare: frozenset[int] = frozenset()
    clusters: tuple[tuple[int, str], ...] = ()
    turned: bool = False


if not TYPE_CHECKING:
    with suppress(ImportError):  # see kernel.py
        from ccm.compose.document.fill import _kernel

        Run = _kernel.Run


def operator(shown: bytes) -> bytes:
    """Return the operator that shows glyphs, given them with what moves them."""
    return (b"[<%b>]TJ" % shown).replace(b"<>", b" ")


def of_width(run: Run, width: float) -> Run:
    """Return a run that counts as wider or narrower, in px."""
    return Run(
        run.text, run.glyphs, width, run.face, run.size, run.shown, run.rise, run.parts, run.rare, run.clusters, run.turned,
    )  # fmt: skip
