"""Computed styles by structure: what the layout engine's cascade gives one element it gives every one like it.

An element is like another when everything that a selector can look at is the same: the chain of its ancestors, tag and
attributes, and as much of its place among its siblings as the style sheets ask for. A structure that is met for the first
time is taught by the engine's own cascade over the whole page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from ccm.compose.document.fill.style.looks import Looks
from ccm.compose.document.fill.style.properties import unknown
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.tree.elements import Element, PlainRow, RowShape
from ccm.compose.document.fill.tree.printed import Pattern, PrintedRoot
from ccm.compose.document.fill.unfillable import Unfillable

_STRUCTURAL = re.compile(r":(nth-child|nth-last-child)\(\s*([^)]*?)\s*\)|:(first-child|last-child|only-child)\b")
_KNOWN_PSEUDO = re.compile(
    r"::?(?:before|after|first-child|last-child|only-child|nth-child\([^)]*\)|nth-last-child\([^)]*\)|lang\([^)]*\)|root|first|left|right|is|where|not|link|any-link)(?![\w-])"
)
_PSEUDO = re.compile(r"::?[a-zA-Z-]+(?:\([^)]*\))?")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SHARE = re.compile(r"(?<![\w-])(left|right|top|bottom|width): (-?\d+(?:\.\d+)?)%(?=;|$)")
_NUMBERED_PAGE = re.compile(r"@page[^{]*:nth", re.IGNORECASE)
_MOST_TRAITS = 20_000
_MOST_PATTERNS = 512
_MOST_ROWS = 20_000
_SVG = "{http://www.w3.org/2000/svg}"
_FORMULAS = re.compile(r":nth-[a-z-]+\([^)]*\)|\[[^\]]*\]")
_SIMPLE = re.compile(r"(?=.)(?:\*|[a-zA-Z][\w-]*)?(?:\.[a-zA-Z_][\w-]*)*")  # a selector of tag and classes
_AROUND = re.compile(r"[\s>]+")
_WORD = re.compile(r"[.*]?[\w-]+")
_AN_PLUS_B = re.compile(r"([+-]?\d*)n\s*(?:([+-])\s*(\d+))?|([+-]?\d+)")


class UnknownStructure(Exception):
    """An element whose like was never styled; `learn` the page."""


class StyleBook:
    """Styles of one set of style sheets.

    Args:
        author: Text of every sheet that may look at structure.
        cascade: Runs the engine's cascade over the page being filled; returns its root element and a function
            from element and pseudo-element to computed style.
    """

    def __init__(self, author: str) -> None:
        self._signatures: dict[tuple[object, ...], int] = {}
        self.styles: list[tuple[Any, Any, Any]] = []  # computed style, ::before, ::after
        self._odd: dict[tuple[int, bool], str] = {}
        self._traits: dict[tuple[int, Shares], Traits] = {}
        self._anonymous: dict[int, Traits] = {}
        self._cells: dict[tuple[int, RowShape], tuple[int, ...]] = {}  # signatures of a row's cells
        # Signatures of a row and its cells, by what it stands in and its place there.
        self._rows: dict[tuple[int, RowShape, object], tuple[int, tuple[int, ...]]] = {}
        # Signatures of the elements and rows of copies, by their pattern and the attributes of the root.
        self._patterns: dict[tuple[Pattern, object], tuple[list[int], list[tuple[int, tuple[int, ...]]]]] = {}
        self._places = _Places(author)
        self._looks = Looks()
        self._look: list[int] = []  # of each signature
        self._unproved: list[int] = []  # of the page that was learned last

    def sign(self, root: Element, *, learning: bool = False) -> list[Element]:
        """Give every element its signature; returns the elements of new structures, in the order of the page.

        Raises:
            UnknownStructure: At the first new structure, unless learning.
        """
        new: list[Element] = []
        rows: list[PlainRow] = []
        signatures = self._signatures
        place = self._places.of
        looks = self._places.looks
        waiting: list[tuple[Element, int, object]] = [(root, -1, 0)]
        if type(root) is PrintedRoot and not learning and self._signed_as_before(root):
            waiting = self._beside_known_rows(root)
        while waiting:
            element, above, where = waiting.pop()
            attributes = element.attributes
            if attributes and self._places.shares:
                attributes = shape_of(attributes)[0]
            key = (above, element.tag, attributes, where)
            signature = signatures.get(key)
            if signature is None:
                if not learning:
                    raise UnknownStructure
                signature = signatures[key] = len(signatures)
                new.append(element)
            element.signature = signature
            if type(element) is PlainRow:
                cells = self._cells.get((signature, element.shape))
                if cells is not None and not learning:
                    element.signatures = cells
                    if len(self._rows) > _MOST_ROWS:
                        self._rows.clear()
                    self._rows[above, element.shape, where] = (signature, cells)
                    continue
                rows.append(element)
            children = [child for child in element.children if isinstance(child, Element)]
            if looks and children:
                waiting += [(child, signature, place(index, children)) for index, child in enumerate(children, 1)]
            else:
                waiting += [(child, signature, 0) for child in children]
        for row in rows:
            row.signatures = tuple([cell.signature for cell in row.children if isinstance(cell, Element)])
            self._cells[row.signature, row.shape] = row.signatures
        if type(root) is PrintedRoot and not learning:
            self._remember(root)
        return new

    def has_root(self, root: Element) -> bool:
        """Tell whether the root of a page has a signature."""
        said = shape_of(root.attributes)[0] if self._places.shares else root.attributes
        return (-1, root.tag, said, 0) in self._signatures

    def _signed_as_before(self, root: PrintedRoot) -> bool:
        """Give what was copied from a pattern the signatures of the copy before; tells whether there are any."""
        known = self._patterns.get((root.pattern, root.attributes))
        if known is None:
            return False
        elements, rows = known
        for element, signature in zip((root, *root.elements), elements, strict=True):
            element.signature = signature
        for row, (signature, cells) in zip(root.rows, rows, strict=True):
            row.signature, row.signatures = signature, cells
        return True

    def _beside_known_rows(self, root: PrintedRoot) -> list[tuple[Element, int, object]]:
        """Sign the rows of loops whose like stood in such a place before; returns what else must be signed, and where."""
        place, looks = self._places.of, self._places.looks
        left: list[tuple[Element, int, object]] = []
        for group in root.groups:
            above = group.signature
            children = [child for child in group.children if isinstance(child, Element)]
            for index, child in enumerate(children, 1):
                where = place(index, children) if looks else 0
                if type(child) is PlainRow:
                    known = self._rows.get((above, child.shape, where))
                    if known is not None:
                        child.signature, child.signatures = known
                        continue
                left.append((child, above, where))
        return left

    def _remember(self, root: PrintedRoot) -> None:
        key = (root.pattern, root.attributes)
        if key not in self._patterns:
            if len(self._patterns) >= _MOST_PATTERNS:
                self._patterns.clear()
            elements = [element.signature for element in (root, *root.elements)]
            self._patterns[key] = elements, [(row.signature, row.signatures) for row in root.rows]

    def known(self, element: Element, *, boxes: bool = False) -> tuple[Any, Any, Any]:
        """Return an element's styles.

        Args:
            boxes: Whether it is laid out as a box that may be positioned, flexible or round.

        Raises:
            Unfillable: If they have a property that our layout does not know.
        """
        styles = self.styles[element.signature]
        key = (element.signature, boxes)
        odd = self._odd.get(key)
        if odd is None:
            odd = self._odd[key] = unknown(styles[0], boxes=boxes)
        if odd:
            raise Unfillable(odd)
        return styles

    def traits(self, element: Element) -> Traits:
        """Return what layout wants to know of an element that is a box of its own.

        Raises:
            Unfillable: As `known` does.
        """
        shares = shape_of(element.attributes)[1] if element.attributes and self._places.shares else ()
        key = (element.signature, shares)
        made = self._traits.get(key)
        if made is None:
            if len(self._traits) > _MOST_TRAITS:
                self._traits.clear()
            style = self.known(element, boxes=True)[0]
            if style["overflow"] != "visible" and element.tag not in ("img", "svg"):
                raise Unfillable("overflow")
            made = self._traits[key] = Traits(style, dict(shares))
        return made

    def anonymous(self, element: Element) -> Traits:
        """Return what layout wants to know of a box that no element has, inside an element's."""
        made = self._anonymous.get(element.signature)
        if made is None:
            made = self._anonymous[element.signature] = Traits(self.known(element, boxes=True)[0].anonymous_style)
        return made

    def learn(self, root: Element, page: Any, style_for: Callable[..., Any], *, proved: bool = False) -> bool:
        """Take the styles of a page's new structures from the engine; tells whether they were taken.

        Args:
            page: The engine's element tree of the same page.
            proved: Take them only if every one of them looks like one that was compared with the engine's.
        Raises:
            Unfillable: If the engine sees another tree than we do.
        """
        pairs = dict(element_pairs(root, page))
        known = len(self._signatures)
        new = self.sign(root, learning=True)
        self.styles += [(None, None, None)] * (len(self._signatures) - known)
        self._look += [-1] * (len(self._signatures) - known)
        looks = []
        for element in new:  # parents before what is in them
            theirs = pairs[element]
            styles = (style_for(theirs), style_for(theirs, "before"), style_for(theirs, "after"))
            above = -1 if element.parent is None else self._look[element.parent.signature]
            self.styles[element.signature] = styles
            self._look[element.signature] = self._looks.of(element, above, styles)
            looks.append(self._look[element.signature])
        if proved and not self._looks.are_proved(looks):
            self._unlearn(known)
            return False
        self._unproved = looks
        return True

    def prove(self) -> None:
        """Take note that the page that was learned last is the same in both layouts."""
        self._looks.prove(self._unproved)
        self._unproved = []

    def _unlearn(self, known: int) -> None:
        """Forget all signatures but the first."""
        while len(self._signatures) > known:
            self._signatures.popitem()
        del self.styles[known:], self._look[known:]
        self._cells = {
            key: cells for key, cells in self._cells.items() if key[0] < known and max(cells, default=0) < known
        }


