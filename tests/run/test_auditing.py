"""Promise: who left, came back or paused, resumed, cancelled and reprinted stands in the audit log; no person does."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from deliver.test_end_user_messaging import TEXT
from e2e.forked_ccm import ForkedCcm
from e2e.print_workspace import RUN, letters, print_workspace
from run.small_workspace import AS_OF, BRAND, people, small_workspace
from serve.served import serving
from twilio.request_validator import RequestValidator

from ccm.ledger.audit import AuditEntry
from ccm.ledger.interface import LedgerError
from ccm.ledger.permissions import PermissionStore
from ccm.load import load_workspace
from ccm.model.audit import AuditAction
from ccm.model.definitions import Channel, Purpose
from ccm.model.permissions import News, NewsKind
from ccm.model.records import Receipt, ReceiptStatus
from ccm.model.refusals import AddressFault
from ccm.model.tokens import LinkClaims, signed
from ccm.model.workspace import Workspace
from ccm.run.auditing import open_audit, open_witness
from ccm.run.events import open_event_desk
from ccm.run.permitted import open_permission_store, open_run_permissions
from ccm.run.refusals import Listener
from ccm.serve.choices import leave
from ccm.serve.opening import ServeSettings, open_service

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TWILIO_TOKEN = "1" * 32
NUMBER, OURS = "+447400123001", "+12025550199"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose brand sends texts from a number."""
    brand = BRAND.replace("sms: {sender: Plain}", f"sms: {{sender: '{OURS}'}}")
    root = small_workspace(tmp_path, people(2), released=False, brands__plain__brand_dot_yaml=brand)
    found, _ = load_workspace(root, lint=False)
    assert found is not None
    return found


def entries(workspace: Workspace) -> list[AuditEntry]:
    """Return what the log has, after it was verified."""
    with closing(open_audit(workspace)) as log:
        assert log.verify().faults == ()
        return list(log.entries())


def claims_of(workspace: Workspace) -> tuple[LinkClaims, str]:
    store, keyring = open_permission_store(workspace)
    store.close()
    claims = LinkClaims(
        "plain", Purpose.MARKETING, "c-1", "en", keyring.mark("p:P-001"), keyring.mark("a:a@example.org")
    )
    return claims, signed(claims, keyring)


def test_what_people_do_on_the_web_is_noted(workspace: Workspace) -> None:
    """Each change once, by the id of the message; using the link again is no news."""
    _, token = claims_of(workspace)
    app, close = open_service(workspace, ServeSettings())
    with serving(app) as client:
        for _ in range(2):
            assert client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
        wanted = {"shown": "transactional.email", "wanted": "marketing.email"}
        assert client.post(f"/preferences/{token}", data=wanted).status_code == 200
    close()
    found = entries(workspace)
    assert [(one.action, one.actor, one.subject, one.details["source"]) for one in found] == [
        ("opted-out", "serve", "c-1", "one-click"),
        ("opted-in", "serve", "c-1", "preference-page"),
        ("opted-out", "serve", "c-1", "preference-page"),
    ]
    assert [(one.details["purpose"], one.details["channel"]) for one in found[1:]] == [
        ("marketing", "email"),
        ("transactional", "email"),
    ]
    assert "example.org" not in str(found)


def test_answers_by_text_are_noted(workspace: Workspace) -> None:
    """STOP and START as Twilio tells them, by Twilio's own id; a word that we do not know is nothing."""
    app, close = open_service(workspace, ServeSettings(twilio_token=TWILIO_TOKEN))

    def said(client: httpx2.Client, word: str, sid: str) -> None:
        fields = {"MessageSid": sid, "From": NUMBER, "To": OURS, "Body": word}
        path = "/hooks/twilio/inbound"
        signature = RequestValidator(TWILIO_TOKEN).compute_signature(
            f"{str(client.base_url).rstrip('/')}{path}", fields
        )
        assert client.post(path, data=fields, headers={"x-twilio-signature": signature}).status_code == 200

    with serving(app) as client:
        for word, sid in (("STOP", "SM1"), ("STOP", "SM1"), ("hello", "SM2"), ("START", "SM3")):
            said(client, word, sid)
    close()
    found = [(one.action, one.actor, one.subject, dict(one.details)) for one in entries(workspace)]
    assert found == [
        ("opted-out", "serve", "twilio/SM1/inbound", {"stopped": 1}),
        ("opted-in", "serve", "twilio/SM3/inbound", {"started": 1}),
    ]


