"""One seed, one history: chaos for a while, then calm; the promises are looked at all the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.faults.simulation.mutants import MUTANTS
from benchmarks.faults.simulation.people import Person, drawn_people, pieces_of
from benchmarks.faults.simulation.process import Process
from benchmarks.faults.simulation.world import Broken, World, places
from ccm.ledger.interface import LedgerError, RunBusy
from ccm.ledger.transitions import FINAL_OUTCOMES, TAKEN
from ccm.model.records import OutcomeKind, PieceState
from ccm.reconcile import reconcile
from ccm.testing.samples import RUN_ID

CHAOS_STEPS = (30, 260)
CALM_STEPS = 20_000
CALM_EXECUTIONS = 12
# What may happen between two small steps, and how often in a thousand.
EVENTS = {
    "kill": 6,
    "power-cut": 3,
    "freeze": 6,
    "another": 14,
    "clock-jump": 4,
    "time": 60,
    "renew": 20,
    "interrupt": 3,
    "opt-out": 5,
}


@dataclass
class History:
    """What one seed led to.

    broken: The first promise that was broken; empty when none was.
    """

    seed: str
    broken: str
    digest: str
    kills: int
    unknown: int
    steps: int


class Chaos:
    """Plays one history."""

    def __init__(self, seed: str) -> None:
        self.world = World(seed)
        self.rng = self.world.rng
        self.people: list[Person] = drawn_people(self.rng)
        self.of_piece = pieces_of(self.people)
        self.window = self.window_used = self.rng.choice((3, 4, 6, 32))
        self.deaf = False
        self.shrugs = False
        self.processes: list[Process] = []
        self.finals: dict[str, OutcomeKind] = {}
        self.kills = 0
        self._names = itertools.count(1)
        self._allowed_doubt = 0  # pieces that the next execution may find in doubt

    # ── playing ──────────────────────────────────────────────────────────

    def play(self) -> None:
        """Go through chaos into calm.

        Raises:
            Broken: If a promise was broken.
        """
        for _ in range(self.rng.randint(*CHAOS_STEPS)):
            self.happen()
            self.step()
        self.world.calm = True
        self.finish()
        self.judge()

    def happen(self) -> None:
        """Let one of the events come, or none."""
        draw = self.rng.random() * 1000
        for name, weight in EVENTS.items():
            draw -= weight
            if draw < 0:
                event: Callable[[], None] = getattr(self, "on_" + name.replace("-", "_"))
                event()
                return

    def step(self) -> None:
        """Let one process do one small thing; time passes where nobody can."""
        self.world.ticks += 1
        self.processes = [one for one in self.processes if not one.ended]
        awake = [one for one in self.processes if one.frozen_until <= self.world.seconds]
        if not awake:
            self.world.pass_time(self.rng.choice((0.5, 5, 30)))
            if not self.processes:
                self.on_another()
            return
        process = self.rng.choice(awake)
        choices = process.choices()
        if not choices:
            self.world.pass_time(self.rng.choice((0.1, 1, 10)))
            return
        self.rng.choice(choices)()
        if process.ended:
            self.look()

    def finish(self) -> None:
        """Let everything end, and give the same command until the run is closed."""
        executions = 0
        for _ in range(CALM_STEPS):
            self.step()
            self.processes = [one for one in self.processes if not one.ended]
            if self.processes:
                continue
            if self.is_closed():
                return
            executions += 1
            if executions > CALM_EXECUTIONS:
                raise Broken("G4: the same command does not close the run")
        raise Broken("G4: the run does not end")

    def is_closed(self) -> bool:
        """Whether the run needs no more; who cannot be composed stays held and keeps it open."""
        runs = self.world.store.runs()
        if not runs or self.world.store.tally(RUN_ID).undecided:
            return False
        held = {one.recipient_id for one in self.world.store.outcomes(RUN_ID, kinds=(OutcomeKind.HELD,))}
        hopeless = {one.communication.recipient_id for one in self.people if one.must_get_nothing}
        return runs[0].state == "closed" or (runs[0].state == "open" and bool(held) and held <= hopeless)

    # ── events ───────────────────────────────────────────────────────────

    def on_another(self) -> None:
        """Somebody gives the same command, also while another process has the run."""
        if len(self.processes) >= 4:
            return
        name = f"process-{next(self._names)}"
        try:
            process = Process(name, self.world, self.people, self.window_used, deaf=self.deaf, shrugs=self.shrugs)
        except RunBusy:
            self.world.pass_time(self.rng.choice((1, 20, 45)))
            return
        except LedgerError:
            return
        bound = max(self._allowed_doubt, places(self.world.providers))
        if process.found_sending > bound:
            raise Broken(f"G3: {process.found_sending} pieces in doubt, at most {bound} allowed")
        if not process.failed:  # otherwise the next one finds the same
            self._allowed_doubt = 0
        self.processes.append(process)

    def on_kill(self) -> None:
        """kill -9."""
        if self.processes:
            victim = self.rng.choice(self.processes)
            self.processes.remove(victim)
            self.kills += 1
            self.world.tell(victim.name, "is killed")
            self.forget(victim)
            self.look()

    def on_power_cut(self) -> None:
        """Everything dies, and the disk has what it was made to wait for."""
        for victim in self.processes:
            self.forget(victim)
        self.processes.clear()
        self.kills += 1
        self.world.tell("power cut")
        self.world.store = self.world.store.after_power_cut()
        self.world.store.doubt_intents(self.world.now)
        self._allowed_doubt = max(self.window, 3)
        self.finals = {}  # what was not on the disk may be decided again; arrivals are still counted
        self.look()

    def forget(self, victim: Process) -> None:
        """End the hand-overs of a dead process: nobody hears their answers."""
        for hand in victim.hands:
            if hand.answer is not None and hand.step is not None:
                self.world.providers[hand.step.provider].lost_caller(hand.step.envelope.key, hand.answer)  # type: ignore[union-attr]

    def on_freeze(self) -> None:
        """A process stands still, often longer than its lease."""
        if self.processes:
            victim = self.rng.choice(self.processes)
            victim.frozen_until = self.world.seconds + self.rng.choice((5, 50, 70, 200))
            self.world.tell(victim.name, "is frozen")

    def on_clock_jump(self) -> None:
        """One process's clock goes wrong."""
        if self.processes:
            victim = self.rng.choice(self.processes)
            victim.clock_offset = timedelta(seconds=self.rng.choice((-86_400, -3_600, -70, 70, 3_600, 86_400)))
            self.world.tell(victim.name, "has a wrong clock")

    def on_time(self) -> None:
        """Time passes."""
        self.world.pass_time(self.rng.choice((0.5, 2, 15, 61)))

    def on_renew(self) -> None:
        """A lease is kept."""
        awake = [one for one in self.processes if one.frozen_until <= self.world.seconds]
        if awake:
            self.rng.choice(awake).renew()

    def on_interrupt(self) -> None:
        """Ctrl-C."""
        if self.processes:
            self.rng.choice(self.processes).interrupt()

    def on_opt_out(self) -> None:
        """A recipient wants no more."""
        recipient = self.rng.choice(self.people).communication.recipient_id
        self.world.opted_out.setdefault(recipient, self.world.ticks)
        self.world.tell(recipient, "opts out")

    # ── promises ─────────────────────────────────────────────────────────

    def look(self) -> None:
        """What was final stays as it was, but for a doubt that was resolved (G4)."""
        for one in self.world.store.outcomes(RUN_ID):
            before = self.finals.get(one.communication_id)
            if before is not None and before is not one.kind and before is not OutcomeKind.UNKNOWN:
                raise Broken(f"G4: {one.recipient_id} was {before} and is {one.kind}")
            if one.kind in FINAL_OUTCOMES:
                self.finals[one.communication_id] = one.kind

    def judge(self) -> None:
        """Look at the end (G1, G2, G6)."""
        self.look()
        store = self.world.store
        outcomes = [one.communication_id for one in store.outcomes(RUN_ID)]
        if len(outcomes) != len(set(outcomes)) or len(outcomes) != len(self.people):
            raise Broken(f"G1: {len(outcomes)} outcomes for {len(self.people)} recipients")
        if not reconcile(store.tally(RUN_ID)).balanced:
            raise Broken("G1: the run does not balance")
        states = {piece.piece_id: piece.state for piece in store.pieces(RUN_ID)}
        for provider in self.world.providers.values():
            for key in provider.taken:
                if states.get(key) not in {*TAKEN, PieceState.UNKNOWN}:
                    raise Broken(f"G2: {key[:6]} arrived, and the ledger says {states.get(key)}")
                if self.of_piece[key].must_get_nothing:
                    raise Broken(f"G6: {key[:6]} went, and a required channel of the same message was never made")
        for key, state in states.items():
            if state in TAKEN and not any(key in one.taken for one in self.world.providers.values()):
                raise Broken(f"G1: {key[:6]} is called accepted and never arrived")


def play(seed: str, mutant: str = "") -> History:
    """Play one seed, with a mistake of ours if one is named."""
    chaos = Chaos(seed)
    if mutant:
        MUTANTS[mutant](chaos)
    broken = ""
    try:
        chaos.play()
    except Broken as error:
        broken = str(error)
    unknown = sum(1 for _ in chaos.world.store.pieces(RUN_ID, states=(PieceState.UNKNOWN,)))
    chaos.world.tell(broken or "kept")
    return History(seed, broken, chaos.world.digest, chaos.kills, unknown, chaos.world.ticks)
