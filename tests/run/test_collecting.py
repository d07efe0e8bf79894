"""Promise: what holds itself in a circle is freed while a run goes on, and afterwards everything is as it was."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from ccm.run.collecting import _WAITING, collected_rarely


class _Circle:
    """Holds itself."""

    def __init__(self) -> None:
        self.own = self


def test_circles_are_freed_while_it_lasts() -> None:
    """However rarely: no more of them wait than fit into a few megabytes."""
    with collected_rarely():
        first = ref(_Circle())
        kept = []
        for _ in range(2 * _WAITING):
            kept.append([first])
            if first() is None:
                break
        assert first() is None
        assert len(kept) > 1_000


def test_afterwards_it_is_as_before() -> None:
    """Also where a run failed; a program that calls us has its own figures."""
    before = gc.get_threshold()
    with collected_rarely():
        assert gc.get_threshold()[0] == _WAITING
    assert gc.get_threshold() == before
    with pytest.raises(ValueError, match="stopped"), collected_rarely():
        raise ValueError("stopped")
    assert gc.get_threshold() == before
