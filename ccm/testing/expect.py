"""Expecting an error without depending on a test framework."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, TypeVar

_Error = TypeVar("_Error", bound=Exception)


class refused(Generic[_Error]):  # reads as a word: `with refused(LedgerError):`
    """Pass if the block raises this kind of error; fail if it raises nothing.

    error: What was raised, once the block is over.
    """

    def __init__(self, kind: type[_Error]) -> None:
        self._kind = kind
        self.error: _Error

    def __enter__(self) -> refused[_Error]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            raise AssertionError(f"{self._kind.__name__} was not raised")
        if not isinstance(error, self._kind):
            return False
        self.error = error
        return True
