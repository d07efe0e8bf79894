"""The sample statement campaign over a real mail server: email with its PDF, SMS, archive."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

from deliver.smtp_server import Mailbox, mail_server
from e2e.forked_ccm import ForkedCcm
from e2e.mail import recipients_of

from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.run import workspace_ledger
from ccm.run.keeping import piece_name
from ccm.run.vault import open_vault

CUSTOMERS = 5


def archived_documents(root: Path) -> set[bytes]:
    """Return every document of the archive, opened with its customer's key."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    ledger, vault = workspace_ledger(workspace), open_vault(workspace)
    try:
        (run,) = ledger.runs()
        pieces = [piece for piece in ledger.pieces(run.run_id) if piece.channel is Channel.DOCUMENT and piece.archived]
        return {vault.read(one.recipient_id, piece_name(one.piece_id), one.archived).content for one in pieces}
    finally:
        vault.close()
        ledger.close()


def test_statements_by_smtp(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Every recipient gets one message with the PDF attached; the PDF is the archived one; a repeat sends nothing."""
    assert ccm("init", "w", cwd=tmp_path).code == 0
    root = tmp_path / "w"
    table = root / "data" / "customers.csv"
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    active = [row for row in rows if ",active," in row and "@" in row][:CUSTOMERS]
    table.write_text("\n".join([header, *active]) + "\n", encoding="utf-8")
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        settings = (root / "ccm.yaml").read_text()
        mail = f"  mail: {{adapter: smtp, settings: {{host: 127.0.0.1, port: {port}, tls: none}}}}\n"
        (root / "ccm.yaml").write_text(settings.rstrip() + "\n" + mail)
        campaign = root / "campaigns" / "october-statement.yaml"
        campaign.write_text(campaign.read_text().replace("deliver: {email: outbox", "deliver: {email: mail"))
        run = ("run", "october-statement", "--as-of", "2026-11-02T11:30Z", "--workers", "1", "--json")
        assert ccm("release", "monthly-statement", "--by", "author", cwd=root).code == 0
        assert ccm("approve", "monthly-statement@1.0.0", "--by", "approver", cwd=root).code == 0
        first = ccm(*run, cwd=root)
        outcomes = first.json["outcomes"]
        accepted = outcomes["accepted"]
        assert first.json["balanced"] is True
        assert accepted >= 3, first.stdout
        assert len(mailbox.messages) == len(set(recipients_of(mailbox))) == accepted
        ccm(*run, cwd=root)
        assert len(mailbox.messages) == accepted
    archived = archived_documents(root)
    raw = b"".join(path.read_bytes() for path in (root / "archive").rglob("*") if path.is_file())
    assert b"%PDF-" not in raw, "the archive is not encrypted"
    for _, _, content in mailbox.messages:
        message = email.message_from_bytes(content, policy=email.policy.default)
        (pdf,) = [part for part in message.iter_attachments() if part.get_content_type() == "application/pdf"]
        assert pdf.get_filename().endswith(".pdf")
        assert pdf.get_content().startswith(b"%PDF-")
        assert pdf.get_content() in archived
    totals = {(item["fact"], item["currency"]): {} for item in first.json["totals"]}
    for item in first.json["totals"]:
        totals[item["fact"], item["currency"]][item["channel"]] = item["amount"]
    assert all(channels["email"] == channels["document"] for channels in totals.values())
