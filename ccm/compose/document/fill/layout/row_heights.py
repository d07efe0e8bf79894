"""How high rows are, and where the texts of their cells stand.

Source: CSS 2.1 section 17.5.3 as WeasyPrint 70 reads it (layout/table.py).
"""

from __future__ import annotations

from ccm.compose.document.fill.layout.parts import LinePart
from ccm.compose.document.fill.layout.table_parts import CellKind, RowForm, Tall
from ccm.compose.document.fill.run import Run


def count_of(kind: CellKind, lines: tuple[Run, ...] | list[LinePart]) -> int | Tall:
    """Return how many lines of usual height a cell has, or how high they are together."""
    if type(lines) is tuple:
        return len(lines)
    strut = kind.strut
    for line in lines:
        if isinstance(line, LinePart) and (line.height, line.baseline) != (strut.height, strut.baseline):
            heights = [one.height if isinstance(one, LinePart) else strut.height for one in lines]
            return Tall(sum(heights), lines[0].baseline if isinstance(lines[0], LinePart) else strut.baseline)
    return len(lines)


def heights_of(form: RowForm, counts: tuple[int | Tall, ...]) -> tuple[float, tuple[float, ...]]:
    """Return a row's height, and where the first baseline of each cell is from its top."""
    heights, baselines = [], []
    cells = form.kind.cells
    for cell, border, count in zip(cells, form.borders, counts, strict=True):
        above = border.top + cell.kind.padding.top
        content = count.height if isinstance(count, Tall) else sum([cell.kind.strut.height] * count)
        heights.append(above + content + cell.kind.padding.bottom + border.bottom)
        first = count.baseline if isinstance(count, Tall) else cell.kind.strut.baseline
        baselines.append(above + (first if count else content))
    aligned = [one for one, cell in zip(baselines, cells, strict=True) if cell.kind.align == "baseline"]
    shared = max(aligned, default=0.0)
    down = [shared - one if cell.kind.align == "baseline" else 0.0 for one, cell in zip(baselines, cells, strict=True)]
    height = max(one + extra for one, extra in zip(heights, down, strict=True))
    firsts = []
    for cell, border, own, extra in zip(cells, form.borders, heights, down, strict=True):
        left = height - own - extra
        shift = {"bottom": left, "middle": left / 2}.get(cell.kind.align, 0.0)
        firsts.append(border.top + cell.kind.padding.top + extra + shift + cell.kind.strut.baseline)
    return height, tuple(firsts)
