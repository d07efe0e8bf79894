"""A thousand people whose every value is marked, under faults, with the log at its loudest: no mark comes out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from deliver.smtp_server import Mailbox, mail_server
from e2e.forked_ccm import Ended, ForkedCcm
from e2e.mail import mailing_workspace
from events.amazon import ses_event
from events.reports import complaint, delivery_report, original
from run.small_workspace import AS_OF, CAMPAIGN, person

from ccm.ledger.sql import open_ledger

PEOPLE = 1000
MARK = re.compile(rb"leak-?\d+", re.IGNORECASE)
LOUD = ("--log-level", "debug")


def marked(number: int) -> str:
    """Return a row whose name, addresses and free texts can be found again; some of them are broken."""
    values = {
        "email": f"leak{number}@leak{number}.example.org",
        "name": f"Leak{number} von Leak-{number}",
        "phone": "+447400123001",
    }
    broken = {
        3: {"email": f"leak{number}@@leak{number}"},
        5: {"email": f"leak{number}@x.example.org;leak{number}@y.example.org"},
        7: {"balance": f"leak{number}"},
        9: {"currency": f"LEAK{number}"},
        11: {"phone": f"leak{number}"},
        13: {"locale": f"leak{number}"},
        15: {"name": f"=?utf-8?q?leak{number}=0ABcc:_leak{number}@x?="},
    }
    return person(number, **(values | broken.get(number % 40, {})))


@dataclass
class Talkative(Mailbox):
    """A server that repeats whom it refuses, as many do, and hangs up now and then."""

    count: int = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.count += 1
        if self.count % 11 == 0:
            return f"550 5.1.1 <{address}>: no such user {address.partition('@')[0]}"
        if self.count % 50 == 0:
            return f"451 4.3.0 {address} later"
        if self.count % 97 == 0:
            session.transport.close() if hasattr(session, "transport") else server.transport.close()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        await super().handle_DATA(server, session, envelope)
        if self.count % 13 == 0:
            return f"554 5.7.1 message for {envelope.rcpt_tos[0]} refused"
        if self.count % 151 == 0:
            server.transport.close()
        return f"250 2.0.0 Ok for {envelope.rcpt_tos[0]}"


def leaked(*ended: Ended) -> list[bytes]:
    """Return every mark that a command printed."""
    return [found for one in ended for text in (one.stdout, one.stderr) for found in MARK.findall(text.encode())]


@pytest.mark.slow
def test_no_mark_comes_out(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Runs, reports, imports of events and lists: nothing that belongs to a person is printed or logged."""
    mailbox = Talkative()
    with mail_server(mailbox) as port:
        root = mailing_workspace(
            tmp_path / "w", [marked(number) for number in range(1, PEOPLE + 1)], port, connections=4
        )
        campaign = root / "campaigns" / "news.yaml"
        loose = CAMPAIGN.replace("email: outbox", "email: mail") + "limits: {held_share: 1}\n"
        campaign.write_text(loose)
        ended = [ccm(*LOUD, "run", "news", "--as-of", AS_OF, "--json", cwd=root) for _ in range(3)]
    assert len(mailbox.messages) > PEOPLE // 2
    assert any("event" in one.stderr for one in ended), "the log was on"
    ended += [ccm(*LOUD, *words, cwd=root) for words in (("report", "news.once"), ("status",), ("check",), ("doctor",))]
    ended += returned(ccm, root)
    assert leaked(*ended) == []
    states = set(json.loads(ended[0].stdout)["pieces"]["email"])
    assert {"accepted", "rejected"} <= states
    kept = [path for path in (root / ".ccm").rglob("*") if path.is_file() and MARK.search(path.read_bytes())]
    assert kept == [], "neither does the ledger keep one"


def returned(ccm: ForkedCcm, root: Path) -> list[Ended]:
    """Take in bounces and complaints about the marked, and lists of them with mistakes."""
    ledger = open_ledger("sqlite:///.ccm/ledger.db", root)
    pieces = [piece.piece_id for piece in ledger.pieces("news.once") if piece.channel == "email"][:60]
    ledger.close()
    folder = root / "returned"
    folder.mkdir()
    lines = [json.dumps(ses_event("Bounce", piece, f"leak{n}@leak{n}.example.org")) for n, piece in enumerate(pieces)]
    (folder / "events.jsonl").write_text("\n".join([*lines, '{"leak1": "leak1@x"', "leak2"]))
    for number, piece in enumerate(pieces):
        who = f"leak{number}@leak{number}.example.org"
        report = delivery_report(message=original(piece), address=who, ident=f"<leak{number}@x>")
        (folder / f"{number}.eml").write_bytes(report)
        (folder / f"c{number}.eml").write_bytes(
            complaint(message=original(piece), address=who, ident=f"<leak-{number}@x>")
        )
    (root / "list.csv").write_text("address\nleak1@leak1.example.org\nleak2@@leak2\n")
    return [
        ccm(*LOUD, "events", "import", "returned", "--json", cwd=root),
        ccm(*LOUD, "suppress", "--import", "list.csv", cwd=root),
        ccm(*LOUD, "suppress", "leak3@@leak3", "leak4@leak4.example.org", cwd=root),
        ccm(*LOUD, "suppress", cwd=root),
        ccm(*LOUD, "run", "news", "--as-of", AS_OF, "--json", cwd=root, env={"CCM_SECRET": "leak5"}),
    ]
