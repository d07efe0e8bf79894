"""What HTML tells: the text it shows, the text it tells without showing, and where its links lead."""

from __future__ import annotations

import html
import re

_HIDDEN = re.compile(r"<!--.*?-->|<(style|script|head|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# A preheader that mail clients hide must not vouch for the body.
_UNSEEN = re.compile(r"<(div|span|p)\b[^>]*\bdisplay:\s*none[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_INLINE = re.compile(
    r"</?(?:a|b|i|u|s|em|strong|span|font|small|sub|sup|bdi|bdo|wbr|mark|code|abbr)(?:\s[^>]*)?>", re.IGNORECASE
)
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>")
_DESCRIBED = re.compile(r"""\b(?:alt|title|aria-label)\s*=\s*"([^"]+)\"""", re.IGNORECASE)
_TARGET = re.compile(r"""\bhref\s*=\s*["']([^"']*)["']""", re.IGNORECASE)


def visible_text(source: str) -> str:
    """Return the text of HTML: block elements part words, inline ones do not, hidden parts are left out."""
    shown = _UNSEEN.sub(" ", _HIDDEN.sub(" ", source))
    return html.unescape(_TAG.sub("\n", _INLINE.sub("", shown)))


def hidden_text(source: str) -> str:
    """Return the text that is told and not shown on the page: a preheader in the inbox, descriptions that are read out."""
    found = [_TAG.sub("", _INLINE.sub("", match[0])) for match in _UNSEEN.finditer(_HIDDEN.sub(" ", source))]
    found += (match[1] for match in _DESCRIBED.finditer(source))
    return html.unescape("\n".join(found))


def link_targets(source: str) -> tuple[str, ...]:
    """Return where the links of HTML lead, in order."""
    return tuple(html.unescape(found).strip() for found in _TARGET.findall(source))
