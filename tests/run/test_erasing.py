"""Promise: an erased customer is nowhere but under declared legal holds, history still adds up, and they stay away."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, CAMPAIGN, CCM, EMAIL, SMS, TEMPLATE, person, small_workspace, write_people

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import KeyMissing
from ccm.cli.report import report_as_json
from ccm.ledger.permission_tables import provider_events
from ccm.load import load_workspace
from ccm.load.source.csv_rows import CsvTable
from ccm.load.source.staging import child_rows
from ccm.model.definitions import ChildTable
from ccm.model.workspace import Workspace
from ccm.run import run_report, workspace_ledger
from ccm.run.archived import sent_piece
from ccm.run.erasing import erase, holds_of
from ccm.run.expiring import expire
from ccm.run.permitted import open_permission_store
from ccm.run.spans import earlier, later
from ccm.run.verifying import verify

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEOPLE = int(os.environ.get("CCM_ERASED_PEOPLE", "1000"))
_CONSONANTS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")  # no vowel, so no word and no month
EVERY = 7  # erased: one in seven
HELD = CCM + "retention: {transactional: 6y, marketing: 30d}\n"


def opened(root: Path) -> Workspace:
    """Load what ccm.yaml says."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return workspace


def canary(number: int, what: str) -> str:
    """Return a text that is nobody else's: not a part of any other."""
    digest = hashlib.sha256(f"{number} {what}".encode()).hexdigest()[:20]
    return "q" + digest.translate(_CONSONANTS)


def canaried(number: int) -> str:
    """Return the row of a customer of whom every field can be found again."""
    digits = int(hashlib.sha256(str(number).encode()).hexdigest(), 16) % 10**6
    return person(
        number,
        id=f"ID-{canary(number, 'id')}",
        email=f"{canary(number, 'mail')}@example.org",
        name=canary(number, "name").capitalize(),
        balance=f"{700_000_000 + number * 1_000_000 + digits}.{number % 90 + 10}",
        phone=f"+4477{number:08}",
    )


def traces(number: int) -> list[bytes]:
    """Return what would give a customer away, in the forms that a piece or the ledger would have it."""
    cells = canaried(number).split(",")
    amount = f"{int(cells[6].partition('.')[0]):,}"
    return [text.encode() for text in (cells[0], cells[1], cells[4], cells[6], amount, cells[2])]


WORDS = re.compile(rb"[0-9A-Za-z@.,+-]{8,}")  # a canary is made of these signs alone, and longer


def words(raw: bytes) -> bytes:
    """Return all that may hold a canary, which is a thousandth of what is encrypted."""
    return b"\n".join(WORDS.findall(raw))


def everything(root: Path) -> bytes:
    """Return every byte, free pages and logs too, and every name, of archive, ledger, keys and pages."""
    paths = [path for folder in ("archive", ".ccm") for path in sorted((root / folder).rglob("*")) if path.is_file()]
    assert any(path.name.startswith("ledger.db") for path in paths)
    assert any(path.name == "keys.db" for path in paths)
    return b"\n".join(str(path).encode() + path.read_bytes() for path in paths)


def two_purposes(root: Path) -> Path:
    """A workspace after a run that retention holds and a legal one without retention."""
    legal = {
        "templates/legal/template.yaml": TEMPLATE.replace("notice", "legal").replace("transactional", "legal"),
        "templates/legal/email.mjml": EMAIL,
        "templates/legal/sms.txt": SMS,
        "campaigns/duty.yaml": CAMPAIGN.replace("campaign: news", "campaign: duty")
        .replace("notice@1", "legal@1")
        .replace("transactional", "legal"),
    }
    small_workspace(root, [person(1), person(2)], ccm_dot_yaml=HELD, **legal)
    run_small(root)
    run_small(root, "duty")
    return root


