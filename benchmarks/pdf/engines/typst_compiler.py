"""Typst, warm: one compiler for all documents, texts formatted here and handed over as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import typst

from benchmarks.pdf.engines.values import day, lines_of, money, read

_SOURCE = Path(__file__).with_name("statement.typ")


class Engine:
    """The same design in Typst's own language."""

    def __init__(self, folder: Path) -> None:
        root = folder / "typst"
        root.mkdir(exist_ok=True)
        shutil.copy(_SOURCE, root / _SOURCE.name)
        shutil.copy(folder / "brands/north-bank/logo.svg", root)
        self._lines = lines_of(folder)
        self._compiler = typst.Compiler(
            input=str(root / _SOURCE.name),
            root=str(root),
            font_paths=[str(folder / "brands/north-bank/fonts")],
            ignore_system_fonts=True,
        )

    def make(self, start: int, count: int) -> Iterator[bytes]:
        """Make some documents."""
        for line in self._lines[start : start + count]:
            content = self._compiler.compile(format="pdf", sys_inputs={"statement": _texts(line)})
            assert isinstance(content, bytes)
            yield content


def _texts(line: str) -> str:
    values = read(line)
    statement = values["statement"]
    for name in ("opening", "money_in", "money_out", "closing"):
        statement[name] = money(statement[name])
    for name in ("starts_on", "ends_on"):
        statement[name] = day(statement[name], "long")
    for entry in values["entries"]:
        entry["booked_on"] = day(entry["booked_on"])
        entry["amount"], entry["balance"] = money(entry["amount"]), money(entry["balance"])
    return json.dumps(values, ensure_ascii=False)
