"""Production runs read approved releases and nothing else; drafts reach nobody."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from run.small_workspace import CAMPAIGN, SOURCE, people, small_workspace

from ccm.diagnostics import Diagnostic
from ccm.load import load_workspace
from ccm.model.records import OutcomeKind
from ccm.model.workspace import Workspace
from ccm.release import ReleaseOrder, find_release, retire
from ccm.run import ConfigurationFault, Progress, RunOptions, run_campaign, workspace_ledger
from ccm.run.contents import workspace_store
from ccm.run.releasing import approve_release, make_release
from ccm.testing.releases import release_everything

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
EMAIL = "templates/notice/email.mjml"


def loaded(root: Path) -> Workspace:
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return workspace


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


def subjects(folder: Path) -> set[str]:
    """Return the subjects of all emails in an outbox."""
    found = (path.read_bytes() for path in (folder / "email").glob("*.eml"))
    return {email.message_from_bytes(content, policy=email.policy.default)["subject"] for content in found}


def releases_in_ledger(root: Path) -> dict[str, str]:
    """Return the release that each recipient's email records."""
    ledger = workspace_ledger(loaded(root))
    try:
        return {piece.recipient_id: piece.release for piece in ledger.pieces("news.once") if piece.channel == "email"}
    finally:
        ledger.close()


def refused(root: Path) -> Diagnostic:
    """Return why a production run is refused; it left nothing."""
    before = list((root / "outbox").rglob("*"))
    with pytest.raises(ConfigurationFault) as caught:
        run_campaign(loaded(root), "news", RunOptions(NOW))
    assert list((root / "outbox").rglob("*")) == before
    return caught.value.diagnostics[0]


def test_a_run_needs_an_approved_release(tmp_path: Path) -> None:
    """Nothing released, released only, approved: refused, refused, sent; every piece names its release."""
    root = small_workspace(tmp_path, people(2), released=False)
    assert refused(root).code == "no-release"
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None
    release = make_release(workspace, diagnostics, "notice", "plain", ReleaseOrder("ann", NOW)).release
    assert refused(root).code == "not-approved"
    approve_release(workspace, release, by="bob", at=NOW, supersede=False)
    report = run_campaign(workspace, "news", RunOptions(NOW))
    assert report.outcomes[OutcomeKind.ACCEPTED] == 2
    assert report.release == str(release.ref)
    assert set(releases_in_ledger(root).values()) == {str(release.ref)}


def test_the_working_folder_does_not_matter(tmp_path: Path) -> None:
    """An edited, broken or removed draft changes nothing of a production run."""
    root = small_workspace(tmp_path / "a", people(2))
    edit(root, EMAIL, "Your balance", "Something else")
    (root / "brands/plain/tokens.json").write_text("{")
    (root / "templates/notice/template.yaml").write_text("template: [")
    (root / "templates/notice/sms.txt").unlink()
    assert run_campaign(loaded(root), "news", RunOptions(NOW)).outcomes[OutcomeKind.ACCEPTED] == 2
    twin = small_workspace(tmp_path / "b", people(2))
    run_campaign(loaded(twin), "news", RunOptions(NOW))

    def sent(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (folder / "outbox").rglob("*") if path.is_file()}

    assert sent(root) == sent(twin)
    assert subjects(root / "outbox") == {"Your balance"}


def test_a_changed_byte_stops_the_run(tmp_path: Path) -> None:
    """The file is named by its path in the store and in the workspace."""
    root = small_workspace(tmp_path, people(2))
    store = workspace_store(loaded(root))
    sha256 = find_release(store, "notice@1.0.0").files[EMAIL]
    path = root / "releases" / "_objects" / sha256[:2] / sha256
    path.write_bytes(path.read_bytes().replace(b"Your", b"Mine"))
    problem = refused(root)
    assert (problem.code, problem.location.path) == ("release-changed", path.relative_to(root).as_posix())
    assert EMAIL in problem.message


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("notice@1", "notice@2", "no-release"),
        ("optional: [sms]", "optional: [document]", "missing-provider"),
        ("brand: plain", "brand: other", "no-release"),
    ],
)
def test_the_campaign_must_fit_its_release(tmp_path: Path, old: str, new: str, code: str) -> None:
    """What `ccm check` says about the draft is said about the release."""
    root = small_workspace(tmp_path, people(1))
    edit(root, "campaigns/news.yaml", old, new)
    assert refused(root).code == code