def run_small(root: Path, campaign: str = "news") -> None:
    """Send a campaign."""
    with ForkedCcm() as ccm:
        done = ccm("run", campaign, "--as-of", AS_OF, "--workers", "1", cwd=root)
        assert done.code == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_of_a_thousand_canaries_none_of_the_erased_is_left(tmp_path: Path) -> None:
    """Every file of archive, ledger and keys, byte by byte; the others' pieces verify and every sum is as before."""
    root = small_workspace(tmp_path, [canaried(number) for number in range(1, PEOPLE + 1)])
    run_small(root)
    workspace = opened(root)
    before = report_as_json(run_report(workspace, "news.once"), ())
    gone = range(EVERY, PEOPLE + 1, EVERY)
    raw = words(everything(root))
    assert all(WORDS.fullmatch(trace) for number in range(1, PEOPLE + 1) for trace in traces(number))
    found = {number for number in range(1, PEOPLE + 1) if any(trace in raw for trace in traces(number))}
    assert len(found) == PEOPLE, "the canaries are not where they should be before erasing"

    report = erase(workspace, [canaried(number).split(",")[0] for number in gone], at=NOW)
    assert report.scrubbed
    assert all(one.key_destroyed and one.pieces == 2 and one.copies.removed == {"outbox": 2} for one in report.erasures)
    raw = words(everything(root))
    left = {number for number in gone if any(trace in raw for trace in traces(number))}
    assert left == set()
    after = report_as_json(run_report(workspace, "news.once"), ())
    assert after == before, "control totals or outcomes changed"
    verdicts = [str(one.verdict) for one in verify(workspace, "news.once")]
    assert verdicts == ["identical"] * (2 * (PEOPLE - len(gone)))


