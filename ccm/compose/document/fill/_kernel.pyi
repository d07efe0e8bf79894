# What `_kernel.c` gives, where it was compiled.

from collections.abc import Callable
from typing import Any, TypeVar

from ccm.compose.document.fill.joining import Part
from ccm.compose.document.fill.kernel_in_python import Place
from ccm.compose.document.fill.run import Run as Run

_Content = TypeVar("_Content")

class Joiner:
    def __new__(
        cls, kind_of: Callable[[int], int], whole: Callable[[str, bool], Part | None], face: int, size: float
    ) -> Joiner: ...
    def run(self, text: str) -> Run | None: ...
    def contents(
        self,
        column: tuple[str, ...],
        known: dict[str, _Content],
        young: dict[str, _Content],
        other: Callable[[str], _Content],
        most_known: int,
        most_young: int,
    ) -> list[_Content]: ...
    def forget(self) -> None: ...

def widest(column: tuple[object, ...]) -> float | None: ...
def place_row(
    contents: tuple[object, ...],
    lines: list[object] | None,
    baselines: tuple[float, ...],
    top: float,
    places: list[Place],
    heights: tuple[float, ...],
    across: list[float],
    down: list[float],
    runs: list[Run],
) -> bool: ...
def place_rows(
    rows: list[Any],
    tops: list[float],
    says: list[Any],
    at: int,
    named: int,
    places: dict[Any, list[Place]],
    kinds: list[Any],
    across: list[float],
    down: list[float],
    runs: list[Run],
) -> int: ...
def narrowest(column: tuple[object, ...], words: dict[str, float]) -> tuple[float, list[Any]]: ...
def read_rows(source: str, at: int, shapes: list[Any], rows: list[Any]) -> int: ...
def show_rows(
    forms: list[bytes],
    mark: int,
    across: list[float],
    down: list[float],
    runs: list[Run],
    show: Callable[[Run], object],
) -> tuple[bytes, list[Run]]: ...
def show_areas(places: list[float]) -> bytes: ...
