"""The real slots and desk under chaos: thousands of seeds keep the promises, and a broken one is always the same."""

from __future__ import annotations

import pytest

from benchmarks.faults.simulation.history import play
from benchmarks.faults.simulation.many import REPLAYS, played, seeds
from benchmarks.faults.simulation.mutants import MUTANTS

SEEDS = 250
PATIENCE = 400  # seeds until a mutant must have been noticed


def test_histories_full_of_faults_keep_the_promises() -> None:
    """Kills, power cuts, frozen processes, wrong clocks, full disks, lost answers: nobody lost, nobody twice."""
    histories = played(seeds(SEEDS))
    assert [(one.seed, one.broken) for one in histories if one.broken] == []
    assert sum(one.kills for one in histories) > SEEDS // 2
    assert sum(one.unknown for one in histories) > 0


def test_a_seed_is_a_history() -> None:
    """The same seed gives the same history, ten times of ten; another seed gives another."""
    assert len({play("seed-7").digest for _ in range(REPLAYS)}) == 1
    assert play("seed-7").digest != play("seed-8").digest


@pytest.mark.parametrize("mutant", MUTANTS)
def test_every_mistake_is_noticed(mutant: str) -> None:
    """A sender with a known mistake breaks a promise within a few hundred seeds, and the same one each time."""
    broken = next((one for one in (play(seed, mutant) for seed in seeds(PATIENCE)) if one.broken), None)
    assert broken is not None, f"{mutant} was never noticed"
    assert {play(broken.seed, mutant).digest for _ in range(REPLAYS)} == {broken.digest}