def test_rows_that_were_staged_go(tmp_path: Path) -> None:
    """Readings keep child rows on disk; none of them is there after an erasure, they are made anew when they are needed."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    words = root / "data" / "words.csv"
    words.write_text("id,word\nP-001,canary-of-one\nP-002,canary-of-two\n")
    child = ChildTable.model_validate({"rows": "words.csv", "key": "id"})
    table = CsvTable(child.rows, words, "data/words.csv")
    folder = root / ".ccm" / "staging"
    child_rows(table, child, None, folder=folder, name="people-words", one=False).close()
    assert any(b"canary-of-one" in path.read_bytes() for path in folder.iterdir())
    run_small(root)
    erase(opened(root), ["P-001"], at=NOW)
    assert list(folder.iterdir()) == []


def test_the_erased_stay_away_and_nobody_else_does(tmp_path: Path) -> None:
    """The same row of the source, or their address under another id, is not written to again."""
    other = CAMPAIGN.replace("campaign: news", "campaign: later")
    root = small_workspace(tmp_path, [person(1), person(2)], campaigns__later_dot_yaml=other)
    run_small(root)
    workspace = opened(root)
    erase(workspace, ["P-001"], at=NOW)
    write_people(root, [person(1), person(2), person(3, id="P-new", email="p001@example.org")])
    with ForkedCcm() as ccm:
        outcomes = ccm("run", "later", "--as-of", AS_OF, "--json", cwd=root).json["outcomes"]
    assert (outcomes["accepted"], outcomes["suppressed"]) == (1, 2)


def test_what_the_law_holds_stays_readable_and_only_that(tmp_path: Path) -> None:
    """Held pieces move to a new key and verify; the old key opens nothing; they go when their time is over."""
    root = two_purposes(tmp_path)
    workspace = opened(root)
    (hold,) = holds_of(workspace, "P-001", NOW)
    assert (str(hold.purpose), hold.pieces) == ("transactional", 2)
    objects = {path.name for path in (root / "archive").rglob("*") if path.is_file() and len(path.name) == 64}
    for _ in range(2):  # giving the command again changes nothing
        report = erase(workspace, ["P-001"], at=NOW)
        assert not report.erasures[0].key_destroyed
    ledger = workspace_ledger(workspace)
    try:
        held = [piece for piece in ledger.pieces("news.once") if piece.recipient_id == "P-001"]
        assert [one.recipient_id for one in ledger.pieces("duty.once")].count("P-001") == 0
    finally:
        ledger.close()
    assert all(sent_piece(workspace, piece.piece_id).content for piece in held)
    now = {path.name for path in (root / "archive").rglob("*") if path.is_file() and len(path.name) == 64}
    assert {one.archived for one in held} <= now - objects, "held pieces are still under the old key"
    assert [str(one.verdict) for one in verify(workspace, "news.once")] == ["identical"] * 4

    store, _ = open_permission_store(workspace)
    with store.database.write() as connection:
        connection.execute(provider_events.insert(), {"event_id": "ses/1", "kind": "other", "subject": "", "at": NOW})
    store.close()
    assert expire(workspace, at=NOW + timedelta(days=400)).events == 0, "younger than the longest retention"
    assert expire(workspace, at=NOW, really=False).pieces == {}
    much_later = datetime.now(UTC) + timedelta(days=6 * 366)
    assert expire(workspace, at=much_later, really=False).pieces == {"transactional": 4}
    expiry = expire(workspace, at=much_later)
    assert (expiry.pieces, expiry.keys, expiry.scrubbed, expiry.events) == ({"transactional": 4}, 1, True, 1)
    assert b"P-001" not in everything(root)
    with pytest.raises((KeyMissing, ArchiveError)):
        sent_piece(workspace, held[0].piece_id)


def test_an_erasure_that_was_killed_is_finished_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before each of its steps: nothing held is lost, and the second time nothing is left."""
    from ccm.archive.vault import Vault
    from ccm.archive.vault.keys import KeyStore
    from ccm.ledger.erasing import Eraser

    sent = two_purposes(tmp_path / "sent")
    steps = (
        (Vault, "moved"),
        (Eraser, "move"),
        (Eraser, "blank"),
        (KeyStore, "succeed"),
        (KeyStore, "scrub"),
        (Eraser, "scrub"),
    )
    for kind, name in steps:
        root = Path(shutil.copytree(sent, tmp_path / f"{kind.__name__}-{name}"))
        workspace = opened(root)
        with monkeypatch.context() as patch:

            def stopped(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(kind, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                erase(workspace, ["P-001"], at=NOW)
        assert [str(one.verdict) for one in verify(workspace, "news.once")] == ["identical"] * 4, name
        report = erase(workspace, ["P-001"], at=NOW)
        assert report.erasures[0].holds
        assert [str(one.verdict) for one in verify(workspace, "news.once")] == ["identical"] * 4, name
        assert [str(one.verdict) for one in verify(workspace, "duty.once")] == ["identical"] * 2


def test_the_command_asks_and_tells(tmp_path: Path) -> None:
    """Without --yes it asks; the answer names no customer but the one asked for; history forgets."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    run_small(root)
    with ForkedCcm() as ccm:
        pieces = ccm("history", "P-001", "--json", cwd=root).json
        assert len(pieces) == 2
        erased = ccm("erase", "P-001", "--yes", "--json", cwd=root)
        assert (erased.code, erased.json["scrubbed"], erased.json["running"]) == (0, True, [])
        stands_for = erased.json["erased"][0]["stands_for"]
        assert "P-001" not in erased.stdout
        assert ccm("history", "P-001", cwd=root).code == 1
        assert len(ccm("history", stands_for, "--json", cwd=root).json) == 2
        assert ccm("verify", "news.once", cwd=root).stdout.strip() == "2 identical"
        assert ccm("archive", "expire", "--yes", cwd=root).stdout.strip() == "nothing is past its retention"
        again = ccm("erase", "P-001", "--yes", cwd=root)
        assert again.code == 0
        assert "had no key" in again.stdout


def test_the_database_of_a_ledger_keeps_nothing_in_its_log(tmp_path: Path) -> None:
    """After erasing, the write-ahead log is empty and the free list is gone."""
    root = small_workspace(tmp_path, [person(1), person(2)])
    run_small(root)
    erase(opened(root), ["P-001"], at=NOW)
    log = root / ".ccm" / "ledger.db-wal"
    assert not log.exists() or log.stat().st_size == 0
    with sqlite3.connect(root / ".ccm" / "ledger.db") as database:
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)


@pytest.mark.parametrize(
    ("moment", "span", "after", "before"),
    [
        (datetime(2024, 2, 29, tzinfo=UTC), "1y", datetime(2025, 3, 1, tzinfo=UTC), datetime(2023, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), "1m", datetime(2026, 3, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)),
        (
            datetime(2026, 12, 31, tzinfo=UTC),
            "2m",
            datetime(2027, 3, 1, tzinfo=UTC),
            datetime(2026, 10, 31, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 2, 3, tzinfo=UTC),
            "90d",
            datetime(2027, 1, 31, 3, tzinfo=UTC),
            datetime(2026, 8, 4, 3, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 2, tzinfo=UTC),
            "10y",
            datetime(2036, 11, 2, tzinfo=UTC),
            datetime(2016, 11, 2, tzinfo=UTC),
        ),
    ],
)
def test_spans_never_end_too_soon(moment: datetime, span: str, after: datetime, before: datetime) -> None:
    """A day that a month does not have moves so that things are kept longer, not shorter."""
    assert later(moment, span) == after
    assert earlier(moment, span) == before
