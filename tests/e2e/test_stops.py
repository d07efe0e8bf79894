"""Interrupts, services that are down and disks that are full: a clear end, nothing lost, nothing twice."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from deliver.smtp_server import mail_server
from e2e.forked_ccm import ForkedCcm, addresses
from e2e.mail import SlowMailbox, mailing_workspace, recipients_of
from run.small_workspace import AS_OF, people, small_workspace

RUN = ("run", "news", "--as-of", AS_OF, "--json")
MANY = 25  # five seconds of a slow mailbox: a signal may come late on a busy machine


def begin(root: Path) -> subprocess.Popen[str]:
    """Start the real command, with Ctrl-C as it is at a terminal: shells let what they start behind their back ignore it."""
    return subprocess.Popen(
        [sys.executable, "-m", "ccm", *RUN],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_stopped_from_outside(ccm: ForkedCcm, tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """Ctrl-C and a service manager's stop end with 130 and what to do; the same command goes on, nobody twice.

    After kill -9 over SMTP at most the messages in flight are unknown; they are never sent again.
    """
    mailbox = SlowMailbox()
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(MANY), port)
        process = begin(root)
        mailbox.wait_for(3)
        process.send_signal(sent)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == code, stderr
        assert stdout == ""
        if sent is not signal.SIGKILL:
            assert "same command" in stderr
            assert "Traceback" not in stderr
        assert len(mailbox.messages) < MANY
        again = ccm(*RUN, cwd=root)
    everybody = {f"p{number:03}@example.org" for number in range(1, MANY + 1)}
    got = recipients_of(mailbox)
    outcomes = again.json["outcomes"]
    assert len(got) == len(set(got))
    assert outcomes["accepted"] + outcomes["unknown"] == MANY
    assert outcomes["unknown"] <= (1 if sent is signal.SIGKILL else 0)
    assert len(everybody - set(got)) <= outcomes["unknown"]
    assert again.code == (1 if outcomes["unknown"] else 0)


def test_two_runs_at_once(ccm: ForkedCcm, tmp_path: Path) -> None:
    """The second process is refused with 4 and told which process has the run; the first one ends well."""
    mailbox = SlowMailbox()
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(12), port)
        process = begin(root)
        mailbox.wait_for(1)
        second = ccm(*RUN, cwd=root)
        assert second.code == 4
        assert str(process.pid) in second.stderr
        assert [one["severity"] for one in second.json["errors"]] == ["error"]
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert len(mailbox.messages) == 12


def test_unreachable_mail_server(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Exit 4 with the provider's name and a remedy, nothing sent; with the server back the run ends well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = mailing_workspace(tmp_path / "w", people(5), port)
    refused = ccm(*RUN, cwd=root)
    assert refused.code == 4, refused.stderr
    assert "mail" in refused.stderr
    assert "Traceback" not in refused.stderr
    doctor = ccm("doctor", "--json", cwd=root)
    assert doctor.code == 4
    assert {item["name"] for item in doctor.json if not item["fine"]} == {"provider mail"}
    mailbox = SlowMailbox(seconds=0)
    with mail_server(mailbox) as other:
        settings = (root / "ccm.yaml").read_text()
        (root / "ccm.yaml").write_text(settings.replace(f"port: {port}", f"port: {other}"))
        again = ccm(*RUN, cwd=root)
    assert again.code == 0, again.stderr
    assert len(mailbox.messages) == len(set(recipients_of(mailbox))) == 5


def test_full_disk(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Whatever file hits the limit first: non-zero with a remedy, and with space again everybody is reached once."""
    seen = set()
    for largest in (600, 4_000, 9_000, 40_000, 90_000):
        root = small_workspace(tmp_path / str(largest), people(6))
        full = ccm(*RUN, cwd=root, largest_file=largest)
        assert full.code in (0, 4), full.stderr
        assert "Traceback" not in full.stderr
        if full.code:
            assert "space" in full.stderr
        seen.add(full.code)
        again = ccm(*RUN, cwd=root)
        assert again.code == 0, again.stderr
        assert addresses(root / "outbox") == [f"p{number:03}@example.org" for number in range(1, 7)]
    assert 4 in seen
