"""Values that are told by no name: what each tells, and where in the data that comes from."""

from __future__ import annotations

from ccm.check.facts.known import Known
from ccm.check.facts.meaning import Meaning, Sort, Way
from ccm.check.facts.origin import Origins, Path, follows, value_on
from ccm.model.values import Money

_NOWHERE: Path = ()


class Traced:
    """One value of a message that was proved, and the ways to what explained it.

    path: The way that is gone first; empty where none is sure.
    """

    __slots__ = ("_paths", "path")

    def __init__(self, meaning: Meaning, origins: Origins) -> None:
        self._paths = origins.of(meaning)
        self.path = self._paths[0] if self._paths else _NOWHERE

    def is_amount(self, number: int, way: Way, known: Known) -> bool:
        """Tell whether an amount that is written in a known way is the customer's own."""
        value = value_on(known.roots, self.path)
        if type(value) is Money:
            for sign, codes in way.signs:
                if value.currency in codes and value.amount.scaleb(way.places) == sign * number:
                    return True
        return False

    def explains(self, meaning: Meaning, known: Known) -> bool:
        """Tell whether what a value tells follows from the customer's data."""
        if self.path and follows(meaning, value_on(known.roots, self.path)):
            return True
        if meaning.sort is Sort.AMOUNT:
            explained = known.has_amount(meaning.amounts)
        else:
            explained = (
                not meaning.statements
                or known.is_near_text(meaning.plain)
                or all(map(known.explains, meaning.statements))
                or meaning.plain in known.own_texts
            )
        if explained and self.path and meaning.sort is not Sort.WORDS:
            self._retrace(meaning, known)
        return explained

    def _retrace(self, meaning: Meaning, known: Known) -> None:
        """Keep the ways that led to the value this time, too."""
        here = known.origins.of(meaning)
        self._paths = tuple(path for path in self._paths if path in here)
        self.path = self._paths[0] if self._paths else _NOWHERE