Shares: TypeAlias = "tuple[tuple[str, float], ...]"


@lru_cache(maxsize=16_384)
def shape_of(attributes: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], Shares]:
    """Take the places in percent out of an element's own style.

    Why: Each customer's chart has its labels elsewhere, and what is not inherited changes nothing else. Nothing in a style
    sheet goes before an element's own style, but what is important; sheets that say so are left alone.
    """
    style = dict(attributes).get("style", "")
    found = _SHARE.findall(style)
    if not found or len({name for name, _ in found}) != len(found) or "\\" in style or "/*" in style or "!" in style:
        return attributes, ()
    shape = _SHARE.sub(r"\1: %", style)
    if any(re.search(rf"(?<![\w-]){name}\s*:(?! %)", shape, re.IGNORECASE) for name, _ in found):
        return attributes, ()  # said twice
    shares = tuple((name, float(value)) for name, value in found)
    return tuple((name, shape if name == "style" else value) for name, value in attributes), shares


def element_pairs(ours: Element, theirs: Any) -> Iterator[tuple[Element, Any]]:
    """Walk both trees; they must be the same."""
    own = tuple(sorted((name, value) for name, value in ours.attributes))
    other = tuple(sorted(theirs.attrib.items()))
    if ours.tag != theirs.tag.removeprefix(_SVG) or own != other:
        raise Unfillable("the page is not read as the engine reads it")
    yield ours, theirs
    if ours.tag == "svg":
        return  # its inside is no element of the page's
    elements = [child for child in ours.children if isinstance(child, Element)]
    others = [child for child in theirs if isinstance(child.tag, str)]
    if len(elements) != len(others):
        raise Unfillable("the page is not read as the engine reads it")
    for child, other_child in zip(elements, others, strict=True):
        yield from element_pairs(child, other_child)


