"""One thing that is wrong with a laid-out page, before it is tied to a piece."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ccm.diagnostics import Severity
from ccm.model.definitions import Channel
from ccm.model.records import Finding

DIFFERS = "fill-differs"  # of a page that filling and the layout engine make differently; it stops the run


@dataclass(frozen=True)
class LayoutProblem:
    """A fault of one rendering; an error means that nothing may go out.

    message: No personal data.
    """

    code: str
    message: str
    remedy: str
    severity: Severity = Severity.ERROR

    def as_finding(self, piece_id: str, channel: Channel) -> Finding:
        """Tie the problem to a piece."""
        return Finding(self.code, self.message, self.remedy, piece_id, channel, self.severity)


def prevents_output(problems: Iterable[LayoutProblem]) -> bool:
    """Tell whether any problem is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)
