"""Links lead somewhere, over https; pictures say what they show."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
from ccm.model.records import Composed, EmailRendition, Finding, SocialRendition

_TAG = re.compile(r"""<[a-zA-Z](?:[^>"']|"[^"]*"|'[^']*')*>""")
_REFERENCE = re.compile(
    r"""[\s"'](href|src|background|action)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_ALT = re.compile(r"""[\s"']alt\s*=""", re.IGNORECASE)
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
        tags = _TAG.findall(rendition.html)
        for code, message in _reference_faults(tags):
            yield finding(code, message, "use an absolute https address")
        if any(tag[:4].lower() == "<img" and not _ALT.search(tag) for tag in tags):
            yield finding("image-without-alt", "a picture has no alt text", 'add alt="…", empty for decoration')
    if isinstance(rendition, SocialRendition) and rendition.card and not rendition.card.alt.strip():
        yield finding("card-without-alt", "the card has no alt text", "say in it what the card shows")
    if any(not reading.from_data(match[0].rstrip(".,;:!?)")) for match in _PLAIN.finditer(reading.everything)):
        yield finding("link-insecure", "a link does not go over https", "use an absolute https address")


def _reference_faults(tags: list[str]) -> Iterator[tuple[str, str]]:
    for match in (match for tag in tags for match in _REFERENCE.finditer(tag)):
        attribute = match[1].lower()
        target = html.unescape(match[2] or match[3] or match[4] or "").strip()
        allowed = _LINKS if attribute in ("href", "action") else _PICTURES
        scheme = _SCHEME.match(target)
        if not target:
            yield "link-empty", f"an attribute {attribute} is empty"
        elif scheme is None:
            if not (attribute == "href" and re.fullmatch(r"#[\w-]+", target)):
                yield "link-relative", f"an attribute {attribute} holds no absolute address"
        elif scheme[1].lower() not in allowed and not target.startswith("data:image/"):
            kind = "link-insecure" if scheme[1].lower() in ("http", "ftp") else "link-unsafe"
            yield kind, f'an attribute {attribute} leads to a "{scheme[1].lower()}:" address'
