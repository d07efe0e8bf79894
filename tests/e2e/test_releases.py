"""Releases on the command line: freeze, approve, run, compare, retire."""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, people, small_workspace

SAMPLE = "customer: {name: Ann, currency: GBP, balance: '12.50'}\nlocale: en-GB\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_workspace(tmp_path / "w", people(2), released=False, templates__notice__samples__ann_dot_yaml=SAMPLE)


def test_from_draft_to_history(ccm: ForkedCcm, root: Path) -> None:
    """Refused, released, refused, approved, sent; history names the release."""
    run = ("run", "news", "--as-of", AS_OF, "--json")
    first = ccm(*run, cwd=root)
    assert first.code == 3
    assert "error[no-release]" in first.stderr
    assert "--draft" in first.stderr
    made = ccm("release", "notice", "--by", "ann", "--json", cwd=root)
    assert made.code == 0, made.stderr
    assert made.json[0]["release"] == "notice@1.0.0"
    assert "error[not-approved]" in ccm(*run, cwd=root).stderr
    approved = ccm("approve", "notice@1.0.0", "--by", "bob", cwd=root)
    assert approved.stdout.startswith("approved notice@1.0.0 (plain) by bob")
    assert ccm(*run, cwd=root).code == 0
    (entry, *_) = ccm("history", "P-001", "--json", cwd=root).json
    assert entry["release"] == f"notice@1.0.0+{made.json[0]['content_hash'][:12]}"
    again = ccm("release", "notice", cwd=root)
    assert again.code == 1
    assert "is what the folder says" in again.stderr


def test_a_difference_is_shown_down_to_the_sample(ccm: ForkedCcm, root: Path) -> None:
    """Contract, facts, texts, tokens and rendered samples; nothing where nothing differs."""
    assert ccm("release", "notice", cwd=root).code == 0
    same = ccm("diff", "notice@1.0.0", cwd=root)
    assert (same.code, same.stdout.splitlines()[-1]) == (0, "nothing differs")
    mail = root / "templates/notice/email.mjml"
    mail.write_text(mail.read_text().replace("Your balance", "Your new balance"))
    tokens = root / "brands/plain/tokens.json"
    tokens.write_text(tokens.read_text().replace("#123456", "#654321"))
    contract = root / "templates/notice/template.yaml"
    contract.write_text(contract.read_text().replace("currency: code,", "currency: code, note: text?,"))
    dry = ccm("release", "notice", "--dry-run", cwd=root)
    assert dry.stdout.startswith("would be notice@2.0.0 (plain): major since 1.0.0")
    found = ccm("diff", "notice@1.0.0", "notice", "--json", cwd=root)
    assert found.code == 1
    levels = {(item["level"], item["kind"], item["where"]) for item in found.json["changes"]}
    assert ("major", "contract", "customer.note") in levels
    assert ("patch", "colour", "color.brand.primary") in levels
    assert {"channel": "email", "locale": "en", "before": "Your balance", "after": "Your new balance"} in found.json[
        "texts"
    ]
    sample, other = found.json["samples"]
    assert [(one["sample"], one["channel"]) for one in (sample, other)] == [("ann", "email"), ("ann in en", "email")]
    assert sample["lines"] == ["-Your balance", "+Your new balance"]
    assert ccm("release", "notice", cwd=root).code == 0
    text = ccm("diff", "notice@1.0.0", "notice@2.0.0", cwd=root).stdout
    for words in ("contract", "customer.note: added", "text of email in en", "  + Your new balance", "sample ann"):
        assert words in text


def test_lists_and_verification(ccm: ForkedCcm, root: Path) -> None:
    """Where each release stands, what comes next, and which file changed."""
    assert ccm("release", "--all", "--by", "ann", cwd=root).code == 0
    assert ccm("approve", "--all", "--by", "bob", cwd=root).code == 0
    assert ccm("approve", "--all", "--by", "bob", cwd=root).code == 1
    sms = root / "templates/notice/sms.txt"
    sms.write_text(sms.read_text().replace(": ", ", now: "))
    listed = ccm("releases", "--verify", "--json", cwd=root)
    assert listed.code == 0, listed.stderr
    assert [(one["release"], one["state"], one["by"]) for one in listed.json["releases"]] == [
        ("notice@1.0.0", "approved", "bob")
    ]
    assert [one["bump"] for one in listed.json["next"]] == ["patch"]
    assert ccm("release", "notice", "--by", "ann", cwd=root).code == 0
    overlap = ccm("approve", "notice@1.0.1", "--by", "bob", cwd=root)
    assert overlap.code == 3
    assert "error[releases-overlap]" in overlap.stderr
    assert "retired notice@1.0.0" in ccm("approve", "notice@1.0.1", "--supersede", "--by", "bob", cwd=root).stdout
    retired = ccm("retire", "notice@1.0.1", "--reason", "wrong", "--by", "cat", cwd=root)
    assert retired.stdout == "retired notice@1.0.1 (plain) by cat\n"
    assert "error[release-retired]" in ccm("run", "news", "--as-of", AS_OF, cwd=root).stderr
    changed = next(path for path in sorted((root / "releases" / "_objects").rglob("*")) if path.is_file())
    changed.write_bytes(changed.read_bytes() + b"\n")
    verified = ccm("releases", "--verify", cwd=root)
    assert verified.code == 1
    assert changed.relative_to(root).as_posix() in verified.stderr
    assert ccm("approve", "notice@9.9.9", cwd=root).code == 3
    assert ccm("release", cwd=root).code == 2
    assert ccm("diff", "notise@1.0.0", cwd=root).code == 3
    assert ccm("diff", "notise", cwd=root).code == 3


