"""Links lead somewhere, over https; pictures say what they show."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
from ccm.model.records import Composed, EmailRendition, Finding, SocialRendition

_TAG = re.compile(r"""<[a-z](?:[^>"']|"[^"]*"|'[^']*')*>""")
_IMAGE = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""")
_REFERENCE = re.compile(r"""(href|src|background|action)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_ALT = re.compile(r"""[\s"']alt\s*=""")
_SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")
_PLAIN = re.compile(r"\b(?:http|ftp)://[^\s<>\"']+", re.IGNORECASE)

_LINKS = frozenset({"https", "mailto", "tel", "sms"})
_PICTURES = frozenset({"https", "cid"})


def links(reading: Reading, composed: Composed, rules: CheckRules) -> Iterator[Finding]:
    """Find links that are not absolute https, in HTML and in texts, and pictures without alt text."""
    rendition = reading.rendition

    def finding(code: str, message: str, remedy: str) -> Finding:
        return Finding(code, message, remedy, rendition.piece_id, rendition.channel)

    if isinstance(rendition, EmailRendition):
        source = rendition.html.lower()  # schemes and attributes have no case, and the search is four times faster
        for code, message in _reference_faults(source):
            yield finding(code, message, "use an absolute https address")
        if any(not _ALT.search(tag) for tag in _IMAGE.findall(source)):
            yield finding("image-without-alt", "a picture has no alt text", 'add alt="…", empty for decoration')
    if isinstance(rendition, SocialRendition) and rendition.card and not rendition.card.alt.strip():
        yield finding("card-without-alt", "the card has no alt text", "say in it what the card shows")
    text = reading.everything
    if "http://" not in text.lower() and "ftp://" not in text.lower():
        return
    if any(not reading.from_data(match[0].rstrip(".,;:!?)")) for match in _PLAIN.finditer(text)):
        yield finding("link-insecure", "a link does not go over https", "use an absolute https address")


def _references(source: str) -> list[re.Match[str]]:
    """Return the attributes that hold addresses; what looks like one in the text between tags is none."""
    found = list(_REFERENCE.finditer(source))
    if all(source.rfind("<", 0, match.start()) > source.rfind(">", 0, match.start()) for match in found):
        return found
    return [match for tag in _TAG.findall(source) for match in _REFERENCE.finditer(tag)]


def _reference_faults(source: str) -> Iterator[tuple[str, str]]:
    for match in _references(source):
        attribute = match[1]
        target = html.unescape(match[2] or match[3] or match[4] or "").strip()
        allowed = _LINKS if attribute in ("href", "action") else _PICTURES
        scheme = _SCHEME.match(target)
        if not target:
            yield "link-empty", f"an attribute {attribute} is empty"
        elif scheme is None:
            if not (attribute == "href" and re.fullmatch(r"#[\w-]+", target)):
                yield "link-relative", f"an attribute {attribute} holds no absolute address"
        elif scheme[1] not in allowed and not target.startswith("data:image/"):
            kind = "link-insecure" if scheme[1] in ("http", "ftp") else "link-unsafe"
            yield kind, f'an attribute {attribute} leads to a "{scheme[1]}:" address'
