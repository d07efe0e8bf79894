"""One form for texts that say the same: what facts are compared in."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import regex
from anyascii import anyascii

_MARKS = {**dict.fromkeys("‘’‚‛′ʼ`´", "'"), **dict.fromkeys("“”„‟″", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
_MARKED = re.compile(f"[{''.join(_MARKS)}]")
_UNSHOWN = regex.compile(r"\p{Cf}+")
# Letters and signs below Arabic that are their own comparable form: most texts hold nothing else.
_PLAIN = re.compile(
    "[\x00-\x7f"
    + "".join(
        letter
        for letter in map(chr, (*range(0xA1, 0x590), *range(0x20A0, 0x20BF)))
        if unicodedata.normalize("NFKC", letter) == letter
        and unicodedata.category(letter) not in ("Cf", "Nd", "Mn", "Mc", "Cn")
        and letter not in _MARKS
    )
    + "]*"
)
_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)
_GROUPING = ".,'٫٬"


def comparable(text: str) -> str:
    """Return text in the form in which facts are compared; case is kept.

    Compatibility form, ASCII digits, single plain blanks, plain quotes and dashes, no soft hyphens or direction marks.
    """
    return " ".join(plain(text).split())


@lru_cache(maxsize=4096)
def comparable_line(line: str) -> str:
    """Return a line in comparable form; most lines of a message are the same for every customer."""
    return comparable(line)


def plain(text: str) -> str:
    """Return the same form with its blanks and line ends as they were."""
    if text.isascii():
        return text
    text = text.replace("\u00a0", " ").replace("\u202f", " ")
    if _PLAIN.fullmatch(text):
        return text
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = _MARKED.sub(lambda match: _MARKS[match[0]], text)
    return _DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), _UNSHOWN.sub("", text))


def spelt(text: str) -> str:
    """Return the form that both an accented text and its GSM-7 transliteration have."""
    return " ".join(anyascii(text).split())


def stands_in(wanted: str, text: str, *, loose: bool = False) -> bool:
    """Tell whether a text contains another that is no part of a longer number or word of letters and digits.

    Args:
        wanted: Comparable form, not empty.
        text: Comparable form.
        loose: Do not look at the neighbours; blanks were taken out, so they say nothing.
    """
    return occurrences(wanted, text, loose=loose, most=1) > 0


def occurrences(wanted: str, text: str, *, loose: bool = False, most: int = 1_000_000) -> int:
    """Count how often a text stands in another, up to `most`; see `stands_in`."""
    found, start = 0, text.find(wanted)
    while start >= 0 and found < most:
        end = start + len(wanted)
        before, after = text[max(0, start - 2) : start][::-1], text[end : end + 2]
        if loose or (_free(before, wanted[0]) and _free(after, wanted[-1]) and not _signed(before)):
            found += 1
        start = text.find(wanted, start + 1)
    return found


def _free(beside: str, edge: str) -> bool:
    """Tell whether a neighbour, nearest character first, ends the number or word that an edge belongs to."""
    if not beside or not edge.isalnum():
        return True
    nearest = beside[0]
    if edge.isdecimal():
        joined = nearest in _GROUPING and len(beside) > 1 and beside[1].isdecimal()
        return not nearest.isdecimal() and not joined
    return not (edge.isascii() and nearest.isascii() and nearest.isalnum())


def _signed(before: str) -> bool:
    """Tell whether a minus stands right before: -5.00 does not tell 5.00, but 1-5 tells 5."""
    return before[:1] == "-" and not before[1:].isalnum()
