"""`ccm report`: a run's sums in the terminal, as JSON, or as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.table import Table

from ccm.cli.terminal import fail, json_option, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import nearest
from ccm.model.records import Outcome, RunReport
from ccm.reconcile import warnings_of

SHOWN = 8  # lines in the terminal about recipients who must be looked after


@click.command("report")
@click.argument("run_id", required=False)
@click.option("--open", "open_page", is_flag=True, help="Open the HTML page in the browser.")
@workspace_option
@json_option
@with_errors
def command(run_id: str | None, open_page: bool, folder: Path | None, as_json: bool) -> None:
    """Show a run's report: in = accepted + rejected + suppressed + held + unknown, control totals, pages, segments.

    Without RUN_ID: the newest run. Also writes the HTML page.

    Example: ccm report october-statement.2026-10 --open
    """
    from ccm.run import run_attention, run_report, workspace_ledger
    from ccm.studio.report import ATTENTION_ROWS, write_report

    workspace = open_workspace(folder, quiet=True, lint=False)
    ledger = workspace_ledger(workspace)
    try:
        known = [run.run_id for run in ledger.runs()]
    finally:
        ledger.close()
    if not known:
        fail("the ledger knows no run yet", "start one with: ccm run CAMPAIGN")
    chosen = run_id or known[0]
    if chosen not in known:
        guess = nearest(chosen, known)
        fail(f'the ledger knows no run "{chosen}"', f"did you mean {guess}?" if guess else "list them with: ccm status")
    report = run_report(workspace, chosen)
    attention = run_attention(workspace, chosen, ATTENTION_ROWS)
    page = write_report(workspace, report, attention)
    if as_json:
        print_json(report_as_json(report, attention))
    else:
        print_report(report, attention)
        out.print(f"report: {page}")
    if open_page:
        click.launch(str(page))


def report_as_json(report: RunReport, attention: Sequence[Outcome]) -> dict[str, object]:
    """Return a JSON-able form; amounts are texts, so that nothing is rounded."""
    return {
        "run_id": report.run_id,
        "campaign": report.campaign,
        "occurrence": report.occurrence,
        "release": report.release,
        "state": report.state,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat() if report.finished_at else None,
        "read": report.read,
        "outside_segment": report.outside_segment,
        "in": report.addressed,
        "balanced": report.balanced,
        "outcomes": {str(kind): count for kind, count in report.outcomes.items()},
        "reasons": dict(report.reasons),
        "pieces": {
            str(channel): {str(state): count for state, count in states.items()}
            for channel, states in report.pieces.items()
        },
        "totals": [
            {"fact": fact, "channel": str(channel), "currency": currency, "amount": str(amount)}
            for (fact, channel, currency), amount in sorted(report.totals.items())
        ],
        "possible_duplicates": report.possible_duplicates,
        "opted_out_pieces": report.opted_out,
        "pages": report.pages,
        "segments": report.segments,
        "findings": dict(report.findings),
        "slow_paths": dict(report.slow_paths),
        "documents": {
            "made": report.documents,
            "filled": report.filled,
            "compiled": dict(report.taught),
            "full": report.in_full,
        },
        "locales": dict(report.locales),
        "orphan_rows": [
            {"table": one.table, "rows": one.rows, "places": [str(place) for place in one.places]}
            for one in report.orphans
        ],
        "warnings": [one.as_json() for one in warnings_of(report)],
        "attention": [
            {
                "recipient": item.recipient_id,
                "outcome": str(item.kind),
                "reason": item.reason,
                "detail": item.detail,
                "until": item.until.isoformat() if item.until else None,
            }
            for item in attention
        ],
    }


def print_report(report: RunReport, attention: Sequence[Outcome]) -> None:
    """Print the sums on stdout, and the first of those whom somebody must look after."""
    out.print(f"[bold]{report.run_id}[/]  {report.release}  {report.state}")
    sums = " + ".join(f"{count} {kind}" for kind, count in report.outcomes.items())
    mark = "[green]balanced[/]" if report.balanced else "[bold red]NOT BALANCED[/]"
    outside = f"  ({report.read} read, {report.outside_segment} outside the segment)" if report.outside_segment else ""
    out.print(f"in {report.addressed} = {sums}  {mark}{outside}")
    for warning in warnings_of(report):
        out.print(str(warning), style="yellow", markup=False)
    out.print(_pieces(report))
    if report.totals:
        out.print(_totals(report))
    out.print(f"{report.pages} pages · {report.segments} SMS segments · {len(report.locales)} locales")
    if report.opted_out:
        out.print(
            f"{report.opted_out} held pieces wait for nothing: their recipients left in time, or get nothing any more"
        )
    if report.possible_duplicates:
        out.print(f"[bold]{report.possible_duplicates} pieces were sent again by order and may have arrived twice[/]")
    if report.documents:
        out.print(documents_line(report), markup=False)
    for title, counts in (("why not", report.reasons), ("findings", report.findings), ("slow", report.slow_paths)):
        if counts:
            out.print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))

    _print_attention(report, attention)


def documents_line(report: RunReport) -> str:
    """Say how documents were made: filled, filled after the layout engine had shown how, or by the layout engine alone."""

    def some(title: str, counts: Mapping[str, int]) -> str:
        why = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        return f"{sum(counts.values())} {title}" + (f" ({why})" if why else "")

    return f"documents: {report.filled} filled · {some('compiled', report.taught)} · {some('full', report.in_full)}"


def _print_attention(report: RunReport, attention: Sequence[Outcome]) -> None:
    for item in attention[:SHOWN]:
        until = f" until {item.until:%Y-%m-%d %H:%M} UTC" if item.until else ""
        out.print(f"{item.kind} {item.recipient_id}: {item.reason}{until} {item.detail}".rstrip(), markup=False)
    more = sum(report.outcomes.get(kind, 0) for kind in {item.kind for item in attention}) - SHOWN
    if more > 0:
        out.print(f"… and {more} more; the report page and --json list them")


def _pieces(report: RunReport) -> Table:
    states = sorted({state for counts in report.pieces.values() for state in counts})
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("channel")
    for state in states:
        table.add_column(str(state), justify="right")
    for channel, counts in report.pieces.items():
        table.add_row(str(channel), *(str(counts.get(state, 0)) for state in states))
    return table


def _totals(report: RunReport) -> Table:
    channels = sorted({channel for _, channel, _ in report.totals})
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("control total")
    table.add_column("currency")
    for channel in channels:
        table.add_column(str(channel), justify="right")
    for fact, currency in sorted({(fact, currency) for fact, _, currency in report.totals}):
        cells = (report.totals.get((fact, channel, currency)) for channel in channels)
        table.add_row(fact, currency, *("–" if cell is None else f"{cell:,}" for cell in cells))
    return table