def test_a_release_older_than_its_campaign_is_named(ccm: ForkedCcm, root: Path) -> None:
    """The template has the channel by now and its release has not: run blames the release and says what to do."""
    template = root / "templates/notice/template.yaml"
    complete = template.read_text()
    sms = root / "templates/notice/sms.txt"
    text = sms.read_text()
    template.write_text(
        complete.replace("  optional: [sms]\n", "").replace("channels: [email, sms]", "channels: [email]")
    )
    sms.unlink()
    assert ccm("release", "notice", "--by", "ann", cwd=root).code == 0
    assert ccm("approve", "notice@1.0.0", "--by", "bob", cwd=root).code == 0
    template.write_text(complete)
    sms.write_text(text)
    stopped = ccm("run", "news", "--as-of", AS_OF, "--json", cwd=root)
    assert stopped.code == 3
    (error,) = stopped.json["errors"]
    assert error["code"] == "release-behind"
    assert error["message"] == "notice@1.0.0 has no channel sms"
    assert "ccm release notice --brand plain" in error["remedy"]
    assert "error[release-behind]" in stopped.stderr


def test_a_column_that_everybody_needs_stops_the_run(ccm: ForkedCcm, root: Path) -> None:
    """check and run agree: an error of the data's header, not one mistake for each customer."""
    assert ccm("release", "notice", cwd=root).code == 0
    assert ccm("approve", "notice@1.0.0", "--by", "bob", cwd=root).code == 0
    table = root / "data/people.csv"
    table.write_text(table.read_text().replace(",balance", ",saldo"))
    checked = ccm("check", cwd=root)
    assert checked.code == 3
    assert checked.stderr.splitlines()[-1].startswith("1 error, ")
    stopped = ccm("run", "news", "--as-of", AS_OF, "--json", cwd=root)
    assert stopped.code == 3
    assert [one["code"] for one in stopped.json["errors"]] == ["missing-column"]
    assert not (root / "outbox").exists()


def test_approving_says_when_it_must_supersede(ccm: ForkedCcm, root: Path) -> None:
    """The line to paste next is the one that works."""
    first = ccm("release", "notice", cwd=root).stdout
    assert first.splitlines()[-1] == "  next: ccm approve notice@1.0.0 --brand plain"
    assert ccm("approve", "notice@1.0.0", "--by", "bob", cwd=root).code == 0
    sms = root / "templates/notice/sms.txt"
    sms.write_text(sms.read_text().replace(": ", ", now: "))
    second = ccm("release", "notice", cwd=root).stdout.splitlines()[-1]
    assert second == "  next: ccm approve notice@1.0.1 --brand plain --supersede  (retires notice@1.0.0)"
    assert ccm(*second.partition("ccm ")[2].partition("  (")[0].split(), cwd=root).code == 0


def test_a_preview_shows_the_release_or_the_draft(ccm: ForkedCcm, root: Path) -> None:
    """The working folder by default; with --release what is approved, whatever the folder says by now."""
    assert ccm("release", "notice", cwd=root).code == 0
    show = ("preview", "news", "--customer", "P-001", "--json")
    assert "error[not-approved]" in ccm(*show, "--release", "approved", cwd=root).stderr
    assert ccm("approve", "notice@1.0.0", "--by", "bob", cwd=root).code == 0
    sms = root / "templates/notice/sms.txt"
    sms.write_text(sms.read_text().replace(": ", " says: "))
    for release, said in ((), False), (("--release", "approved"), True), (("--release", "1.0.0"), True):
        shown = ccm(*show, *release, cwd=root)
        assert shown.code == 0, shown.stderr
        page = Path(shown.json["page"]).read_text()
        assert ("Plain Ltd: " in page) is said
        assert shown.json["release"].startswith("notice@1.0.0+") is said
    assert ccm(*show, "--release", "9.9.9", cwd=root).code == 3
    sms.write_text("{{ unfinished")
    assert ccm(*show, cwd=root).code == 3
    assert ccm(*show, "--release", "approved", cwd=root).code == 0
