"""Single mistakes: one cent, a sign, a currency, a day, a letter of a code, another customer's value.

A mistake changes what stands in one place of one part of one rendition, as a fault of composing would. Text of emails,
text messages and posts is changed itself. A PDF is left as it is and the truth is changed instead: it then tells what is
one mistake away from the truth.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from babel import Locale

from ccm.compose.failure import ComposeFailure
from ccm.compose.formats.locale_formats import Formats, formats_for
from ccm.model.definitions import Channel, FactKind
from ccm.model.records import (
    Composed,
    DocumentRendition,
    EmailRendition,
    FactValue,
    Rendition,
    SmsRendition,
)
from ccm.model.values import Money, minor_digits


@dataclass(frozen=True)
class Mistake:
    """A communication with one thing wrong.

    kind: What was done.
    where: Channel and part.
    """

    kind: str
    where: str
    composed: Composed


Other = tuple[Composed, ...]  # of the same campaign, to take other customers' values from


def mistakes(composed: Composed, others: Other, rng: random.Random) -> Iterator[Mistake]:
    """Yield every single mistake that this communication can have, one place each."""
    for rendition in composed.renditions:
        if isinstance(rendition, DocumentRendition):
            yield from _in_document(composed, rendition, others)
            continue
        for part in _parts(rendition):
            text = getattr(rendition, part)
            for kind, before, after in _changes(composed, rendition.channel, others):
                places = _places(before, text, part)
                if not places or before == after:
                    continue
                at, found = rng.choice(places)
                changed = text[:at] + _as_in(after, part) + text[at + len(found) :]
                yield _mistake(kind, composed, rendition, part, changed)
            yield from _in_texts(composed, rendition, part, text, rng)


def _parts(rendition: Rendition) -> tuple[str, ...]:
    return ("html", "text", "subject") if isinstance(rendition, EmailRendition) else ("text",)


def _mistake(kind: str, composed: Composed, rendition: Rendition, part: str, text: str) -> Mistake:
    fields: dict[str, object] = {part: text}
    if isinstance(rendition, SmsRendition):
        fields["segments"] = (text,)
    if isinstance(rendition, EmailRendition) and part != "subject":
        fields |= _hints(rendition, part, text)
    changed = replace(rendition, **fields)  # type: ignore[arg-type]
    renditions = tuple(changed if one is rendition else one for one in composed.renditions)
    where = f"{rendition.channel} {part}" if isinstance(rendition, EmailRendition) else str(rendition.channel)
    return Mistake(kind, where, replace(composed, renditions=renditions))


def _hints(email: EmailRendition, part: str, text: str) -> dict[str, object]:
    """Return the hints that composing would give if it had made the mistake: shared pieces, and the wrong value between."""
    outline, name = (email.outline, "fillings") if part == "html" else (email.text_outline, "text_fillings")
    return {name: tuple(_between(outline, text))} if outline else {}


def _between(outline: tuple[str, ...], text: str) -> Iterator[str]:
    """Yield what stands between shared pieces; where one of them is broken, what comes out fits no page."""
    at = len(outline[0])
    for piece in outline[1:-1]:
        found = text.find(piece, at)
        if found < 0:
            return
        yield text[at:found]
        at = found + len(piece)
    yield text[at : len(text) - len(outline[-1])]


def _as_in(text: str, part: str) -> str:
    return html.escape(text, quote=False).replace("\u00a0", "&nbsp;") if part == "html" else text


def _places(before: str, text: str, part: str) -> list[tuple[int, str]]:
    """Return where a value stands for a reader to see: not in hidden text, not inside a longer number or word."""
    forms = (
        dict.fromkeys((_as_in(before, part), before.replace("\u00a0", " "), before))
        if part != "html"
        else {_as_in(before, part): None}
    )
    body = text.find("<body") if part == "html" else 0
    found = []
    for form in forms:
        for match in re.finditer(rf"(?<![\w.,-]){re.escape(form)}(?![\w]|[.,-]\w)", text):
            hidden = part == "html" and (match.start() < body or _in_hidden(text, match.start()))
            if not hidden:
                found.append((match.start(), form))
    return found


def _in_hidden(text: str, at: int) -> bool:
    opened = text.rfind("display:none", 0, at)
    return (opened >= 0 and "</div" not in text[opened:at] and "</tr" not in text[opened:at]) or text.rfind(
        "<!--", 0, at
    ) > text.rfind("-->", 0, at)


# ── values ───────────────────────────────────────────────────────────────────


def _changes(composed: Composed, channel: Channel, others: Other) -> Iterator[tuple[str, str, str]]:
    """Yield kind, the value's text and what stands there instead."""
    formats = _formats(composed)
    facts = [fact for fact in composed.facts if not fact.channels or channel in fact.channels]
    for fact in facts:
        for kind, value in _wrong_values(fact.value, composed):
            yield kind, fact.text, _written(fact.kind, value, formats)
        yield from _wrong_texts(fact)
        for other in others:
            theirs = next((one for one in other.facts if one.name == fact.name), None)
            if theirs is not None and theirs.value != fact.value and not _known(theirs.value, composed):
                yield "other customer", fact.text, _written(theirs.kind, theirs.value, formats)
                break
    yield from _swapped(facts)
    yield from _displaced(facts, composed, formats)
    yield from _fields(composed, others, formats)
    for name, discount in _parameters(composed):
        if isinstance(discount, Decimal):
            yield f"parameter {name}", formats.percent(discount), formats.percent(discount + 1)
        elif isinstance(discount, date):
            yield f"parameter {name}", formats.date(discount, "long"), formats.date(discount + timedelta(1), "long")


