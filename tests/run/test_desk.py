"""Queues of a sender: how many intents, what goes into a group, what a stop leaves."""

from __future__ import annotations

from run.messages import BRAND, communication, made

from ccm.model.definitions import Channel
from ccm.model.records import PieceState, ReceiptStatus, StateChange
from ccm.run.circuit import ENOUGH, Circuit, TooManyFailed
from ccm.run.deciding import decide
from ccm.run.desk import Desk, SendJob
from ccm.testing.samples import NOON


def jobs(count: int, channels: tuple[Channel, ...] = (Channel.EMAIL,)) -> list[SendJob]:
    """Return composed communications."""
    found = [decide(made(communication(f"C-{number}", channels)), {}, BRAND)[1] for number in range(count)]
    return [job for job in found if job]


def answered(job: SendJob) -> list[StateChange]:
    """Return the answers to all pieces of a job."""
    return [StateChange(one.key, PieceState.ACCEPTED, NOON) for one in job.envelopes]


def test_at_most_a_window_is_in_doubt() -> None:
    """New intents come as older ones are answered, never more than the window without an answer."""
    desk = Desk({"email": 4}, window=8, low_water=4)
    desk.add(jobs(30))
    open_pieces, sent = 0, 0
    while not desk.quiet:
        group = desk.group()
        if group:
            assert group.durable is bool(group.intents)
            open_pieces += len(group.intents) - len(group.answers)
            assert open_pieces <= 8
            desk.written(group)
        if job := desk.take():
            desk.note(answered(job))
            sent += 1
    assert sent == 30


def test_a_communication_is_never_cut_in_two() -> None:
    """Intents of all its pieces are in one group, also when they alone are more than the window."""
    desk = Desk({}, window=2, low_water=1)
    desk.add(jobs(2, (Channel.EMAIL, Channel.SMS, Channel.DOCUMENT)))
    first = desk.group()
    assert first
    assert len(first.changes(NOON)) == 3
    desk.written(first)
    assert desk.group() is None
    job = desk.take()
    assert job
    desk.note(answered(job))
    second = desk.group()
    assert second
    assert len(second.intents) == 1


def test_without_intents_only_answers_are_written() -> None:
    """After a stop nothing new is begun; what was not begun can be taken back."""
    desk = Desk({}, window=8)
    desk.add(jobs(10))
    assert desk.group(intents=False) is None
    assert len(desk.drop_waiting()) == 10
    assert desk.quiet


def test_places_are_given_back() -> None:
    """No more hand-overs at a provider than it has places."""
    desk = Desk({"email": 2})
    assert [desk.enter("email"), desk.enter("email"), desk.enter("email")] == [True, True, False]
    desk.leave("email")
    assert desk.enter("email")


def test_the_circuit_looks_at_the_last_answers() -> None:
    """Half of the last hundred failed: the run stops, also after a million good ones; a few failures early mean nothing."""
    circuit = Circuit(0.5)
    for _ in range(1000):
        assert circuit.saw(ReceiptStatus.ACCEPTED) is None
    failures = [circuit.saw(ReceiptStatus.REJECTED) for _ in range(51)]
    assert failures[:50] == [None] * 50
    assert isinstance(failures[50], TooManyFailed)
    assert "failed_share" in failures[50].remedy
    young = Circuit(0.0)
    assert [young.saw(ReceiptStatus.UNKNOWN) for _ in range(ENOUGH - 1)] == [None] * (ENOUGH - 1)
    assert young.saw(ReceiptStatus.ACCEPTED)
