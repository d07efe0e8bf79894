"""What one value tells by itself: read once for each text, and amounts once for each way of writing.

A value whose meaning is closed is wholly one statement or tells nothing: it says the same wherever it stands between words
that join nothing to it.
"""

from __future__ import annotations

import html
import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias, cast

import regex

from ccm.check.comparable import comparable
from ccm.check.facts.statements import CODE, Said, Statement, may_date, statements
from ccm.check.facts.writing import Writing, writing_of
from ccm.check.shape import tells

Amounts: TypeAlias = tuple[tuple[Decimal, frozenset[str]], ...]

_NO_DIGIT = re.compile(r"\D+")
_EDGES = re.compile(r"[\s().,\-+]*")
_PLAIN_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_FEW = re.compile(r"[0-9]{1,5}(?:[.,][0-9]{1,2})?")  # tells nothing by itself, whatever the locale
_TOKENS = re.compile(r"[^\s,;:()\[\]/|+*·•-]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_OTHER_DIGITS = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)
_SIGNED = regex.compile(r"[%٪\p{Sc}]|percent|per cent|prozent|pour cent|por ciento|por cento|procent")
_MOST = 2_500  # values, and ways of writing, remembered for one language and locale


def unescaped(value: str) -> str:
    """Return what a value of HTML says; most hold a no-break space and nothing else that is escaped."""
    if "&" not in value:
        return value
    value = value.replace("&nbsp;", "\u00a0")
    return html.unescape(value) if "&" in value else value


def masked(text: str) -> str:
    """Return text with a naught for every digit.

    Why two ways: Looking up each sign of a text takes longer than replacing nine.
    """
    if text.isascii():
        return text.translate(_DIGITS)
    found = text
    for digit in "123456789":
        found = found.replace(digit, "0")
    return found if found is not text and found != text else text.translate(_DIGITS)


class _Naughts(dict[int, str]):
    """A naught for every digit of every script; each sign is looked at once, when it is met."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        found = self[code] = "0" if letter.isdecimal() else letter
        return found


_DIGITS = _Naughts()


class Sort(StrEnum):
    """How a value may be taken."""

    WORDS = "words"  # tells nothing, and nothing beside it
    NUMBER = "number"  # a plain number, which is not asked for its origin
    AMOUNT = "amount"
    OTHER = "other"  # one date, share, code or link and nothing else
    PARTED = "parted"  # numbers among words that part them from what stands before and after
    OPEN = "open"  # anything else: the line that it stands in must be read


class Meaning(NamedTuple):
    """One value, read.

    form: What two values share that read alike in every line: how they are written, without their digits.
    folded: Comparable and without case.
    plain: As it is written, unescaped.
    amounts: Readings of an amount.
    statements: What it tells, if that is no amount.
    """

    sort: Sort
    form: str
    folded: str
    plain: str
    amounts: Amounts = ()
    statements: tuple[Statement, ...] = ()


class Way(NamedTuple):
    """One way of writing an amount: everything but its digits. A plain number has no signs."""

    signs: tuple[tuple[int, frozenset[str]], ...]
    places: int
    simple: bool  # comparable but for its blanks


_PLAIN = Way((), 0, simple=True)


class AmongWords(NamedTuple):
    """One way of writing numbers among words: what a text tells hangs on the places of its digits, not on the digits.

    form: Of its meaning. codes: Where its codes begin and end; it tells nothing else.
    """

    form: str
    codes: tuple[tuple[int, int], ...]


class Meanings:
    """The meanings of values in one language for one locale."""

    def __init__(self, language: str, locale: str) -> None:
        self.tags = (language, locale)
        self.writing = writing_of(language, locale)
        self.known: dict[str, Meaning] = {}
        self.known_escaped: dict[str, Meaning] = {}
        self._ways: dict[str, Way | None] = {}
        self._among_words: dict[str, AmongWords] = {}
        self.written: dict[bytes, Way] = {}  # by the bytes of a text with a naught for every digit
        self.written_escaped: dict[bytes, Way] = {}

    def of(self, value: str) -> Meaning:
        """Return what a value tells."""
        known = self.known.get(value)
        if known is None:
            if len(self.known) >= _MOST:
                self.known.clear()
            known = self.known[value] = self._read(value)
        return known

    def of_escaped(self, value: str) -> Meaning:
        """Return what a value tells that is escaped for HTML."""
        known = self.known_escaped.get(value)
        if known is None:
            if len(self.known_escaped) >= _MOST:
                self.known_escaped.clear()
            known = self.known_escaped[value] = self.of(unescaped(value))
        return known

    def remember(self, mask: bytes, value: str, *, escaped: bool) -> bool:
        """Remember how a value is written, if nothing but its digits tells it from others; tell whether that is so."""
        if not all(map(str.isascii, filter(str.isdecimal, value))) or (escaped and "&" in value.replace("&nbsp;", "")):
            return False
        text = unescaped(value) if escaped else value
        way = _PLAIN if _FEW.fullmatch(text) else self._ways.get(masked(text))
        if way is not None:
            known = self.written_escaped if escaped else self.written
            if len(known) >= _MOST:
                known.clear()
            known[mask] = way
        return way is not None

    def _read(self, value: str) -> Meaning:
        mask = masked(value)
        if _FEW.fullmatch(value):
            return Meaning(Sort.NUMBER, mask, value, value)
        way = self._ways.get(mask)
        if way is None and mask not in self._ways and value.strip("0.,٬٫ \u00a0") != mask.strip("0.,٬٫ \u00a0"):
            if len(self._ways) >= _MOST:
                self._ways.clear()
            way = self._ways[mask] = self._way(value)
        if way is not None:
            return _amount(value, mask, way)
        among = self._among_words.get(mask)
        if among is not None and _OTHER_DIGITS.search(value) is None:
            return _parted_as(among, value)
        meaning = self._in_full(value, mask)
        if meaning.sort is Sort.PARTED:
            among = _numbers_among_words(value, mask, meaning, self.writing)
            if among is not None:
                if len(self._among_words) >= _MOST:
                    self._among_words.clear()
                self._among_words[mask] = among
        return meaning

    def _way(self, value: str) -> Way | None:
        """Return how an amount is written; None where the text is no amount, or its digits do not tell."""
        text = comparable(value)
        found = statements(text, *self.tags)
        if len(found) != 1 or found[0].said is not Said.AMOUNT or not found[0].readings or not _covers(found[0], text):
            return None
        readings = cast("Amounts", found[0].readings)
        digits = Decimal(_NO_DIGIT.sub("", value))
        for places in range(5):
            if digits and all(abs(amount) == digits.scaleb(-places) for amount, _ in readings):
                signs = tuple((1 if amount > 0 else -1, codes) for amount, codes in readings)
                return Way(signs, places, _blanked(value) == text.casefold())
        return None

    def _in_full(self, value: str, mask: str) -> Meaning:
        text = comparable(value)
        folded = text.casefold()
        found = statements(text, *self.tags)
        if not found and not tells(text):
            closed = not joins(text, self.writing)
            return Meaning(Sort.WORDS, "words", folded, value) if closed else Meaning(Sort.OPEN, text, folded, value)
        if not found and _PLAIN_NUMBER.fullmatch(text):
            return Meaning(Sort.NUMBER, mask, folded, value)
        if len(found) == 1 and found[0].readings and _covers(found[0], text):
            if found[0].said is Said.AMOUNT:
                return Meaning(Sort.AMOUNT, mask, folded, value, cast("Amounts", found[0].readings))
            return Meaning(Sort.OTHER, mask, folded, value, statements=found)
        form = _parted(text, self.writing)
        if form:
            return Meaning(Sort.PARTED, form, folded, value, statements=found)
        return Meaning(Sort.OPEN, text, folded, value, statements=found)


def _parted(text: str, writing: Writing) -> str:
    """Return how a text is written in which numbers stand among words; empty where its words may join something to a number.

    Words that join nothing part what is before them from what is after them, so the first and the last word are enough.
    """
    known = writing.currencies
    if joins(text, writing) or any(
        word in known or word.casefold() in known or word == "CFA" for word in _LETTERS.findall(text)
    ):
        return ""
    words = text.split(" ")
    return f"{_edge(words[0])} … {_edge(words[-1])}"


def _numbers_among_words(value: str, mask: str, meaning: Meaning, writing: Writing) -> AmongWords | None:
    """Return how a text with numbers among words is written; None where other digits could make it tell something else.

    Why these conditions: Only days that exist or not, and the numbers of amounts and shares, hang on what digits are. A text
    that could hold no date, whatever its digits, and holds codes alone tells codes at the same places with any digits.
    """
    found = meaning.statements
    if (
        _OTHER_DIGITS.search(value) is not None
        or comparable(value) != value
        or may_date(mask, writing)
        or any(one.said is not Said.CODE for one in found)
    ):
        return None
    words = list(CODE.finditer(value))
    texts = [word[0] for word in words]
    if any(texts.count(one.text) != 1 for one in found):
        return None
    return AmongWords(meaning.form, tuple(words[texts.index(one.text)].span() for one in found))


def _parted_as(way: AmongWords, value: str) -> Meaning:
    found = tuple([Statement(Said.CODE, code := value[begin:end], (code,)) for begin, end in way.codes])
    return Meaning(Sort.PARTED, way.form, value.casefold(), value, statements=found)


def _edge(word: str) -> str:
    form = masked(word)
    return _LETTERS.sub("a", form) if "0" in form else "a"


def _amount(value: str, mask: str, way: Way) -> Meaning:
    number = Decimal(_NO_DIGIT.sub("", value)).scaleb(-way.places)
    if len(way.signs) == 1:
        sign, codes = way.signs[0]
        amounts: Amounts = ((number if sign > 0 else -number, codes),)
    else:
        amounts = tuple((number if sign > 0 else -number, codes) for sign, codes in way.signs)
    folded = _blanked(value) if way.simple else comparable(value).casefold()
    return Meaning(Sort.AMOUNT, mask, folded, value, amounts)


def _blanked(value: str) -> str:
    return value.replace("\u00a0", " ").replace("\u202f", " ").casefold()


def _covers(statement: Statement, text: str) -> bool:
    before, found, after = text.partition(statement.text)
    return bool(found) and _EDGES.fullmatch(before) is not None and _EDGES.fullmatch(after) is not None


def joins(text: str, writing: Writing) -> bool:
    """Tell whether words may say something together with a number beside them: a currency, a month, a sign."""
    if not text:
        return False
    if not (text[0].isalnum() or text[0] in "\"'") or not (text[-1].isalnum() or text[-1] in "\"'.!?"):
        return True
    folded = text.casefold()
    if _SIGNED.search(folded) or names_month(text, writing):
        return True
    words = [word.rstrip(".!?") for word in _TOKENS.findall(text)]
    known = writing.currencies.keys()
    return not (known.isdisjoint(words) and known.isdisjoint(map(str.casefold, words)))


def names_month(text: str, writing: Writing) -> bool:
    """Tell whether a text names a month: a number beside it may be a day of it."""
    if writing.month is None:
        return False
    if writing.plain_months:
        return not writing.months.keys().isdisjoint(_LETTERS.findall(text.casefold()))
    return writing.month.search(text.lower()) is not None


@lru_cache(maxsize=256)
def meanings_for(language: str, locale: str) -> Meanings:
    """Return what was read of values so far; it is the same for every customer."""
    return Meanings(language, locale)
