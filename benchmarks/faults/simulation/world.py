"""The world around a sender: time, providers that lose answers, a ledger that a power cut makes forget."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.ledger.interface import LedgerError, RunBusy
from ccm.ledger.memory import MemoryLedger
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, PieceState, Receipt, ReceiptStatus, StateChange
from ccm.testing.samples import NOON, RUN_ID


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Answer:
    """What a provider's answer will be, once it comes."""

    receipt: Receipt | None = None
    error: DeliveryError | None = None


class Provider(Adapter):
    """A provider of the world; counts what it took.

    kind: plain, deduplicates or looks-up.
    """

    def __init__(self, name: str, kind: str, places: int, world: World) -> None:
        self.name = name
        self.kind = kind
        self.world = world
        self.capabilities = Capabilities(  # type: ignore[misc]
            channels=tuple(Channel),
            deduplicates=kind == "deduplicates",
            looks_up=kind == "looks-up",
            concurrency=places,
        )
        self.taken: Counter[str] = Counter()
        self.doubtful: set[str] = set()  # handed over, and no proof that it was refused
        self.under_way: Counter[str] = Counter()

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Provider:
        """Never configured."""
        raise DeliveryError(provider, "lives in a simulation", "do not configure it", retriable=False)

    def deliver(self, envelope: Envelope) -> Receipt:
        """Never called: hand-overs take two steps here."""
        raise NotImplementedError

    def look_up(self, key: str) -> Receipt | None:
        """Tell what it has, if this kind tells, and if its index is up to date."""
        if self.kind != "looks-up" or key not in self.taken or self.world.drawn(0.2):
            return None
        return Receipt(key, ReceiptStatus.ACCEPTED, self.name, f"id-{key}")

    def hand_over(self, envelope: Envelope) -> Answer:
        """Take a piece, or not; the answer comes later, if whoever asked is still alive."""
        key = envelope.key
        if self.kind != "deduplicates" and (key in self.doubtful or self.under_way[key]):
            raise Broken(f"G2: {key[:6]} is handed over again, and nothing proves that it was refused")
        self.under_way[key] += 1
        fate = self.world.fate()
        if self.kind == "deduplicates" and key in self.taken and fate == "rejected":
            fate = "accepted"  # it answers as it did the first time
        if fate in ("accepted", "answer-lost"):
            self.take(key)
        if fate in ("accepted", "answer-lost", "lost"):
            self.doubtful.add(key)
        return self.answer(key, fate)

    def take(self, key: str) -> None:
        """Take responsibility for a piece."""
        if self.kind == "deduplicates" and key in self.taken:
            return
        self.taken[key] += 1
        if self.taken[key] > 1:
            raise Broken(f"G2: {key[:6]} arrived twice")

    def lost_caller(self, key: str, answer: Answer) -> None:
        """Nobody hears the answer of a hand-over; whoever comes next cannot know it."""
        self.under_way[key] -= 1
        self.doubtful.add(key)

    def answer(self, key: str, fate: str) -> Answer:
        """Put a fate into the words of an adapter."""
        match fate:
            case "accepted":
                return Answer(Receipt(key, ReceiptStatus.ACCEPTED, self.name, f"id-{key}"))
            case "answer-lost" | "lost":
                return Answer(Receipt(key, ReceiptStatus.UNKNOWN, self.name))
            case "rejected":
                return Answer(Receipt(key, ReceiptStatus.REJECTED, self.name))
            case "deferred":
                return Answer(Receipt(key, ReceiptStatus.DEFERRED, self.name))
            case "asks-to-wait":
                wait = float(self.world.rng.choice((1, 25, 3600)))
                return Answer(Receipt(key, ReceiptStatus.DEFERRED, self.name, retry_after_seconds=wait))
        return Answer(error=DeliveryError(self.name, "down", "wait", retriable=fate == "unreachable"))


FATES = ("accepted", "answer-lost", "lost", "rejected", "deferred", "asks-to-wait", "unreachable", "unusable")
WEIGHTS = (60, 6, 4, 4, 10, 3, 6, 1)
_Call = tuple[str, tuple[Any, ...], dict[str, Any]]


