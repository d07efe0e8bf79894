"""From captured or printed template text to finished HTML: MJML compiled, CSS inlined."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from css_inline import CSSInliner, InlineError
from mjml import mjml2html

from ccm.compose.failure import ComposeFailure, LimitExceeded
from ccm.model.workspace import Token

MAX_DEPTH = 100  # the MJML compiler dies of a stack overflow at about 1,600
MAX_SOURCE = 2_000_000  # characters

_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)(?:[^\"'>]|\"[^\"]*\"|'[^']*')*?(/?)>")
_ROOT = re.compile(r"<mjml\b([^>]*)>")
_HEAD = re.compile(r"<mj-head\b[^>]*?(/?)>")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_TITLE = re.compile(r"<(mj-title|title)\b[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_MJML_TITLE = re.compile(r"(<mj-title\b[^>]*>)(.*?)(</mj-title>)", re.DOTALL)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_NOT_ASCII = re.compile(r"[^ -\[\]-~]")  # printable ASCII but the backslash
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ]")
_PREVIEW = re.compile(r"<mj-preview\b[^>]*>(.*?)</mj-preview>", re.DOTALL | re.IGNORECASE)
_PREHEADER = re.compile(
    r"<(\w+)\b[^>]*\bclass=\"[^\"]*\bpreheader\b[^\"]*\"[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE
)
_TAGS = re.compile(r"<[^>]*>")
_DARK_MODE = (
    '<mj-raw><meta name="color-scheme" content="light dark" />'
    '<meta name="supported-color-schemes" content="light dark" /></mj-raw>'
)


class PageMaker:
    """Makes finished HTML of one brand.

    Args:
        tokens: The brand's; they are the defaults of MJML elements, which templates override.
    """

    def __init__(self, tokens: Mapping[str, Token], *, is_mjml: bool) -> None:
        self._tokens = tokens
        self._is_mjml = is_mjml
        self._inliner = CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)

    def finish(self, source: str, *, language: str, direction: str) -> str:
        """Return the HTML that goes out.

        Args:
            source: MJML or HTML with its values, or with slots.
            language: BCP 47.
            direction: ltr or rtl.
        Raises:
            ComposeFailure: mjml-broken, html-broken or template-limit.
        """
        _check_depth(source)
        if self._is_mjml:
            source = self._compiled(_headed(source, self._defaults(direction), language, direction))
        try:
            return str(self._inliner.inline(source))
        except (InlineError, ValueError):
            raise ComposeFailure(
                "html-broken", "the CSS of the email cannot be inlined", "check the style sheets of the email"
            ) from None

    def _compiled(self, source: str) -> str:
        try:
            return str(_html_of(mjml2html(_in_ascii(source), fonts={})))
        except ValueError as error:
            place = re.search(r"position (\d+:\d+)|line (\d+)", str(error))
            where = f" near {place[0]}" if place else ""
            raise ComposeFailure(
                "mjml-broken", f"the MJML cannot be compiled{where}", "close every tag, and quote every attribute"
            ) from None

    def _defaults(self, direction: str) -> str:
        side = "right" if direction == "rtl" else "left"
        color = f' color="{self._text_color}"' if self._text_color else ""
        family = f'<mj-all font-family="{self._font}" />' if self._font else ""
        return (
            f'<mj-attributes>{family}<mj-text align="{side}"{color} /><mj-section direction="{direction}" />'
            f"{self._classes}</mj-attributes>"
        )

    @cached_property
    def _font(self) -> str:
        return self._first("font.email.body", "font.family.email", "font.family.body", "font.body", kind="fontFamily")

    @cached_property
    def _text_color(self) -> str:
        return self._first("color.text.default", "color.text.body", "color.text", kind="")

    @cached_property
    def _classes(self) -> str:
        """Return `mj-class` names of every colour: color-brand-primary, and on-… for backgrounds."""
        colors = [
            (path.replace(".", "-"), _attribute(one.value)) for path, one in self._tokens.items() if one.type == "color"
        ]
        return "".join(
            f'<mj-class name="{name}" color="{value}" /><mj-class name="on-{name}" background-color="{value}" />'
            for name, value in colors
        )

    def _first(self, *paths: str, kind: str) -> str:
        for path in paths:
            if path in self._tokens:
                return _attribute(self._tokens[path].value)
        return next((_attribute(one.value) for one in self._tokens.values() if kind and one.type == kind), "")


def _in_ascii(source: str) -> str:
    """Return MJML whose title and attributes hold references instead of signs beyond plain ASCII.

    Why: The compiler writes attributes in the debugging form of its own language: Arabic marks, combining
        vowels, line ends and backslashes would come out as escape sequences such as \\u{200f}.
    """

    def attribute(value: re.Match[str]) -> str:
        return _NOT_ASCII.sub(_reference, value[0])

    def tag(found: re.Match[str]) -> str:
        return _VALUE.sub(attribute, found[0]) if _NOT_ASCII.search(found[0]) else found[0]

    def title(found: re.Match[str]) -> str:
        return found[1] + _NOT_PLAIN.sub(_reference, entities.unescape(found[2])) + found[3]

    return _MJML_TITLE.sub(title, _TAG.sub(tag, source))


def _reference(sign: re.Match[str]) -> str:
    return f"&#{ord(sign[0])};"


def _html_of(result: Any) -> Any:
    return getattr(result, "html", result)


def _attribute(value: str) -> str:
    return entities.escape(value.replace('"', "'"), quote=False)


def _headed(source: str, defaults: str, language: str, direction: str) -> str:
    """Return MJML with language, direction, dark mode and the brand's defaults in its head."""
    root = _ROOT.search(source)
    if root is None:
        raise ComposeFailure("mjml-broken", "the email has no <mjml> element", "wrap the email in <mjml>")
    added = "" if re.search(r"\blang=", root[1]) else f' lang="{language}"'
    added += "" if re.search(r"\bdir=", root[1]) else f' dir="{direction}"'
    inside = defaults + ("" if 'name="color-scheme"' in source else _DARK_MODE)
    start, rest = source[: root.end() - 1] + added + ">", source[root.end() :]
    head = _HEAD.search(rest)
    if head is None:
        return f"{start}<mj-head>{inside}</mj-head>{rest}"
    if head[1]:
        return f"{start}{rest[: head.start()]}<mj-head>{inside}</mj-head>{rest[head.end() :]}"
    return f"{start}{rest[: head.end()]}{inside}{rest[head.end() :]}"