class _Places:
    """What the style sheets want to know about an element's place among its siblings."""

    def __init__(self, author: str) -> None:
        css = _COMMENT.sub("", author)
        if "@import" in css or "@layer" in css or "@scope" in css:
            raise Unfillable("a style sheet that imports others")
        selectors = [part.rpartition("}")[2].rpartition(";")[2] for part in css.split("{")[:-1]]
        if any(_NUMBERED_PAGE.match(one.strip()) for one in selectors):
            raise Unfillable("a rule for pages by their number")
        selectors = [one for one in selectors if not one.strip().startswith("@")]
        for selector in selectors:
            if "~" in re.sub(r"\[[^\]]*\]", "", selector):
                raise Unfillable("a selector with ~")
            if any(one.count("+") > 1 for one in _FORMULAS.sub("", selector).split(",")):
                raise Unfillable("a selector with + twice")
            for found in _PSEUDO.findall(selector):
                if not _KNOWN_PSEUDO.fullmatch(found):
                    raise Unfillable(f"the selector {found}")
        self._tests = tuple(dict.fromkeys(_tests(selectors)))
        self.shares = "!" not in css and not any("[style" in one.replace(" ", "") for one in selectors)
        self._before = _Before(selectors)
        self._adjacent = self._before.matters
        self.looks = bool(self._tests) or self._adjacent
        self._cache: dict[tuple[int, int], int] = {}
        self._states: dict[tuple[bool, ...], int] = {}

    def of(self, index: int, siblings: list[Element]) -> object:
        """Return a mark of a place: equal where no selector can tell two places apart."""
        count = len(siblings)
        if not self._adjacent:
            return self._state(index, count)
        if index == 1:
            return self._state(1, count)
        before = siblings[index - 2]
        seen = self._before.seen(before.tag, before.attributes)
        if seen is None:
            seen = (self._state(index - 1, count), before.tag, shape_of(before.attributes)[0])
        return (self._state(index, count), seen)

    def _state(self, index: int, count: int) -> int:
        known = self._cache.get((index, count))
        if known is None:
            state = tuple(test(index, count) for test in self._tests)
            known = self._cache[index, count] = self._states.setdefault(state, len(self._states))
        return known


