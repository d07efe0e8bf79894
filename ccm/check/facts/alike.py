"""What was proved for one customer holds for another whose message is the same but for the facts' own values.

The output is read as it is; every fact, every field that the variant prints and the message's id are put out of it, and
what is left is compared with what was left of messages proved before. A value that is a cent off, or stands elsewhere,
leaves something else, and the whole proof is made. Nothing is taken over from a proof that leaned on one customer's data.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from ccm.check.shape import digest_of, values_between
from ccm.model.records import Composed, EmailRendition, Rendition, SmsRendition

# A control stands for each value: composing leaves none in a text, and a text stays small in memory.
_MARKS = [chr(code) for code in (*range(1, 9), *range(14, 32))]
_MOST = 20_000  # remembered for one template, brand and process
_TRIES = 64  # before a channel is given up whose messages are all different


Printed: TypeAlias = Mapping[str, tuple[tuple[str, ...], ...]]  # paths of fields that every message prints, by channel


class Proved:
    """What is left of the messages that were proved, and whether looking there pays."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._tried: Counter[str] = Counter()
        self._met: Counter[str] = Counter()

    def pays(self, channel: str) -> bool:
        """Tell whether messages of a channel are alike often enough: rows of a list make each one different."""
        return self._tried[channel] < _TRIES or self._met[channel] * 4 >= self._tried[channel]

    def holds(self, digest: bytes, channel: str) -> bool:
        """Tell whether a message that is alike was proved."""
        self._tried[channel] += 1
        met = digest in self._known
        self._met[channel] += met
        return met

    def add(self, digest: bytes) -> None:
        """Remember what was proved; start anew where there is too much of it."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known.add(digest)


def likeness(rendition: Rendition, composed: Composed, printed: Printed) -> bytes | None:
    """Return a digest of all that a rendition tells beside its own values; None where it cannot be compared."""
    match rendition:
        case EmailRendition(subject=subject, preheader=preheader, html=page, text=text, outline=outline):
            values = values_between(page, outline) if outline else None
            if values is None:
                return None
            left = "\x7f".join((digest_of(outline), subject, preheader, text, *values))
        case SmsRendition(text=text, alphabet=alphabet):
            left = f"{alphabet}\x7f{text}"
        case _:
            return None
    communication = composed.communication
    names = []
    for number, (name, value) in enumerate(_values(rendition, composed, printed)):
        names.append(name)
        if number >= len(_MARKS):
            return None
        mark = _MARKS[number]
        if mark in left:
            return None
        left = left.replace(value, mark)
    head = "\0".join((rendition.channel, communication.language, communication.locale, *names))
    return hashlib.sha256(f"{head}\0{left}".encode("utf-8", "surrogatepass")).digest()


def _values(rendition: Rendition, composed: Composed, printed: Printed) -> Iterator[tuple[str, str]]:
    """Yield what is put out of a rendition: longest first, so that no value tears another."""
    values = {f"facts.{fact.name}": fact.text for fact in composed.facts if fact.text}
    for path in printed.get(rendition.channel.value, ()):
        value: object = composed.data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) and len(value) > 1:
            values[".".join(path)] = value
    yield "id", composed.communication.communication_id
    yield from sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))
