"""One module for each engine that makes the statements; `ENGINES` names them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol


class Engine(Protocol):
    """Makes statements of a folder that `bank.build` wrote."""

    def make(self, start: int, count: int) -> Iterator[bytes]:
        """Make some documents from their data, one after the other: values read, formatted, laid out, written."""


# Name → module, arguments, documents in a round. Slow ones make fewer, so that a round takes seconds for everybody.
ENGINES: dict[str, tuple[str, dict[str, Any], int]] = {
    "ccm": ("filled", {}, 0),
    "ccm, Python alone": ("uncompiled", {}, 0),
    "weasyprint": ("weasyprint_loop", {}, 6),
    "weasyprint, tagged": ("weasyprint_loop", {"pdf_variant": "pdf/ua-1"}, 6),
    "weasyprint, tuned": ("filled", {"fill": False}, 6),
    "typst": ("typst_compiler", {}, 40),
    "plutoprint, tuned": ("plutoprint_book", {}, 60),
    "reportlab": ("reportlab_platypus", {}, 60),
}
STATES = {
    "ccm": "PDF/A-3a and PDF/UA-1, filled",
    "ccm, Python alone": "the same, without the compiled loops",
    "weasyprint": "a plain loop, untagged",
    "weasyprint, tagged": "a plain loop, PDF/UA-1",
    "weasyprint, tuned": "PDF/A-3a and PDF/UA-1; style sheet and fonts used again, collector paused",
    "typst": "one compiler for all, tagged",
    "plutoprint, tuned": "fonts by fontconfig instead of @font-face, untagged",
    "reportlab": "platypus, untagged",
}


def engine(name: str, folder: Path) -> Engine:
    """Make an engine ready for a folder of statements."""
    module, arguments, _ = ENGINES[name]
    made: Engine = import_module(f"benchmarks.pdf.engines.{module}").Engine(folder, **arguments)
    return made
