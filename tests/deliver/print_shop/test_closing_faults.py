"""kill -9, full disks and lost files while batches are made: the same command ends with the same bytes, nothing twice, nothing lost."""

from __future__ import annotations

import csv
import io
import os
import resource
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from deliver.print_shop.print_pages import NOW, RUN, batch_files, envelope, postal, press, printer, spooled

LATER = NOW + timedelta(hours=3)
SETTINGS = {"batch_envelopes": "2", "householding": "family"}
FILE_EVENTS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "fcntl.flock"}
LETTERS = [envelope(n, n % 3 + 1, postal("Ann Abt" if n < 2 else f"Zoe Zet{n}", f"Weg {n // 2}")) for n in range(6)]


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six accepted letters."""
    root = tmp_path_factory.mktemp("spooled")
    spooled(printer(root, SETTINGS), *LETTERS)
    return root


def close(root: Path, now: object = NOW) -> None:
    """What `ccm print` does."""
    press(printer(root, SETTINGS)).close(RUN, now=now)  # type: ignore[arg-type]


def in_child(action: Callable[[], None]) -> int:
    """Do something in a process of its own; return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            action()
            code = 0
        except OSError:
            code = 4
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def count_files(root: Path, die_at: int) -> int:
    """Close in a child that dies at its n-th touch of a file (0 never); return how it ended."""

    def action() -> None:
        seen = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if event in FILE_EVENTS and str(root) in str(arguments[0]):
                seen += 1
                if seen == die_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        close(root)
        (root / "touches").write_text(str(seen))

    return in_child(action)


def reference(spool: Path, folder: Path, now: object) -> dict[str, bytes]:
    """Return what an undisturbed command makes."""
    shutil.copytree(spool, folder)
    close(folder, now)
    return batch_files(folder)


def printed(files: dict[str, bytes]) -> Counter[str]:
    """Return how often every piece stands in a batch."""
    tables = [content.decode() for name, content in files.items() if name.endswith(".csv")]
    return Counter(row["piece"] for text in tables for row in csv.DictReader(io.StringIO(text, newline="")))


def test_killed_at_every_touch_of_a_file(spool: Path, tmp_path: Path) -> None:
    """Before the decision is durable the next command decides; afterwards it finishes. Both give an undisturbed command's bytes."""
    shutil.copytree(spool, tmp_path / "count")
    assert count_files(tmp_path / "count", 0) == 0
    touches = int((tmp_path / "count" / "touches").read_text())
    assert touches > 50
    first, later = (reference(spool, tmp_path / name, now) for name, now in (("one", NOW), ("two", LATER)))
    assert printed(first) == Counter({one.key: 1 for one in LETTERS})
    assert first != later
    decided = 0
    for die_at in range(1, touches + 1):
        root = tmp_path / f"killed-{die_at}"
        shutil.copytree(spool, root)
        assert count_files(root, die_at) == -signal.SIGKILL
        survived = (root / "print" / "closings" / RUN / "0001.json").exists()
        decided += survived
        close(root, LATER)
        assert batch_files(root) == (first if survived else later), die_at
        close(root, LATER)
        assert batch_files(root) == (first if survived else later), die_at
        shutil.rmtree(root)
    assert 10 < decided < touches


@pytest.mark.parametrize("largest_file", [100, 1_000, 2_600, 3_500, 5_000])
def test_a_full_disk_stops_and_the_same_command_goes_on(spool: Path, tmp_path: Path, largest_file: int) -> None:
    """Whatever file hits the limit first; no half file is left under a name that counts."""
    first, later = (reference(spool, tmp_path / name, now) for name, now in (("one", NOW), ("two", LATER)))
    root = tmp_path / "full"
    shutil.copytree(spool, root)

    def action() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        close(root)

    assert in_child(action) == 4
    assert not any(name.endswith(".sha256") and name[:-7] + ".pdf" not in first for name in batch_files(root))
    for name, content in batch_files(root).items():
        assert content == first[name]
    survived = (root / "print" / "closings" / RUN / "0001.json").exists()
    close(root, LATER)
    assert batch_files(root) == (first if survived else later)


def test_a_full_disk_accepts_nothing(tmp_path: Path) -> None:
    """A letter that could not be written whole is not accepted, and is taken whole afterwards."""
    from ccm.deliver.interface import DeliveryError

    adapter = printer(tmp_path)

    def action() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        with pytest.raises(DeliveryError, match="could not be written"):
            adapter.deliver(LETTERS[0])

    assert in_child(action) == 0
    assert adapter.look_up(LETTERS[0].key) is None
    spooled(adapter, LETTERS[0])


def test_a_lost_batch_file_is_made_again(spool: Path, tmp_path: Path) -> None:
    """Without its checksums a batch is not complete."""
    shutil.copytree(spool, tmp_path / "w")
    close(tmp_path / "w")
    before = batch_files(tmp_path / "w")
    folder = tmp_path / "w" / "print" / "batches" / RUN
    (folder / f"{RUN}.b001.sha256").unlink()
    (folder / f"{RUN}.b001.pdf").write_bytes(b"half")
    close(tmp_path / "w", LATER)
    assert batch_files(tmp_path / "w") == before