def test_everybody_gets_the_release_of_their_date(tmp_path: Path) -> None:
    """At noon UTC it is tomorrow on Kiritimati; the release that begins tomorrow goes there, the old one elsewhere."""
    source = SOURCE.replace("locale: locale}", "locale: locale, zone: zone}")
    root = small_workspace(tmp_path, [], data__people_dot_yaml=source)
    header = "id,email,phone,locale,name,currency,balance,zone"
    zones = {"P-1": "Pacific/Kiritimati", "P-2": "Europe/London", "P-3": "Pacific/Honolulu"}
    rows = [f"{one},{one}@example.org,,en-GB,Ann,GBP,1.25,{zone}" for one, zone in zones.items()]
    (root / "data/people.csv").write_text("\n".join([header, *rows]) + "\n")
    edit(root, "campaigns/news.yaml", "  optional: [sms]\n", "")
    edit(root, "campaigns/news.yaml", ", sms: outbox", "")
    edit(root, EMAIL, "Your balance", "Your balance, new")
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None
    order = ReleaseOrder("ann", NOW, effective_from=NOW.date().replace(day=3))
    second = make_release(workspace, diagnostics, "notice", "plain", order).release
    approve_release(workspace, second, by="bob", at=NOW, supersede=False)
    for workers in (1, 2):
        options = RunOptions(NOW, workers=workers)
        assert run_campaign(workspace, "news", options).outcomes[OutcomeKind.ACCEPTED] == 3
    versions = {who: release.partition("+")[0] for who, release in releases_in_ledger(root).items()}
    assert versions == {"P-1": "notice@1.0.1", "P-2": "notice@1.0.0", "P-3": "notice@1.0.0"}
    assert subjects(root / "outbox") == {"Your balance", "Your balance, new"}


def test_nobody_gets_a_release_that_is_not_effective(tmp_path: Path) -> None:
    """Whose date no release covers is held, with the date; the others get theirs."""
    source = SOURCE.replace("locale: locale}", "locale: locale, zone: zone}")
    root = small_workspace(tmp_path, [], released=False, data__people_dot_yaml=source)
    header = "id,email,phone,locale,name,currency,balance,zone"
    rows = [f"{one},{one}@example.org,+447400123456,en-GB,Ann,GBP,1.25,{zone}" for one, zone in
            (("P-1", "Pacific/Kiritimati"), ("P-2", "Europe/London"))]  # fmt: skip
    (root / "data/people.csv").write_text("\n".join([header, *rows]) + "\n")
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None
    order = ReleaseOrder("ann", NOW, effective_until=NOW.date())
    release = make_release(workspace, diagnostics, "notice", "plain", order).release
    approve_release(workspace, release, by="bob", at=NOW, supersede=False)
    report = run_campaign(workspace, "news", RunOptions(NOW))
    assert report.outcomes[OutcomeKind.ACCEPTED] == 1
    assert report.reasons["no-effective-release"] == 1


def test_a_retired_release_stops_its_run_until_a_newer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retired between two windows: the next one does not go; a newer release finishes, and nobody gets it twice."""
    monkeypatch.setattr("ccm.run.execution.WINDOW", 2)
    root = small_workspace(tmp_path, people(6))
    workspace = loaded(root)
    store = workspace_store(workspace)
    first = find_release(store, "notice@1.0.0")
    retired: list[int] = []

    def withdraw(progress: Progress) -> None:
        if not retired:
            retired.append(progress.read)
            retire(store, first, by="cat", at=NOW, reason="wrong footer")

    with pytest.raises(ConfigurationFault) as caught:
        run_campaign(workspace, "news", RunOptions(NOW), listener=withdraw)
    assert caught.value.diagnostics[0].code == "release-retired"
    sent = len(list((root / "outbox/email").glob("*.eml")))
    assert sent <= 2
    assert refused(root).code == "release-retired"
    edit(root, EMAIL, "Your balance", "Your balance, right")
    (second,) = release_everything(root)
    report = run_campaign(loaded(root), "news", RunOptions(NOW))
    assert report.outcomes[OutcomeKind.ACCEPTED] == 6
    versions = sorted(release.partition("+")[0] for release in releases_in_ledger(root).values())
    assert versions == ["notice@1.0.0"] * sent + [second.name] * (6 - sent)


def test_a_run_does_not_go_back_to_an_older_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun with 1.0.1 that was retired since: the older 1.0.0, effective again, is not taken by itself."""
    monkeypatch.setattr("ccm.run.execution.WINDOW", 2)
    root = small_workspace(tmp_path, people(4))
    edit(root, EMAIL, "Your balance", "Your balance, new")
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None
    order = ReleaseOrder("ann", NOW, effective_from=NOW.date())
    second = make_release(workspace, diagnostics, "notice", "plain", order).release
    approve_release(workspace, second, by="bob", at=NOW, supersede=False)
    store = workspace_store(workspace)

    def withdraw(progress: Progress) -> None:
        retire(store, second, by="cat", at=NOW, reason="wrong")

    with pytest.raises(ConfigurationFault):
        run_campaign(workspace, "news", RunOptions(NOW), listener=withdraw)
    problem = refused(root)
    assert problem.code == "release-retired"
    assert "notice@1.0.1" in problem.message


