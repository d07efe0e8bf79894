"""RECONCILE: a run's sums become its report, or the run does not balance. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ccm.diagnostics import Diagnostic, Location, Severity
from ccm.model.definitions import Channel
from ccm.model.orphans import OrphanRows
from ccm.model.records import OutcomeKind, PieceState, RunReport, RunTally


class Unbalanced(Exception):
    """Somebody was lost or counted twice; the numbers say which."""

    def __init__(self, run_id: str, addressed: int, outcomes: Mapping[OutcomeKind, int], undecided: int) -> None:
        self.addressed = addressed
        self.undecided = undecided
        self.remedy = "give the same command again; if it stays, keep the ledger and report it"
        sums = " + ".join(f"{outcomes.get(kind, 0)} {kind}" for kind in OutcomeKind)
        super().__init__(
            f"run {run_id} does not balance: {addressed} in, but {sums} = {sum(outcomes.values())}, "
            f"and {undecided} without an outcome; {self.remedy}"
        )


def reconcile(tally: RunTally) -> RunReport:
    """Make the report of a run.

    Args:
        tally: What the ledger summed up.
    Returns:
        The report. Of a run that was stopped or is still being executed, it may be unbalanced and says so.
    Raises:
        Unbalanced: If an execution ended and somebody has no outcome, or the sums differ.
    Why: A run that cannot account for everybody must not look finished.
    """
    report = RunReport(
        run_id=tally.run.run_id,
        campaign=tally.run.campaign,
        occurrence=tally.run.occurrence,
        release=tally.run.release,
        state=tally.run.state,
        started_at=tally.run.started_at,
        finished_at=tally.run.finished_at,
        read=tally.read,
        outside_segment=tally.outside_segment,
        outcomes={kind: tally.outcomes.get(kind, 0) for kind in OutcomeKind},
        reasons=tally.reasons,
        pieces=_by_channel(tally.pieces),
        totals=tally.totals,
        pages=tally.pages,
        segments=tally.segments,
        findings=tally.findings,
        slow_paths=tally.slow_paths,
        locales=tally.locales,
        broadcasts=tally.broadcasts,
        possible_duplicates=tally.possible_duplicates,
        opted_out=tally.opted_out,
        documents=tally.documents,
        taught=tally.taught,
        orphans=tally.orphans,
        last_read=tally.last_read,
    )
    ended = tally.run.finished_at is not None and tally.run.state != "stopped"
    if ended and (tally.undecided or not report.balanced):
        raise Unbalanced(report.run_id, report.addressed, report.outcomes, tally.undecided)
    return report


def warnings_of(report: RunReport) -> tuple[Diagnostic, ...]:
    """Return what of the source somebody should look at, although everybody in it is accounted for."""
    found = [_about_orphans(one) for one in report.orphans]
    complete = report.finished_at is not None and report.state in ("open", "closed")
    if complete and report.last_read is not None and report.last_read <= report.outside_segment:
        found.insert(0, _about_nobody(report))
    return tuple(found)


def _about_nobody(report: RunReport) -> Diagnostic:
    """Say that the last reading met nobody: an export that failed looks like a day without customers."""
    if report.last_read:
        message = f"none of the {report.last_read} recipients of the source is in the campaign's segment"
        remedy = "see whether the values that the segment asks for are written differently in the source"
    else:
        message = "the source has no rows, so nobody was written to"
        remedy = "see whether the export behind the source failed"
    place = Location(f"campaigns/{report.campaign}.yaml")
    stop = "; limits.least_recipients stops such a run"
    return Diagnostic("no-recipients", message, remedy + stop, place, Severity.WARNING)


def _about_orphans(orphans: OrphanRows) -> Diagnostic:
    places = ", ".join(map(str, orphans.places))
    return Diagnostic(
        "orphan-rows",
        f'rows of "{orphans.table}" that belong to no row of the main table: {orphans.rows} (the first: {places})',
        "see whether rows of the main table are missing or its keys are written differently; "
        "limits.orphan_rows stops such a run",
        orphans.places[0],
        Severity.WARNING,
    )


def _by_channel(pieces: Mapping[tuple[Channel, PieceState], int]) -> dict[Channel, dict[PieceState, int]]:
    grouped: dict[Channel, dict[PieceState, int]] = {}
    for channel in Channel:
        states = {state: pieces[channel, state] for state in PieceState if (channel, state) in pieces}
        if states:
            grouped[channel] = states
    return grouped
