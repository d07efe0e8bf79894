"""Texts of Latin letters, digits, signs and blanks: HarfBuzz alone sets them as Pango does."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def is_plain(text: str) -> bool:
    """Tell whether a text is Latin letters, digits, signs and blanks."""
    return text.isprintable() if text.isascii() else _is_plain_text(text)


@lru_cache(maxsize=2_048)
def _is_plain_text(text: str) -> bool:
    return all(map(_is_plain_sign, text))


@lru_cache(maxsize=4096)
def _is_plain_sign(sign: str) -> bool:
    if sign in "\u00a0\u202f" or " " <= sign <= "~":
        return True
    kind = unicodedata.category(sign)
    if kind[0] in "LM":
        return kind in ("Lu", "Ll", "Lo") and unicodedata.name(sign, "").startswith(("LATIN", "FEMININE", "MASCULINE"))
    return (
        kind in ("Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sm", "So", "No") and ord(sign) < 0x2300
    )  # beyond, Pango may want emoji


# Of these signs none says another script, or a fraction, for all of a text.
_LATIN = (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x2010, 0x2044), *range(0x20A0, 0x20C0), 0x2212)
_LATIN_TEXT = re.compile("[" + re.escape("".join([sign for sign in map(chr, _LATIN) if _is_plain_sign(sign)])) + "]*")


def is_latin(text: str) -> bool:
    """Tell whether a text is plain, and each of its signs says at most the Latin script."""
    return text.isprintable() if text.isascii() else _LATIN_TEXT.fullmatch(text) is not None
