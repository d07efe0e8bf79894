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


def place_rows(
    rows: list[Any],
    tops: list[float],
    says: list[Any],
    at: int,
    named: int,
    places: dict[Any, list[Place]],
    kinds: list[Any],
    across: list[float],
    down: list[float],
    runs: list[Run],
) -> int:
    """Say where the texts of rows stand, from one row on, as long as they go on like the row before.

    Args:
        tops, says: Of each row: its upper edge, and what its tags say.
        named: So many rows may have header cells.
        places: Of contents, by form. kinds: How rows are drawn and tagged; more are added, as to the other lists.
    Returns:
        The first row that must be looked at by itself. Here it is the next one: what is not compiled gains nothing.
    """
    return at


def narrowest(column: tuple[object, ...], words: dict[str, float]) -> tuple[float, list[Any]]:
    """Return the width of the widest word of a column of runs, and those of its contents that have other words.

    Args:
        words: Width of each word between which texts may be broken.
    """
    greatest = 0.0
    left: list[Any] = []
    for one in column:
        if type(one) is not Run:
            left.append(one)
        elif one.width > greatest:  # no part of a text is wider than the text
            try:
                greatest = max(greatest, *[words[word] for word in one.text.split(" ")])
            except KeyError:
                left.append(one)
    return greatest, left


def read_rows(source: str, at: int, shapes: list[Any], rows: list[Any]) -> int:
    """Read the rows of plain cells that begin at a place and have one of some shapes; returns where they end.

    Args:
        shapes: The likeliest first; they are put in order.
        rows: Shape of each row, and the texts of its cells as they stand there; more are added.
    """
    while True:
        for shape in shapes:
            found = shape.pattern.match(source, at)
            if found is not None:
                break
        else:
            return at
        if shape is not shapes[0]:
            shapes.remove(shape)
            shapes.insert(0, shape)
        rows.append((shape, found.groups()))
        at = found.end()


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
