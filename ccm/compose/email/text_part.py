"""The plain-text part of an email that has no email.txt: read off the finished HTML."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_LINK = re.compile(r"\[([^\[\]\n]*)\]\(([^()\s]+)\)")
_BLANKS = re.compile(r"[ \t\u00a0]{2,}|[\t\u00a0]")
_LINE_EDGES = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")


def derive_text(html: str) -> str:
    """Return what a reader of plain text sees, with the address of every link.

    Why: Columns are not padded: the padding would hang on the length of each customer's values.
    """
    from inscriptis import get_text

    return tidy_text(_LINK.sub(_told_link, get_text(html, _settings())))


def _told_link(link: re.Match[str]) -> str:
    """Return a link as `Pay now: https://…`; an address alone where it has no words."""
    words, address = link[1].strip(), link[2]
    return f"{words}: {address}" if words else address


def tidy_text(text: str) -> str:
    """Return text with single blanks, no blanks at line ends and at most one empty line in a row."""
    text = _LINE_EDGES.sub("\n", _BLANKS.sub(" ", text))
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"


@cache
def _settings() -> Any:
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig

    return ParserConfig(css=CSS_PROFILES["strict"].copy(), display_links=True, display_images=False)