class Store(MemoryLedger):
    """The ledger's twin with a disk under it: a power cut forgets commits that did not wait for it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._log: list[_Call] = []
        self._durable = 0  # so many calls are on the disk
        self._inside = False
        self.forgetful = False  # a mistake: what a sender is about to do is not written
        self.fenced = True

    def claim_run(self, *args: Any, **options: Any) -> Any:
        """Claim, durably."""
        return self._kept("claim_run", args, options, durable=True)

    def renew_lease(self, *args: Any, **options: Any) -> None:
        """Renew; the disk may wait."""
        self._kept("renew_lease", args, options, durable=False)

    def close_run(self, *args: Any, **options: Any) -> None:
        """Close, durably."""
        self._kept("close_run", args, options, durable=True)

    def save(self, *args: Any, **options: Any) -> None:
        """Save, durably."""
        self._kept("save", args, options, durable=True)

    def advance(self, *args: Any, **options: Any) -> None:
        """Advance as told."""
        self._kept("advance", args, options, durable=options["durable"])

    def settle(self, *args: Any, **options: Any) -> None:
        """Settle, durably."""
        self._kept("settle", args, options, durable=True)

    def record(self, run_id: str, changes: Sequence[StateChange], *args: Any, **options: Any) -> None:
        """Record as told."""
        if self.forgetful:
            changes = [one for one in changes if one.state not in (PieceState.INTENT, PieceState.SENDING)]
        self._kept("record", (run_id, changes, *args), options, durable=options["durable"])

    def _hold(self, run_id: str, owner: str) -> Any:
        return super()._hold(run_id, owner if self.fenced else str(self.owner))

    def _kept(self, name: str, args: tuple[Any, ...], options: dict[str, Any], *, durable: bool) -> Any:
        method: Callable[..., Any] = getattr(super(), name)
        if self._inside:
            return method(*args, **options)
        disk = self._world.disk_fault(name)
        if disk == "full":
            raise LedgerError("the disk is full", "free space")
        self._inside = True
        try:
            result = method(*args, **options)
        except RunBusy:
            self._log.append((name, args, options))  # it shortens a lease that a wrong clock made too long
            raise
        finally:
            self._inside = False
        self._log.append((name, args, options))
        if disk == "lies":
            raise LedgerError("the disk fails", "look at it")
        if durable:
            self._durable = len(self._log)
        return result

    def after_power_cut(self) -> Store:
        """Return what is there when the power comes back: every durable commit, and some of those after it."""
        kept = self._world.rng.randint(self._durable, len(self._log))
        found = Store(self._world)
        found.forgetful, found.fenced = self.forgetful, self.fenced
        found._inside = True
        for name, args, options in self._log[:kept]:
            with suppress(RunBusy):
                getattr(MemoryLedger, name)(found, *args, **options)
        found._inside = False
        found._log, found._durable = self._log[:kept], kept
        return found

    @property
    def owner(self) -> str | None:
        """Whoever holds the run."""
        return self._runs[RUN_ID].owner if RUN_ID in self._runs else None

    def doubt_intents(self, now: datetime) -> None:
        """After another start of the machine an intent may have been sent: the ledger's promise on power cuts."""
        owner = self.owner
        if owner is None:
            return
        doubtful = [piece.piece_id for piece in self.pieces(RUN_ID, states=(PieceState.INTENT,))]
        changes = [StateChange(ident, PieceState.SENDING, now) for ident in doubtful]
        if changes:
            self._inside = True
            MemoryLedger.advance(self, RUN_ID, changes, owner=owner, durable=True)
            self._inside = False
            self._log.append(("advance", (RUN_ID, changes), {"owner": owner, "durable": True}))
            self._durable = len(self._log)


@dataclass
class World:
    """Everything outside the sender.

    calm: Nothing goes wrong any more.
    opted_out: When recipients did, in ticks.
    ticks: Small steps so far.
    story: What happened, in order; its digest tells two histories apart.
    """

    seed: str
    rng: random.Random = field(init=False)
    now: datetime = NOON
    seconds: float = 0.0
    calm: bool = False
    disk_is_bad: float = 0.0
    story: list[str] = field(default_factory=list)
    providers: dict[str, Provider] = field(default_factory=dict)
    opted_out: dict[str, int] = field(default_factory=dict)
    ticks: int = 0
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.store = Store(self)
        self.disk_is_bad = self.rng.choice((0.0, 0.0, 0.0, 0.01, 0.05))
        kinds = ("plain", "plain", "deduplicates", "looks-up")
        for name in ("email", "sms", "document"):
            self.providers[name] = Provider(name, self.rng.choice(kinds), self.rng.randint(1, 3), self)

    def drawn(self, chance: float) -> bool:
        """Draw whether something happens."""
        return self.rng.random() < chance

    def fate(self) -> str:
        """Draw what a provider makes of a piece."""
        return "accepted" if self.calm else self.rng.choices(FATES, WEIGHTS)[0]

    def disk_fault(self, name: str) -> str:
        """Draw whether the disk refuses, or says that it refuses and keeps it all the same."""
        if self.calm or name == "claim_run" or not self.disk_is_bad or not self.drawn(self.disk_is_bad):
            return ""
        return self.rng.choice(("full", "lies"))

    def pass_time(self, seconds: float) -> None:
        """Let time go on."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def tell(self, *words: object) -> None:
        """Write down what happened."""
        self.story.append(" ".join(map(str, words)))

    @property
    def digest(self) -> str:
        """Hash of the whole history."""
        return hashlib.sha256("\n".join(self.story).encode()).hexdigest()


def places(providers: Mapping[str, Provider] | Sequence[Provider]) -> int:
    """Return how many hand-overs there can be at once."""
    many = providers.values() if isinstance(providers, Mapping) else providers
    return sum(one.concurrency for one in many)