def test_a_draft_run_is_marked_and_does_not_count(tmp_path: Path) -> None:
    """It takes the working folder whatever the providers are, twice if asked, and the real run still sends to all."""
    root = small_workspace(
        tmp_path,
        people(3),
        ccm_dot_yaml="workspace: small\nproviders: {mail: {adapter: smtp, settings: {host: 127.0.0.1, port: '1', tls: none}}}\n",
        campaigns__news_dot_yaml=CAMPAIGN.replace("outbox", "mail").replace("sms: mail", "sms: texts"),
        released=False,
    )
    edit(root, "ccm.yaml", "{mail:", "{texts: {adapter: outbox, settings: {folder: texts}}, mail:")
    for _ in range(2):
        report = run_campaign(loaded(root), "news", RunOptions(NOW, draft=True))
        assert report.outcomes[OutcomeKind.ACCEPTED] == 3
        assert report.release.partition("+")[0] == "notice@1.0.0-draft"
    outbox = root / "draft" / "news" / "outbox"
    assert len(list(outbox.rglob("*.eml"))) == 3
    assert subjects(outbox) == {"[DRAFT] Your balance"}
    messages = [path.read_text() for path in (outbox / "sms").glob("*.txt")]
    assert len(messages) == 3
    assert all(text.startswith("[DRAFT] ") for text in messages)
    assert not (root / "texts").exists()
    assert not (root / ".ccm" / "ledger.db").exists()
    assert not (root / "archive").exists()


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("scheduled", "reason"), [("2026-11-30T09:00", "not-due"), ("2026-11-01T09:00", "quiet-hours")]
)
def test_a_draft_waits_for_no_hour(tmp_path: Path, scheduled: str, reason: str, told: bool) -> None:
    """Before the schedule and at night all are composed whom the real run holds; who may not get it does not get it there either."""
    root = small_workspace(
        tmp_path,
        people(4),
        campaigns__news_dot_yaml=f'{CAMPAIGN}schedule: {{at: "{scheduled}", zone: recipient, quiet: "11:00-14:00"}}\n',
        data__people_dot_yaml=SOURCE + "suppressions: left.csv\n",
        data__left_dot_csv="address,channel,purpose,reason\np004@example.org,email,,bounced\n",
    )
    for draft, kind in ((True, OutcomeKind.ACCEPTED), (False, OutcomeKind.HELD)):
        options = RunOptions(NOW if told else None, draft=draft, late=True)
        report = run_campaign(loaded(root), "news", options, clock=lambda: NOW)
        assert {each: count for each, count in report.outcomes.items() if count} == {kind: 3, OutcomeKind.SUPPRESSED: 1}
        assert report.reasons.get(reason, 0) == (0 if draft else 3)
    assert len(list((root / "draft" / "news" / "outbox").rglob("*.eml"))) == 3
    assert not (root / "outbox").exists()


def test_a_night_that_begins_during_a_draft_holds_nobody(tmp_path: Path) -> None:
    """The question right before a hand-over is left out, too: planned by day, handed over at night."""
    root = small_workspace(
        tmp_path,
        people(2),
        campaigns__news_dot_yaml=f'{CAMPAIGN}schedule: {{at: "2026-11-02T09:00", zone: UTC, quiet: "21:00-08:00"}}\n',
    )
    for draft, kind in ((True, OutcomeKind.ACCEPTED), (False, OutcomeKind.HELD)):
        first = iter([NOW])
        clock = partial(next, first, NOW.replace(hour=22))
        assert run_campaign(loaded(root), "news", RunOptions(draft=draft), clock=clock).outcomes[kind] == 2
