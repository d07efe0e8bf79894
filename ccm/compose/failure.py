"""What composing says when a template or a value is wrong; becomes a `Finding` of one piece."""

from __future__ import annotations

from ccm.diagnostics import Location, Severity
from ccm.model.definitions import Channel
from ccm.model.records import Finding, PlannedPiece

# What is raised where a process has no memory left: code in C that was refused some says it in the second way. It passes
# through everything that would else blame a template, because who bounds the process must know.
NO_MEMORY = (MemoryError, SystemError)


class ComposeFailure(Exception):
    """One piece cannot be made. Owns its sentence, which never holds a customer's value.

    code: Of docs/errors.md.
    location: Where in a template, as far as it is known.
    """

    def __init__(self, code: str, message: str, remedy: str, location: Location | None = None) -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        self.location = location
        super().__init__(f"{code}: {message}; {remedy}")

    def as_finding(self, piece_id: str, channel: Channel, severity: Severity = Severity.ERROR) -> Finding:
        """Return the failure as what composing says about one piece."""
        return Finding(self.code, self.message, self.remedy, piece_id, channel, severity, self.location)


class FormatRefused(ComposeFailure):
    """A value cannot be written as the template asks."""


class LimitExceeded(ComposeFailure):
    """A template wants more steps, text or memory than it may have."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            "template-limit",
            f"the template makes more than {limit:,} {what}",
            "loop over the customer's own rows only, and build long texts in the template itself",
        )


def failed(piece: PlannedPiece, failure: ComposeFailure) -> Finding:
    """Return the finding of a piece that could not be made."""
    return failure.as_finding(piece.piece_id, piece.channel)
