"""Composing holds one recipient for what nobody foresaw, and an email for the document that it should carry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from run.messages import communication, made
from run.small_workspace import people, small_workspace

from ccm.compose import Composer
from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import OutcomeKind
from ccm.run import RunOptions, run_attention, run_campaign
from ccm.run.workers import with_attachment

E, D, S = Channel.EMAIL, Channel.DOCUMENT, Channel.SMS


def test_what_nobody_foresaw_holds_one_recipient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours while one message is composed: that recipient is held, by the fault's type alone; the others go."""
    compose = Composer.compose

    def broken(self: Composer, one):
        if one.recipient_id == "P-002":
            raise ZeroDivisionError(f"could not divide the balance of {one.data}")
        return compose(self, one)

    monkeypatch.setattr(Composer, "compose", broken)
    workspace, _ = load_workspace(small_workspace(tmp_path, people(3)), lint=False)
    assert workspace
    report = run_campaign(workspace, "news", RunOptions())
    assert (report.outcomes[OutcomeKind.ACCEPTED], report.outcomes[OutcomeKind.HELD]) == (2, 1)
    (held,) = run_attention(workspace, report.run_id, 5)
    assert held.recipient_id == "P-002"
    assert held.detail == "composing-broke: composing or checking broke with ZeroDivisionError"


def test_an_email_waits_for_its_attachment() -> None:
    """The optional document could not be made: the email that carries it is held, a text message beside it is not."""
    one = communication("C-1", (E,), (D, S))
    bad = with_attachment(made(one, {D: "compose"}))
    assert bad.blocking_failure() == "check-failed"
    email, _, sms = one.pieces
    assert bad.failure(email.piece_id).code == "attachment-held"
    assert bad.failure(sms.piece_id) is None
    assert with_attachment(made(one)).blocking_failure() is None
    alone = replace(one, pieces=(email, sms))
    assert with_attachment(made(alone)).blocking_failure() is None
