"""What is left of messages that were proved, once their own values are put out of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ccm.check.facts.precedent import Precedent

_MOST = 20_000  # remembered for one template, brand and process
_TRIES = 512  # before a channel is given up whose messages are all different
_NOW_AND_THEN = 4  # one message in so many of a channel that was given up

Span: TypeAlias = tuple[int, int]
Ways: TypeAlias = dict[tuple[str, str, str], tuple[Span, ...]]  # by language, locale and form of a line


class Proved:
    """What is left of the messages that were proved, and whether looking there pays.

    ways: How lines of text without known pieces were met.
    safe: Lines of known pieces, by digest, number, language, locale and what stands in their places, that were found to
        tell just what their values tell by themselves.
    precedents: Messages that others are read by, the one that helped last first, by structure.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._tried: Counter[str] = Counter()
        self._met: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self.ways: Ways = {}
        self.safe: set[tuple[object, ...]] = set()
        self.precedents: dict[Hashable, list[Precedent]] = {}

    def __reduce__(self) -> tuple[type[Proved], tuple[()]]:
        """Leave behind what was learned: another process learns from its own messages."""
        return Proved, ()

    def pays(self, channel: str) -> bool:
        """Tell whether messages of a channel are alike often enough; where they are not, ask again now and then."""
        self._asked[channel] += 1
        tried, met = self._tried[channel], self._met[channel]
        return tried < _TRIES or met * 4 >= tried or self._asked[channel] % _NOW_AND_THEN == 0

    def holds(self, digest: int, channel: str) -> bool:
        """Tell whether a message that is alike was proved."""
        met = digest in self._known
        if self._tried[channel] >= 2 * _TRIES:  # what was long ago counts less
            self._tried[channel] //= 2
            self._met[channel] //= 2
        self._tried[channel] += 1
        self._met[channel] += met
        return met

    def add(self, digest: int) -> None:
        """Remember what was proved; start anew where there is too much of it."""
        if len(self._known) >= _MOST:
            self._known.clear()
            self.ways.clear()
            self.safe.clear()
        self._known.add(digest)
