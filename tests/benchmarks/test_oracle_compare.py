"""The comparison with the oracle can fail: one cent, one line, one day, one digit of a number is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.oracle.__main__ import NOW, _country_names
from benchmarks.oracle.build import build
from benchmarks.oracle.compare import compare_invoice, compare_statement
from benchmarks.oracle.expected import Invoice, Statement, invoices, statements
from ccm.load import load_recipients, load_workspace
from ccm.model.records import Communication
from ccm.model.workspace import Workspace
from ccm.plan import plan
from ccm.run.prepare import prepare
from ccm.run.workers import Made, Maker, MakerParts

pytestmark = [pytest.mark.data, pytest.mark.slow]
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def space(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace, diagnostics = load_workspace(
        build(tmp_path_factory.mktemp("oracle") / "workspace", shared_data.resolve())
    )
    assert workspace is not None, diagnostics
    assert diagnostics == ()
    return workspace


def make(space: Workspace, campaign: str, customer: str, occurrence: str | None = None) -> Made:
    prepared = prepare(space, campaign, now=NOW, occurrence=occurrence, ignore_schedule=True)
    recipients = load_recipients(space, prepared.campaign, period=prepared.period, only=customer)
    planned = next(plan(recipients, prepared.brief))
    recipients.close()  # type: ignore[attr-defined]  # a generator: gives its staging back at once
    assert isinstance(planned, Communication)
    return Maker(MakerParts.of(prepared)).make(planned)


def test_a_wrong_invoice_is_found_in_every_part(space: Workspace, shared_data: Path) -> None:
    """An invoice of a German customer equals the data; each seeded mistake is found wherever it is told."""
    made = make(space, "store-invoices", "2")
    right = invoices(shared_data, _country_names())[made.composed.communication.occurrence]
    parts = ["email html", "email text", "sms", "pdf", "attachment"]
    assert list(compare_invoice(made, right)) == [(part, "") for part in parts]
    some_line = next(iter(right.lines))
    mutants: list[Callable[[Invoice], Invoice]] = [
        lambda one: replace(one, total=one.total + CENT),
        lambda one: replace(one, number=one.number + "0"),
        lambda one: replace(one, day=one.day + timedelta(days=1)),
        lambda one: replace(one, lines=one.lines + Counter([some_line])),
        lambda one: replace(one, lines=one.lines - Counter([some_line])),
    ]
    found = [[part for part, difference in compare_invoice(made, mutant(right)) if difference] for mutant in mutants]
    without_sms = [part for part in parts if part != "sms"]
    assert found == [parts, parts, parts, without_sms, without_sms]


def test_a_wrong_statement_is_found_in_every_part(space: Workspace, shared_data: Path) -> None:
    """A month with a credit note equals the oracle; one cent in any sum or line is found."""
    right = statements(shared_data, "2011-02")["2011-02"]["14606"]
    assert right.credited < 0
    made = make(space, "statement-of-account", "14606", "2011-02")
    parts = ["email html", "email text", "sms", "pdf"]
    assert list(compare_statement(made, right, document=True)) == [(part, "") for part in parts]
    mutants: list[Callable[[Statement], Statement]] = [
        lambda one: replace(one, net=one.net - CENT),
        lambda one: replace(one, invoiced=one.invoiced + CENT),
        lambda one: replace(one, credited=-one.credited),
        lambda one: replace(one, lines=one.lines + Counter([CENT])),
    ]
    found = [
        [part for part, difference in compare_statement(made, mutant(right), document=True) if difference]
        for mutant in mutants
    ]
    assert found == [parts, parts, parts, ["pdf"]]
