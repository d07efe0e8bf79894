"""Compile an email once, fill it many times: where the slots stand, and what may go into each place."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

SLOT_DIGITS = 5
MAX_SLOTS = 4000

# The serialiser of the inliner quotes every attribute with double quotes, so this reads its output exactly.
_TOKEN = re.compile(
    r"<!--.*?-->|<(style|script|xmp|iframe|noembed|noframes|noscript|plaintext)\b.*?</\1\s*>|<(?:[^\">]|\"[^\"]*\")*>",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([^\s\"=<>/]+)=\"([^\"]*)\"")
_LINKS = frozenset({"href", "src", "background", "action", "formaction", "poster", "xlink:href"})
_FILLABLE = frozenset({"href", "src", "alt", "title", "aria-label"})
_SELECTS_VALUES = re.compile(r"\[\s*(?:href|src|alt|title|aria-label)\b|:empty", re.IGNORECASE)
_STRIPPED = re.compile("[\x00-\x20\u00a0]+")
_HREF = re.compile(r"(?:https|mailto|tel):|#|$")
_SRC = re.compile(r"https:|cid:")
# What a value may be where it is neither text nor a link: in CSS or in a measure.
_HARMLESS = re.compile(r"[\w#%.,+\- ]*|https://[\w./?=&%~+\-]+")


class Sentinels:
    """What stands for slots in captured text: letters and digits that occur in no template.

    Args:
        sources: Every text that authors wrote; the sign is changed until none of them holds it.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        number = 0
        while any(f"Zq{number}sX" in source for source in sources):
            number += 1
        sign = f"Zq{number}sX"
        self.marks = tuple(Markup(f"{sign}{index:0{SLOT_DIGITS}d}") for index in range(MAX_SLOTS))  # noqa: S704  # letters and digits
        self.pattern = re.compile(rf"{sign}(\d{{{SLOT_DIGITS}}})")


def escape_text(value: str) -> str:
    """Escape for HTML text, as the HTML5 serialiser does."""
    if "&" in value or "<" in value or ">" in value or "\u00a0" in value:
        return value.replace("&", "&amp;").replace("\u00a0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")
    return value


def escape_attribute(value: str) -> str:
    """Escape for a double-quoted attribute, as the HTML5 serialiser does."""
    return value.replace("&", "&amp;").replace("\u00a0", "&nbsp;").replace('"', "&quot;")


@dataclass(frozen=True)
class Pattern:
    """Text with slots: the pieces between them, and the number of the slot after each piece but the last."""

    pieces: tuple[str, ...]
    slots: tuple[int, ...]

    @classmethod
    def of(cls, text: str, sentinels: Sentinels) -> Pattern:
        """Split captured text at its slots."""
        parts = sentinels.pattern.split(text)
        return cls(tuple(parts[0::2]), tuple(map(int, parts[1::2])))

    def filled(self, values: Sequence[str]) -> str:
        """Put values in."""
        parts = [self.pieces[0]]
        for piece, slot in zip(self.pieces[1:], self.slots, strict=True):
            parts.append(values[slot])
            parts.append(piece)
        return "".join(parts)


@dataclass(frozen=True)
class FillPlan:
    """A finished page with slots, ready for values.

    page: Slots in it are numbered by place.
    places: For each place the slot and whether it stands in an attribute.
    links: Attributes that hold slots: name and unescaped pattern.
    static_faults: How many links that authors wrote have a scheme we do not send.
    unplaced: Slots that stand elsewhere than in text or in a fillable attribute.
    lost: Whether a slot stands nowhere on the page.
    reason: Why filling cannot be proved right; empty if it can.
    """

    page: Pattern
    attributes: frozenset[int]
    links: tuple[tuple[str, Pattern], ...]
    static_faults: int
    unplaced: frozenset[int]
    lost: bool
    reason: str

    def escaped(self, values: Sequence[str]) -> list[str]:
        """Return the value of every place, escaped for it."""
        attributes = self.attributes
        return [
            escape_attribute(values[slot]) if place in attributes else escape_text(values[slot])
            for place, slot in enumerate(self.page.slots)
        ]

    def filled(self, escaped: Sequence[str]) -> str:
        """Put the escaped values of every place in."""
        parts = [""] * (2 * len(escaped) + 1)
        parts[0::2] = self.page.pieces
        parts[1::2] = escaped
        return "".join(parts)

    def link_faults(self, values: Sequence[str]) -> int:
        """Count the links whose scheme we do not send, after filling."""
        faults = self.static_faults
        for name, pattern in self.links:
            faults += not is_safe_link(name, pattern.filled(values))
        return faults


