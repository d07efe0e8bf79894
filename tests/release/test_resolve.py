"""Promise: a release hash changes with everything that a message is made of, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ccm.load import load_workspace
from ccm.model.records import ReleaseRef
from ccm.release import ReleaseNotFound, resolve
from ccm.release.resolve import release_files

BASE = Path(__file__).resolve().parent.parent / "cases" / "workspace"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "w"
    shutil.copytree(BASE, folder)
    unused = folder / "templates/_fragments/unused"
    unused.mkdir()
    (unused / "email.mjml").write_text("unused")
    nested = folder / "templates/_fragments/nested"
    nested.mkdir()
    (nested / "email.mjml").write_text("nested")
    (folder / "templates/_fragments/contact/email.mjml").write_text('{% include "fragments/nested" %}')
    return folder


def _release(root: Path, wanted: str = "1") -> ReleaseRef:
    workspace, _ = load_workspace(root)
    assert workspace is not None
    return resolve(workspace, "notice", wanted, "plain")


def test_the_same_files_give_the_same_release_elsewhere(root: Path, tmp_path: Path) -> None:
    """The hash hangs on contents and not on the machine; the working folder is a draft."""
    shutil.copytree(root, tmp_path / "other")
    assert _release(root) == _release(tmp_path / "other")
    assert _release(root).version == "1.2.0-draft"
    assert len(_release(root).content_hash) == 64


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("templates/notice/email.mjml", True),
        ("templates/notice/locales/de.po", True),
        ("templates/notice/template.yaml", True),
        ("templates/_fragments/contact/email.mjml", True),
        ("templates/_fragments/nested/email.mjml", True),
        ("brands/plain/tokens.json", True),
        ("brands/_shared/font.ttf", True),
        ("templates/notice/samples/anna.yaml", False),
        ("templates/_fragments/unused/email.mjml", False),
        ("templates/offer/email.html", False),
        ("campaigns/news.yaml", False),
        ("data/people.csv", False),
    ],
)
def test_the_hash_follows_what_the_message_is_made_of(root: Path, path: str, matters: bool) -> None:
    """One more byte in a file that counts gives another release; in one that does not, the same."""
    before = _release(root)
    file = root / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")
    assert (_release(root).content_hash != before.content_hash) is matters


def test_the_files_of_a_release_are_listed(root: Path) -> None:
    """Fragments of fragments count; a circle of fragments ends."""
    (root / "templates/_fragments/nested/email.mjml").write_text('{% include "fragments/contact" %}')
    workspace, _ = load_workspace(root)
    assert workspace is not None
    files = release_files(workspace, "notice", "plain")
    assert "templates/_fragments/nested/email.mjml" in files
    assert list(files) == sorted(set(files))


@pytest.mark.parametrize("wanted", ["", "1", "1.2", "1.2.0"])
def test_a_range_takes_versions_inside_it(root: Path, wanted: str) -> None:
    """1 takes 1.x.y, 1.2 takes 1.2.x."""
    assert _release(root, wanted).template == "notice"


def test_what_is_not_there_is_named(root: Path) -> None:
    """Template, brand and version each say what there is."""
    workspace, _ = load_workspace(root)
    assert workspace is not None
    for template, wanted, brand in (
        ("notise", "1", "plain"),
        ("notice", "2", "plain"),
        ("notice", "1.1", "plain"),
        ("notice", "1", "plane"),
    ):
        with pytest.raises(ReleaseNotFound) as caught:
            resolve(workspace, template, wanted, brand)
        assert caught.value.remedy
