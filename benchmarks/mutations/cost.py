"""What the proof costs on top of composing: both timed on the same messages, one after the other, warm."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from statistics import median
from typing import TypeVar, cast

from benchmarks.mutations.real import INVOICES, MONTHS, NOW, STATEMENTS, planned
from benchmarks.mutations.sample import NOW as SAMPLE_NOW
from benchmarks.mutations.sample import ROOT
from ccm.check import Authored, prove_facts
from ccm.compose import Composer
from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Composed, DocumentRendition, communication_id, piece_id
from ccm.model.values import Money, minor_digits
from ccm.model.workspace import Workspace
from ccm.run.prepare import Prepared, prepare

ROUNDS = 5  # the median of these is told
_WRITTEN = (Channel.EMAIL, Channel.SMS)
T = TypeVar("T")
S = TypeVar("S")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Cost:
    """Processor time of one core for one set of messages.

    compose_ms, proof_ms: Milliseconds for one communication, medians of the rounds.
    """

    messages: int
    compose_ms: float
    proof_ms: float

    @property
    def as_json(self) -> dict[str, object]:
        """Return the figures with what the proof adds, as a share of composing."""
        share = round(self.proof_ms / self.compose_ms, 3) if self.compose_ms else None
        return {
            "messages": self.messages,
            "compose_ms": round(self.compose_ms, 3),
            "proof_ms": round(self.proof_ms, 3),
            "on_top": share,
        }


def costs(real: Workspace | None, messages: int = 2000, *, documents: bool = True) -> Mapping[str, dict[str, object]]:
    """Measure email with text message, by campaign, and documents by their pages.

    Args:
        real: Workspace of the real data; its campaigns are left out where it is absent.
        messages: In one round; documents are few.
    """
    workspace, _ = load_workspace(ROOT)
    assert workspace is not None
    found: dict[str, dict[str, object]] = {}
    for name in sorted(workspace.campaigns):
        prepared = prepare(workspace, name, now=SAMPLE_NOW, ignore_schedule=True)
        found[name] = _measured(prepared, _written(planned(prepared, 0)), messages).as_json
    if real is not None:
        for name, month in ((STATEMENTS, MONTHS[-1]), (INVOICES, None)):
            prepared = prepare(real, name, now=NOW, occurrence=month, ignore_schedule=True)
            found[f"{name} (real)"] = _measured(prepared, _written(planned(prepared, 0)), messages).as_json
    if documents:
        found |= _documents(workspace)
    return found


def _written(communications: Iterable[Communication]) -> list[Communication]:
    cut = (
        replace(one, pieces=tuple(piece for piece in one.pieces if piece.channel in _WRITTEN)) for one in communications
    )
    return [one for one in cut if one.pieces]


def _measured(prepared: Prepared, communications: list[Communication], messages: int) -> Cost:
    """Measure after every structure was met once; each message is another one, and no text comes twice."""
    composer, authored = _parts(prepared)
    tiled = _tiled(communications)
    for one in itertools.islice(tiled, 2 * len(communications)):
        prove_facts(composer.compose(one), authored)
    rounds = []
    for _ in range(ROUNDS):
        batch = list(itertools.islice(tiled, messages // ROUNDS))
        made, composing = _timed(composer.compose, batch)
        _, proving = _timed(partial(prove_facts, authored=authored), made)
        rounds.append((composing / len(batch), proving / len(batch)))
    return Cost(messages // ROUNDS * ROUNDS, *(median(one) * 1000 for one in zip(*rounds, strict=True)))


def _documents(workspace: Workspace) -> Mapping[str, dict[str, object]]:
    """Measure statements of one and of three pages, each read as it is when it goes out."""
    prepared = prepare(workspace, "october-statement", now=SAMPLE_NOW, ignore_schedule=True)
    composer, authored = _parts(prepared)
    wanted: dict[int, Composed] = {}
    longest = sorted(planned(prepared, 10**6), key=lambda one: -len(one.data.get("transactions", ())))  # type: ignore[arg-type]
    for one in (*longest[:12], *longest[-3:]):
        pieces = tuple(piece for piece in one.pieces if piece.channel is Channel.DOCUMENT)
        composed = composer.compose(replace(one, pieces=pieces))
        for rendition in composed.renditions:
            if isinstance(rendition, DocumentRendition):
                wanted.setdefault(rendition.pages, composed)
    found: dict[str, dict[str, object]] = {}
    for pages, composed in sorted(wanted.items()):
        prove = partial(prove_facts, authored=authored)
        _timed(prove, [composed] * 3)
        rounds = [_timed(prove, [composed] * 10)[1] / 10 for _ in range(ROUNDS)]
        found[f"document of {pages} page{'s' if pages > 1 else ''}"] = {"proof_ms": round(median(rounds) * 1000, 2)}
    return found


def _parts(prepared: Prepared) -> tuple[Composer, Authored]:
    workspace = prepared.workspace
    parts = (prepared.template, prepared.brand, workspace.fragments, workspace.library)
    return Composer(*parts), Authored.of(*parts)


def _tiled(communications: list[Communication]) -> Iterable[Communication]:
    """Yield the communications round and round, each time for somebody new: other ids, other name, other amounts.

    Why: What was read once is remembered. The same customer over and over would make reading look cheaper than it is.
    """
    for number in itertools.count():
        one = communications[number % len(communications)]
        identity = communication_id(one.campaign, one.occurrence, f"{one.recipient_id}/{number}")
        pieces = tuple(replace(piece, piece_id=piece_id(identity, piece.channel)) for piece in one.pieces)
        data = cast("dict[str, object]", _another(one.data, number // len(communications)))
        yield replace(one, communication_id=identity, pieces=pieces, data=data)


def _another(value: object, turn: int, name: str = "") -> object:
    """Return data of the same structure with each amount some cents up and every name another one."""
    match value:
        case Money(amount=amount, currency=currency):
            return Money(amount + turn * Decimal(1).scaleb(-minor_digits(currency)), currency)
        case Mapping():
            return {key: _another(item, turn, key) for key, item in value.items()}
        case tuple():
            return tuple(_another(item, turn) for item in value)
        case str() if name == "name" and turn:
            return f"{value} {_LETTERS[turn // 26 % 26]}{_LETTERS[turn % 26].lower()}"
    return value


def _timed(work: Callable[[T], S], items: Iterable[T]) -> tuple[list[S], float]:
    """Return what the work gave, and the processor seconds that it took."""
    started = time.process_time()
    made = [work(one) for one in items]
    return made, time.process_time() - started
