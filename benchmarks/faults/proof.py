"""The suite proves itself: with each mutant in the sender, the part that should notice must fail."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults.disk import FAILING, fail_at, failing_points
from benchmarks.faults.kills import CONFIGURATIONS, SEED, Place, drawn, kill_at, points_of
from benchmarks.faults.lost_answers import answers_are_lost
from benchmarks.faults.mutants import MUTANTS, Mutant, NoLongerFits
from benchmarks.faults.power import CUT, cuts
from benchmarks.faults.simulation.history import play
from benchmarks.faults.simulation.many import quiet_logs, seeds
from benchmarks.faults.verbs import Cell, all_cells
from benchmarks.faults.verdict import Tally

SEEDS_FOR_A_MUTANT = 2_000
ATTEMPTS = 60  # kills before a mutant counts as escaped


@dataclass(frozen=True)
class Trial:
    """What became of one mutant.

    how: The first thing that was wrong, as the suite says it; empty where it escaped.
    """

    mutant: Mutant
    how: str
    tried: int

    @property
    def caught(self) -> bool:
        """Whether the suite failed."""
        return bool(self.how)


def tried(only: frozenset[str] = frozenset(), told: Callable[[Trial], None] = lambda trial: None) -> list[Trial]:
    """Try every mutant, or those with the names; `told` gets the trials of a part when it is through."""
    chosen = [one for one in MUTANTS.values() if not only or one.name in only]
    trials = []
    for part, prove in PROVERS.items():
        mine = [one for one in chosen if one.caught_by == part]
        if mine:
            for trial in prove(mine):
                told(trial)
                trials.append(trial)
    assert len(trials) == len(chosen), "a mutant that no part is for"
    return trials


def by_kills(mutants: list[Mutant]) -> list[Trial]:
    """Kill runs that carry a mutant until the strangers' store contradicts the ledger."""
    trials = []
    with Place(CONFIGURATIONS[1]) as place:
        points = [point for point in points_of(place) if point.call in ("sendto", "recvfrom", "pwrite64", "fdatasync")]
        for mutant in mutants:
            tally = Tally(mutant.name)
            for point in drawn(points, ATTEMPTS, random.Random(SEED)):
                kill_at(place, point, tally, mutant.name)
                if not tally.good:
                    break
            trials.append(trial_of(mutant, tally))
    return trials


def by_verbs(mutants: list[Mutant]) -> list[Trial]:
    """Let the server store a message and hang up before it answers."""
    return [trial_of(mutant, all_cells(mutant=mutant.name, cells=(Cell(".", "hang-up"),))[0]) for mutant in mutants]


def by_lost_answers(mutants: list[Mutant]) -> list[Trial]:
    """Post to a server that takes everything and never answers."""
    return [trial_of(mutant, answers_are_lost(mutant=mutant.name)[0]) for mutant in mutants]


def by_disk(mutants: list[Mutant]) -> list[Trial]:
    """Let writes of the ledger fail until something goes out that it does not know of."""
    trials = []
    with Place(FAILING) as place:
        points = [point for point in failing_points(place, 200) if point.call == "pwrite64"]
        for mutant in mutants:
            tally = Tally(mutant.name)
            for point in random.Random(SEED).sample(points, min(ATTEMPTS, len(points))):
                fail_at(place, point, tally, mutant.name)
                if not tally.good:
                    break
            trials.append(trial_of(mutant, tally))
    return trials


def by_power_cuts(mutants: list[Mutant]) -> list[Trial]:
    """Cut the power until somebody is reached twice."""
    trials = []
    with Place(CUT) as place:
        for mutant in mutants:
            tally = Tally(mutant.name)
            cuts(place, ATTEMPTS, 0, tally, mutant.name)
            trials.append(trial_of(mutant, tally))
    return trials


def by_simulation(mutants: list[Mutant]) -> list[Trial]:
    """Play histories until a promise is broken."""
    quiet_logs()
    trials = []
    for mutant in mutants:
        histories = (play(seed, mutant.name) for seed in seeds(SEEDS_FOR_A_MUTANT))
        tried, broken = next(
            ((number, one.broken) for number, one in enumerate(histories, 1) if one.broken), (SEEDS_FOR_A_MUTANT, "")
        )
        trials.append(Trial(mutant, broken, tried))
    return trials


def trial_of(mutant: Mutant, tally: Tally) -> Trial:
    """Return what a part made of a mutant.

    Raises:
        NoLongerFits: If the mistake was never made: the place that it changes is not used any more.
    """
    if not tally.mutant_fired:
        raise NoLongerFits(f"the mutant {mutant.name} changed nothing; mend it")
    if any("Traceback" in failure for failure in tally.failures):
        raise NoLongerFits(f"the mutant {mutant.name} breaks the command and not a promise: {tally.failures[0]}")
    return Trial(mutant, "" if tally.good else (tally.failures or ["somebody was reached twice"])[0], tally.kills)


PROVERS: dict[str, Callable[[list[Mutant]], list[Trial]]] = {
    "kills": by_kills,
    "verbs": by_verbs,
    "disk": by_disk,
    "ses": by_lost_answers,
    "power": by_power_cuts,
    "simulation": by_simulation,
}

__all__ = ["PROVERS", "Trial", "tried"]
