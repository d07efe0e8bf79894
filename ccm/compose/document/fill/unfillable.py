"""Why a document takes the full path through the layout engine."""

from __future__ import annotations


class Unfillable(Exception):
    """Something that filling does not know; the layout engine takes the document.

    reason: Names markup or CSS, never a value.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
