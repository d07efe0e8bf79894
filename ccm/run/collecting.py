"""How often Python looks for what only holds itself: rarely, while thousands of messages are made.

Why: A document leaves a few hundred texts in the memory of what is met again, and nothing in a circle. With Python's own
    figures these are walked through after every third document, and everything with them after every hundredth: a tenth of
    all time. Pages that the layout engine makes do leave circles, hundreds of thousands of objects each, so a look follows them
    as soon as ever; what waits is never more than `_WAITING` objects, some megabytes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_WAITING = 50_000  # objects that hold others and were made since the last look


def collect_rarely() -> None:
    """Look rarely from now on; for processes that only compose."""
    _, second, third = gc.get_threshold()
    gc.set_threshold(_WAITING, second, third)


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Look rarely for a while, then as often as before."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
