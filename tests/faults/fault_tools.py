"""What fault tests need from the system; without it they skip, but never in CI."""

from __future__ import annotations

import os

import pytest

from benchmarks.faults.tools import Absent, program


def needs(*names: str) -> None:
    """Skip where a program is absent; fail in CI, where it must be there."""
    try:
        for name in names:
            program(name)
    except Absent as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {error}")
        pytest.skip(str(error))
