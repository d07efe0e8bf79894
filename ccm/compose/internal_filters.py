"""Filters that the sandbox puts into templates by itself: steps counted, texts joined, numbers exact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from jinja2.runtime import Undefined
from markupsafe import Markup

from ccm.compose.calculations import MAX_ITEMS
from ccm.compose.failure import LimitExceeded
from ccm.compose.printing import RENDERING, StaticText, as_text, checked_size


def counted(values: Any) -> Any:
    """Return what a loop goes over, paid for in steps before the first round."""
    if isinstance(values, Undefined) or not isinstance(values, Iterable):
        return values  # the loop itself says what is wrong
    if not hasattr(values, "__len__"):
        values = _listed(values)
    RENDERING.get().spend(len(values))
    return values


def _listed(values: Iterable[Any]) -> list[Any]:
    listed = []
    for value in values:
        listed.append(value)
        if len(listed) > MAX_ITEMS:
            raise LimitExceeded("items in one list", MAX_ITEMS)
    return listed


def counted_step(_: int) -> str:
    """Pay for one include."""
    RENDERING.get().spend(1)
    return ""


def joined(first: Any, *others: Any) -> str:
    """Return texts joined by `~`: each as it would be printed."""
    rendering = RENDERING.get()
    parts = [value if isinstance(value, str) else as_text(value, rendering.formats) for value in (first, *others)]
    if any(isinstance(part, Markup) for part in parts):
        return checked_size(Markup("").join(parts))
    text = checked_size("".join(parts))
    return StaticText(text) if all(isinstance(part, StaticText) for part in parts) else text


def exact(text: str) -> Decimal:
    """Return a number written in a template as an exact decimal."""
    return Decimal(text)


def authored(value: Any) -> Any:
    """Return a text that authors wrote as static; anything else as it is."""
    return StaticText(value) if type(value) is str else value


INTERNAL_FILTERS: Mapping[str, Callable[..., Any]] = {
    "_counted": counted, "_counted_step": counted_step, "_joined": joined, "_exact": exact, "_authored": authored,
}  # fmt: skip