def test_events_of_a_file_are_noted_once_in_sums(workspace: Workspace) -> None:
    """One entry for the addresses that do not work and one for who left; the same file again is none."""
    news = [
        News("ses/1", NewsKind.BOUNCED, Channel.EMAIL, "", "a@example.org"),
        News("ses/2", NewsKind.BOUNCED, Channel.EMAIL, "", "b@example.org"),
        News("ses/3", NewsKind.COMPLAINED, Channel.EMAIL, "", "c@example.org"),
        News("ses/4", NewsKind.DELIVERED, Channel.EMAIL),
    ]
    for _ in range(2):
        desk, store, _ = open_event_desk(workspace)
        desk.apply(news)
        desk.close()
        store.close()
    found = [(one.action, one.subject, dict(one.details)) for one in entries(workspace)]
    assert found == [("opted-out", "ses/3", {"complained": 1}), ("barred", "", {"bounced": 2})]


def test_what_a_provider_says_at_the_hand_over_is_noted(workspace: Workspace) -> None:
    """By provider and piece; the log is opened only when there is something to note."""
    permissions = open_run_permissions(workspace, "news.once", "plain", Purpose.TRANSACTIONAL)
    listener = Listener(workspace, permissions, lambda: NOW)
    receipt = Receipt(TEXT.key, ReceiptStatus.REJECTED, "texts", "", "21610", None, AddressFault.OPTED_OUT)
    listener.heard(TEXT, receipt)
    listener.close()
    permissions.close()
    (entry,) = entries(workspace)
    assert (entry.action, entry.subject) == ("opted-out", f"texts/{TEXT.key}/opted-out")


def test_an_opt_out_without_its_entry_is_none(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are written in one transaction, so that a kill or a full disk between them leaves neither or both."""
    claims, _ = claims_of(workspace)
    store, _ = open_permission_store(workspace)
    with closing(open_witness(workspace)) as witness:

        def refused(*_: object, **__: object) -> None:
            raise LedgerError("full", "free space")

        with monkeypatch.context() as patch:
            patch.setattr(type(witness._log), "append_in", refused)
            with pytest.raises(LedgerError):
                leave(store, claims, NOW, source="one-click", witness=witness)
        assert store.entries([claims.person]) == ()
        assert leave(store, claims, NOW, source="one-click", witness=witness)
    store.close()
    assert [one.action for one in entries(workspace)] == ["opted-out"]


def test_an_anchor_that_cannot_be_written_keeps_nobody_subscribed(workspace: Workspace) -> None:
    """The opt-out counts; the next entry brings the anchor up."""
    claims, _ = claims_of(workspace)
    anchor = Path(workspace.root) / ".ccm" / "audit.heads"
    anchor.mkdir(parents=True)
    store: PermissionStore
    store, _ = open_permission_store(workspace)
    with closing(open_witness(workspace)) as witness:
        assert leave(store, claims, NOW, source="one-click", witness=witness)
        anchor.rmdir()
    store.close()
    with closing(open_audit(workspace)) as log:
        log.append(AuditAction.EXPORTED, "p-1", actor="op", at=NOW)
    assert [one.action for one in entries(workspace)] == ["opted-out", "exported"]
    assert len(anchor.read_text().splitlines()) == 2


def test_orders_to_runs_and_reprints_are_noted(tmp_path: Path) -> None:
    """By whom and about what, before they take effect; an order about no run is none."""
    root = print_workspace(tmp_path / "w", letters(2), "drop: shop/in")
    with ForkedCcm() as ccm:
        assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
        assert ccm("print", RUN, cwd=root).code == 0
        words = ("print", "reprint", f"{RUN}.b001", "2", "--by", "eve", "--reason", "torn by the machine")
        assert ccm(*words, cwd=root).code == 0
        assert ccm(*words, cwd=root).code == 1, "printed again before"
        for order in (("pause", RUN), ("resume", RUN), ("cancel", RUN, "--yes")):
            assert ccm(*order, cwd=root).code == 0
        assert ccm("pause", "no.run", cwd=root).code != 0
        assert ccm("resume", RUN, cwd=root).code != 0, "cancelled for good"
        found = ccm("audit", "--json", cwd=root).json
        assert [(one["action"], one["subject"]) for one in found][-4:] == [
            ("reprinted", f"{RUN}.b001.r01"),
            ("run-paused", RUN),
            ("run-resumed", RUN),
            ("run-cancelled", RUN),
        ]
        reprinted = found[-4]
        assert (reprinted["actor"], reprinted["details"]) == ("eve", {"envelopes": 1, "pieces": 1, "of": f"{RUN}.b001"})
        assert ccm("audit", "verify", cwd=root).code == 0
