"""Who shares an envelope. Careful rather than thrifty: nobody may open somebody else's letter."""

from __future__ import annotations

import re
import unicodedata

from ccm.deliver.print_shop.words import Householding
from ccm.model.records import PostalAddress


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    "mr mrs ms miss mx dr prof sir dame herr frau hr fr dipl ing mme mlle m monsieur madame sig sigra sr sra srta "
    "don dona pan pani"
)
_SUFFIXES = _words("jr sr ii iii iv phd md esq mba")
# A firm is never a family: two firms in one house would share the "surname" GmbH.
_FIRMS = _words(
    "ag gmbh mbh kg kgaa ohg ug ev eg gbr se ltd limited plc llc llp lp inc corp corporation company co sa sas sarl "
    "srl spa bv nv oy oyj ab as asa aps kft zrt nyrt sro doo sp zoo pty kk kabushiki holding group bank verein "
    "stiftung foundation trust association club"
)
# Countries whose names begin with the family's.
_FAMILY_FIRST = frozenset({"CN", "HK", "HU", "JP", "KP", "KR", "MO", "TW", "VN"})
_STREET = re.compile(r"(?<=[a-z])(?:strasse|str)\b|\b(?:strasse|street|str|st)\b")


def household(postal: PostalAddress, brand: str, rule: Householding) -> str:
    """Return what two letters have in common when they may share an envelope; empty when they share with nobody.

    Case, accents, punctuation and the spelling of "street" do not count. The address is compared whole, so
    that a flat or a floor that one of them names keeps them apart.
    """
    if rule is Householding.NO:
        return ""
    own = {plain(postal.name), plain(postal.company)}
    lines = [plain(line) for line in postal.lines]
    place = [_STREET.sub("st", line) for line in lines if line and line not in own]
    who = plain(postal.name) if rule is Householding.PERSON else surname(postal.name, postal.country)
    if not place or not (who or postal.company):
        return ""
    return "|".join((brand, postal.country, *place, plain(postal.company), who))


def surname(name: str, country: str) -> str:
    """Return what members of a family have in common in their names; the whole name where that is not sure.

    Returns:
        The last word, or the first where names begin with the family's; all of it for firms, for names of one
        word and for names with digits.
    """
    words = [word for word in plain(name).split() if word not in _TITLES]
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words.pop()
    if len(words) < 2 or _FIRMS & set(words) or any(character.isdigit() for word in words for character in word):
        return " ".join(words)
    return words[0] if country in _FAMILY_FIRST else words[-1]


def plain(text: str) -> str:
    """Return text without case, punctuation and the accents of Latin letters.

    Why: Only Latin's: a Japanese letter without its mark, or a Cyrillic one, is another letter.
    """
    kept = []
    for character in unicodedata.normalize("NFKC", text).casefold():
        if unicodedata.name(character, "").startswith("LATIN"):
            kept += [part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)]
        elif character.isalnum() or unicodedata.combining(character):
            kept.append(character)
        else:
            kept.append(" ")
    return " ".join("".join(kept).split())