def _wrong_values(value: object, composed: Composed) -> Iterator[tuple[str, object]]:
    if isinstance(value, Money):
        step = Decimal(1).scaleb(-minor_digits(value.currency))
        wrong = [
            ("one cent", Money(value.amount + step, value.currency)),
            ("sign", Money(-value.amount, value.currency)),
            ("currency", Money(value.amount, "USD" if value.currency != "USD" else "EUR")),
            ("ten times", Money(value.amount * 10, value.currency)),
        ]
        if minor_digits(value.currency) != minor_digits(wrong[2][1].currency):
            wrong[2] = ("currency", Money(value.amount, "KRW"))
    elif isinstance(value, date):
        wrong_days: list[tuple[str, object]] = [("date", value + timedelta(days=1)), ("year", _next_year(value))]
        if value.day <= 12 and value.day != value.month:
            wrong_days.append(("day and month", date(value.year, value.day, value.month)))
        yield from ((kind, day) for kind, day in wrong_days if not _known(day, composed))
        return
    elif isinstance(value, Decimal):
        yield "percent", value + 1
        return
    else:
        return
    yield from ((kind, amount) for kind, amount in wrong if amount.amount and not _known(amount, composed))


def _next_year(value: date) -> date:
    return value.replace(year=value.year + 1, day=min(value.day, 28))


def _wrong_texts(fact: FactValue) -> Iterator[tuple[str, str, str]]:
    text = fact.text
    if fact.kind is FactKind.CODE:
        last = text[-1]
        yield "code", text, text[:-1] + ("0" if last == "9" else "9" if last.isdigit() else "Q")
    if fact.kind is FactKind.LINK:
        yield "link target", text, text + "9"
        yield "link target", text, text.replace("https://", "https://evil-")


def _swapped(facts: list[FactValue]) -> Iterator[tuple[str, str, str]]:
    """Yield two facts of one kind, each in the other's place."""
    for one in facts:
        for other in facts:
            if one is not other and one.kind is other.kind and one.text != other.text:
                yield "swapped facts", one.text, other.text


def _displaced(facts: list[FactValue], composed: Composed, formats: Formats) -> Iterator[tuple[str, str, str]]:
    """Yield another amount or day of the same customer in a fact's place: each of them is right somewhere else."""
    mine = [value for _, value in _scalars(composed.data or {})]
    for fact in facts:
        for value in mine:
            if type(value) is type(fact.value) and isinstance(value, (Money, date)) and value != fact.value:
                try:
                    yield f"own {fact.kind} in another place", fact.text, _written(fact.kind, value, formats)
                except ComposeFailure:
                    continue  # a unit price has more digits than money is printed with
                break


