"""The innermost loops of filling in Python, as `_kernel.c` has them in C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeVar, cast

from ccm.compose.document.fill.run import Run

_Content = TypeVar("_Content")
Place = tuple[
    float, float, float
]  # of a cell's content: left edge, width, and which part of the free width stands before it


def contents(
    column: Sequence[str],
    known: dict[str, _Content],
    young: dict[str, _Content],
    other: Callable[[str], _Content],
    most_known: int,
    most_young: int,
) -> list[_Content]:
    """Return what the texts in the source of a column of cells become, and remember it.

    Args:
        known: What was met twice; at most `most_known` texts. young: What was met once, lately; likewise.
        other: Makes the content of a text that was never met.
    Why in two steps: Most amounts never come again. They must not drive out, or lie between, the texts that do.
    """
    found = cast("list[_Content]", list(map(known.get, column)))
    if None not in found:
        return found
    if len(known) + len(column) > most_known:
        known.clear()
    if len(young) > most_young:
        young.clear()
    for at, content in enumerate(found):
        if content is None:
            source = column[at]
            once = young.get(source)
            if once is not None:
                known[source] = found[at] = once
                continue
            found[at] = young[source] = other(source)
    return found


def widest(column: tuple[object, ...]) -> float | None:
    """Return the greatest width of a column of runs; None if it holds anything else."""
    if {*map(type, column)} != {Run}:
        return None
    return max([run.width for run in cast("Sequence[Run]", column)])


def place_row(
    contents: tuple[Any, ...],
    lines: list[Any] | None,
    baselines: tuple[float, ...],
    top: float,
    places: list[Place],
    heights: tuple[float, ...],
    across: list[float],
    down: list[float],
    runs: list[Run],
) -> bool:
    """Say where the texts of a row stand.

    Args:
        lines: Of each cell, tuples of runs or lists of other lines; None where every content is one run, or nothing.
        baselines: The first one of each cell from the row's `top`.
        heights: Of a line of each cell.
        across, down, runs: Where texts stand, and these; more are added.
    Returns:
        Whether the row holds nothing but lines in the fonts of its cells; nothing was added if not.
    """
    inside: Sequence[Any] = [() if one is None else (one,) for one in contents] if lines is None else lines
    if any(type(one) is not Run or one.parts for cell in inside for one in cell):
        return False
    for own, first, height, (left, width, shift) in zip(inside, baselines, heights, places, strict=True):
        y = top + first
        for line in own:
            across.append(left + (width - line.width) * shift if shift else left)
            down.append(y)
            runs.append(line)
            y += height
    return True


def show_rows(
    forms: list[bytes],
    mark: int,
    across: list[float],
    down: list[float],
    runs: list[Run],
    show: Callable[[Run], object],
) -> tuple[bytes, list[Run]]:
    """Return the operators that show rows of texts, and those of them that have rare glyphs.

    Args:
        forms: Of each row, the operators with a gap for mark, place and text of each of its texts.
        mark: Of the first text.
        show: Gives a run the operator that shows it.
    """
    for run in runs:
        if not run.shown:
            show(run)
    marks = range(mark, mark + len(runs))
    shown = [run.shown for run in runs]
    values = chain.from_iterable(zip(marks, across, down, shown, strict=True))
    return b"".join(forms)[:-1] % tuple(values), [run for run in runs if run.rare]


def show_areas(places: list[float]) -> bytes:
    """Return the operators that fill rectangles, given x, y, width and height of each."""
    return (b"%.3f %.3f %.3f %.3f re f\n" * (len(places) // 4))[:-1] % tuple(places)
