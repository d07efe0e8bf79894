"""Links, mentions and hashtags of a Bluesky post as facets, and the record key of a piece. Pure.

Bluesky makes nothing of the text by itself: what shall be a link must be marked, in UTF-8 bytes.
Source: https://docs.bsky.app/docs/advanced-guides/post-richtext; the lexicon app.bsky.richtext.facet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import regex

Facet: TypeAlias = dict[str, object]

_LINK = regex.compile(r"(?<=^|[\s(])https?://\S+", regex.IGNORECASE)
_MENTION = regex.compile(
    r"(?<=^|[\s(])@([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)+)"
)
_HIDDEN = r"\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2"
_TAG = regex.compile(rf"(?<=^|\s)[#＃]((?!\ufe0f)[^\s{_HIDDEN}]*[^\d\s\p{{P}}{_HIDDEN}]+[^\s{_HIDDEN}]*)")  # fmt: skip
_END = regex.compile(r"[\p{P}&&[^)/]]+$", regex.V1)
_LARGEST_TAG = 64  # graphemes; the lexicon takes 64 graphemes and 640 bytes

_TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_TID_FROM = 1_672_531_200_000_000  # 2023-01-01, microseconds; a key in the future would look forged
_TID_YEAR = 31_536_000_000_000


@dataclass(frozen=True)
class Mark:
    """A stretch of the text.

    start, end: In UTF-8 bytes, end exclusive.
    kind: link, mention or tag.
    value: Address, handle or tag without its sign.
    """

    start: int
    end: int
    kind: str
    value: str


def marks(text: str) -> tuple[Mark, ...]:
    """Return the links, mentions and hashtags of a text, in order; none overlap."""
    found: list[Mark] = []
    for start, end, kind, value in sorted(_found(text)):
        first = len(text[:start].encode())
        last = first + len(text[start:end].encode())
        if not found or first >= found[-1].end:
            found.append(Mark(first, last, kind, value))
    return tuple(found)


def facets(text: str, accounts: Mapping[str, str]) -> list[Facet]:
    """Return the facets of a text.

    Args:
        accounts: DID by handle; a mention of an unknown handle stays plain text, as in Bluesky's own app.
    """
    made: list[Facet] = []
    for mark in marks(text):
        feature = _feature(mark, accounts)
        if feature:
            index = {"byteStart": mark.start, "byteEnd": mark.end}
            made.append({"index": index, "features": [feature]})
    return made


def record_key(key: str) -> str:
    """Return the record key of a piece: a TID that always comes out the same for the same piece.

    Why: A repository holds one record under a key, so a second hand-over of a piece cannot become a second post.
        Servers take only TIDs as keys of posts: 64 bits, of which 53 are microseconds. Ours tell no time: year 2023
        plus a hash of the piece id, about 2^54.8 keys, so ten thousand posts collide once in six hundred million.
    Source: https://atproto.com/specs/tid.
    """
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
    moment, clock = _TID_FROM + digest % _TID_YEAR, (digest // _TID_YEAR) % 1024
    number = moment << 10 | clock
    return "".join(_TID_LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


def _found(text: str) -> Iterator[tuple[int, int, str, str]]:
    for match in _LINK.finditer(text):
        address = _END.sub("", match[0])
        if address.endswith(")") and "(" not in address:
            address = address[:-1]
        yield match.start(), match.start() + len(address), "link", address
    for match in _MENTION.finditer(text):
        yield match.start(), match.end(), "mention", match[1]
    for match in _TAG.finditer(text):
        tag = regex.sub(r"\p{P}+$", "", match[1])
        if 0 < len(regex.findall(r"\X", tag)) <= _LARGEST_TAG:
            yield match.start(), match.start() + 1 + len(tag), "tag", tag


def _feature(mark: Mark, accounts: Mapping[str, str]) -> Facet:
    kind = f"app.bsky.richtext.facet#{mark.kind}"
    if mark.kind == "link":
        return {"$type": kind, "uri": mark.value}
    if mark.kind == "tag":
        return {"$type": kind, "tag": mark.value}
    did = accounts.get(mark.value)
    return {"$type": kind, "did": did} if did else {}
