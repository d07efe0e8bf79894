"""What we say when something is wrong: place, what, remedy. Imports nothing of ours.

A `Diagnostic` is for the author of a file or the owner of a data row. It is a value that is
returned beside the result, all of them and not only the first; it is never raised.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What every `ccm` command returns to the shell."""

    FINE = 0  # nothing to complain about
    PROBLEMS = 1  # the command ran; it found problems or left pieces that were not accepted
    USAGE = 2  # the command line was wrong (click's own code)
    CONFIGURATION = 3  # the workspace or its settings have errors; nothing was sent
    OUTSIDE = 4  # a service, disk or network outside ccm failed
    INTERRUPTED = 130  # Ctrl-C; the same command goes on where it stopped


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # must be mended before the command can do its work
    WARNING = "warning"  # works, but a recipient may see something poor


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file.

    path: As the user knows it: relative to the workspace where possible.
    line: From 1; 0 means the whole file.
    column: From 1, in characters; 0 means the whole line.
    """

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.path]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake in a file or a data row.

    code: Stable kebab-case name, listed in docs/errors.md.
    message: One sentence, no personal data.
    remedy: What to do now; required, an error without a remedy is half an error.
    location: Where.
    severity: Error unless said otherwise.
    trace: The files that included the place, innermost first.
    """

    code: str
    message: str
    remedy: str
    location: Location
    severity: Severity = Severity.ERROR
    trace: tuple[Location, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.location}: {self.severity}[{self.code}]: {self.message}"]
        lines += [f"  included from {place}" for place in self.trace]
        lines.append(f"  fix: {self.remedy}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """Return a JSON-able form for `--json`."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "remedy": self.remedy,
            "path": self.location.path,
            "line": self.location.line,
            "column": self.location.column,
            "trace": [str(place) for place in self.trace],
        }


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether any diagnostic is an error."""
    return any(item.severity is Severity.ERROR for item in diagnostics)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt word most likely meant, or None."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a remedy sentence for an unknown name: the nearest one, or the list of all."""
    names = sorted(known)
    guess = nearest(word, names)
    if guess:
        return f'did you mean "{guess}"?'
    if not names:
        return "remove it; no name is allowed here"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"use one of: {shown}"
