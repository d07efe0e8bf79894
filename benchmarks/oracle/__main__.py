"""`python -m benchmarks.oracle`: compose the real data and compare; exit code 1 on any difference."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.oracle.build import PROJECT, build
from benchmarks.oracle.compare import compare_invoice, compare_statement
from benchmarks.oracle.expected import Statement, invoices, statements
from benchmarks.oracle.places import country_code
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Exclusion, ExclusionReason
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare
from ccm.run.workers import Made, MakerParts, Window, Workers

NOW = datetime(2012, 1, 2, 9, tzinfo=UTC)  # after every invoice of the data
SHOWN = 10  # differences listed per part


@dataclass
class Count:
    """How many messages of one kind are as they must be, and which ones are not."""

    name: str
    equal: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    differing: dict[str, list[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, ident: str, parts: Iterable[tuple[str, str]]) -> None:
        """Take up one message."""
        wrong = []
        for part, difference in parts:
            self.parts[part] += 1
            if difference:
                wrong.append(f"{part}: {difference}")
        if wrong:
            self.differing[ident] = wrong
        else:
            self.equal += 1

    def line(self) -> str:
        """Return the result in one line, and by part."""
        parts = ", ".join(f"{count} {part}" for part, count in self.parts.items())
        total = self.equal + len(self.differing)
        return f"{self.name}: checked {total} equal {self.equal} differing {len(self.differing)} ({parts})"


def main() -> int:
    """Run the comparison."""
    options = _options()
    shared = Path(os.environ.get("CCM_SHARED_DATA") or PROJECT.parent / "shared" / "data").resolve()
    if not shared.is_dir():
        print(f"no shared data at {shared}; set CCM_SHARED_DATA", file=sys.stderr)
        return 3
    folder = build(Path(options.out).resolve() / "workspace", shared)
    workspace, diagnostics = load_workspace(folder)
    for diagnostic in diagnostics:
        print(diagnostic, file=sys.stderr)
    if workspace is None:
        return 3
    counts = []
    if options.only != "invoices":
        counts += list(_statements(workspace, shared, options))
    if options.only != "statements":
        counts.append(_invoices(workspace, shared, options))
    return _result(counts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.oracle", description=__doc__)
    parser.add_argument("--month", help="statements of one month only, such as 2010-12")
    parser.add_argument("--pdf-month", default="2011-02", help="month whose statements are made as PDFs too")
    parser.add_argument("--no-pdf", action="store_true", help="no PDFs of statements")
    parser.add_argument("--invoices", type=int, default=0, help="how many invoices; all if 0")
    parser.add_argument("--only", choices=["statements", "invoices"], help="one of the two parts")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="composing processes")
    parser.add_argument("--out", default=str(PROJECT / "out" / "oracle"), help="folder of the workspace that is built")
    return parser.parse_args()


def _statements(workspace: Workspace, shared: Path, options: argparse.Namespace) -> Iterator[Count]:
    pdf_month = "" if options.no_pdf else options.pdf_month
    expected = statements(shared, pdf_month or "none")
    for month in [options.month] if options.month else sorted(expected):
        document = month == pdf_month
        prepared = prepare(workspace, "statement-of-account", now=NOW, occurrence=month, ignore_schedule=True)
        wanted = expected.get(month, {})
        count = Count(f"statements {month}")

        def check(
            made: Made, count: Count = count, wanted: Mapping[str, Statement] = wanted, document: bool = document
        ) -> None:
            customer = made.composed.communication.recipient_id
            known = wanted.get(customer)
            parts = compare_statement(made, known, document=document) if known else [("all", "no such customer-month")]
            count.add(customer, parts)

        communications = _planned(prepared, count, without=() if document else (Channel.DOCUMENT,))
        _compose(prepared, communications, check, options.workers, 4 if document else 50, count.name)
        _missing(count, wanted, count.equal + len(count.differing))
        yield count


def _invoices(workspace: Workspace, shared: Path, options: argparse.Namespace) -> Count:
    names = _country_names()
    expected = invoices(shared, names)
    prepared = prepare(workspace, "store-invoices", now=NOW, ignore_schedule=True)
    count = Count("invoices")

    def check(made: Made) -> None:
        number = made.composed.communication.occurrence
        known = expected.get(number)
        count.add(number, compare_invoice(made, known) if known else [("all", "no such invoice")])

    communications = _planned(prepared, count)
    if options.invoices:
        communications = itertools.islice(communications, options.invoices)
    _compose(prepared, communications, check, options.workers, 4, count.name)
    if not options.invoices:
        _missing(count, expected, count.equal + len(count.differing))
    return count


def _planned(prepared: Prepared, count: Count, without: tuple[Channel, ...] = ()) -> Iterator[Communication]:
    """Load and plan.

    Real customers have real mistakes in their addresses. Planning leaves them out, which is counted and told; their
    messages are composed and compared all the same, because amounts are what is proved here.
    """
    everyone = replace(prepared.brief, ignore_exclusions=True)
    for recipient in load_recipients(prepared.workspace, prepared.campaign, period=prepared.period):
        decision = next(plan([recipient], prepared.brief))
        if isinstance(decision, Exclusion):
            if decision.reason is ExclusionReason.NOT_IN_SEGMENT:
                continue
            count.left_out[f"{decision.reason}: {decision.detail}"] += 1
            decision = next(plan([recipient], everyone))
        if isinstance(decision, Communication):
            # An email cannot be made without an address; nobody reads this one.
            wanted = (piece for piece in decision.pieces if piece.channel not in without)
            pieces = tuple(replace(piece, address=piece.address or "nobody@example.org") for piece in wanted)
            yield replace(decision, pieces=pieces)
        else:
            count.add(recipient.recipient_id, [("plan", f"left out: {decision.reason}")])


def _compose(
    prepared: Prepared,
    communications: Iterator[Communication],
    check: Callable[[Made], None],
    processes: int,
    size: int,
    name: str,
) -> None:
    """Compose in several processes, check each message as it comes, and tell how far it is."""
    workers = Workers(MakerParts.of(prepared), processes)
    done, started, told = 0, time.monotonic(), time.monotonic()
    try:
        for _, results in workers.make(_windows(communications, size)):
            for made in results:
                check(made)
            done += len(results)
            if time.monotonic() - told > 5:
                told = time.monotonic()
                print(f"  {name}: {done} composed, {done / (told - started):.1f} a second", file=sys.stderr, flush=True)
    finally:
        workers.close()


def _windows(communications: Iterator[Communication], size: int) -> Iterator[Window]:
    while window := tuple(itertools.islice(communications, size)):
        yield Window(window)


def _missing(count: Count, wanted: Iterable[str], seen: int) -> None:
    """Count who should have got a message and did not."""
    expected = len(list(wanted))
    for number in range(seen, expected):
        count.add(f"missing {number - seen + 1}", [("all", "no message was made")])


def _country_names() -> dict[str, str]:
    names = ["Argentina", "Australia", "Austria", "Belgium", "Brazil", "Canada", "Chile", "Czech Republic", "Denmark"]
    names += ["Finland", "France", "Germany", "Hungary", "India", "Ireland", "Italy", "Netherlands", "Norway", "Poland"]
    names += ["Portugal", "Spain", "Sweden", "USA", "United Kingdom"]
    return {name: country_code(name) for name in names}


def _result(counts: list[Count]) -> int:
    for count in counts:
        print(count.line())
        for reason, number in count.left_out.items():
            print(f"  a run would leave out {number}: {reason}")
        for ident, wrong in itertools.islice(count.differing.items(), SHOWN):
            print(f"  {ident}: {'; '.join(wrong)}")
    equal = sum(count.equal for count in counts)
    differing = sum(len(count.differing) for count in counts)
    print(f"checked {equal + differing} equal {equal} differing {differing}")
    return 1 if differing or not equal else 0


if __name__ == "__main__":
    sys.exit(main())
