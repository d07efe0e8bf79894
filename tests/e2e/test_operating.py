"""Operators and their runs: pause, resume, cancel from another terminal; restored ledgers; late schedules; lost answers."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deliver.smtp_server import mail_server
from e2e.forked_ccm import ForkedCcm, addresses
from e2e.mail import SlowMailbox, mailing_workspace, recipients_of
from run.small_workspace import AS_OF, CAMPAIGN, people, small_workspace

RUN = ("run", "news", "--as-of", AS_OF, "--json")
ID = "news.once"


def begin(root: Path) -> subprocess.Popen[str]:
    """Start the real command."""
    return subprocess.Popen(
        [sys.executable, "-m", "ccm", *RUN], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(true: Callable[[], bool]) -> None:
    """Wait for something, at most ten seconds."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_pause_and_resume_from_another_terminal(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A paused run hands over nothing more, keeps its place and is seen by status; resumed, it ends as if nothing was."""
    mailbox = SlowMailbox()
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(20), port)
        process = begin(root)
        mailbox.wait_for(2)
        assert ccm("pause", ID, cwd=root).code == 0
        time.sleep(1.2)
        paused_at = len(mailbox.messages)
        time.sleep(1.0)
        assert len(mailbox.messages) == paused_at < 20
        (status,) = ccm("status", "--json", cwd=root).json
        assert (status["order"], status["owner"].split(":")[1]) == ("pause", str(process.pid))
        assert ccm("resume", ID, cwd=root).code == 0
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(mailbox.messages) == len(set(recipients_of(mailbox))) == 20


def test_a_paused_run_is_not_begun(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Killed while paused, the pause stands: the command refuses with 1 and what to do, and goes on once resumed."""
    mailbox = SlowMailbox()
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(8), port)
        process = begin(root)
        mailbox.wait_for(1)
        ccm("pause", ID, cwd=root)
        time.sleep(1.2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        before = len(mailbox.messages)
        refused = ccm(*RUN, cwd=root)
        assert (refused.code, len(mailbox.messages)) == (1, before)
        assert f"ccm resume {ID}" in refused.stderr
        ccm("resume", ID, cwd=root)
        assert ccm(*RUN, cwd=root).code == 0
    assert len(mailbox.messages) == len(set(recipients_of(mailbox))) == 8


def test_cancel_from_another_terminal(ccm: ForkedCcm, tmp_path: Path) -> None:
    """What went stays sent, everybody else is left out as cancelled, the sums balance, and nothing goes ever after."""
    mailbox = SlowMailbox()
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(20), port)
        process = begin(root)
        mailbox.wait_for(2)
        assert ccm("cancel", ID, "--yes", cwd=root).code == 0
        _stdout, stderr = process.communicate(timeout=60)
        sent = len(mailbox.messages)
        assert 2 <= sent < 20, stderr
        report = ccm("report", ID, "--json", cwd=root).json
        assert report["state"] == "cancelled"
        assert report["balanced"]
        assert (report["outcomes"]["accepted"], report["outcomes"]["suppressed"]) == (sent, 20 - sent)
        assert report["reasons"]["cancelled"] == 20 - sent
        again = ccm(*RUN, cwd=root)
        assert (again.code, len(mailbox.messages)) == (1, sent)
        assert ccm("resume", ID, cwd=root).code == 1


def test_cancel_of_a_run_that_nobody_executes(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The command itself settles what the ledger knows."""
    mailbox = SlowMailbox()
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(10), port)
        process = begin(root)
        mailbox.wait_for(2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert ccm("cancel", ID, "--yes", cwd=root).code == 0
    report = ccm("report", ID, "--json", cwd=root).json
    assert (report["state"], report["balanced"]) == ("cancelled", True)
    assert report["outcomes"]["accepted"] == len(mailbox.messages)
    assert report["outcomes"]["accepted"] + report["outcomes"]["suppressed"] == 10


def test_an_older_copy_of_the_ledger_sends_nothing(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Restored from a backup made in the middle of a run, or from before it: refused until adopted."""
    mailbox = SlowMailbox(seconds=0.05)
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(60), port)
        process = begin(root)
        mailbox.wait_for(5)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        shutil.copytree(root / ".ccm", tmp_path / "backup")
        assert ccm(*RUN, cwd=root).code == 0
        assert len(mailbox.messages) == 60
        for copy in (lambda: shutil.copy(tmp_path / "backup" / "ledger.db", root / ".ccm"), lambda: None):
            for path in (root / ".ccm").glob("ledger.db*"):
                path.unlink()
            copy()
            refused = ccm(*RUN, cwd=root)
            assert (refused.code, len(mailbox.messages)) == (1, 60), refused.stderr
            assert "--adopt" in refused.stderr
        shutil.rmtree(root / ".ccm")  # with the marks beside it: those in the archive still tell
        refused = ccm(*RUN, cwd=root)
        assert (refused.code, len(mailbox.messages)) == (1, 60)
        adopted = ccm(*RUN, "--adopt", cwd=root)
        assert adopted.code == 0, adopted.stderr
        assert ccm(*RUN, cwd=root).code == 0


def test_a_schedule_found_hours_late_is_asked_about(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A first start a day late sends nothing without --late; a run that began in time just goes on."""
    scheduled = CAMPAIGN + 'schedule: {at: "2026-11-02T09:00", zone: UTC}\n'
    root = small_workspace(tmp_path / "w", people(3), campaigns__news_dot_yaml=scheduled)
    late = ("run", "news", "--as-of", "2026-11-03T09:00Z", "--json")
    refused = ccm(*late, cwd=root)
    assert (refused.code, addresses(root / "outbox")) == (1, [])
    assert "--late" in refused.stderr
    assert ccm(*late, "--late", cwd=root).code == 0
    assert len(addresses(root / "outbox")) == 3
    assert ccm(*late, cwd=root).code == 0


class Forgetful(SlowMailbox):
    """Takes messages and hangs up without a word, until it is cured."""

    ill = True

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        if self.ill:
            server.transport.close()
        return answer


def test_lost_answers_are_listed_and_resent_by_order_only(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Unknown pieces are named with provider, time and what to do; the same command does not send them; an order does,
    and the report keeps saying so."""
    mailbox = Forgetful(seconds=0)
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(3), port)
        first = ccm(*RUN, cwd=root)
        assert first.json["outcomes"]["unknown"] == 3, first.stderr
        assert len(mailbox.messages) == 3
        mailbox.ill = False
        assert ccm(*RUN, cwd=root).code == 1
        assert ccm("reconcile", ID, cwd=root).code == 1
        assert len(mailbox.messages) == 3
        (status,) = ccm("status", "--json", cwd=root).json
        lost = status["unknown"]
        assert [(item["provider"], "Message-ID" in item["look_up"], item["at"][:4]) for item in lost] == [
            ("mail", True, lost[0]["at"][:4])
        ] * 3
        again = ccm(*RUN, "--resend-unknown", cwd=root)
        assert again.code == 0, again.stderr
        assert len(mailbox.messages) == 6
        assert again.json["outcomes"]["accepted"] == 3
        (status,) = ccm("status", "--json", cwd=root).json
        assert (status["possible_duplicates"], status["unknown"]) == (3, [])
