"""What the layout engine teaches filling without laying out a whole page: a page that is like others costs little of it.

Three lessons are shorter than a page. Elements in new places that look like elements which were compared (`fill/style/looks.py`)
need the cascade alone. New looks, a language or a red row, are laid out by both in a page that is cut short: rows like
others of it are left out. Heads and feet are those of empty pages. Everything else is for the whole page, and so is
whatever a lesson leaves in doubt: nothing is filled that was not compared.
"""

from __future__ import annotations

from typing import Any

from ccm.compose.document.fill.audit import differs
from ccm.compose.document.fill.engine import FillEngine, Lesson, Unlearned, tree_of
from ccm.compose.document.fill.style.styles import element_pairs
from ccm.compose.document.fill.tree.elements import Element, PlainRow
from ccm.compose.document.typesetting import Typeset, Typesetter

_EDGE_ROWS = 3  # kept at the start and at the end of a run of rows
_STRIPES = 6  # rows are left out by so many, so that every second and every third one stays what it is
_SIDES = 3  # the first page, a left and a right one: all that style sheets tell apart


class Lessons:
    """Lets the engine teach, as little as will do."""

    def __init__(self, engine: FillEngine, typesetter: Typesetter) -> None:
        self._engine = engine
        self._typesetter = typesetter

    def give(self, wanted: Unlearned, html: str, language: str, direction: str) -> bool:
        """Teach what a page wants; tells whether filling it may be tried again. If not, the whole page must teach.

        Raises:
            Unfillable: If the page has something that filling does not know.
        """
        try:
            if wanted.lesson is Lesson.STYLES:
                # Another language is another look of everything: the cascade alone would be in vain.
                same = self._engine.has_root(tree_of(html, language, direction))
                return (same and self._styles(html, language, direction)) or (
                    self._looks(html, language, direction) and self._styles(html, language, direction)
                )
            if wanted.lesson is Lesson.FRAMES:
                return self._frames(html, language, direction, wanted.pages or _SIDES)
        except Unlearned:
            return False
        return False

    def _styles(self, html: str, language: str, direction: str) -> bool:
        root = tree_of(html, language, direction)
        if self._engine.has_styles(root):  # the short form of this page had them all
            return True
        styled = self._typesetter.styled(html, language=language, direction=direction)
        return styled is not None and self._engine.learn_styles(root, styled.root, styled.style_for)

    def _looks(self, html: str, language: str, direction: str) -> bool:
        """Lay out a short form of the page both ways; tells whether they are the same."""
        root = tree_of(str(html), language, direction)
        if not self._engine.has_compared(root):
            return False

        def shorten(page: Any) -> None:
            theirs = dict(element_pairs(root, page))
            for row in _superfluous(root):
                above = row.parent
                assert above is not None
                theirs[above].remove(theirs[row])
                above.children.remove(row)

        typeset = self._typesetter.lay_out(html, language=language, direction=direction, change=shorten)
        if not self._is_whole(typeset):
            return False
        self._engine.learn(root, typeset.document)
        display = self._engine.display_of(root)
        if differs(display, typeset.document):
            return False
        self._engine.prove(len(display.pages))
        return True

    def _frames(self, html: str, language: str, direction: str, pages: int) -> bool:
        """Learn heads and feet from so many empty pages."""
        root = tree_of(html, language, direction)
        runs = self._engine.is_running(root)

        def empty(page: Any) -> None:
            theirs = dict(element_pairs(root, page))
            kept = {above for element in theirs if runs(element) for above in _chain(element)}
            body = next(one for one in root.children if isinstance(one, Element) and one.tag == "body")
            _strip(body, theirs, kept, runs)
            _add_pages(theirs[body], pages)

        typeset = self._typesetter.lay_out(html, language=language, direction=direction, change=empty)
        if not self._is_whole(typeset) or len(typeset.document.pages) != pages:
            return False
        self._engine.learn_frames(root, typeset.document)
        return True

    def _is_whole(self, typeset: Typeset) -> bool:
        return typeset.document is not None and not typeset.problems


def _superfluous(root: Element) -> list[PlainRow]:
    """Return the rows of plain cells that others of the same table stand for."""
    found: list[PlainRow] = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        children = [child for child in element.children if isinstance(child, Element)]
        rows = [child for child in children if isinstance(child, PlainRow)]
        waiting += [child for child in children if not isinstance(child, PlainRow)]
        kept = {id(row) for row in (*rows[:_EDGE_ROWS], *rows[-_EDGE_ROWS:])}
        longest: dict[object, PlainRow] = {}  # of each kind: most likely of several lines
        for row in rows:
            other = longest.get(row.shape)
            if other is None or sum(map(len, row.texts)) > sum(map(len, other.texts)):
                longest[row.shape] = row
        kept.update(id(row) for row in longest.values())
        run: list[PlainRow] = []
        for row in rows:
            if id(row) in kept:
                found += run[: len(run) // _STRIPES * _STRIPES]
                run = []
            else:
                run.append(row)
    return found


def _chain(element: Element) -> list[Element]:
    """Return an element and all that it stands in."""
    found = [element]
    while found[-1].parent is not None:
        found.append(found[-1].parent)
    return found


def _strip(element: Element, theirs: dict[Element, Any], kept: set[Element], runs: Any) -> None:
    """Leave of an element of the engine's what runs into heads and feet, and what that stands in."""
    other = theirs[element]
    other.text = None
    for child in list(other):
        child.tail = None
    for child in element.children:
        if not isinstance(child, Element):
            continue
        if child not in kept:
            other.remove(theirs[child])
        elif not runs(child):
            _strip(child, theirs, kept, runs)


def _add_pages(body: Any, count: int) -> None:
    for number in range(count):
        block = body.makeelement("div", {"style": "display: block; break-before: page"} if number else {})
        body.append(block)
