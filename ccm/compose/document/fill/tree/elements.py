"""From a printed page to a tree of elements, as an HTML parser sees it; anything in doubt is refused."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias
from weakref import ref

from ccm.compose.document.fill import kernel
from ccm.compose.document.fill.unfillable import Unfillable

_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s\"'<>/=]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*)\s*(/?)>|<!--.*?-->|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)  # fmt: skip
# A row whose cells hold one text each; blanks beside cells are nothing.
_PLAIN_ROW = re.compile(r"(<tr(?:\s[^<>]*)?>)[ \t\n\f]*+((?:<(?:td(?:\s[^<>]*)?>[^<]*</td|th(?:\s[^<>]*)?>[^<]*</th)>[ \t\n\f]*+)++)</tr>[ \t\n\f]*+")  # fmt: skip
_PLAIN_CELL = re.compile(r"(<t[dh](?:\s[^<>]*)?>)[^<]*</")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:=(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
_CHARACTER = re.compile(r"&(?!#\d+;|#[xX][0-9a-fA-F]+;|[a-zA-Z][a-zA-Z0-9]*;)")
_RAW_END = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("style", "title", "svg")}
# What <svg> may have, as an HTML parser writes it.
_DRAWN = {
    "xmlns": "{http://www.w3.org/2000/xmlns/}xmlns", "class": "class", "role": "role", "width": "width",
    "height": "height", "viewbox": "viewBox", "style": "style", "aria-hidden": "aria-hidden", "aria-label": "aria-label",
    "aria-labelledby": "aria-labelledby", "aria-describedby": "aria-describedby", "focusable": "focusable",
}  # fmt: skip
_BLANKS = re.compile("[ \t\n\r\f]+")  # those of HTML; others are part of a text
WHITE = " \t\n\f"
_MOST_TRIED = 3  # kinds of rows, before a row is looked at anew
_VOID = frozenset(("br", "col", "hr", "img", "meta", "wbr"))
_IN_PARAGRAPH = frozenset((
    "a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "data", "dfn", "em", "i", "img", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "svg", "time", "u", "var", "wbr"
))  # fmt: skip
_HEADING = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "header", "hr", "li", "main", "nav", "ol", "p", "section", "table", "ul"
))  # fmt: skip
_IN_BODY = _IN_PARAGRAPH | _BLOCKS | _HEADING
_ROWS = frozenset(("thead", "tbody", "tfoot"))
_ROW = frozenset(("tr",))
# What may stand in these; an HTML parser moves anything else somewhere else.
_INSIDE = {
    "": frozenset(("html",)),
    "html": frozenset(("head", "body")),
    "head": frozenset(("meta", "style", "title")),
    "table": _ROWS | {"tr", "caption", "colgroup"},
    "thead": _ROW,
    "tbody": _ROW,
    "tfoot": _ROW,
    "tr": frozenset(("td", "th")),
    "colgroup": frozenset(("col",)),
}
_ITEMS = frozenset(("li", "dt", "dd"))
_LISTS = frozenset(("ul", "ol", "dl", "td", "th", "body"))


def _nothing() -> None:
    """Return the parent of a root."""


class Element:
    """One element.

    attributes: In order of the source, values unescaped.
    children: Elements and texts.
    above: Gives its parent; nothing for the root, and once the page is gone that it stood in.
    Why it holds its parent loosely: A page is freed as soon as it is made, not when the collector finds it; and a block that is
        kept for other pages holds itself and not its whole page.
    """

    __slots__ = ("__weakref__", "above", "attributes", "children", "signature", "tag")

    def __init__(self, tag: str, attributes: tuple[tuple[str, str], ...], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node] = []
        self.above: Callable[[], Element | None] = _nothing if parent is None else ref(parent)
        self.signature = -1

    @property
    def parent(self) -> Element | None:
        """What it stands in."""
        return self.above()


class RowShape:
    """What rows of plain cells share: everything but their texts.

    cells: Tag and attributes of each cell. pattern: Matches such a row; its groups are the texts of the cells.
    literals: What stands before, between and behind the texts, but for blanks beside cells: row, and each cell's two ends.
    """

    __slots__ = ("attributes", "cells", "literals", "pattern")

    def __init__(self, row: str, cells: tuple[str, ...]) -> None:
        self.attributes = _of_tag(row)[1]
        self.cells = tuple(_of_tag(cell) for cell in cells)
        between = "[ \\t\\n\\f]*+"
        inner = between.join(f"{re.escape(cell)}([^<]*)</{cell[1:3]}>" for cell in cells)
        self.pattern = re.compile(f"{re.escape(row)}{between}{inner}{between}</tr>{between}")
        ends = [part.encode() for cell in cells for part in (cell, f"</{cell[1:3]}>")]
        self.literals = (row.encode(), *ends, b"</tr>")


class PlainRow(Element):
    """A table row whose cells hold one text each.

    Why a kind of its own: statements are made of them, and they are read, styled and set without an element for each cell.

    texts: Of the cells, as they stand in the source.
    """

    __slots__ = ("_cells", "shape", "signatures", "texts")

    def __init__(self, shape: RowShape, texts: tuple[str, ...], parent: Element) -> None:
        self.tag = "tr"
        self.attributes = shape.attributes
        self.above = ref(parent)
        self.signature = -1
        self.shape = shape
        self.texts = texts
        self.signatures: tuple[int, ...] = ()
        self._cells: list[Node] | None = None

    @property
    def children(self) -> list[Node]:  # type: ignore[override]  # made when they are asked for
        """The cells as elements."""
        if self._cells is None:
            self._cells = [
                self._cell(tag, attributes, text)
                for (tag, attributes), text in zip(self.shape.cells, self.texts, strict=True)
            ]
            for cell, signature in zip(self._cells, self.signatures, strict=False):
                cell.signature = signature  # type: ignore[union-attr]  # cells are elements
        return self._cells

    def _cell(self, tag: str, attributes: tuple[tuple[str, str], ...], text: str) -> Element:
        cell = Element(tag, attributes, self)
        if text:
            cell.children.append(html.unescape(text) if "&" in text else text)
        return cell


Node: TypeAlias = "Element | str"


def parse(source: str) -> Element:
    """Return the `html` element of a page.

    Raises:
        Unfillable: If an HTML parser would mend anything but a missing tbody.
    """
    return _Parser(source).root()


def trimmed(text: str) -> str:
    """Return a text as titles and `white-space: normal` show it."""
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        text = _BLANKS.sub(" ", text)
    return text.strip(" ")


def plain_rows(source: str) -> list[tuple[RowShape, tuple[str, ...]]]:
    """Return the rows of plain cells that a text is made of, their texts as they stand there; none if it is anything else.

    Raises:
        Unfillable: If an HTML parser would mend a tag.
    """
    rows: list[tuple[RowShape, tuple[str, ...]]] = []
    at = len(source) - len(source.lstrip(WHITE))
    return rows if _read_rows(source, at, rows) == len(source) else []


def _read_rows(source: str, at: int, rows: list[tuple[RowShape, tuple[str, ...]]]) -> int:
    """Read the rows of plain cells that begin here; returns where they end."""
    shapes: list[RowShape] = []  # those of this run, the last one first: a table has few kinds of rows
    while True:
        at = kernel.read_rows(source, at, shapes, rows)
        whole = _PLAIN_ROW.match(source, at)
        if whole is None:
            return at
        shape = _shape(whole[1], tuple(_PLAIN_CELL.findall(whole[2])))
        found = shape.pattern.match(source, at)
        if found is None:
            return at
        shapes = [shape, *shapes[:_MOST_TRIED]]
        rows.append((shape, found.groups()))
        at = found.end()


def serial(element: Element) -> tuple[object, ...]:
    """Return all that an element is and holds, once signed: equal for elements that look the same."""
    return (element.signature, *(one if type(one) is str else serial(one) for one in element.children))  # type: ignore[arg-type]  # the rest are elements


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source

    def root(self) -> Element:
        source = self._source
        if "\r" in source or "\0" in source:
            raise Unfillable("a character that an HTML parser changes")
        top = here = Element("", (), None)
        at = 0
        while token := _TOKEN.search(source, at):
            start = token.start()
            if start > at:
                self._text(here, source[at:start])
            at = token.end()
            name = token[2]
            if name is None:
                if token[0].startswith(("<!-->", "<!--->")) or "--!>" in token[0]:
                    raise Unfillable("a comment that ends early")
                continue
            name = name.lower()
            if token[1]:
                here = self._closed(here, name)
                continue
            here = self._opened(here, name)
            if name == "tr":
                rows: list[tuple[RowShape, tuple[str, ...]]] = []
                at = _read_rows(source, start, rows)
                if rows:
                    here.children += [PlainRow(shape, texts, here) for shape, texts in rows]
                    continue
                at = token.end()
            element = Element(name, _attributes(token[3], drawn=name == "svg"), here)
            here.children.append(element)
            if name == "meta" and "name" in dict(element.attributes):
                raise Unfillable("<meta name>")
            if name in _RAW_END:
                end = _RAW_END[name].search(source, at)
                if end is None:
                    raise Unfillable(f"<{name}> is not closed")
                text = source[at : end.start()]
                element.children.append(html.unescape(text) if name == "title" else text)
                at = end.end()
            elif name not in _VOID:
                if token[4]:
                    raise Unfillable(f"<{name}/> closes itself")
                here = element
        if source[at:].strip():
            raise Unfillable("text after the end of the page")
        return self._checked(here, top)

    def _checked(self, here: Element, top: Element) -> Element:
        if here is not top or len(top.children) != 1:
            raise Unfillable("a tag is not closed")
        found = top.children[0]
        assert isinstance(found, Element)
        if [one.tag for one in found.children if isinstance(one, Element)] != ["head", "body"]:
            raise Unfillable("a page that is not one head and one body")
        found.above = _nothing
        return found

    def _text(self, here: Element, text: str) -> None:
        if "<" in text:
            raise Unfillable("a bare < in text")
        if here.tag in _INSIDE:
            if text.strip(" \t\n\f"):
                raise Unfillable(f"text directly in <{here.tag}>")
            return
        if "&" in text:
            text = html.unescape(text)
        children = here.children
        if children and type(children[-1]) is str:
            children[-1] += text
        else:
            children.append(text)

    def _opened(self, here: Element, name: str) -> Element:
        """Return the parent that an HTML parser gives a new element."""
        inside = _INSIDE.get(here.tag, _IN_BODY)
        if name not in inside:
            known = name in _IN_BODY or any(name in allowed for allowed in _INSIDE.values())
            raise Unfillable(f"<{name}> directly in <{here.tag}>" if known else f"<{name}>")
        if inside is not _IN_BODY:
            return _body_of(here) if here.tag == "table" and name == "tr" else here
        if name == "a" or name not in _IN_PARAGRAPH:
            self._refuse_mended(here, name)
        return here

    def _refuse_mended(self, here: Element, name: str) -> None:
        """Refuse what would close an element that is open."""
        above: Element | None = here
        while above is not None and above.tag not in ("td", "th", "caption", "body"):
            if name == "a":
                if above.tag == "a":
                    raise Unfillable("<a> inside <a>")
            elif above.tag == "p" or (name in _HEADING and above.tag in _HEADING):
                raise Unfillable(f"<{name}> inside <{above.tag}>")
            above = above.parent
        above = here
        while name in _ITEMS and above is not None and above.tag not in _LISTS:
            if above.tag in _ITEMS:
                raise Unfillable(f"<{name}> inside <{above.tag}>")
            above = above.parent

    def _closed(self, here: Element, name: str) -> Element:
        if here.tag != name and here.signature == -2 and name == "table":
            here = here.parent  # type: ignore[assignment]  # the tbody that we made has one
        if here.tag != name or here.parent is None:
            raise Unfillable(f"</{name}> where <{here.tag}> is open")
        return here.parent


def _body_of(table: Element) -> Element:
    """Return the tbody that rows directly in a table get."""
    last = table.children[-1] if table.children else None
    if isinstance(last, Element) and last.tag == "tbody" and last.signature == -2:
        return last
    body = Element("tbody", (), table)
    body.signature = -2  # made by us: rows that follow belong to it
    table.children.append(body)
    return body


@lru_cache(maxsize=1024)
def _shape(row: str, cells: tuple[str, ...]) -> RowShape:
    return RowShape(row, cells)


def _of_tag(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return name and attributes of an opening tag."""
    found = _TOKEN.fullmatch(text)
    if found is None or found[4]:
        raise Unfillable("a tag that an HTML parser mends")
    return found[2].lower(), _attributes(found[3])


@lru_cache(maxsize=4096)
def _attributes(text: str, *, drawn: bool = False) -> tuple[tuple[str, str], ...]:
    """Return attributes; those of drawings keep their capitals as far as we know them."""
    if not text:
        return ()
    found = []
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        value = double or single or bare
        if "&" in value and _CHARACTER.search(value):
            raise Unfillable("a bare & in an attribute")
        name = name.lower()
        if drawn:
            name = _DRAWN.get(name, "")
            if not name:
                raise Unfillable("an attribute of <svg>")
        found.append((name, html.unescape(value) if "&" in value else value))
    if len({name for name, _ in found}) != len(found):
        raise Unfillable("an attribute twice")
    return tuple(found)
