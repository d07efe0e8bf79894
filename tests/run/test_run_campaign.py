"""The shell as a library: whole runs of a small workspace, with what can go wrong around them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from run.messages import BRAND, communication, made
from run.small_workspace import CAMPAIGN, CCM, people, person, small_workspace

from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, OutcomeKind, PieceState, Receipt, ReceiptStatus, StateChange
from ccm.model.workspace import Workspace
from ccm.run import (
    ConfigurationFault,
    Progress,
    RunOptions,
    preview_customer,
    run_attention,
    run_campaign,
    run_report,
)
from ccm.run.deciding import decide
from ccm.run.unknowns import resolve_lost_answers
from ccm.testing import FixedClock, MemoryLedger, RecordingAdapter, sample_run
from ccm.testing.samples import RUN_ID

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def loaded(root: Path) -> Workspace:
    """Load a workspace that has no errors."""
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace
    assert not diagnostics
    return workspace


def written(root: Path) -> list[Path]:
    """Return what a run leaves behind."""
    return [path for path in (root / "outbox", root / "archive", root / ".ccm" / "ledger.db") if path.exists()]


def test_a_run_tells_its_progress_and_report(tmp_path: Path) -> None:
    """The listener hears of everybody, and the report can be had again later."""
    workspace = loaded(small_workspace(tmp_path, [*people(4), person(5, balance="x")]))
    heard: list[Progress] = []
    report = run_campaign(workspace, "news", RunOptions(NOW), listener=heard.append)
    assert report.outcomes[OutcomeKind.ACCEPTED] == 4
    assert (heard[-1].done, heard[-1].pieces) == (5, 8)
    assert run_report(workspace, "news.once") == report
    (held,) = run_attention(workspace, "news.once", 10)
    assert (held.recipient_id, held.kind) == ("P-005", OutcomeKind.HELD)
    with pytest.raises(LookupError):
        run_report(workspace, "news.twice")


def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    """More composing processes change nothing of what goes out."""
    sent = []
    for workers in (1, 2):
        root = small_workspace(tmp_path / str(workers), people(5))
        assert run_campaign(loaded(root), "news", RunOptions(NOW, workers=workers)).balanced
        sent.append({path.name: path.read_bytes() for path in (root / "outbox").rglob("*") if path.is_file()})
    assert len(sent[0]) == 20
    assert sent[0] == sent[1]


def kill_first_child(stop: threading.Event) -> None:
    """Kill the first composing process that appears."""
    parent = psutil.Process()
    while not stop.is_set():
        for child in parent.children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.send_signal(signal.SIGKILL)
                return
        time.sleep(0.005)


def test_a_killed_composing_process_costs_nothing(tmp_path: Path) -> None:
    """Another one takes its place, and what it was at is made again: everybody gets the message once."""
    workspace = loaded(small_workspace(tmp_path, people(5)))
    stop = threading.Event()
    killer = threading.Thread(target=kill_first_child, args=(stop,))
    killer.start()
    try:
        report = run_campaign(workspace, "news", RunOptions(NOW, workers=2))
    finally:
        stop.set()
        killer.join()
    assert report.outcomes[OutcomeKind.ACCEPTED] == 5
    assert len(list((tmp_path / "outbox" / "sms").glob("*.txt"))) == 5


def test_first_of_several_channels(tmp_path: Path) -> None:
    """Policy FIRST: who has no email gets the SMS, and the one whose email cannot be made does too."""
    campaign = CAMPAIGN.replace("  together: [email]\n  optional: [sms]", "  together: [email, sms]\n  policy: first")
    rows = [person(1), person(2, email=""), person(3, name="Ann \U000f0000")]
    root = small_workspace(tmp_path, rows, campaigns__news_dot_yaml=campaign)
    report = run_campaign(loaded(root), "news", RunOptions(NOW))
    assert report.outcomes[OutcomeKind.ACCEPTED] + report.outcomes[OutcomeKind.HELD] == 3
    assert report.pieces[Channel.EMAIL][PieceState.ACCEPTED] >= 1
    assert report.pieces[Channel.SMS][PieceState.ACCEPTED] >= 1
    assert len(list((tmp_path / "outbox" / "sms").glob("*.txt"))) == report.pieces[Channel.SMS][PieceState.ACCEPTED]


def test_a_missing_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable is named, never a value; nothing is composed or sent."""
    monkeypatch.delenv("CCM_TEST_FOLDER", raising=False)
    settings = CCM.replace("{folder: outbox}", "{folder: '${CCM_TEST_FOLDER}'}")
    workspace = loaded(small_workspace(tmp_path, people(2), ccm_dot_yaml=settings))
    with pytest.raises(ConfigurationFault, match="CCM_TEST_FOLDER is not set"):
        run_campaign(workspace, "news", RunOptions(NOW))
    assert not (tmp_path / "archive").exists()
    monkeypatch.setenv("CCM_TEST_FOLDER", "elsewhere")
    assert run_campaign(workspace, "news", RunOptions(NOW)).outcomes[OutcomeKind.ACCEPTED] == 2
    assert len(list((tmp_path / "elsewhere" / "email").glob("*.eml"))) == 2


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda space: run_campaign(space, "newz", RunOptions(NOW)), "unknown-campaign"),
        (lambda space: run_campaign(space, "news", RunOptions(NOW, occurrence="2026-10")), "wrong-occurrence"),
        (lambda space: preview_customer(space, "newz", "P-001", now=NOW), "unknown-campaign"),
        (lambda space: preview_customer(space, "news", "P-999", now=NOW), "unknown-customer"),
    ],
)
def test_wrong_words_are_configuration(tmp_path: Path, call: Callable[[Workspace], object], code: str) -> None:
    """A name that does not exist is told with a remedy, before anything happens."""
    workspace = loaded(small_workspace(tmp_path, people(1)))
    with pytest.raises(ConfigurationFault) as fault:
        call(workspace)
    assert [item.code for item in fault.value.diagnostics] == [code]
    assert fault.value.diagnostics[0].remedy
    assert not written(tmp_path)


