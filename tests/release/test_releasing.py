"""Promises of releases: immutable, complete, told by how far they go, approved by the right person, effective on days."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from run.small_workspace import people, small_workspace

from ccm.load import load_workspace
from ccm.model.workspace import Workspace
from ccm.release import (
    Bump,
    Release,
    ReleaseError,
    ReleaseOrder,
    ReleaseState,
    approved_releases,
    find_release,
    library_of,
    read_release,
    releases_of,
    releases_on,
    retire,
    state_of,
    verify,
)
from ccm.run.contents import ConfigurationFault, workspace_store
from ccm.run.releasing import MadeRelease, approve_release, listed_releases, make_release, next_releases

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
TEMPLATE = "templates/notice/template.yaml"
EMAIL = "templates/notice/email.mjml"
BRAND = "brands/plain/brand.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_workspace(tmp_path / "w", people(1), released=False)


def loaded(root: Path) -> Workspace:
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return workspace


def made(root: Path, order: ReleaseOrder | None = None, template: str = "notice") -> MadeRelease:
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None
    return make_release(workspace, diagnostics, template, "plain", order or ReleaseOrder("ann", AT))


def approved(root: Path, release: Release, *, by: str = "bob", supersede: bool = False) -> tuple[Release, ...]:
    return approve_release(loaded(root), release, by=by, at=AT, supersede=supersede)


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


def refused(call: object) -> str:
    """Return the code of the refusal."""
    with pytest.raises(ReleaseError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.remedy
    return caught.value.code


# ── freezing ─────────────────────────────────────────────────────────────────


def test_a_release_holds_every_byte_of_its_messages(root: Path) -> None:
    """The frozen library is the working one, and stays so when the working one changes."""
    release = made(root).release
    assert (release.name, release.bump, release.previous) == ("notice@1.0.0", Bump.FIRST, "")
    store = workspace_store(loaded(root))
    before = dict(loaded(root).library.files)
    edit(root, EMAIL, "Your balance", "Your new balance")
    frozen = library_of(store, read_release(store, "notice", "plain", "1.0.0"))
    assert frozen.files
    assert all(before[path] == body for path, body in frozen.files.items())
    assert {"weasyprint", "pango", "harfbuzz", "mjml-python", "babel", "cldr", "ccm"} <= set(release.engine)
    assert all(release.engine.values())


def test_the_same_content_gives_the_same_hash_and_no_second_release(root: Path, tmp_path: Path) -> None:
    """Who and when are not part of the content hash; what did not change is not released again."""
    first = made(root).release
    other = small_workspace(tmp_path / "other", people(3), released=False)
    twin = made(other, ReleaseOrder("cat", datetime(2030, 1, 1, tzinfo=UTC))).release
    assert twin.content_hash == first.content_hash
    assert twin.hash != first.hash
    assert refused(lambda: made(root)) == "nothing-changed"
    objects = list((root / "releases" / "_objects").rglob("*"))
    edit(root, EMAIL, "Your balance", "Your new balance")
    made(root)
    files = [path for path in (root / "releases" / "_objects").rglob("*") if path.is_file()]
    assert len(files) == len([path for path in objects if path.is_file()]) + 1


def test_a_release_of_broken_files_is_refused(root: Path) -> None:
    """Mistakes of the template stop it; those of another template do not."""
    (root / "templates" / "other").mkdir()
    (root / "templates" / "other" / "template.yaml").write_text("template: [")
    made(root)
    edit(root, EMAIL, "{{ brand.title }}", "{{ brand.titel }}")
    with pytest.raises(ConfigurationFault) as caught:
        made(root)
    assert {item.location.path for item in caught.value.diagnostics} == {EMAIL}
    with pytest.raises(ConfigurationFault):
        made(root, template="notise")


# ── versions ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "old", "new", "version", "kind"),
    [
        (EMAIL, "Your balance", "Your new balance", "1.0.1", "copy"),
        (EMAIL, 'alt="{{ brand.title }}"', 'alt="{{ brand.title }} logo"', "1.0.1", "copy"),
        (EMAIL, "<mj-text>", '<mj-text color="#ff0000">', "1.0.1", "copy"),
        (EMAIL, "<mj-text>", '<mj-text padding="9px">', "1.1.0", "structure"),
        (EMAIL, "{{ customer.name }}: ", "", "1.1.0", "structure"),
        ("templates/notice/sms.txt", "{{ brand.title }}: ", "{{ brand.title }}, now: ", "1.0.1", "copy"),
        ("brands/plain/tokens.json", "#123456", "#654321", "1.0.1", "colour"),
        ("brands/plain/tokens.json", '"color": {', '"space": {"$type": "dimension", "$value": "4px"}, "color": {', "1.1.0", "layout"),
        (BRAND, "legal:\n  en: [Plain Ltd]", "legal:\n  en: [Plain Limited]", "1.0.1", "copy"),
        (BRAND, "address: mail@plain.example", "address: post@plain.example", "1.1.0", "senders"),
        (TEMPLATE, "locales: [en]", "locales: [en, de]", "1.1.0", "structure"),
        (TEMPLATE, "title: Notice", "title: Note", "1.0.1", "copy"),
        (TEMPLATE, "required: [email]\n  optional: [sms]", "required: [email, sms]", "1.1.0", "structure"),
        (TEMPLATE, "currency: code,", "currency: code, note: text?,", "2.0.0", "contract"),
        (TEMPLATE, "channels: [email, sms]", "channels: [email]", "2.0.0", "facts"),
        (TEMPLATE, "title: Balance,", "title: Amount,", "1.0.1", "copy"),
        (TEMPLATE, "version: 1.0.0\n", "version: 3.0.0\ndescription: x\n", "3.0.0", "copy"),
    ],
)  # fmt: skip
def test_the_bump_follows_from_the_difference(
    root: Path, path: str, old: str, new: str, version: str, kind: str
) -> None:
    """Contract and facts are major, structure and layout minor, copy and colour patch; the reason is shown."""
    made(root)
    edit(root, path, old, new)
    found = made(root)
    assert found.release.version == version
    assert kind in {change.kind for change in found.changes}
    assert list(found.release.changes) == [str(change) for change in found.changes]


def test_a_bump_may_be_larger_but_not_smaller(root: Path) -> None:
    """Semantic versions promise something; an order below the difference is refused."""
    made(root)
    edit(root, TEMPLATE, "currency: code,", "currency: code, note: text?,")
    assert refused(lambda: made(root, ReleaseOrder("ann", AT, Bump.MINOR))) == "bump-too-small"
    assert made(root, ReleaseOrder("ann", AT, Bump.MAJOR)).release.version == "2.0.0"
    edit(root, EMAIL, "Your balance", "Your new balance")
    assert made(root, ReleaseOrder("ann", AT, Bump.MINOR)).release.version == "2.1.0"


def test_an_edit_of_the_brand_names_the_other_templates(root: Path) -> None:
    """Whoever changes a shared file learns whose next release it changes."""
    other = root / "templates" / "letter"
    other.mkdir()
    for name in ("template.yaml", "email.mjml", "sms.txt"):
        text = (root / "templates" / "notice" / name).read_text().replace("template: notice", "template: letter")
        (other / name).write_text(text)
    made(root)
    made(root, template="letter")
    edit(root, "brands/plain/tokens.json", "#123456", "#654321")
    found = made(root)
    assert [(item.template, item.through) for item in found.affected] == [("letter", ("brands/plain/tokens.json",))]
    steps = {item.template: item.bump for item in next_releases(loaded(root))}
    assert steps == {"letter": Bump.PATCH, "notice": Bump.NONE}


# ── approval ─────────────────────────────────────────────────────────────────


def test_states_move_forward_only(root: Path) -> None:
    """Draft, approved, retired; each step once, with who and when."""
    release = made(root).release
    store = workspace_store(loaded(root))
    assert state_of(store, release) is ReleaseState.DRAFT
    approved(root, release)
    assert refused(lambda: approved(root, release)) == "release-approved"
    retire(store, release, by="cat", at=AT, reason="old")
    assert refused(lambda: retire(store, release, by="cat", at=AT, reason="old")) == "release-retired"
    assert refused(lambda: approved(root, release)) == "release-retired"
    (row,) = listed_releases(loaded(root))
    assert (row.state, row.step.by if row.step else "", row.step.reason if row.step else "") == (
        ReleaseState.RETIRED,
        "cat",
        "old",
    )


def test_four_eyes_where_the_brand_wants_them(root: Path) -> None:
    """The author may not approve, and cannot turn the rule off alone."""
    edit(root, BRAND, "links:", "approval: {four_eyes: true}\nlinks:")
    first = made(root).release
    assert refused(lambda: approved(root, first, by="ann")) == "four-eyes"
    approved(root, first, by="bob")
    edit(root, BRAND, "four_eyes: true", "four_eyes: false")
    second = made(root).release
    assert refused(lambda: approved(root, second, by="ann", supersede=True)) == "four-eyes"
    approved(root, second, by="bob", supersede=True)
    edit(root, EMAIL, "Your balance", "Your new balance")
    approved(root, made(root).release, by="ann", supersede=True)


def test_two_releases_cannot_be_effective_at_once(root: Path) -> None:
    """Approving the second needs a first day or the retirement of the other."""
    first = made(root).release
    approved(root, first)
    edit(root, EMAIL, "Your balance", "Your new balance")
    second = made(root).release
    assert refused(lambda: approved(root, second)) == "releases-overlap"
    assert [one.version for one in approved(root, second, supersede=True)] == ["1.0.0"]
    third = made(root, ReleaseOrder("ann", AT, effective_from=date(2026, 12, 1))).release
    assert approved(root, third) == ()
    chosen = approved_releases(workspace_store(loaded(root)), "notice", "plain", "1")
    assert [one.version for one in chosen] == ["1.0.1", "1.0.2"]
    by_day = {day: releases_on(chosen, [date(2026, *day)])[0].version for day in ((11, 30), (12, 1), (12, 31))}
    assert by_day == {(11, 30): "1.0.1", (12, 1): "1.0.2", (12, 31): "1.0.2"}


def test_the_range_and_the_days_decide(root: Path) -> None:
    """Nothing in the range, nothing approved, nothing effective: each has its own code."""
    store = workspace_store(loaded(root))
    assert refused(lambda: approved_releases(store, "notice", "plain", "1")) == "no-release"
    days = (date(2026, 11, 1), date(2026, 11, 30))
    release = made(root, ReleaseOrder("ann", AT, effective_from=days[0], effective_until=days[1])).release
    assert refused(lambda: approved_releases(store, "notice", "plain", "1")) == "not-approved"
    assert refused(lambda: approved_releases(store, "notice", "plain", "2")) == "no-release"
    approved(root, release)
    chosen = approved_releases(store, "notice", "plain", "1.0")
    for day, counts in ((date(2026, 10, 31), False), (days[0], True), (days[1], True), (date(2026, 12, 1), False)):
        if counts:
            assert releases_on(chosen, [day]) == chosen
        else:
            assert refused(lambda day=day: releases_on(chosen, [day])) == "no-effective-release"
    twin = replace(chosen[0], version="1.0.1", content_hash="0" * 64)
    assert refused(lambda: releases_on([*chosen, twin], [days[0]])) == "releases-overlap"
    retire(store, release, by="cat", at=AT, reason="old")
    assert refused(lambda: approved_releases(store, "notice", "plain", "1")) == "release-retired"
    order = ReleaseOrder("ann", AT, effective_from=days[1], effective_until=days[0])
    edit(root, EMAIL, "Your balance", "Your new balance")
    assert refused(lambda: made(root, order)) == "wrong-dates"


def test_a_release_is_found_by_what_pieces_record(root: Path) -> None:
    """Template, version and the start of the content hash; a wrong hash is no release."""
    release = made(root).release
    store = workspace_store(loaded(root))
    assert find_release(store, str(release.ref)).hash == release.hash
    assert find_release(store, "notice@1.0.0").hash == release.hash
    assert refused(lambda: find_release(store, "notice@1.0.0+000000000000")) == "unknown-release"
    assert refused(lambda: find_release(store, "notice@1.0.9")) == "unknown-release"


# ── tampering ────────────────────────────────────────────────────────────────


def test_every_changed_byte_is_found_and_its_file_named(root: Path) -> None:
    """400 single-byte changes and 60 truncations over every file of the store: all found, the right file named."""
    release = made(root).release
    approved(root, release)
    workspace = loaded(root)
    store = workspace_store(workspace)
    assert verify(store, release) == ()
    files = sorted(path for path in (root / "releases").rglob("*") if path.is_file())
    assert len(files) >= 8
    names = {sha: path for path, sha in release.files.items()}
    chance = random.Random(20261101)
    for number in range(460):
        path = files[number % len(files)]
        content = path.read_bytes()
        at = chance.randrange(len(content))
        if number >= 400:
            changed = content[:at]
        else:
            changed = content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]
        path.write_bytes(changed)
        problems = verify(store, release)
        path.write_bytes(content)
        place = path.relative_to(root).as_posix()
        assert [item.location.path for item in problems] == [place], (place, at)
        if path.name in names:
            assert names[path.name] in problems[0].message
    assert verify(store, release) == ()


def test_a_missing_file_is_named(root: Path) -> None:
    """Verification names it, and nothing can be made from the release."""
    release = made(root).release
    store = workspace_store(loaded(root))
    (root / "releases" / "_objects" / release.files[EMAIL][:2] / release.files[EMAIL]).unlink()
    assert [item.code for item in verify(store, release)] == ["release-incomplete"]
    assert refused(lambda: library_of(store, release)) == "release-incomplete"
    assert refused(lambda: approved(root, release)) == "release-incomplete"


def test_an_approval_counts_for_its_own_hash_alone(root: Path) -> None:
    """The approval of one release, copied beside another, is refused."""
    first = made(root).release
    approved(root, first)
    edit(root, EMAIL, "Your balance", "Your new balance")
    second = made(root).release
    folder = root / "releases" / "notice" / "plain"
    (folder / "1.0.1.approved.json").write_bytes((folder / "1.0.0.approved.json").read_bytes())
    store = workspace_store(loaded(root))
    assert refused(lambda: state_of(store, second)) == "approval-mismatch"
    (folder / "1.0.2.json").write_bytes((folder / "1.0.1.json").read_bytes())
    assert refused(lambda: releases_of(store)) == "release-changed"
