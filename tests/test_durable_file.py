"""Files that are there completely or not at all."""

from __future__ import annotations

import errno
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ccm.durable_file import create_once, replace_whole


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    """The first content stays and the answer says so; no temporary file is left."""
    path = tmp_path / "a" / "b" / "file"
    assert create_once(path, b"first")
    assert not create_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_replacing_is_whole(tmp_path: Path) -> None:
    """The old content goes only when the new one is there."""
    path = tmp_path / "file"
    create_once(path, b"old")
    replace_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A limit in the middle of the content (here on the size of files) leaves neither file nor remains."""
    script = """
        import resource, sys
        from pathlib import Path
        from ccm.durable_file import create_once
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            create_once(Path(sys.argv[1]) / "file", b"x" * 5000)
        except OSError as error:
            print(error.errno)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(errno.EFBIG)
    assert list(tmp_path.iterdir()) == []


def test_names_longer_than_a_temporary_name_allows(tmp_path: Path) -> None:
    """A name of the longest length that file systems take can be written."""
    assert create_once(tmp_path / ("n" * 255), b"x")


@pytest.mark.parametrize("size", [0, 1, 10_000_000])
def test_any_size(size: int, tmp_path: Path) -> None:
    """Empty and large content come out as they went in."""
    create_once(tmp_path / "file", b"x" * size)
    assert (tmp_path / "file").stat().st_size == size


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_systems_without_links_work_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """They say so in several ways; an existing file stays there as well."""

    def no_link(*_: object, **__: object) -> None:
        raise OSError(code, "no links here")

    monkeypatch.setattr("os.link", no_link)
    assert create_once(tmp_path / "file", b"first")
    assert not create_once(tmp_path / "file", b"second")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file", b"first")]


def test_a_failing_disk_is_not_taken_for_one_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other fault of linking is told."""

    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr("os.link", broken)
    with pytest.raises(OSError, match="broken"):
        create_once(tmp_path / "file", b"x")
    assert list(tmp_path.iterdir()) == []