class _Before:
    """What selectors with + want to know of the element before.

    matters: Whether there are any.
    """

    def __init__(self, selectors: list[str]) -> None:
        parts = [part for one in selectors for part in _FORMULAS.sub(":", one).split(",") if "+" in part]
        lefts = [_AROUND.split(part.partition("+")[0].rstrip())[-1] for part in parts]
        self.matters = bool(parts)
        self._simple = all(_SIMPLE.fullmatch(left) for left in lefts)
        words = [word for left in lefts for word in _WORD.findall(left)]
        self._tags = frozenset(word.lower() for word in words if word[0] not in "*.")
        self._classes = frozenset(word[1:] for word in words if word[0] == ".")

    def seen(self, tag: str, attributes: tuple[tuple[str, str], ...]) -> object:
        """Return a mark of such an element: equal where no selector can tell two apart; None if anything may matter."""
        if not self._simple:
            return None
        if not self._tags and not self._classes:
            return True
        classes = self._classes.intersection(dict(attributes).get("class", "").split())
        return (tag if tag in self._tags else "", classes)


def _tests(selectors: list[str]) -> Iterator[Callable[[int, int], bool]]:
    seen = set()
    for selector in selectors:
        for kind, formula, plain in _STRUCTURAL.findall(selector):
            name = plain or f"{kind}({formula})"
            if name in seen:
                continue
            seen.add(name)
            if plain:
                yield _PLAIN_TESTS[plain]
            else:
                yield _counted(_formula(formula), from_end=kind == "nth-last-child")


_PLAIN_TESTS: dict[str, Callable[[int, int], bool]] = {
    "first-child": lambda index, count: index == 1,
    "last-child": lambda index, count: index == count,
    "only-child": lambda index, count: count == 1,
}


def _counted(matches: Callable[[int], bool], *, from_end: bool) -> Callable[[int, int], bool]:
    if from_end:
        return lambda index, count: matches(count - index + 1)
    return lambda index, count: matches(index)


def _formula(text: str) -> Callable[[int], bool]:
    """Return whether a place counts as An+B."""
    text = {"even": "2n", "odd": "2n+1"}.get(text.lower(), text.lower())
    found = _AN_PLUS_B.fullmatch(text)
    if found is None:
        raise Unfillable(f"nth-child({text})")
    if found[4] is not None:
        return lambda place: place == int(found[4])
    step = int({"": "1", "+": "1", "-": "-1"}.get(found[1], found[1]))
    start = int((found[2] or "+") + (found[3] or "0"))
    if step == 0:
        return lambda place: place == start
    return lambda place: (place - start) % step == 0 and (place - start) // step >= 0
