"""A process that asks before its system calls: told to go on, refused or killed at exactly the call that was meant."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.faults.asking import KILLED, NUMBERS, Decide, Listening, error_number
from benchmarks.faults.tools import ROOT

pytestmark = [
    pytest.mark.skipif(platform.machine() not in NUMBERS, reason="system calls of this processor are not known"),
    pytest.mark.timeout(300),
]

PROGRAM = """
import os, sys
from benchmarks.faults.asking import ask_before
file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
ask_before(["fsync"], sys.argv[2])
for number in range(4):
    try:
        os.fsync(file)
        os.write(1, b"synced ")
    except OSError as error:
        os.write(1, os.strerror(error.errno).encode() + b" ")
"""


def told(folder: Path, decide: Decide) -> tuple[int, str]:
    """Run four syncs, each answered as decided; returns exit code and what came of them."""
    with Listening() as listening:
        address = listening.address.encode().replace(b"\0", b"@").decode()
        program = PROGRAM.replace("sys.argv[2]", "sys.argv[2].replace('@', chr(0))")
        command = [sys.executable, "-c", program, str(folder / "file"), address]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            listening.answer(process.pid, decide)
            out = process.communicate()[0]
    return process.returncode, out.strip()


def test_it_goes_on_where_it_is_let(tmp_path: Path) -> None:
    """Every call of the kind is asked about, and no other."""
    seen = Counter[str]()
    assert told(tmp_path, lambda thread, call: seen.update([call])) == (0, "synced synced synced synced")
    assert seen == {"fsync": 4}


def test_one_call_is_refused(tmp_path: Path) -> None:
    """The third one fails with the error that was named, the fourth works again."""
    seen = Counter[str]()

    def third(thread: int, call: str) -> int | None:
        seen[call] += 1
        return error_number("EIO") if seen[call] == 3 else None

    assert told(tmp_path, third) == (0, "synced synced Input/output error synced")


def test_one_call_is_the_last(tmp_path: Path) -> None:
    """Killed before the third one: two were made."""
    seen = Counter[str]()

    def third(thread: int, call: str) -> int | None:
        seen[call] += 1
        return KILLED if seen[call] == 3 else None

    assert told(tmp_path, third) == (-signal.SIGKILL, "synced synced")
