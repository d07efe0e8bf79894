"""Composing holds one recipient for what nobody foresaw, and an email for the document that it should carry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from run.messages import NOW, communication, made
from run.small_workspace import people, small_workspace

from ccm.compose import Composer
from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import OutcomeKind
from ccm.run import RunOptions, run_attention, run_campaign
from ccm.run.prepare import prepare
from ccm.run.workers import MakerParts, is_apart, with_attachment

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


def test_documents_that_are_made_or_read_twice_are_made_apart(tmp_path: Path) -> None:
    """By the piece's id alone; where nothing is filled, nothing is made twice."""
    workspace, _ = load_workspace(small_workspace(tmp_path, people(1)), lint=False)
    assert workspace
    parts = MakerParts.of(prepare(workspace, "news", now=NOW))

    def apart(*channels: Channel, **rules: object) -> set[str]:
        definition = parts.template.definition
        document = definition.document.model_copy(update=rules)
        template = replace(parts.template, definition=definition.model_copy(update={"document": document}))
        some = (communication(f"C-{number}", channels) for number in range(10_000))
        return {one.recipient_id for one in some if is_apart(one, replace(parts, template=template))}

    read_twice = apart(D, compared=0)
    assert 2 < len(read_twice) < 30
    compared_too = apart(E, D, compared=0.01)
    assert read_twice < compared_too
    assert 80 < len(compared_too - read_twice) < 120
    assert not apart(D, compared=1, fill=False)
    assert not apart(E, S, compared=1)
