"""What the layout engine would only have logged, caught for one rendering and turned into problems."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ccm.compose.document.layout_problem import LayoutProblem
from ccm.diagnostics import Severity

_LOGGER = logging.getLogger("weasyprint")
_LOCK = threading.Lock()

# Other checks report these with more detail: glyphs by the fonts that were used, files by the fetcher.
_SEEN_ELSEWHERE = (".notdef glyph", "Failed to load image", "Failed to load stylesheet", "Failed to load attachment")


@dataclass
class LayoutLog:
    """Keeps the records of the thread that made it, and keeps them from every other log.

    Why: The engine's records quote text of the document, which is a customer's, so they must not reach
    the application's handlers; and a record of a neighbouring thread belongs to another piece.
    """

    thread: int = field(default_factory=threading.get_ident)
    records: list[logging.LogRecord] = field(default_factory=list)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep own records and hold them back; let others pass."""
        if record.thread != self.thread:
            return True
        self.records.append(record)
        return False


@contextmanager
def captured_log() -> Iterator[LayoutLog]:
    """Catch the engine's records of this thread; leaves no filter and no level behind."""
    log = LayoutLog()
    with _LOCK:
        # A new list, never the old one changed: another thread may be walking it right now.
        _LOGGER.filters = [*_LOGGER.filters, log]
    try:
        yield log
    finally:
        with _LOCK:
            _LOGGER.filters = [each for each in _LOGGER.filters if each is not log]


def problems_of(records: Sequence[logging.LogRecord]) -> tuple[LayoutProblem, ...]:
    """Turn log records into problems, each kind once, in order of appearance."""
    found = (_problem(record) for record in records if record.levelno >= logging.WARNING)
    return tuple(dict.fromkeys(problem for problem in found if problem is not None))


def _problem(record: logging.LogRecord) -> LayoutProblem | None:
    pattern = str(record.msg)
    arguments = record.args if isinstance(record.args, tuple) else ()
    if pattern.startswith(_SEEN_ELSEWHERE):
        return None
    if pattern.startswith("Failed to render SVG"):
        return LayoutProblem("broken-image", "an SVG image could not be drawn", "open the image and save it anew")
    if pattern.startswith("Font-face"):
        return LayoutProblem(
            "font-not-loaded", "a font of the brand could not be loaded", "give the brand a whole TTF or OTF file"
        )
    if pattern.startswith("This row has more columns"):
        return LayoutProblem(
            "lost-cells",
            "a table row has more cells than the table has columns; they would not be printed",
            "give every row the same number of cells, counting colspan",
        )
    if pattern.startswith("No anchor"):
        return LayoutProblem(
            "broken-link",
            "a link points to a place that the document does not have",
            "give the target an id, or remove the link",
            Severity.WARNING,
        )
    # Only the constant part and the property's name: values may come from customer data.
    name = str(arguments[0]) if pattern.startswith("Ignored `%s") and arguments else ""
    detail = f'the CSS property "{name}"' if name else f"a part of the CSS ({pattern.split('%')[0].strip(' :(`')})"
    return LayoutProblem(
        "ignored-css",
        f"the layout engine ignored {detail}",
        "use a property and value that WeasyPrint supports",
        Severity.WARNING,
    )