def is_safe_link(attribute: str, value: str) -> bool:
    """Tell whether an address may stand in a message: https, mailto and tel; for images https and cid."""
    address = _STRIPPED.sub("", value).lower()
    return (_SRC if attribute in ("src", "background", "poster") else _HREF).match(address) is not None


def link_faults(html: str) -> int:
    """Count the links of a page whose scheme we do not send."""
    return sum(not is_safe_link(name, entities.unescape(value)) for name, value in _links(html))


def is_harmless(value: str) -> bool:
    """Tell whether a value may stand in CSS or in a measure: nothing there can end it or begin something new."""
    return _HARMLESS.fullmatch(value) is not None


def _links(html: str) -> Iterator[tuple[str, str]]:
    for token in _TOKEN.finditer(html):
        if not token[0].startswith("<!--") and token[1] is None:
            for name, value in _ATTRIBUTE.findall(token[0]):
                if name.lower() in _LINKS:
                    yield name.lower(), value


def plan_filling(html: str, sentinels: Sentinels, slot_count: int) -> FillPlan:
    """Find out where the slots of a finished page stand, and whether they can be filled.

    Args:
        html: Output of the inliner, made from captured text.
        slot_count: How many values were captured.
    """
    pattern = sentinels.pattern
    attributes: set[int] = set()
    unplaced: set[int] = set()
    reasons: list[str] = []
    place = 0
    at = 0
    for token in _TOKEN.finditer(html):
        place += len(pattern.findall(html, at, token.start()))
        at = token.end()
        found = list(map(int, pattern.findall(token[0])))
        if not found:
            continue
        if token[1] or token[0].startswith("<!--"):
            unplaced.update(found)
            reasons.append(f"a value stands in a {(token[1] or 'comment').lower()}")
        else:
            strange = _strange_attributes(token[0], pattern)
            attributes.update(range(place, place + len(found)))
            if strange:
                unplaced.update(found)
                reasons.append(f"a value stands in {strange}")
        place += len(found)
    page = Pattern.of(html, sentinels)
    lost = frozenset(range(slot_count)) - frozenset(page.slots)
    if lost or max(page.slots, default=-1) >= slot_count:
        reasons.append("a value is used up by the layout")
    if any(_SELECTS_VALUES.search(token[0]) for token in _TOKEN.finditer(html) if (token[1] or "").lower() == "style"):
        reasons.append("a style hangs on the content of an element")
    slotted, faults = _sorted_links(html, sentinels)
    return FillPlan(
        page, frozenset(attributes), slotted, faults, lost | unplaced, bool(lost), reasons[0] if reasons else ""
    )


def _strange_attributes(tag: str, pattern: re.Pattern[str]) -> str:
    """Return where a tag holds a slot that cannot be filled; empty if nowhere."""
    left = tag
    for name, value in _ATTRIBUTE.findall(tag):
        if pattern.search(value):
            if name.lower() not in _FILLABLE:
                return f"the attribute {name.lower()}" if not pattern.search(name) else "a tag"
            left = left.replace(value, "")
    return "a tag" if pattern.search(left) else ""


def _sorted_links(html: str, sentinels: Sentinels) -> tuple[tuple[tuple[str, Pattern], ...], int]:
    slotted: list[tuple[str, Pattern]] = []
    faults = 0
    for name, value in _links(html):
        address = entities.unescape(value)
        if sentinels.pattern.search(address):
            slotted.append((name, Pattern.of(address, sentinels)))
        else:
            faults += not is_safe_link(name, address)
    return tuple(slotted), faults
