"""People leave by command, by link, by what their server says; the very next hand-over obeys."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from deliver.smtp_server import mail_server
from e2e.forked_ccm import ForkedCcm, addresses
from e2e.mail import SlowMailbox, mailing_workspace, recipients_of
from events.amazon import ses_event
from run.small_workspace import AS_OF, BRAND, CAMPAIGN, EMAIL, SMS, SOURCE, TEMPLATE, people, small_workspace

from ccm.ledger.sql import open_ledger

RUN = ("run", "news", "--as-of", AS_OF, "--json")


@contextmanager
def started(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the real command beside the test."""
    command = [sys.executable, "-m", "ccm", *arguments]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def test_an_opt_out_during_the_run_stops_the_next_piece(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A run over a slow server, and `ccm suppress` meanwhile: who is not in flight yet gets nothing; the rest do."""
    mailbox = SlowMailbox(seconds=0.15)
    with mail_server(mailbox) as port:
        root = mailing_workspace(tmp_path / "w", people(30), port)
        with started(root, *RUN) as process:
            mailbox.wait_for(3)
            left = ccm("suppress", "P025@example.org", "P026@EXAMPLE.org", cwd=root)
            assert left.code == 0, left.stderr
            sent_by_then = set(recipients_of(mailbox))
            out, err = process.communicate(timeout=120)
    assert not {"p025@example.org", "p026@example.org"} & sent_by_then, "the server was too fast for this test"
    assert process.returncode == 0, err  # to leave in time is no failure
    report = json.loads(out)
    assert report["opted_out_pieces"] == report["pieces"]["email"]["held"] + report["pieces"]["sms"]["held"] == 4
    assert "4 held pieces wait for nothing" in ccm("report", "news.once", cwd=root).stdout
    assert len(recipients_of(mailbox)) == 28
    assert not {"p025@example.org", "p026@example.org"} & set(recipients_of(mailbox))
    assert (report["outcomes"]["accepted"], report["outcomes"]["suppressed"]) == (28, 2)
    assert report["reasons"]["opted-out"] == 2
    assert report["balanced"] is True


# ── marketing ────────────────────────────────────────────────────────────────

MARKETING_EMAIL = EMAIL.replace(
    "</mj-column>", '<mj-text><a href="{{ message.unsubscribe_url }}">Unsubscribe</a></mj-text></mj-column>'
)
OFFERS = CAMPAIGN.replace("purpose: transactional", "purpose: marketing")


def offering_workspace(root: Path, count: int, *, limits: str = "") -> Path:
    """Write the small workspace with three marketing campaigns to people who agreed."""
    brand = BRAND.replace(
        "address: mail@plain.example}",
        "address: mail@plain.example, unsubscribe_url: 'https://x.example/u/{token}', unsubscribe_mailto: out@x.example}",
    )
    campaigns = {
        f"campaigns__{name}_dot_yaml": OFFERS.replace("campaign: news", f"campaign: {name}") + limits
        for name in ("news", "more", "again")
    }
    return small_workspace(
        root,
        [row + ",yes" for row in people(count)],
        **campaigns,
        brands__plain__brand_dot_yaml=brand,
        templates__notice__template_dot_yaml=TEMPLATE.replace("purpose: transactional", "purpose: marketing"),
        templates__notice__email_dot_mjml=MARKETING_EMAIL,
        templates__notice__sms_dot_txt=SMS.strip() + " Reply STOP to end.\n",
        data__people_dot_yaml=SOURCE.replace(
            "locale: locale}", "locale: locale, consent: {marketing: {email: agreed, sms: agreed}}}"
        ),
    )


def with_column(root: Path) -> Path:
    """Name the column of consents."""
    path = root / "data" / "people.csv"
    head, _, rows = path.read_text().partition("\n")
    path.write_text(f"{head},agreed\n{rows}")
    return root


def links(root: Path) -> dict[str, str]:
    """Return the unsubscribe links of all emails in the outbox, by address."""
    found = {}
    for path in (root / "outbox").rglob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        found[str(mail["To"])] = re.findall("<(https://[^>]+)>", str(mail["List-Unsubscribe"]))[0]
    return found


@contextmanager
def serving(root: Path) -> Iterator[httpx2.Client]:
    """Start `ccm serve` as an operator does."""
    with started(root, "serve", "--port", "18291") as process:
        client = httpx2.Client(base_url="http://127.0.0.1:18291", trust_env=False)
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            try:
                assert client.get("/health").text == "ok"
                break
            except httpx2.HTTPError:
                time.sleep(0.1)
        yield client
        client.close()


def test_the_link_of_a_message_ends_marketing(ccm: ForkedCcm, tmp_path: Path) -> None:
    """From the header of a real email, through the real app, into the plan of the next campaign."""
    root = with_column(offering_workspace(tmp_path / "w", 5))
    first = ccm(*RUN, cwd=root)
    assert first.code == 0, first.stderr
    found = links(root)
    assert len(set(found.values())) == 5
    with serving(root) as client:
        for number, scanned in (("1", False), ("2", True)):
            path = found[f"p00{number}@example.org"].removeprefix("https://x.example")
            assert client.get(path).status_code == 200
            if not scanned:
                assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    second = ccm("run", "more", "--as-of", AS_OF, "--json", cwd=root)
    assert second.json["outcomes"]["accepted"] == 4
    assert second.json["outcomes"]["suppressed"] == 1
    shown = ccm("suppress", "p001@example.org", "--show", "--json", cwd=root)
    assert [entry["reason"] for entry in shown.json] == ["unsubscribed"]
    words = ccm("consent", "P-001", "--json", cwd=root).json
    assert [(word["granted"], word["source"]) for word in words] == [(False, "one-click")]
    ccm("consent", "P-001", "--grant", "--purpose", "marketing", "--channel", "email", "--brand", "plain",
        "--address", "p001@example.org", cwd=root)  # fmt: skip
    assert ccm("run", "again", "--json", cwd=root).json["outcomes"]["accepted"] == 5


def test_a_mail_to_the_address_of_a_message_ends_marketing(ccm: ForkedCcm, tmp_path: Path) -> None:
    """From the header of a real email, as a mail program would write, into the plan of the next campaign."""
    root = with_column(offering_workspace(tmp_path / "w", 3))
    assert ccm(*RUN, cwd=root).code == 0
    assert ccm("verify", "news.once", cwd=root).stdout.strip() == "6 identical"
    mails = root / "mails"
    mails.mkdir()
    for number in (1, 2):
        (found,) = [path for path in (root / "outbox").rglob("*.eml") if f"p00{number}@".encode() in path.read_bytes()]
        mail = message_from_bytes(found.read_bytes(), policy=policy.default)
        (link,) = re.findall("<(mailto:[^>]+)>", str(mail["List-Unsubscribe"]))
        parts = urlsplit(link)
        subject = parse_qs(parts.query)["subject"][0]
        forged = subject[:-3] + "AAA" if number == 2 else subject
        (mails / f"{number}.eml").write_text(
            f"From: someone@example.net\nTo: {parts.path}\nMessage-ID: <{number}@net>\nSubject: {forged}\n\n"
        )
    done = ccm("events", "import", "mails", "--json", cwd=root)
    assert done.json == {"events": {"unsubscribed": 1}, "moved": 0, "suppressed": 1, "repeated": 0, "strange": 1}
    assert ccm("events", "import", "mails", "--json", cwd=root).json["repeated"] == 1
    second = ccm("run", "more", "--as-of", AS_OF, "--json", cwd=root)
    assert (second.json["outcomes"]["accepted"], second.json["outcomes"]["suppressed"]) == (2, 1)
    words = ccm("consent", "P-001", "--json", cwd=root).json
    assert [(word["granted"], word["source"]) for word in words] == [(False, "mail")]


def test_marketing_comes_no_more_often_than_the_limit(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Two in a week; a third is left out, and giving a command again counts nobody against themselves."""
    root = with_column(offering_workspace(tmp_path / "w", 3, limits="limits: {contacts: {max: 2, days: 7}}\n"))
    for name in ("news", "news", "more"):
        ended = ccm("run", name, "--json", cwd=root)
        assert ended.json["outcomes"]["accepted"] == 3, ended.stderr
    third = ccm("run", "again", "--json", cwd=root)
    assert third.json["outcomes"]["suppressed"] == 3
    assert third.json["reasons"] == {"contact-limit": 3}
    assert len(addresses(root / "outbox")) == 6


def test_bounces_of_files_keep_the_address_from_being_used(ccm: ForkedCcm, tmp_path: Path) -> None:
    """SES events as JSON lines: the piece bounces, the address is barred, the same file again changes nothing."""
    root = small_workspace(
        tmp_path / "w", people(3), campaigns__more_dot_yaml=CAMPAIGN.replace("campaign: news", "campaign: more")
    )
    assert ccm(*RUN, cwd=root).code == 0
    ledger = open_ledger("sqlite:///.ccm/ledger.db", root)
    pieces = [piece.piece_id for piece in ledger.pieces("news.once") if piece.recipient_id == "P-002"]
    ledger.close()
    email = pieces[0]
    events = root / "events.jsonl"
    events.write_text(json.dumps(ses_event("Bounce", email, "p002@example.org")) + "\nnonsense\n")
    first = ccm("events", "import", "events.jsonl", "--json", cwd=root)
    assert first.json == {"events": {"bounced": 1}, "moved": 1, "suppressed": 1, "repeated": 0, "strange": 0}
    again = ccm("events", "import", "events.jsonl", "--json", cwd=root)
    assert again.json == {"events": {}, "moved": 0, "suppressed": 0, "repeated": 1, "strange": 0}
    second = ccm("run", "more", "--as-of", AS_OF, "--json", cwd=root)
    assert (second.json["outcomes"]["accepted"], second.json["outcomes"]["suppressed"]) == (2, 1)
    assert ccm("events", "import", "nothing-there", cwd=root).code == 3


def test_lists_name_nobody(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Counts, a whole list or none of it, what is in force about one address; lifting gives it free."""
    root = small_workspace(tmp_path / "w", people(1), released=False)
    assert ccm("suppress", "--json", cwd=root).json == []
    (root / "left.csv").write_text("address,reason\nann@example.org,complained\nben@example.org,\n")
    assert ccm("suppress", "--import", "left.csv", "--purpose", "marketing", cwd=root).code == 0
    (root / "bad.csv").write_text("address\nzoe@example.org\nnobody\n")
    bad = ccm("suppress", "--import", "bad.csv", cwd=root)
    assert (bad.code, "bad.csv:3" in bad.stderr) == (3, True)
    counts = ccm("suppress", cwd=root)
    assert "complained" in counts.stdout
    assert "example.org" not in counts.stdout + counts.stderr
    assert ccm("suppress", "zoe@example.org", "--show", cwd=root).code == 1
    assert ccm("suppress", "Ann@example.org", "--show", cwd=root).code == 0
    assert ccm("suppress", "ann@example.org", "--lift", "--json", cwd=root).json == {"lifted": 1}
    assert ccm("suppress", "ann@example.org", "--show", cwd=root).code == 1
    wrong = ccm("suppress", "not an address", cwd=root)
    assert (wrong.code, "not an address" in wrong.stderr) == (2, False)
    assert ccm("consent", "C-1", "--grant", cwd=root).code == 2
    assert ccm("consent", "C-1", cwd=root).code == 1


def test_a_lost_secret_sends_nothing(ccm: ForkedCcm, tmp_path: Path) -> None:
    """Nobody on the list would be recognised; the error says what to bring back."""
    root = small_workspace(tmp_path / "w", people(2))
    assert ccm("suppress", "p001@example.org", cwd=root).code == 0
    lost = ccm(*RUN, cwd=root, env={"CCM_SECRET": "another-secret-of-length"})
    assert lost.code == 4
    assert "another secret" in lost.stderr
    assert not list((root / "outbox").rglob("*.eml")) if (root / "outbox").exists() else True
    old = (root / ".ccm" / "secret").read_text().strip()
    renewed = ccm(*RUN, cwd=root, env={"CCM_SECRET": f"another-secret-of-length,{old}"})
    assert (renewed.json["outcomes"]["accepted"], renewed.json["outcomes"]["suppressed"]) == (1, 1)


def test_a_secret_that_is_lost_for_good_is_given_up(ccm: ForkedCcm, tmp_path: Path) -> None:
    """By its name, which the error says; one that is at hand is never given up, and the audit log tells of it."""
    root = small_workspace(tmp_path / "w", people(2))
    assert ccm("suppress", "p001@example.org", cwd=root).code == 0
    new = {"CCM_SECRET": "another-secret-of-length"}
    refused = ccm("suppress", cwd=root, env=new)
    found = re.search(r"another secret than is here \((\w+)\)", " ".join(refused.stderr.split()))
    assert found is not None, refused.stderr
    name = found[1]
    kept = ccm("suppress", "--give-up-secret", name, cwd=root)
    assert (kept.code, "is at hand" in kept.stderr) == (2, True)
    assert ccm("suppress", "p001@example.org", "--show", cwd=root).code == 0
    assert ccm("suppress", "--give-up-secret", name, "--json", cwd=root, env=new).json == {"removed": 1}
    assert ccm("suppress", "--json", cwd=root, env=new).code == 0
    assert "secret-lost" in ccm("audit", "--json", cwd=root, env=new).stdout
    assert ccm(*RUN, cwd=root, env=new).json["outcomes"]["accepted"] == 2
