"""Where the programs are that break things: strace and Postfix's smtp-sink, unpacked beside the environment or installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".venv" / "debian" / "usr"


class Absent(Exception):
    """A program that this part of the suite needs is not there."""


def program(name: str) -> str:
    """Return a program's path.

    Raises:
        Absent: If it is neither installed nor unpacked.
    """
    places = [str(UNPACKED / "bin"), str(UNPACKED / "sbin"), os.environ.get("PATH", ""), "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise Absent(f"{name} is not there; `make dev` unpacks it from Debian's packages postfix and strace")
    return found


def environment() -> dict[str, str]:
    """Return the environment in which unpacked programs find their libraries."""
    folders = (UNPACKED / "lib" / "postfix", UNPACKED / "lib" / "x86_64-linux-gnu")
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(str(folder) for folder in folders)}