def _fields(composed: Composed, others: Other, formats: Formats) -> Iterator[tuple[str, str, str]]:
    """Yield undeclared values: names, amounts of rows, dates in sentences."""
    data = composed.data or {}
    name = _at(data, "customer", "name")
    stranger = next(
        (
            their
            for other in others
            if isinstance(their := _at(other.data or {}, "customer", "name"), str) and their != name
        ),
        None,
    )
    if isinstance(name, str) and stranger:
        yield "name", name, stranger
    for path, value in _scalars(data):
        if isinstance(value, Money) and value.amount:
            step = Decimal(1).scaleb(-minor_digits(value.currency))
            wrong = Money(value.amount + step, value.currency)
            try:
                before, after = formats.money(value), formats.money(wrong)
            except ComposeFailure:
                continue  # as above
            if not _known(wrong, composed):
                yield f"one cent in {path}", before, after
        elif isinstance(value, date):
            wrong_day = value + timedelta(days=400)
            if not _known(wrong_day, composed):
                yield f"date in {path}", formats.date(value, "long"), formats.date(wrong_day, "long")


def _scalars(data: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _scalars(value, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(data, tuple):
        for value in data[:2]:
            yield from _scalars(value, path, depth + 1)
    else:
        yield path, data


def _parameters(composed: Composed) -> Iterator[tuple[str, object]]:
    yield from composed.communication.parameters.items()


def _at(data: object, *path: str) -> object:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _known(value: object, composed: Composed) -> bool:
    """Tell whether a value stands in the communication's own data: then it is no mistake to see it."""
    data = composed.data or composed.communication.data
    mine = [one for _, one in _every(data)]
    mine += [*(fact.value for fact in composed.facts), *composed.computed]
    mine += [*composed.communication.parameters.values(), composed.communication.issued_at.date()]
    return value in mine


def _every(data: object) -> Iterator[tuple[str, object]]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _every(value)
    elif isinstance(data, tuple):
        for value in data:
            yield from _every(value)
    else:
        yield "", data


def _formats(composed: Composed) -> Formats:
    one = composed.communication
    return formats_for(one.language, one.locale, one.zone)


def _written(kind: FactKind, value: object, formats: Formats) -> str:
    if isinstance(value, Money):
        return formats.money(value)
    if isinstance(value, date):
        return formats.date(value, "long")
    if isinstance(value, Decimal):
        return formats.percent(value) if kind is FactKind.PERCENT else formats.number(value)
    return str(value)


# ── whole sentences ──────────────────────────────────────────────────────────

_STALE = {
    "en": "Now only {amount} a month.", "de": "Jetzt nur {amount} im Monat.", "fr": "Seulement {amount} par mois.",
    "pl": "Teraz tylko {amount} miesięcznie.", "ar": "الآن فقط {amount} شهريًا.", "ja": "今なら月額{amount}。",
}  # fmt: skip
_STALE_DATE = {
    "en": "Until {day}.", "de": "Bis {day}.", "fr": "Jusqu’au {day}.", "pl": "Do {day}.", "ar": "حتى {day}.", "ja": "{day}まで。",
}  # fmt: skip
_LEAVING = re.compile(r"[^.!。؟?\n]*\bSTOP\b[^.!。\n]*[.!。]?")


def _in_texts(composed: Composed, rendition: Rendition, part: str, text: str, rng: random.Random) -> Iterator[Mistake]:
    """A stale translation with its price or day written out; a line for leaving that got lost."""
    language = Locale.parse(composed.communication.language, sep="-").language
    formats = _formats(composed)
    if part != "subject":
        amount = formats.money(Money(Decimal("19.99"), "EUR") if language != "ja" else Money(Decimal(1980), "JPY"))
        for kind, sentence in (
            ("stale price", _STALE[language].format(amount=amount)),
            ("stale share", _STALE[language].format(amount=formats.percent(Decimal(37)))),
            ("stale date", _STALE_DATE[language].format(day=formats.date(date(2024, 2, 13), "long"))),
        ):
            yield _mistake(kind, composed, rendition, part, _with_sentence(text, sentence, part))
    leave = "https://" in text and "unsubscribe" in text and part != "subject"
    if isinstance(rendition, SmsRendition) and _LEAVING.search(text):
        yield _mistake("opt-out line dropped", composed, rendition, part, _LEAVING.sub("", text))
    elif isinstance(rendition, EmailRendition) and leave:
        yield _mistake(
            "opt-out line dropped", composed, rendition, part, re.sub(r"https://\S*unsubscribe[^\s\"']*", "#top", text)
        )
    if isinstance(rendition, EmailRendition) and part == "html":
        targets = list(re.finditer(r'href="(https://[^"]+)"', text))
        target = rng.choice(targets)
        yield _mistake(
            "link target",
            composed,
            rendition,
            part,
            text[: target.start(1)] + "https://phish.example/x" + text[target.end(1) :],
        )


def _with_sentence(text: str, sentence: str, part: str) -> str:
    if part == "html":
        end = text.rfind("</p>") if "</p>" in text else text.rfind("</div>")
        return text[:end] + " " + _as_in(sentence, part) + text[end:]
    return f"{text.rstrip()} {sentence}" + ("\n" if text.endswith("\n") else "")


# ── documents ────────────────────────────────────────────────────────────────


def _in_document(composed: Composed, rendition: DocumentRendition, others: Other) -> Iterator[Mistake]:
    """Change the truth and leave the file: the document then tells one mistake."""
    alone = replace(composed, renditions=(rendition,))
    formats = _formats(composed)
    for fact in composed.facts:
        if Channel.DOCUMENT not in fact.channels and fact.channels:
            continue
        for kind, value in _wrong_values(fact.value, composed):
            right = replace(fact, value=value, text=_written(fact.kind, value, formats))
            yield Mistake(kind, "document", _with_truth(alone, fact, right))
        for kind, _, text in _wrong_texts(fact):
            yield Mistake(kind, "document", _with_truth(alone, fact, replace(fact, value=text, text=text)))
    for other in others:
        name = _at(other.data or {}, "customer", "name")
        if isinstance(name, str) and name != _at(composed.data or {}, "customer", "name"):
            data = {**(composed.data or {}), "customer": {**_record(composed, "customer"), "name": name}}
            data["address"] = {**_record(composed, "address"), "name": name}
            yield Mistake("name", "document", replace(alone, data=data))
            break
    for path, record, field, value in _amounts(composed.data or {}):
        step = Decimal(1).scaleb(-minor_digits(value.currency))
        wrong = Money(value.amount + step, value.currency)
        if not _said_elsewhere(value, composed, record, field):
            data = {**(composed.data or {}), record: {**_record(composed, record), field: wrong}}
            yield Mistake(f"one cent in {path}", "document", replace(alone, data=data))


def _record(composed: Composed, name: str) -> dict[str, object]:
    found = (composed.data or {}).get(name)
    return dict(found) if isinstance(found, dict) else {}


def _with_truth(composed: Composed, fact: FactValue, right: FactValue) -> Composed:
    """Return the communication with another fact and the field behind it changed alike."""
    facts = tuple(right if one is fact else one for one in composed.facts)
    return replace(composed, facts=facts, data=_replaced(composed.data, fact.value, right.value))  # type: ignore[arg-type]


def _replaced(data: object, before: object, after: object) -> object:
    if isinstance(data, dict):
        return {name: _replaced(value, before, after) for name, value in data.items()}
    if isinstance(data, tuple):
        return tuple(_replaced(value, before, after) for value in data)
    return after if type(data) is type(before) and data == before else data


def _amounts(data: object) -> Iterator[tuple[str, str, str, Money]]:
    """Yield the amounts of top-level records that documents of the sample print."""
    printed = {"invoice": ("net", "tax", "total"), "statement": ("opening_balance", "money_in", "money_out")}
    for record, names in printed.items():
        for name in names:
            value = _at(data, record, name)
            if isinstance(value, Money) and value.amount:
                yield f"{record}.{name}", record, name, value


def _said_elsewhere(value: Money, composed: Composed, record: str, field: str) -> bool:
    """Tell whether the same amount stands in the data a second time: then the document is right to tell it."""
    count = sum(one == value for _, one in _every(composed.data)) + sum(one == value for one in composed.computed)
    return count > 1 or any(fact.value == value for fact in composed.facts)


Chooser = Callable[[list[Mistake]], list[Mistake]]
