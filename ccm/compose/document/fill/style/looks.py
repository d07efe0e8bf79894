"""Which kinds of elements the layout engine and we were seen to set alike.

Two structures are of one look when neither layout can tell them apart: the chain of tags, what attributes say beyond style,
and every computed value of the cascade are equal. A row that is the last one, or has a class that no rule asks for, is
another structure and the same look; a row in red, a new language or a colspan is another look.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

from ccm.compose.document.fill.tree.elements import Element

# What they change is in the computed style. A drawing's attributes say how it is drawn.
_STYLING = frozenset(("class", "style", "lang"))
_MOST_LOOKS = 5_000

Styles: TypeAlias = tuple[Any, Any, Any]  # of an element, of what stands before and behind its content
_Values: TypeAlias = tuple[object, ...]


class Looks:
    """The looks of one set of style sheets."""

    def __init__(self) -> None:
        self._known: dict[object, list[tuple[_Values, int]]] = {}
        self._count = 0  # for ever, so that a number never means two looks
        self._remembered = 0
        self._proved: set[int] = set()

    def of(self, element: Element, above: int, styles: Styles) -> int:
        """Return the look of an element.

        Args:
            above: The parent's; -1 without one.
        """
        if self._remembered >= _MOST_LOOKS:  # then nothing is, and is proved anew
            self._known.clear()
            self._proved.clear()
            self._remembered = 0
        said = element.attributes
        if element.tag != "svg":
            said = tuple([one for one in said if one[0] not in _STYLING])
        alike = self._known.setdefault((above, element.tag, said), [])
        values = tuple([value for style in styles for value in _values(style)])
        for other, look in alike:
            if other == values:
                return look
        self._count += 1
        self._remembered += 1
        alike.append((values, self._count))
        return self._count

    def prove(self, looks: Iterable[int]) -> None:
        """Take note that both layouts set elements of these looks alike."""
        self._proved.update(looks)

    def are_proved(self, looks: Iterable[int]) -> bool:
        """Tell whether all of them were compared."""
        return self._proved.issuperset(looks)


def _values(style: Any) -> _Values:
    return (None,) if style is None else tuple([style[name] for name in _names()])


@cache
def _names() -> tuple[str, ...]:
    from weasyprint.css.properties import INITIAL_VALUES

    return tuple(INITIAL_VALUES)
