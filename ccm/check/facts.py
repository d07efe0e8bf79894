"""Every variant tells its declared facts: the seed of the fact proof.

A fact is told when its text in the communication's locale stands in what a reader sees. Both sides are brought into
one form first: compatibility form, ASCII digits, plain blanks, quotes and dashes, without soft hyphens and direction marks.
Numbers must stand alone: 234.50 is not told by 1,234.50.

Documents get two allowances, because text comes out of a PDF as it was laid out. Blanks are ignored where a line was
broken. In a right-to-left document letters may come out in another order and codes with their parts turned round
(RF83INV42 as 42INV83RF), so there only the numbers and the Latin letters of a fact are compared, each by itself.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator

import regex
from anyascii import anyascii

from ccm.check.texts import Reading
from ccm.model.definitions import FactKind
from ccm.model.records import Composed, DocumentRendition, EmailRendition, FactValue, Finding, SmsRendition

_MARKS = {**dict.fromkeys("‘’‚‛′ʼ`´", "'"), **dict.fromkeys("“”„‟″", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
_MARKED = re.compile(f"[{''.join(_MARKS)}]")
_UNSHOWN = regex.compile(r"\p{Cf}+")
_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)
_NUMBER = re.compile(r"\d+(?:[.,'٫٬]\d+)*")
_GROUPING = ".,'٫٬"
_LATIN = re.compile(r"[A-Za-z]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_EXACT = (FactKind.CODE, FactKind.LINK)


def prove_facts(composed: Composed) -> tuple[Finding, ...]:
    """Return an error for every rendition that does not tell a fact it must tell; nothing when all do."""
    readings = (Reading(rendition, composed.communication) for rendition in composed.renditions)
    return tuple(finding for reading in readings for finding in untold(reading, composed.facts))


def untold(reading: Reading, facts: tuple[FactValue, ...]) -> Iterator[Finding]:
    """Find the facts that one rendition does not tell; an email must tell them in its HTML and in its text."""
    rendition = reading.rendition
    due = [fact for fact in facts if not fact.channels or rendition.channel in fact.channels]
    if not due:
        return
    names = ("html", "text") if isinstance(rendition, EmailRendition) else ("body",)
    forms = {name: comparable(reading.parts[name]) for name in names}
    for fact in due:
        for name, text in forms.items():
            if not _told(fact, text, reading, name):
                where = f"{rendition.channel} {name}" if len(names) > 1 else str(rendition.channel)
                message = f'the {where} does not tell the fact "{fact.name}"'
                remedy = f"print {{{{ facts.{fact.name} }}}} in the variant, or leave {rendition.channel} out of the fact's channels"
                yield Finding("fact-missing", message, remedy, rendition.piece_id, rendition.channel)


def comparable(text: str) -> str:
    """Return text in the form in which facts are compared; case is kept."""
    if text.isascii():
        return " ".join(text.split())
    plain = _MARKED.sub(lambda match: _MARKS[match[0]], unicodedata.normalize("NFKC", text))
    return " ".join(_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), _UNSHOWN.sub("", plain)).split())


def _told(fact: FactValue, text: str, reading: Reading, part: str) -> bool:
    wanted = comparable(fact.text).strip()
    if not wanted:
        return True
    if fact.kind is FactKind.LINK:
        return _link_told(fact, wanted, text, reading, part)
    if stands_in(wanted, text):
        return True
    if fact.kind not in _EXACT:  # a headline may be set in capitals
        wanted, text = wanted.casefold(), text.casefold()
        if stands_in(wanted, text):
            return True
    match reading.rendition:
        case SmsRendition(alphabet="gsm7"):
            return stands_in(_spelt(wanted), _spelt(text))
        case DocumentRendition():
            return _told_in_document(wanted, text)
    return False


def _link_told(fact: FactValue, wanted: str, text: str, reading: Reading, part: str) -> bool:
    """A link may stand behind a word: in an attribute of HTML, in an annotation of a document."""
    if stands_in(wanted, text):
        return True
    match reading.rendition:
        case EmailRendition(html=source) if part == "html":
            return stands_in(fact.text, html.unescape(source))
        case DocumentRendition(content=content):
            from ccm.check.pdf_links import pdf_links

            return stands_in(fact.text, " ".join(pdf_links(content)))
    return False


def _told_in_document(wanted: str, text: str) -> bool:
    numbers = _NUMBER.findall(wanted)
    letters = _LATIN.findall(wanted)
    if _RIGHT_TO_LEFT.search(text) and (numbers or letters or _RIGHT_TO_LEFT.search(wanted)):
        return all(stands_in(number, text) for number in numbers) and all(word in text for word in letters)
    return stands_in(wanted.replace(" ", ""), text.replace(" ", ""), loose=True) and all(
        stands_in(number, text) for number in numbers if len(number) > 2
    )


def stands_in(wanted: str, text: str, *, loose: bool = False) -> bool:
    """Tell whether a text contains another that is no part of a longer number or word of letters and digits.

    Args:
        wanted: Comparable form, not empty.
        text: Comparable form.
        loose: Do not look at the neighbours; blanks were taken out, so they say nothing.
    """
    start = text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        before, after = text[max(0, start - 2) : start][::-1], text[end : end + 2]
        if loose or (_free(before, wanted[0]) and _free(after, wanted[-1]) and not _signed(before)):
            return True
        start = text.find(wanted, start + 1)
    return False


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


def _spelt(text: str) -> str:
    """Return the form that both an accented text and its GSM-7 transliteration have."""
    return " ".join(anyascii(text).split()).casefold()
