"""Reading and writing values the quick way: JSON lines, and the formats of one country by hand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.pdf.bank import JSON_LINES

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def lines_of(folder: Path) -> list[str]:
    """Return the statements, each as its JSON text."""
    return (folder / JSON_LINES).read_text(encoding="utf-8").splitlines()


def read(line: str) -> Any:
    """Return one statement's values."""
    return json.loads(line)


def money(amount: str) -> str:
    """Write pounds as in the United Kingdom."""
    value = float(amount)
    return f"-£{-value:,.2f}" if value < 0 else f"£{value:,.2f}"


def day(iso: str, style: str = "medium") -> str:
    """Write a day: 3 Oct 2026, or 3 October 2026."""
    one = date.fromisoformat(iso)
    month = _MONTHS[one.month - 1]
    return f"{one.day} {month if style == 'long' else month[:3]} {one.year}"