def _check_depth(source: str) -> None:
    """Refuse what would make the compilers run out of stack, which kills the process.

    Raises:
        LimitExceeded: For a source that is too long or nested too deeply.
    """
    if len(source) > MAX_SOURCE:
        raise LimitExceeded("characters of MJML or HTML", MAX_SOURCE)
    if source.count("<") < MAX_DEPTH:
        return
    depth = 0
    for closing, name, alone in _TAG.findall(source):
        if closing:
            depth -= 1
        elif not alone and name.lower() not in _VOID:
            depth += 1
            if depth > MAX_DEPTH:
                raise LimitExceeded("nested elements", MAX_DEPTH)


def title_of(source: str) -> str:
    """Return the unescaped text of `<mj-title>` or `<title>`; empty if there is none."""
    found = _TITLE.search(source)
    return _plain(found[2]) if found else ""


def preheader_of(source: str) -> str:
    """Return the unescaped text of `<mj-preview>`, or of the element with class preheader."""
    found = _PREVIEW.search(source)
    if found:
        return _plain(found[1])
    found = _PREHEADER.search(source)
    return _plain(found[2]) if found else ""


def _plain(markup: str) -> str:
    return entities.unescape(_TAGS.sub("", markup))


def one_line(text: str) -> str:
    """Return text on one line with single blanks."""
    return " ".join(text.split())
