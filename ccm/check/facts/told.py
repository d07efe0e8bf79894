"""Every variant tells its declared facts: the fact's text stands in what a reader sees.

Numbers must stand alone: 234.50 is not told by 1,234.50.

Documents get two allowances, because text comes out of a PDF as it was laid out. Blanks are ignored where a line was
broken. In a right-to-left document letters may come out in another order and codes with their parts turned round
(RF83INV42 as 42INV83RF), so there only the numbers and the Latin letters of a fact are compared, each by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ccm.check.comparable import comparable_line, occurrences, spelt, stands_in
from ccm.check.texts import Reading
from ccm.model.definitions import FactKind
from ccm.model.records import DocumentRendition, EmailRendition, FactValue, Finding, SmsRendition

_NUMBER = re.compile(r"\d+(?:[.,'٫٬]\d+)*")
_LATIN = re.compile(r"[A-Za-z]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_EXACT = (FactKind.CODE, FactKind.LINK)


def proved_parts(reading: Reading) -> tuple[str, ...]:
    """Return the names of the parts that must tell facts: an email tells them in its HTML and in its text."""
    return ("html", "text") if isinstance(reading.rendition, EmailRendition) else ("body",)


def place(reading: Reading, part: str) -> str:
    """Return how a part is called in findings: "email html", "sms"."""
    channel = str(reading.rendition.channel)
    return f"{channel} {part}" if isinstance(reading.rendition, EmailRendition) else channel


def untold(reading: Reading, facts: tuple[FactValue, ...]) -> Iterator[Finding]:
    """Find the facts that one rendition does not tell."""
    rendition = reading.rendition
    for fact in facts:
        if fact.channels and rendition.channel not in fact.channels:
            continue
        for part in proved_parts(reading):
            if not _told(fact, reading, part):
                message = f'the {place(reading, part)} does not tell the fact "{fact.name}"'
                remedy = f"print {{{{ facts.{fact.name} }}}} in the variant, or leave {rendition.channel} out of the fact's channels"
                yield Finding("fact-missing", message, remedy, rendition.piece_id, rendition.channel)


def _told(fact: FactValue, reading: Reading, part: str) -> bool:
    wanted = comparable_line(fact.text).strip()
    if not wanted:
        return True
    if fact.kind is FactKind.LINK:
        return fact.text in reading.links(part) or stands_in(wanted, reading.comparable(part))
    return times_told(wanted, reading, part, exact=fact.kind in _EXACT, most=1) > 0


def times_told(wanted: str, reading: Reading, part: str, *, exact: bool, most: int = 1_000_000) -> int:
    """Count how often a part tells a text, up to `most`.

    Args:
        wanted: Comparable form, not empty.
        exact: Case matters; a headline that is no code may be set in capitals.
    Returns:
        For a right-to-left document at most 1: its letters come out in no sure order.
    """
    text = reading.comparable(part)
    found = occurrences(wanted, text, most=most)
    if found >= most:
        return found
    if not exact:
        wanted, text = wanted.casefold(), text.casefold()
        found = occurrences(wanted, text, most=most)
    match reading.rendition:
        case SmsRendition(alphabet="gsm7") if not found:
            return occurrences(spelt(wanted), spelt(text), most=most)  # after folding: "ß" is spelt "ss"
        case DocumentRendition() if found < most:
            return max(found, _times_in_document(wanted, text, most))
    return found


def _times_in_document(wanted: str, text: str, most: int) -> int:
    numbers = _NUMBER.findall(wanted)
    letters = _LATIN.findall(wanted)
    if is_right_to_left(text) and (numbers or letters or is_right_to_left(wanted)):
        if letters:
            text = text.replace("-", " ")  # the hyphen of C-1042 comes out before the number, as a minus would
        told = all(stands_in(number, text) for number in numbers) and all(word in text for word in letters)
        return most if told else 0
    if all(stands_in(number, text) for number in numbers if len(number) > 2):
        return occurrences(wanted.replace(" ", ""), text.replace(" ", ""), loose=True, most=most)
    return 0


def is_right_to_left(text: str) -> bool:
    """Tell whether a text has letters that run from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None
