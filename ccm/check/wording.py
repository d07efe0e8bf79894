"""Nothing of the workshop is left in the text, and no word that the brand avoids."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
from ccm.model.records import Composed, Finding

_SYNTAX = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}|\$\{|%\(\w+\)[sd]")
_UNSHOWN = regex.compile(r"\p{Cf}+")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "HANGUL")


def wording(reading: Reading, composed: Composed, rules: CheckRules) -> Iterator[Finding]:
    """Find template syntax, unfilled placeholders and words to avoid."""
    rendition = reading.rendition
    words = rules.words_to_avoid(composed.communication.language)

    def finding(code: str, message: str, remedy: str) -> Finding:
        return Finding(code, message, remedy, rendition.piece_id, rendition.channel)

    text = reading.everything
    written = "{" in text or "}" in text or "%(" in text  # looked for first: hardly any text has them
    leftovers = _SYNTAX.finditer(text) if written else ()
    leftover = next((match[0] for match in leftovers if not reading.from_data(match[0])), None)
    if leftover:
        message = f'template syntax is left in the text: "{leftover}"'
        yield finding("template-leftover", message, "close the expression in the variant, or the catalogue's text")
    if rules.slot and any(not reading.from_data(match[0]) for match in re.finditer(rules.slot, text)):
        yield finding(
            "slot-leftover", "a placeholder of composing is left in the text", "report it: composing left a gap"
        )
    used = sorted(set(_avoided(words).findall(normalised(text)))) if words else []
    if used:
        message = (
            f"the text uses {len(used)} word{'s' if len(used) > 1 else ''} that the brand avoids: {', '.join(used)}"
        )
        yield finding("word-to-avoid", message, "say it in other words, or change avoid in brand.yaml")


def normalised(text: str) -> str:
    """Return text in a form in which equal words are equal: compatibility form, no case, no soft hyphens, single blanks."""
    plain = unicodedata.normalize("NFKC", text)
    return " ".join(_UNSHOWN.sub("", plain).casefold().split())


@lru_cache(maxsize=256)
def _avoided(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of whole words; in scripts without blanks, of any place."""
    parts = [_pattern(normalised(word).strip()) for word in sorted(words, key=len, reverse=True)]
    return re.compile("|".join(part for part in parts if part) or r"(?!)")


def _pattern(word: str) -> str:
    if not word:
        return ""
    if unicodedata.name(word[0], "").startswith(_UNSPACED):
        return re.escape(word)
    return rf"(?<!\w){re.escape(word)}(?!\w)"
