"""From the pieces that a template printed to a tree: what authors wrote is read once, values are put into copies.

A page is printed in pieces: texts of the template, which are the same for every customer, and values, which are escaped.
A value in a text changes nothing of the tree around it, so the tree of all pages with the same texts is a pattern with
gaps. Values inside a tag belong to the pattern. Rows of plain cells that a loop prints do not, because no two customers have
equally many: they are read as ever. Whatever is in doubt is left to `tree.parse`, which gives the same tree.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ccm.compose.document.fill.tree.elements import Element, PlainRow, RowShape, parse, plain_rows
from ccm.compose.document.fill.unfillable import Unfillable
from ccm.compose.printing import LOOP_MARK, PrintedPage

_GAP = re.compile("\ue000(\\d+)\ue001")  # stands for a value while a pattern is read; private characters
_PRIVATE = re.compile("[\ue000-\ue002]")
_REFERENCE_TO_GAP = re.compile("&[#0-9A-Za-z]*\ue000")
_OPEN_REFERENCE = re.compile(r"&[#0-9A-Za-z]*\Z")
_TRIED = 16  # patterns of one form that nobody needed again
_MOST_PATTERNS = 512  # forgotten all at once
_LOOP = "\ue002"  # in place of the rows of a loop
_RAW = ("style", "svg")  # their text is no text of the page

# Texts and places of values in turn: text, place, text, …
Recipe: TypeAlias = tuple[Any, ...]
Kind: TypeAlias = str | None  # a text of the template, or None for a value
Rows: TypeAlias = list[tuple[RowShape, tuple[str, ...]]]


class PrintedRoot(Element):
    """The `html` element of a tree that was copied from a pattern.

    pattern: Which one. elements, rows: What is below it, in the pattern's order, but what stands beside rows of a loop.
    groups: What rows of a loop stand in.
    """

    __slots__ = ("elements", "groups", "pattern", "rows")

    pattern: Pattern
    elements: list[Element]
    rows: list[PlainRow]
    groups: list[Element]


def read(page: str) -> Element:
    """Return the tree of a page, as `parse` does.

    Raises:
        Unfillable: Likewise.
    """
    if type(page) is PrintedPage and "\r" not in page and "\0" not in page:
        root = _patterned(page.pieces, page.statics)
        if root is not None:
            return root
    return parse(page)


def _patterned(pieces: Sequence[str], statics: Mapping[str, str]) -> PrintedRoot | None:
    texts: list[str] = []
    loops: list[Rows] = []
    start = 0
    for place in (*_marks(pieces), len(pieces)):
        rows = plain_rows("".join(pieces[start:place])) if start else None
        if rows:
            texts.append(_LOOP)
            loops.append(rows)
        else:
            texts += pieces[start:place]
        start = place + 1
    kind = [_LOOP if text is _LOOP else statics.get(text) for text in texts]
    for text, known in zip(texts, kind, strict=True):
        if known is None and "<" in text:
            return None  # a drawing, a line break: an element that only this page may have
    pattern = _form_of(tuple(kind)).pattern(texts, kind)
    return None if pattern is None else pattern.filled(texts, loops)


def _marks(pieces: Sequence[str]) -> Iterator[int]:
    """Yield the places of `LOOP_MARK`."""
    place = -1
    try:
        while True:
            place = pieces.index(LOOP_MARK, place + 1)
            if pieces[place] is LOOP_MARK:
                yield place
    except ValueError:
        return


class _Form:
    """Pages that were printed by the same texts.

    keyed: Places of values that stand inside a tag.
    patterns: By those values; None where there is none.
    """

    __slots__ = ("_made", "_met", "_used", "keyed", "patterns")

    def __init__(self, kind: Sequence[Kind]) -> None:
        self.keyed = tuple(_inside_tags(kind))
        self.patterns: dict[tuple[str, ...], Pattern | None] = {}
        self._met = False
        self._made = self._used = 0

    def pattern(self, texts: Sequence[str], kind: Sequence[Kind]) -> Pattern | None:
        """Return the pattern of a page; None where there is none, or making one does not pay.

        Why: It pays for pages that come again, and not where each customer has a link of their own.
        """
        key = tuple([texts[place] for place in self.keyed])
        if key in self.patterns:
            self._used += 1
            return self.patterns[key]
        if not self._met or self._made > _TRIED + self._used:
            self._met = True
            return None
        if len(self.patterns) >= _MOST_PATTERNS:
            self.patterns.clear()
        self._made += 1
        made = self.patterns[key] = Pattern.of(texts, kind, self.keyed)
        return made


_FORMS: dict[tuple[Kind, ...], _Form] = {}


def _form_of(kind: tuple[Kind, ...]) -> _Form:
    form = _FORMS.get(kind)
    if form is None:
        if len(_FORMS) >= _MOST_PATTERNS:
            _FORMS.clear()
        form = _FORMS[kind] = _Form(kind)
    return form


def _inside_tags(kind: Sequence[Kind]) -> Iterator[int]:
    """Yield the places of values that follow a < without its >."""
    inside = False
    for place, text in enumerate(kind):
        if text is None:
            if inside:
                yield place
        else:
            opened, closed = text.rfind("<"), text.rfind(">")
            inside = opened > closed if opened >= 0 or closed >= 0 else inside


def _gapped(texts: Sequence[str], kind: Sequence[Kind], keyed: Sequence[int]) -> tuple[str, list[int]]:
    """Return the source with a mark for each value, and the places of these."""
    gaps = [place for place, known in enumerate(kind) if known is None and place not in keyed]
    source = list(texts)
    for place in gaps:
        source[place] = f"\ue000{place}\ue001"
    return "".join(source), gaps


def _recipe(text: str) -> Recipe:
    parts: list[str | int] = list(_GAP.split(text))
    parts[1::2] = map(int, parts[1::2])
    return tuple(parts)


# ── pages ────────────────────────────────────────────────────────────────────

_ELEMENT, _TEXT, _FILLED, _ROW, _SIGNED_ROW, _ROWS_OF_LOOP = range(6)
# What is made, the number of the element above, and what it is made of.
Step: TypeAlias = tuple[int, int, Any, Any]


class Pattern:
    """A tree with gaps."""

    __slots__ = ("_gaps", "_root", "_signed", "_steps")

    def __init__(self, root: Element, steps: _Steps, gaps: list[int]) -> None:
        self._root = root.attributes
        self._steps = steps.made
        self._signed = steps.signed
        self._gaps = gaps

    @classmethod
    def of(cls, texts: Sequence[str], kind: Sequence[Kind], keyed: Sequence[int]) -> Pattern | None:
        """Read the pattern of a page; None if its values do not all stand in texts."""
        loops = [place for place, text in enumerate(texts) if text is _LOOP]
        source = list(texts)
        if any(_PRIVATE.search(text) for text in texts if text is not _LOOP):
            return None
        for number, place in enumerate(loops):
            source[place] = f"<tr><td>\ue002{number}</td></tr>"
        written, gaps = _gapped(source, kind, keyed)
        if _REFERENCE_TO_GAP.search(written):
            return None
        try:
            root = parse(written)
            steps = _Steps(root)
        except Unfillable:
            return None
        return cls(root, steps, gaps) if sorted(steps.used) == gaps and steps.loops == len(loops) else None

    def filled(self, texts: Sequence[str], loops: Sequence[Rows]) -> PrintedRoot | None:
        """Return a copy with the values of one page; None if one of them is more than a text of its own."""
        values = {}
        for place in self._gaps:
            value = values[place] = texts[place]
            if "&" in value:
                if _OPEN_REFERENCE.search(value):
                    return None
                values[place] = html.unescape(value)
        root = PrintedRoot("html", self._root, None)
        root.pattern, root.rows, root.groups = self, [], []
        made: list[Element] = [root]
        for kind, above, one, other in self._steps:
            parent = made[above]
            if kind == _ELEMENT:
                element = Element(one, other, parent)
                parent.children.append(element)
                made.append(element)
            elif kind == _TEXT:
                parent.children.append(one)
            elif kind == _FILLED:
                parent.children.append("".join([part if type(part) is str else values[part] for part in one]))
            elif kind == _ROWS_OF_LOOP:
                root.groups.append(parent)
                parent.children += [PlainRow(shape, cells, parent) for shape, cells in loops[one]]
            else:
                row = PlainRow(one, tuple([_put_together(each, texts) for each in other]), parent)
                parent.children.append(row)
                if kind == _SIGNED_ROW:
                    root.rows.append(row)
        root.elements = [made[place] for place in self._signed]
        return root


class _Steps:
    """How the copy of a tree is made.

    made: One step after the other. signed: Numbers of the elements whose signature does not hang on rows of a loop.
    used: Places of the values. loops: How many there are.
    """

    def __init__(self, root: Element) -> None:
        self.made: list[Step] = []
        self.signed: list[int] = []
        self.used: list[int] = []
        self.loops = 0
        self._elements = 1
        self._walk(root, 0, signed=True)

    def _walk(self, element: Element, number: int, *, signed: bool) -> None:
        signed = signed and not any(type(child) is PlainRow and _is_loop(child) for child in element.children)
        for child in element.children:
            if type(child) is str:
                self._text(child, element, number)
            elif type(child) is not PlainRow:
                assert isinstance(child, Element)
                self.made.append((_ELEMENT, number, child.tag, child.attributes))
                below, self._elements = self._elements, self._elements + 1
                if signed:
                    self.signed.append(below)
                self._walk(child, below, signed=signed)
            elif _is_loop(child):
                self.made.append((_ROWS_OF_LOOP, number, int(child.texts[0][1:]), None))
                self.loops += 1
            else:
                recipes = tuple(_recipe(text) for text in child.texts)
                self.used += [place for one in recipes for place in one[1::2]]
                self.made.append((_SIGNED_ROW if signed else _ROW, number, child.shape, recipes))

    def _text(self, text: str, element: Element, number: int) -> None:
        recipe = _recipe(text)
        if len(recipe) == 1:
            self.made.append((_TEXT, number, text, None))
        elif element.tag in _RAW:
            raise Unfillable("a value in a style or in a drawing")
        else:
            self.used += recipe[1::2]
            self.made.append((_FILLED, number, tuple([part for part in recipe if part != ""]), None))


def _is_loop(row: PlainRow) -> bool:
    return row.texts[0].startswith("\ue002")


def _put_together(recipe: Recipe, texts: Sequence[str]) -> str:
    return "".join([part if type(part) is str else texts[part] for part in recipe])
