"""The flow of a page's body as steps: margins, blocks and tables below each other, to be put on pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ccm.compose.document.fill.layout.blocks import Blocks, Place
from ccm.compose.document.fill.layout.figures import Pictures
from ccm.compose.document.fill.layout.inline import Inlines
from ccm.compose.document.fill.layout.parts import Box, LinePart
from ccm.compose.document.fill.layout.table_parts import Table
from ccm.compose.document.fill.layout.tables import Tables
from ccm.compose.document.fill.style.styles import StyleBook
from ccm.compose.document.fill.style.traits import Traits
from ccm.compose.document.fill.text.shaping import Fonts
from ccm.compose.document.fill.tree.elements import Element, serial
from ccm.compose.document.fill.unfillable import Unfillable

_AVOID = ("avoid", "avoid-page")
_FREE = ("auto", *_AVOID)
_MOST_BLOCKS = 256  # kept laid out
_MOST_MET = 4_000  # remembered as met


@dataclass(slots=True)
class Margin:
    """A vertical margin that collapses with those beside it; one on top goes where a page begins."""

    value: float
    top: bool


@dataclass(slots=True)
class Breaks:
    """What a block says of page breaks before and behind it, with all that begins or ends with it."""

    before: bool = False  # whether one is to be avoided
    behind: bool = False


@dataclass(slots=True)
class Block:
    """A block that was laid out with its border's upper left corner at x and 0.

    element: Where it stands in this page; the box may be that of one like it in an earlier page.
    above, below: Margins that collapse with those beside it.
    lines: Those between which it may be broken, where it is a plain block of text.
    whole: Whether it goes to the next page where it does not fit; otherwise the engine might break it inside.
    loose: Whether its upper margin stays where a page begins.
    """

    element: Element
    box: Box
    above: tuple[Margin, ...]
    below: tuple[Margin, ...]
    lines: list[LinePart] | None
    whole: bool
    loose: bool
    breaks: Breaks

    def standing_in(self, element: Element) -> Block:
        """Return it for an element of another page, which may say more of breaks."""
        breaks = Breaks(self.breaks.before, self.breaks.behind)
        return Block(element, self.box, self.above, self.below, self.lines, self.whole, self.loose, breaks)


@dataclass(slots=True)
class TableStep:
    """A table."""

    table: Table
    breaks: Breaks = field(default_factory=Breaks)


@dataclass(slots=True)
class Positioned:
    """A box in the area of the page, out of the flow."""

    element: Element
    fixed: bool


Step: TypeAlias = "Margin | Block | TableStep | Positioned"


class Setting:
    """What lays out the documents of one set of style sheets, and remembers for all of them."""

    def __init__(self, book: StyleBook, fonts: Fonts) -> None:
        self.book = book
        self.fonts = fonts
        self.pictures = Pictures()
        self.inlines = Inlines()
        self.tables = Tables(book, fonts, self.inlines)
        self.blocks = Blocks(book, fonts, self.tables, self.pictures)
        self.laid = LaidBlocks()
        self.inlines.blocks = self.blocks


class LaidBlocks:
    """Blocks that more than one page had, laid out.

    Why the second time only: What is met twice, such as a letterhead, is met again; what holds a customer's name is not.
    """

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._known: dict[object, Block] = {}

    def find(self, key: object) -> Block | None:
        """Return the block of an earlier page."""
        return self._known.get(key)

    def keep(self, key: object, block: Block) -> None:
        """Take a block, if its like was met before."""
        mark = hash(key)
        if mark in self._met:
            if len(self._known) >= _MOST_BLOCKS:
                self._known.clear()
            self._known[key] = block.standing_in(block.element)
        else:
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met.add(mark)


class Flow:
    """Turns the body into steps."""

    def __init__(self, setting: Setting) -> None:
        self._book = setting.book
        self._tables = setting.tables
        self._blocks = setting.blocks
        self._laid = setting.laid
        self.running: dict[str, Element] = {}
        self._found: list[Step] = []

    def steps(self, root: Element, x: float, width: float) -> list[Step]:
        """Return the content of the root element in order."""
        self._found = []
        self.running = {}
        self._open(root, self._book.traits(root), Place(width, None, True), x)
        return self._found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what ran into heads and feet."""
        return tuple(sorted(self.running))

    def _children(self, element: Element, traits: Traits, width: float, x: float) -> None:
        place = Place(width, None, traits.ltr)
        for child in element.children:
            if type(child) is str:
                if child.strip():
                    raise Unfillable("text beside blocks")
                continue
            assert isinstance(child, Element)
            if self._book.styles[child.signature][0]["display"] == ("none",):
                continue
            own = self._book.traits(child)
            if own.position == "running":
                self._run(child, own)
            elif own.out:
                self._found.append(Positioned(child, own.position == "fixed"))
            else:
                self._child(child, own, place, x)

    def _run(self, element: Element, traits: Traits) -> None:
        """Note a running element; it must be there from the first page on."""
        name = traits.style["position"][1]
        if name in self.running or any(isinstance(step, (Block, TableStep)) for step in self._found):
            raise Unfillable("a running element twice, or behind other content")
        self.running[name] = element

    def _child(self, element: Element, traits: Traits, place: Place, x: float) -> None:
        self._forced(traits.style)
        if traits.display == ("block", "table"):
            self._table(element, traits, place, x)
        elif element.tag == "body" or (traits.display == ("block", "flow") and self._is_open(element, traits)):
            self._open(element, traits, place, x)
        else:
            self._block(element, traits, place, x)

    def _forced(self, style: Any) -> None:
        if style["break_before"] not in _FREE or style["break_after"] not in _FREE:
            raise Unfillable("a forced break")

    def _is_open(self, element: Element, traits: Traits) -> bool:
        """Tell whether a block only holds others, so that pages may begin anywhere in it."""
        return (
            traits.position == "static"
            and not traits.avoids
            and traits.look.nothing
            and not any(traits.padding)
            and not any(traits.border)
            and traits.width is None
            and traits.height is None
            and not traits.min_width
            and not traits.min_height
            and element.tag not in ("img", "svg")
            and not self._blocks.has_text(element)
        )

    def _open(self, element: Element, traits: Traits, place: Place, x: float) -> None:
        """Take the blocks in a block."""
        if element.parent is None or element.tag == "body":
            self._bare(traits)
        box = self._blocks.sized(element, traits, place, x, 0)
        behind = len(self._found)
        self._found.append(Margin(box.margin.top, True))
        self._children(element, traits, box.width, box.content_x)
        inside = [step for step in self._found[behind:] if isinstance(step, (Block, TableStep))]
        if not inside:
            raise Unfillable("an empty block")
        inside[0].breaks.before = inside[0].breaks.before or traits.style["break_before"] in _AVOID
        inside[-1].breaks.behind = inside[-1].breaks.behind or traits.style["break_after"] in _AVOID
        self._found.append(Margin(box.margin.bottom, False))

    def _bare(self, traits: Traits) -> None:
        if not traits.look.nothing or any(traits.padding) or any(traits.border) or traits.position != "static":
            raise Unfillable("a page with a background, border or padding of its body")

    def _table(self, element: Element, traits: Traits, place: Place, x: float) -> None:
        box = self._blocks.sized(element, traits, place, x, 0)
        if traits.margin[1] or traits.margin[3] or traits.position != "static" or traits.ltr != place.ltr:
            raise Unfillable("a table with margins beside it, or of another direction")
        table = self._tables.layout(element, x, place.width)
        if not place.ltr:
            table = table.moved(place.width - table.outer_width)
        rows = [*table.header, *table.rows]
        for kind in {row.kind for row in rows}:
            self._forced(kind.computed)
        breaks = self._said(traits)
        breaks.before = breaks.before or rows[0].computed["break_before"] in _AVOID
        breaks.behind = breaks.behind or rows[-1].computed["break_after"] in _AVOID
        self._found += [Margin(box.margin.top, True), TableStep(table, breaks), Margin(box.margin.bottom, False)]

    def _said(self, traits: Traits) -> Breaks:
        return Breaks(traits.style["break_before"] in _AVOID, traits.style["break_after"] in _AVOID)

    def _block(self, element: Element, traits: Traits, place: Place, x: float) -> None:
        """Take a block with everything in it as one step."""
        key = (serial(element), place, x)
        known = self._laid.find(key)
        if known is not None:
            step = known.standing_in(element)
        else:
            step = self._made(element, traits, place, x)
            self._laid.keep(key, step)
        self._found += step.above
        self._found.append(step)
        self._found += step.below

    def _made(self, element: Element, traits: Traits, place: Place, x: float) -> Block:
        """Lay a block out."""
        above: list[float] = []
        laid = self._blocks.child(element, place, x, 0, above)
        box = laid.box
        if laid.through or not isinstance(box, Box):
            raise Unfillable("an empty block")
        flows = traits.display[:2] == ("block", "flow") and element.tag not in ("img", "svg")
        lines = [one for one in box.children if isinstance(one, LinePart)]
        plain = flows and len(lines) == len(box.children) and bool(lines) and traits.height is None
        box.move(0, -box.border_y)
        return Block(
            element,
            box,
            tuple(Margin(one, flows) for one in above),
            tuple(Margin(one, False) for one in (*laid.below, box.margin.bottom)),
            lines if plain and not traits.avoids else None,
            (flows and (traits.avoids or len(lines) == 1 == len(box.children))) or element.tag in ("img", "svg"),
            not flows and bool(box.margin.top),
            self._deep(box),
        )

    def _deep(self, box: Box) -> Breaks:
        """Return what a block and those it begins and ends with say of breaks."""
        breaks = self._said(box.traits)
        for last in (False, True):
            one = box
            while inner := [child for child in one.children if isinstance(child, Box) and not child.traits.out]:
                one = inner[-1 if last else 0]
                said = self._said(one.traits)
                if last:
                    breaks.behind = breaks.behind or said.behind
                else:
                    breaks.before = breaks.before or said.before
        return breaks
