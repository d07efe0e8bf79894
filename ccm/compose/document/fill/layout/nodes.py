"""The inline content of a block before it is set in lines: texts, inline elements, boxes that stand in a line.

Source: WeasyPrint 70, formatting_structure/build.py and boxes.py (`process_whitespace`, `inline_in_block`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ccm.compose.document.fill.display import Color
from ccm.compose.document.fill.style.measures import color, size
from ccm.compose.document.fill.style.styles import StyleBook
from ccm.compose.document.fill.text.shaping import Fonts, TextStyle
from ccm.compose.document.fill.tree.elements import Element
from ccm.compose.document.fill.unfillable import Unfillable

_BREAKS = re.compile("[\t ]*\n[\t ]*")
_BLANKS = re.compile("[\t ]+")
_WHITE = ("normal", "nowrap", "pre-line")
_DEFAULTS = {
    "position": "static", "float": "none", "vertical_align": "baseline", "text_transform": "none", "visibility": "visible",
    "text_decoration_line": "none", "opacity": 1, "transform": (), "overflow": "visible",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Word:
    """A text of one style.

    leading, trailing: Whether a blank was taken away that stood there.
    """

    element: Element
    text: str
    style: TextStyle
    computed: Any
    ink: Color
    leading: bool = False
    trailing: bool = False


@dataclass(slots=True, eq=False)
class Span:
    """An inline element; `mark` names a pseudo-element."""

    element: Element
    computed: Any
    style: TextStyle
    children: list[Node]
    left: float = 0
    right: float = 0
    mark: str = ""
    leading: bool = False
    trailing: bool = False


@dataclass(slots=True, eq=False)
class Atom:
    """A box that stands in a line as a letter does."""

    element: Element
    computed: Any
    leading: bool = False
    trailing: bool = False


Node: TypeAlias = "Word | Span | Atom"
Counters: TypeAlias = Callable[[str, str], str]


@dataclass(slots=True)
class Paragraph:
    """All inline content of a block."""

    element: Element
    computed: Any
    style: TextStyle
    children: list[Node] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """None: it is no pseudo-element."""
        return ""


class NodeReader:
    """Reads inline content.

    Args:
        counters: Name and style of a counter to its text; where page numbers are known.
    """

    def __init__(self, book: StyleBook, fonts: Fonts) -> None:
        self._book = book
        self._fonts = fonts
        self.counters: Counters | None = None

    def paragraph(self, block: Element, children: list[Element | str] | None = None) -> Paragraph:
        """Return the content of a block of text.

        Args:
            children: Those of its children that stand in lines together; all of them if not given.
        """
        computed, before, after = self._book.styles[block.signature]
        if computed["white_space"] not in _WHITE:
            raise Unfillable(f"white-space: {computed['white_space']}")
        if computed["text_transform"] != "none" or computed["text_decoration_line"] != "none":
            raise Unfillable("text-transform or text-decoration-line")
        made = Paragraph(block, computed, self._fonts.style(computed))
        if children is not None:
            self._read(block, computed, made.children, False, children)
        else:
            follows = self._pseudo(block, before, "before", made.children, False)
            follows = self._read(block, computed, made.children, follows, block.children)
            self._pseudo(block, after, "after", made.children, follows)
        _without_empty(made.children)
        while made.children and isinstance(first := made.children[0], Word) and first.text == " ":
            del made.children[0]
        return made

    def _read(
        self, element: Element, computed: Any, found: list[Node], follows: bool, children: Sequence[Element | str]
    ) -> bool:
        for child in children:
            if type(child) is str:
                follows = self._text(element, child, computed, found, follows)
                continue
            assert isinstance(child, Element)
            own, before, after = self._book.styles[child.signature]
            display = own["display"]
            if display == ("none",):
                continue
            if display == ("inline", "flow-root") or child.tag in ("img", "svg"):
                self._book.known(child, boxes=True)
                found.append(Atom(child, own))
                follows = False
                continue
            self._refuse(child, own)
            span = Span(child, own, self._fonts.style(own), [], *_sides(own))
            found.append(span)
            follows = self._pseudo(child, before, "before", span.children, follows)
            follows = self._read(child, own, span.children, follows, child.children)
            follows = self._pseudo(child, after, "after", span.children, follows)
        return follows

    def _pseudo(self, element: Element, style: Any, name: str, found: list[Node], follows: bool) -> bool:
        """Read what a style sheet puts before or behind the content of an element."""
        if style is None or style["display"] == ("none",) or style["content"] in ("normal", "inhibit", "none"):
            return follows
        self._refuse(element, style)
        if any(_sides(style)):
            raise Unfillable("generated content with margins")
        span = Span(element, style, self._fonts.style(style), [], mark=f"::{name}")
        found.append(span)
        text = "".join(self._generated(part) for part in style["content"])
        return self._text(element, text, style, span.children, follows) if text else follows

    def _generated(self, part: Any) -> str:
        kind, value = part
        if kind == "string":
            return str(value)
        if kind == "counter()" and self.counters is not None:
            name, style = value
            if name in ("page", "pages") and isinstance(style, str):
                return self.counters(name, style)
        raise Unfillable("generated content")

    def _text(self, element: Element, text: str, computed: Any, found: list[Node], follows: bool) -> bool:
        white = computed["white_space"]
        if white not in _WHITE:
            raise Unfillable(f"white-space: {white}")
        text = _BREAKS.sub("\n", text.replace("\f", " ") if white != "pre-line" else text)
        if "\f" in text:
            raise Unfillable("a form feed")
        if white != "pre-line":
            text = text.replace("\n", " ")
        whole = text = _BLANKS.sub(" ", text)
        word = Word(element, text, self._fonts.style(computed), computed, color(computed["color"]))
        if follows and text.startswith(" "):
            word.text = text[1:]
            word.leading = True
        found.append(word)
        return whole.endswith(" ") if whole else follows

    def _refuse(self, element: Element, own: Any) -> None:
        if own["display"] != ("inline", "flow") or element.tag == "a":
            raise Unfillable(f"<{element.tag}> inside text")
        self._book.known(element)
        for name, usual in _DEFAULTS.items():
            if own[name] != usual:
                raise Unfillable(f"{name.replace('_', '-')} inside text")
        if own["background_color"].alpha or any(
            own[f"border_{side}_width"] for side in ("top", "right", "bottom", "left")
        ):
            raise Unfillable("background or borders inside text")


def _sides(computed: Any) -> tuple[float, float]:
    """Return the margins and paddings left and right of an inline element."""
    found = []
    for side in ("left", "right"):
        whole = 0.0
        for kind in ("margin", "padding"):
            one = size(computed[f"{kind}_{side}"])
            if type(one) is not float:
                raise Unfillable("a margin or padding inside text that is not a length")
            whole += one
        found.append(whole)
    return found[0], found[1]


def _without_empty(children: list[Node]) -> tuple[bool, bool]:
    """Take empty texts away, and remember where blanks were; returns whether there was one at the start or end."""
    first = children[0].leading if children else False
    kept: list[Node] = []
    trailing = False
    for child in children:
        if trailing:
            child.leading = True
        if isinstance(child, Word) and not child.text:
            trailing = child.leading
            continue
        trailing = False
        if isinstance(child, Span):
            leading, behind = _without_empty(child.children)
            child.leading = child.leading or leading
            child.trailing = child.trailing or behind
        kept.append(child)
    children[:] = kept
    return first, trailing
