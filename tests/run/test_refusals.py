"""Promise: whom a provider knows to have left, or an address it knows not to exist, is not tried again by any run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from deliver.smtp_server import Mailbox, mail_server
from deliver.twilio_server import ACCOUNT, twilio_server
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, BRAND, CAMPAIGN, CCM, person, small_workspace

from ccm.deliver.smtp import Answer
from ccm.model.definitions import Channel
from ccm.model.permissions import News, NewsKind
from ccm.model.records import PieceState, Receipt, ReceiptStatus
from ccm.model.refusals import AddressFault
from ccm.run import workspace_ledger
from ccm.run.refusals import refusal_news
from ccm.testing import sample_envelope

LATER = "campaigns/later.yaml"


def workspace_of(root: Path, rows: Sequence[str], providers: str, deliver: str, **replaced: str) -> Path:
    """Two campaigns about the same, over providers of our own."""
    news = CAMPAIGN.replace("deliver: {email: outbox, sms: outbox}", f"deliver: {deliver}")
    later = news.replace("campaign: news", "campaign: later")
    files = {"campaigns/news.yaml": news, LATER: later, "ccm.yaml": CCM + providers}
    return small_workspace(root, rows, **files, **replaced)


def report_of(ccm: ForkedCcm, root: Path, campaign: str, **env: str) -> Mapping[str, object]:
    done = ccm("run", campaign, "--as-of", AS_OF, "--json", cwd=root, env=env)
    assert done.stdout, done.stderr
    found: Mapping[str, object] = done.json
    return found


def states(root: Path, run_id: str, channel: Channel) -> dict[str, tuple[PieceState, str]]:
    """Return where the pieces of a channel stand, by recipient, with the detail."""
    from ccm.load import load_workspace

    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    ledger = workspace_ledger(workspace)
    try:
        found = [piece for piece in ledger.pieces(run_id) if piece.channel is channel]
        return {piece.recipient_id: (piece.state, piece.detail) for piece in found}
    finally:
        ledger.close()


def test_whom_twilio_knows_to_have_left_is_left_alone(tmp_path: Path) -> None:
    """21610: the piece is refused, the number suppressed for the brand's texts, and no later run tries it."""
    with twilio_server() as server, ForkedCcm() as ccm:
        server.opted_out = frozenset({"+447400123001"})
        settings = f"{{account_sid: {ACCOUNT}, auth_token_file: token, endpoint_url: '{server.url}'}}"
        texts = f"  texts: {{adapter: twilio, settings: {settings}}}\n"
        brand = BRAND.replace("sms: {sender: Plain}", "sms: {sender: '+12025550199'}")
        root = workspace_of(
            tmp_path, [person(1), person(2)], texts, "{email: outbox, sms: texts}", brands__plain__brand_dot_yaml=brand
        )
        (root / "token").write_text("secret-token")
        first = report_of(ccm, root, "news")
        assert first["outcomes"]["accepted"] == 2  # the text was optional
        assert states(root, "news.once", Channel.SMS) == {
            "P-001": (PieceState.REJECTED, "21610 opted out"),
            "P-002": (PieceState.ACCEPTED, "queued"),
        }
        shown = ccm("suppress", "+447400123001", "--show", "--json", cwd=root).json
        assert [(one["reason"], one["channel"], one["purpose"], one["brand"]) for one in shown] == [
            ("stop-reply", "sms", "", "plain")
        ]
        posts = server.posts
        report_of(ccm, root, "later")
        assert server.posts == posts + 1, "only the other one was tried again"
        assert "P-001" not in states(root, "later.once", Channel.SMS)


def test_an_address_that_a_server_does_not_know_is_not_tried_again(tmp_path: Path) -> None:
    """550 5.1.1 at RCPT: refused, and a hard bounce for every later run; a mailbox that is full is another matter."""

    class Choosy(Mailbox):
        async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
            refusals = {"p001@example.org": "550 5.1.1 no such user", "p002@example.org": "552 5.2.2 mailbox full"}
            if address in refusals:
                tried.append(address)
                return refusals[address]
            return await super().handle_RCPT(server, session, envelope, address, options)

    tried: list[str] = []
    with mail_server(Choosy()) as port, ForkedCcm() as ccm:
        mail = f"  mail: {{adapter: smtp, settings: {{host: 127.0.0.1, port: {port}, tls: none, connections: 1}}}}\n"
        root = workspace_of(tmp_path, [person(n) for n in (1, 2, 3)], mail, "{email: mail, sms: outbox}")
        first = report_of(ccm, root, "news")
        assert (first["outcomes"]["accepted"], first["outcomes"]["rejected"]) == (1, 2)
        assert tried == ["p001@example.org", "p002@example.org"]
        second = report_of(ccm, root, "later")
        assert (second["outcomes"]["accepted"], second["outcomes"]["suppressed"]) == (1, 1)
        assert tried[2:] == ["p002@example.org"]
        shown = ccm("suppress", "p001@example.org", "--show", "--json", cwd=root).json
        assert [(one["reason"], one["channel"], one["source"]) for one in shown] == [("bounced-hard", "email", "mail")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("550 5.1.1", AddressFault.NO_SUCH_ADDRESS),
        ("556 5.1.10", AddressFault.NO_SUCH_ADDRESS),
        ("550 5.1.7", None),  # the sender's address
        ("550 5.1.8", None),
        ("550 5.7.1", None),  # relaying denied, spam, policy
        ("550 5.2.1", None),
        ("550", None),  # nobody knows why
        ("552 5.1.11", None),
    ],
)
def test_only_words_about_the_address_count(text: str, fault: AddressFault | None) -> None:
    """A server that refuses for any other reason must not take people off the list."""
    assert Answer(ReceiptStatus.REJECTED, text).address_fault is fault
    assert Answer(ReceiptStatus.DEFERRED, text).address_fault is None


def test_news_of_a_refusal_move_no_piece() -> None:
    """The refusal is the piece's state already; the event has an id of its own, so that it counts once."""
    envelope = sample_envelope(Channel.SMS, "p-1")
    receipt = Receipt("p-1", ReceiptStatus.REJECTED, "texts", "", "21610 opted out", None, AddressFault.OPTED_OUT)
    news = refusal_news(envelope, receipt)
    assert news is not None
    assert (news.event_id, news.kind, news.piece_id) == ("texts/p-1/opted-out", NewsKind.STOPPED, "")
    assert (news.address, news.sender, news.proved) == (envelope.address, envelope.sender, True)
    assert refusal_news(envelope, Receipt("p-1", ReceiptStatus.REJECTED, "texts")) is None
    assert isinstance(news, News)
