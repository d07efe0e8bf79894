"""Texts and amounts that break layouts, and customers whose data are made of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

from ccm.model.records import Communication
from ccm.model.values import Money

TEXTS = (
    "O’Brien-Łódź & Söhne <GmbH>", "<b>bold</b><script>alert(1)</script>", "</td></tr></table>", "&amp; &lt;p&gt; &nbsp;", '"quoted" \'single\'',
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "W" * 60, "i" * 120, "a b " * 30, "1,234.56 " * 12,
    "office affluent fjord ffi fl ﬁne", "AVATAR To. Ty, We' LT", "e\u0301 n\u0303 combining", "soft\u00adhyphen\u00adation in the middle of it",
    "no\u00a0break\u00a0space and thin\u2009space", "zero\u200bwidth\u200bspace", "word\u2060joiner", "slash/slash/slash-dash-dash–en—em", "tab\there  two  spaces ",
    " leading and trailing ", "two\nlines", "{{ 7*7 }} {% raw %}", "${jndi:ldap://x}", "C:\\path\\to\\nowhere", "https://a.example/?q=1&r=2#x", "mail@a.example",
    "€ £ ¥ ₹ ₿ ¢", "№ ™ ® © § ¶ † ‡ … ‰", "½ ¼ ² ³ µ ± × ÷", "“ ” ‘ ’ « » „ ‚", "√∑∞≈≠≤≥", "\ufeffbyte order mark", "\u202eright to left", "مرحبا", "日本語", "Ελληνικά", "Кириллица",
    "ǅ ĳ ŉ ſ", "ÅÄÖ åäö ßẞ", "Žluťoučký kůň", "İstanbul ıI", "-", "—", ".", "0", "٣", "👩‍👩‍👧", "\u200b", "(a)(b)[c]{d}", "%s %d %n", "a" + "\u0308" * 5, "x₂ x² CO₂",
)  # fmt: skip
AMOUNTS = (
    "0",
    "-0.01",
    "0.01",
    "0.005",
    "-0.005",
    "999999999.99",
    "-123456789.01",
    "1000",
    "999.995",
    "12345.67",
    "0.1",
    "-1000000",
)


def strings(shared: Path) -> tuple[str, ...]:
    """Return our own texts and the collection of naughty strings, where the shared data are there."""
    collection = shared / "vectors/naughty/blns.json"
    more = json.loads(collection.read_text("utf-8")) if collection.exists() else []
    return (*TEXTS, *(one for one in more if one))


def hostile(
    communications: Sequence[Communication], texts: Sequence[str], fonts: Iterable[bytes], seed: int = 7
) -> list[Communication]:
    """Return communications with data of hostile texts and amounts; every text is somewhere.

    A third of a list's records is hostile, and all texts of the customer are; days and codes stay. One of eight gets
    texts with signs that the fonts lack, and texts in columns that do not wrap: nothing may be made of most of these. All
    others can be printed.
    """
    draw = random.Random(seed)
    signs = {sign for font in fonts for sign in TTFont(BytesIO(font), lazy=True).getBestCmap()}
    printable = [text for text in texts if all(ord(sign) in signs or sign in " \n\t" for sign in text)]
    wild, tame = _Deck(draw, texts), _Deck(draw, printable)
    return [
        replace(one, data=_Change(draw, *((wild, _KEPT) if at % 8 == 7 else (tame, _NARROW))).of(one.data))
        for at, one in enumerate(communications)
    ]


class _Deck:
    """Gives every text once before any comes again."""

    def __init__(self, draw: random.Random, texts: Sequence[str]) -> None:
        self._draw, self._texts, self._waiting = draw, list(texts), list[str]()

    def next(self) -> str:
        """Return the next text."""
        if not self._waiting:
            self._waiting = self._draw.sample(self._texts, len(self._texts))
        return self._waiting.pop()


_KEPT = ("id", "currency", "country", "kind", "number", "account", "postal_code")  # codes, and words of a given list
_NARROW = (
    *_KEPT,
    "reference",
    "invoice",
    "item",
)  # their columns do not wrap: a long text makes a table wider than its page


@dataclass(frozen=True)
class _Change:
    draw: random.Random
    deck: _Deck
    kept: tuple[str, ...]

    def of(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return a customer's data with other texts and amounts."""
        changed: dict[str, Any] = {}
        for name, value in data.items():
            if isinstance(value, tuple):
                value = tuple(self._record(one) if self.draw.random() < 0.33 else one for one in value)
            elif isinstance(value, Mapping):
                value = self._record(value)
            changed[name] = value
        return changed

    def _record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in record.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if name in self.kept else self.deck.next()
        if isinstance(value, Money):
            return Money(Decimal(self.draw.choice(AMOUNTS)).quantize(Decimal("0.01")), value.currency)
        if isinstance(value, Decimal):
            return Decimal(self.draw.choice(AMOUNTS))
        return self.draw.choice((0, 1, -1, 12, 80995, -80995)) if name == "quantity" else value
