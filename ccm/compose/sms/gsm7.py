"""The cheap SMS alphabet, and what other characters become in it.

Source: 3GPP TS 23.038, 6.2.1 (default alphabet and extension table).
"""

from __future__ import annotations

import unicodedata

from anyascii import anyascii

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")  # two septets each: an escape and a character that must stay together
ALPHABET = BASIC | EXTENSION

# Marks that readers take for the same thing. No letter, no digit and no currency is in here.
_CLOSE = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼʹˈ´`‹›", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−⁃•·‧∙", "-"),
        **dict.fromkeys("⁄∕", "/"),
        "…": "...",
        "×": "x",
        "÷": "/",
        "½": "1/2",
        "¼": "1/4",
        "¾": "3/4",
        "™": "(TM)",
        "®": "(R)",
        "©": "(C)",
        "№": "No.",
        "℅": "c/o",
        "‰": "0/00",
        "≤": "<=",
        "≥": ">=",
        "→": "->",
        "←": "<-",
        "✓": "v",
    }
)

# Letters with a form of their own in the alphabet or in everyday spelling; anyascii knows the rest.
_SPELT = {"Œ": "OE", "œ": "oe", "ẞ": "SS", "Þ": "Th", "þ": "th", "Ð": "D", "ð": "d", "µ": "u", "ª": "a", "º": "o"}
_CURRENCY = {
    "₹": "INR ",
    "₽": "RUB ",
    "₺": "TRY ",
    "₩": "KRW ",
    "₪": "ILS ",
    "₫": "VND ",
    "₴": "UAH ",
    "₦": "NGN ",
    "₱": "PHP ",
    "฿": "THB ",
}

# Greek capitals that look like Latin ones are sent as those; carriers' own tables do the same.
_GREEK = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX")
_SCRIPTS = ("LATIN ", "GREEK ", "CYRILLIC ")


def is_gsm7(text: str) -> bool:
    """Tell whether every character is in the alphabet."""
    return ALPHABET.issuperset(text)


def septets(text: str) -> int:
    """Return the length in 7-bit units; characters of the extension table take two."""
    return len(text) + sum(character in EXTENSION for character in text)


def close(text: str) -> str:
    """Bring typographic marks into the alphabet and drop invisible marks; letters, digits and emoji stay as they are."""
    plain = text.translate(_CLOSE)
    return "".join(character for character in plain if unicodedata.category(character) != "Cf")


def transliterated(text: str) -> tuple[str, str]:
    """Bring everything into the alphabet that can be read there.

    Latin letters lose their accents, Greek becomes capitals, Cyrillic is romanised, digits of other scripts
    become 0–9, currency signs become ISO codes. Other scripts are not romanised: nobody could read it.

    Returns:
        The text, and the characters that found no form and are left out of it.
    """
    parts: list[str] = []
    lost: list[str] = []
    for character in unicodedata.normalize("NFC", close(text)):
        form = _form(character)
        parts.append(form)
        if not form and unicodedata.category(character) not in ("Mn", "Cc"):
            lost.append(character)
    return "".join(parts), "".join(lost)


def _form(character: str) -> str:
    """Return one character's form in the alphabet; empty when it has none."""
    if character in ALPHABET:
        return character
    if character in _SPELT or character in _CURRENCY:
        return _SPELT.get(character) or _CURRENCY[character]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    kind = unicodedata.category(character)
    name = unicodedata.name(character, "")
    if kind.startswith("L") and not name.startswith(_SCRIPTS):
        return ""
    if name.startswith("GREEK ") and kind.startswith("L"):
        bare = unicodedata.normalize("NFD", character).upper()[:1]
        found = bare.translate(_GREEK)
    elif kind in ("Sc", "So", "Sk", "Co", "Cn"):
        return ""
    else:
        found = anyascii(character)
    return found if found and is_gsm7(found) else ""
