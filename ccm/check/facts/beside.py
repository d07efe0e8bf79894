"""The value that stands by a label is the label's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ccm.check.comparable import comparable_line, spelt, stands_in
from ccm.check.facts.known import value_at
from ccm.check.facts.labels import Label, Needed
from ccm.check.facts.told import is_right_to_left, place, proved_parts, times_told
from ccm.check.texts import Reading
from ccm.model.definitions import FactKind
from ccm.model.records import Composed, DocumentRendition, FactValue, Finding, SmsRendition

_REACH = 140  # characters in which the value of a label with other values between is looked for
_COUNTED = (FactKind.MONEY, FactKind.DATE, FactKind.PERCENT, FactKind.NUMBER)


def misplaced(reading: Reading, composed: Composed, part: str, labels: tuple[Label, ...]) -> Iterator[Finding]:
    """Find labels beside which another value stands than the fact that was written there."""
    if not labels:
        return
    text = reading.comparable(part)
    in_document = isinstance(reading.rendition, DocumentRendition)
    if in_document and is_right_to_left(text):
        return  # letters come out of the file in no sure order
    facts = {fact.name: fact for fact in composed.facts}
    for label in labels:
        fact = facts.get(label.fact)
        if fact is None or (in_document and fact.kind not in _COUNTED):
            continue
        found = _other_beside(label, fact, text, in_document=in_document)
        if found is None:
            continue
        other = next((one.name for one in composed.facts if one is not fact and _begins(found, one)), None)
        seen = f'the fact "{other}"' if other else "another value"
        message = (
            f'beside "{label.words}" the {place(reading, part)} must tell the fact "{label.fact}" and tells {seen}'
        )
        yield Finding("fact-misplaced", message, _REMEDY, reading.rendition.piece_id, reading.rendition.channel)


_REMEDY = "report it: the variant's own words say that the fact stands there, and something else was put in its place"


def _other_beside(label: Label, fact: FactValue, text: str, *, in_document: bool) -> str | None:
    """Return what stands beside a label in place of its fact; None where all is right or the label is not there.

    In a document only another number counts: columns may come out of it one after the other.
    """
    wanted = comparable_line(fact.text).casefold()
    right, wrong = 0, ""
    at = text.find(label.words)
    while at >= 0:
        match = label.before.match(text, at)
        at = text.find(label.words, at + 1)
        if match is None:
            continue
        beside = text[match.end() : match.end() + len(wanted) + 24]
        # A full stop that ends both an amount ("ج.م.") and its sentence may be written once.
        if _begins_with(beside.casefold(), wanted) or _further_on(
            label, wanted, text[match.start() : match.start() + _REACH]
        ):
            right += 1
        elif not in_document or any(map(str.isdecimal, beside[:6])):
            wrong = wrong or beside
    return wrong if wrong and right < label.count else None


def _begins_with(beside: str, wanted: str) -> bool:
    """Tell whether a text begins with a value; one that ends in an abbreviation may lack its full stop."""
    if beside.startswith(wanted):
        return True
    short = wanted[:-1]
    return (
        wanted.endswith(".")
        and short[-1:].isalpha()
        and beside.startswith(short)
        and not beside[len(short) :][:1].isalnum()
    )


def _further_on(label: Label, wanted: str, text: str) -> bool:
    """Tell whether the fact stands after a later place where the label's last words could have ended.

    Why: A value between the words may itself hold such words: a brand called "for" or a colon in a name.
    """
    if not label.last:
        return False
    after = re.escape(label.last) + r"\s*" + re.escape(wanted)
    return re.search(after, text, re.IGNORECASE) is not None


def _begins(text: str, fact: FactValue) -> bool:
    return text.casefold().startswith(comparable_line(fact.text).casefold())


def lacking(reading: Reading, composed: Composed, part: str, needed: tuple[Needed, ...]) -> Iterator[Finding]:
    """Find fields and facts that every message of the channel prints and this one tells not, or not often enough."""
    rendition = reading.rendition
    once = isinstance(rendition, DocumentRendition)  # a page may hide a running head
    for need in needed:
        fact = _fact(composed, need)
        if need.as_fact or (fact is not None and once):
            continue  # a fact that is told nowhere is found by `untold`
        count = 1 if once else need.count
        if fact is not None:
            count += _told_alike(composed, fact, needed)
            if count < 2:
                continue
        wanted = comparable_line(fact.text if fact else _text_at(composed, need.path))
        exact = fact is not None and fact.kind in (FactKind.CODE, FactKind.LINK)
        told = times_told(wanted, reading, part, exact=exact, most=count) if wanted else count
        if told >= count or (not told and _told_in_other_form(wanted, reading, part)):
            continue
        what = f'the fact "{fact.name}"' if fact else f'the field "{".".join(need.path)}"'
        often = f" in all {count} places" if count > 1 else ""
        message = f"the {place(reading, part)} does not tell {what}{often} where the variant prints it"
        code = "fact-missing" if fact else "field-missing"
        yield Finding(code, message, _LACKING, rendition.piece_id, rendition.channel)


def must_tell(
    reading: Reading, composed: Composed, needed: Mapping[tuple[str, str], tuple[Needed, ...]]
) -> dict[str, dict[str, int]]:
    """Return what each part must tell by name, and how often: every fact of the channel, and what `lacking` counts."""
    channel = reading.rendition.channel
    told = [fact for fact in composed.facts if fact.text and (not fact.channels or channel in fact.channels)]
    wanted = {part: {f"facts.{fact.name}": 1 for fact in told} for part in proved_parts(reading)}
    for (one, part), needs in needed.items():
        for need in needs if one == channel.value else ():
            fact = _fact(composed, need)
            text = fact.text if fact else _text_at(composed, need.path)
            if not need.as_fact and text:
                count = need.count + (_told_alike(composed, fact, needs) if fact else 0)
                wanted.setdefault(part, {})[".".join(need.path)] = count
    return wanted


_LACKING = "report it: composing lost or changed a value that the variant prints"


def _told_alike(composed: Composed, fact: FactValue, needed: tuple[Needed, ...]) -> int:
    """Count the places of fields whose value is the fact's own: "Please pay {{ payment.amount|money }}"."""
    if fact.kind not in _COUNTED:
        return 0
    return sum(need.count for need in needed if need.as_fact and _value_at(composed, need.path) == fact.value)


def _fact(composed: Composed, need: Needed) -> FactValue | None:
    if need.path[0] != "facts":
        return None
    return next((fact for fact in composed.facts if fact.name == need.path[1]), None)


def _text_at(composed: Composed, path: tuple[str, ...]) -> str:
    value = _value_at(composed, path)
    return value if isinstance(value, str) else ""


def _value_at(composed: Composed, path: tuple[str, ...]) -> object:
    value: object = composed.data if composed.data is not None else composed.communication.data
    if path[:1] == ("parameters",):
        value, path = composed.communication.parameters, path[1:]
    return value_at(value, path)


def _told_in_other_form(wanted: str, reading: Reading, part: str) -> bool:
    """Tell whether a text stands there as its channel spells it: a message in GSM-7 may write Łódź as Lodz."""
    text = reading.comparable(part)
    if isinstance(reading.rendition, SmsRendition):
        return stands_in(spelt(wanted).casefold(), spelt(text).casefold())
    return False
