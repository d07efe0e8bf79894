"""From a printed page to a tree of elements, as an HTML parser sees it; anything in doubt is refused."""

from __future__ import annotations

import html
import re
from typing import TypeAlias

from ccm.compose.document.fill.unfillable import Unfillable

_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s\"'<>/=]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*)\s*(/?)>|<!--.*?-->|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)  # fmt: skip
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:=(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_RAW = frozenset(("style", "script", "title", "textarea"))
_IN_PARAGRAPH = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "br",
        "cite",
        "code",
        "data",
        "dfn",
        "em",
        "i",
        "img",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "u",
        "var",
        "wbr",
        "svg",
    ]
)
_HEADING = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_ROWS = frozenset(("thead", "tbody", "tfoot"))
# What may stand in these; an HTML parser moves anything else somewhere else.
_INSIDE = {
    "table": _ROWS | {"tr", "caption", "colgroup"},
    "thead": frozenset(("tr",)),
    "tbody": frozenset(("tr",)),
    "tfoot": frozenset(("tr",)),
    "tr": frozenset(("td", "th")),
    "colgroup": frozenset(("col",)),
}


class Element:
    """One element.

    attributes: In order of the source, values unescaped.
    children: Elements and texts.
    """

    __slots__ = ("attributes", "children", "parent", "signature", "tag")

    def __init__(self, tag: str, attributes: tuple[tuple[str, str], ...], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node] = []
        self.parent = parent
        self.signature = -1


Node: TypeAlias = "Element | str"


def parse(source: str) -> Element:
    """Return the `html` element of a page.

    Raises:
        Unfillable: If an HTML parser would mend anything but a missing tbody.
    """
    return _Parser(source).root()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source

    def root(self) -> Element:
        source = self._source
        top = Element("", (), None)
        here = top
        at = 0
        for token in _TOKEN.finditer(source):
            start = token.start()
            if start < at:
                continue  # inside a raw text
            if start > at:
                self._text(here, source[at:start])
            at = token.end()
            name = token[2]
            if name is None:
                continue
            name = name.lower()
            if token[1]:
                here = self._closed(here, name)
                continue
            here = self._opened(here, name)
            element = Element(name, _attributes(token[3]), here)
            here.children.append(element)
            if name == "svg":
                raise Unfillable("a drawing")
            if name in _RAW:
                end = source.lower().find(f"</{name}", at)
                close = source.find(">", end)
                if end < 0 or close < 0:
                    raise Unfillable(f"<{name}> is not closed")
                text = source[at:end]
                element.children.append(html.unescape(text) if name in ("title", "textarea") else text)
                at = close + 1
            elif name not in _VOID:
                if token[4]:
                    raise Unfillable(f"<{name}/> closes itself")
                here = element
        if source[at:].strip():
            raise Unfillable("text after the end of the page")
        if here is not top or len([one for one in top.children if isinstance(one, Element)]) != 1:
            raise Unfillable("a tag is not closed")
        found = next(one for one in top.children if isinstance(one, Element))
        if found.tag != "html":
            raise Unfillable("the page has no <html>")
        found.parent = None
        return found

    def _text(self, here: Element, text: str) -> None:
        if "<" in text:
            raise Unfillable("a bare < in text")
        if here.tag in _INSIDE or here.tag in ("", "html", "head"):
            if text.strip(" \t\r\n\f"):
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
        inside = _INSIDE.get(here.tag)
        if inside is not None and name not in inside:
            raise Unfillable(f"<{name}> directly in <{here.tag}>")
        if here.tag == "table" and name == "tr":
            last = here.children[-1] if here.children else None
            if isinstance(last, Element) and last.tag == "tbody" and last.signature == -2:
                return last
            body = Element("tbody", (), here)
            body.signature = -2  # made by us: rows that follow belong to it
            here.children.append(body)
            return body
        if name not in _IN_PARAGRAPH:
            above: Element | None = here
            while above is not None and above.tag not in ("div", "td", "th", "section", "main", "body", "address"):
                if above.tag == "p" or (name in _HEADING and above.tag in _HEADING):
                    raise Unfillable(f"<{name}> inside <{above.tag}>")
                above = above.parent
        if name in ("a", "button", "form", "select", "option", "li", "dt", "dd", "td", "th", "tr") and here.tag == name:
            raise Unfillable(f"<{name}> directly in <{name}>")
        return here

    def _closed(self, here: Element, name: str) -> Element:
        if here.tag != name and here.signature == -2 and name == "table":
            here = here.parent  # type: ignore[assignment]  # the tbody that we made has one
        if here.tag != name or here.parent is None:
            raise Unfillable(f"</{name}> where <{here.tag}> is open")
        return here.parent


def _attributes(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    found = []
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        value = double or single or bare
        found.append((name.lower(), html.unescape(value) if "&" in value else value))
    if len({name for name, _ in found}) != len(found):
        raise Unfillable("an attribute twice")
    return tuple(found)
