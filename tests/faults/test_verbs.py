"""SMTP, verb by verb: what the server did decides what becomes of a piece. A sample of `make faults`."""

from __future__ import annotations

import pytest
from faults.fault_tools import needs

from benchmarks.faults.verbs import CELLS, Cell, all_cells

pytestmark = pytest.mark.timeout(900)  # whole runs, many of them: slow where others use the machine


def test_every_verb_has_every_fault() -> None:
    """7 verbs x 5 faults."""
    assert len(set(CELLS)) == 35


def test_every_refusal_and_hang_up_has_its_class() -> None:
    """A server that refuses for good or hangs up at any verb: the right class, nobody reached twice."""
    needs("smtp-sink")
    (tally,) = all_cells(quick=True)
    assert tally.kills == 11
    assert tally.good, tally.failures


def test_a_lost_answer_that_is_taken_for_a_refusal_is_noticed() -> None:
    """A sender that tries again when the answer to the final dot is lost fails this part."""
    needs("smtp-sink")
    (tally,) = all_cells(mutant="retry-on-timeout", cells=(Cell(".", "hang-up"),))
    assert tally.duplicated > 0
    assert not tally.good
