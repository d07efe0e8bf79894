"""Compose a post for one social network: length in the network's own count, links, hashtags, the card's alt text."""

from __future__ import annotations

import re
import unicodedata

from ccm.compose.social.networks import NETWORKS, NetworkRules
from ccm.diagnostics import Severity
from ccm.model.records import Attachment, Finding, PlannedPiece, SocialRendition

_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x0A}) | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_LINK = re.compile(r"\b([a-z][a-z0-9+.-]*):(?=//)", re.IGNORECASE)
_CUT_HASHTAG = re.compile(r"(?<![\w&/])#\w+[-'’.](?=[^\W\d])")
_DEAD_HASHTAG = re.compile(r"(?<![\w&/])#\d{4,}(?!\w)")


def compose_social(
    text: str, piece: PlannedPiece, language: str, card: Attachment | None
) -> tuple[SocialRendition | None, tuple[Finding, ...]]:
    """Make a post ready to be handed over.

    Args:
        text: What the variant rendered.
        piece: Its channel is the network.
        language: BCP 47 tag of the text.
        card: Picture of the post, with alt text.
    Returns:
        The post, also when there is something wrong with it (the findings are errors, so it is not sent);
        None when there is neither text nor card.
    """
    body = _tidy(text)
    if not body and card is None:
        remedy = f"write social.{piece.channel}.txt"
        return None, (
            Finding("empty-body", "the post has neither text nor card", remedy, piece.piece_id, piece.channel),
        )
    rules = NETWORKS[piece.channel]
    length = rules.length(body)
    findings = (
        *_length(body, length, rules, piece),
        *_links(body, piece),
        *_hashtags(body, piece),
        *_card(card, piece),
    )
    return SocialRendition(piece.piece_id, piece.channel, body, length, rules.limit, language, card), findings


def _tidy(text: str) -> str:
    """Return text in NFC with line feeds, no control characters, no blanks at line ends."""
    plain = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text).replace("\t", " ").translate(_CONTROLS))
    lines = [line.rstrip() for line in plain.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _length(text: str, length: int, rules: NetworkRules, piece: PlannedPiece) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if length > rules.limit:
        message = f"the post has {length} {rules.unit} and {piece.channel} takes {rules.limit}"
        found.append(_finding("social-too-long", message, f"cut {length - rules.limit} {rules.unit}", piece))
    size = len(text.encode())
    if rules.max_bytes is not None and size > rules.max_bytes:
        message = f"the post has {size} bytes and {piece.channel} takes {rules.max_bytes}"
        found.append(_finding("social-too-long", message, f"cut {size - rules.max_bytes} bytes", piece))
    return tuple(found)


def _links(text: str, piece: PlannedPiece) -> tuple[Finding, ...]:
    schemes = {match[1].lower() for match in _LINK.finditer(text)} - {"https"}
    return tuple(
        _finding("link-insecure", f'the post links with "{scheme}:"', "use https addresses only", piece)
        for scheme in sorted(schemes)
    )


def _hashtags(text: str, piece: PlannedPiece) -> tuple[Finding, ...]:
    """Warn of hashtags that a network cuts short or does not see as one."""
    if not _CUT_HASHTAG.search(text) and not _DEAD_HASHTAG.search(text):
        return ()
    message = "a hashtag ends at its first hyphen, point or apostrophe, and digits alone are none"
    return (
        _finding("hashtag-broken", message, "write it in one word with letters, #LikeThis", piece, Severity.WARNING),
    )


def _card(card: Attachment | None, piece: PlannedPiece) -> tuple[Finding, ...]:
    if card is None or card.alt.strip():
        return ()
    message = "the card has no alt text, so people who cannot see it get nothing"
    return (
        _finding("card-without-alt", message, "give card.html a <title> or a meta description in this language", piece),
    )


def _finding(code: str, message: str, remedy: str, piece: PlannedPiece, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(code, message, remedy, piece.piece_id, piece.channel, severity)