def test_preview_writes_nothing_and_knows_exclusions(tmp_path: Path) -> None:
    """A preview leaves no trace in ledger, archive or outbox; who would get nothing is shown with the reason."""
    root = small_workspace(tmp_path, [person(1), person(2, email=""), person(3, balance="x")])
    workspace = loaded(root)
    good = preview_customer(workspace, "news", "P-001", now=NOW, locale="de-DE")
    assert good.exclusion is None
    assert good.made
    assert good.made.composed.facts[0].text == "1,25\u00a0£"
    assert len(good.made.composed.renditions) == 2
    unreachable = preview_customer(workspace, "news", "P-002", now=NOW)
    assert unreachable.exclusion
    assert unreachable.exclusion.reason == "no-address"
    unsound = preview_customer(workspace, "news", "P-003", now=NOW)
    assert unsound.exclusion
    assert unsound.exclusion.reason == "invalid-data"
    only = preview_customer(workspace, "news", "P-001", now=NOW, channels=[Channel.SMS])
    assert only.made
    assert [item.channel for item in only.made.composed.renditions] == [Channel.SMS]
    assert not written(root)


class Asked(RecordingAdapter):
    """Answers when asked about a lost answer."""

    answer: ReceiptStatus | None = None

    def look_up(self, key: str) -> Receipt | None:
        return None if self.answer is None else Receipt(key, self.answer, self.provider, "q-1")


class Deduplicating(Asked):
    """Cannot tell, but drops a second hand-over."""

    capabilities = Capabilities(channels=tuple(Channel), deduplicates=True)


@pytest.mark.parametrize(
    ("kind", "answer", "state"),
    [
        (Asked, None, PieceState.UNKNOWN),
        (Asked, ReceiptStatus.ACCEPTED, PieceState.ACCEPTED),
        (Asked, ReceiptStatus.REJECTED, PieceState.REJECTED),
        (Asked, ReceiptStatus.DEFERRED, PieceState.UNKNOWN),  # the stopped process may still send it
        (Asked, ReceiptStatus.UNKNOWN, PieceState.UNKNOWN),
        (Deduplicating, None, PieceState.UNKNOWN),  # until it went again, or was looked up
    ],
)
def test_lost_answers_are_resolved(kind: type[Asked], answer: ReceiptStatus | None, state: PieceState) -> None:
    """A piece that was being sent when the process died is in doubt, unless its provider knows what became of it."""
    ledger, clock = MemoryLedger(), FixedClock()
    ledger.claim_run(sample_run(), owner="me", now=clock(), lease_seconds=60)
    decision, _ = decide(made(communication("C-1", (Channel.EMAIL,))), {}, BRAND)
    ledger.save(RUN_ID, [decision], owner="me", now=clock())
    piece = decision.pieces[0].piece_id
    for step in (PieceState.INTENT, PieceState.SENDING):
        ledger.advance(RUN_ID, [StateChange(piece, step, clock())], owner="me", durable=True)
    adapter = kind("email")
    adapter.answer = answer
    resolve_lost_answers(ledger, {"email": adapter}, RUN_ID, "me", clock)
    assert [one.state for one in ledger.pieces(RUN_ID)] == [state]
    assert adapter.delivered == []
