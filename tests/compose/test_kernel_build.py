"""Promise: the engine installs from a wheel everywhere, and from its source with and without a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

LIBRARY = "ccm/compose/document/fill/_kernel.abi3.so"


def built(project: Path, folder: Path, **said: str) -> tuple[str, set[str], str]:
    """Return a wheel's name, its files, and what building said."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    ended = subprocess.run(command, cwd=project, env={**os.environ, **said}, capture_output=True, text=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        return wheel.name, {*archive.namelist()}, ended.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler here")
def test_a_wheel_carries_what_was_compiled(project: Path, tmp_path: Path) -> None:
    """For this platform, and every version of Python from 3.11 on; it can be loaded from there."""
    name, files, _ = built(project, tmp_path)
    assert "-cp311-abi3-" in name
    assert LIBRARY in files
    with ZipFile(tmp_path / name) as archive:
        archive.extract(LIBRARY, tmp_path / "x")
    probe = "import sys; sys.path.insert(0, sys.argv[1]); import _kernel; print(_kernel.show_areas([1.0] * 4))"
    folder = str((tmp_path / "x" / LIBRARY).parent)
    said = subprocess.run([sys.executable, "-c", probe, folder], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "b'1.000 1.000 1.000 1.000 re f'"


@pytest.mark.parametrize("said", [{"CC": "false"}, {"CCM_WITHOUT_KERNEL": "1"}], ids=["broken", "unwanted"])
def test_without_a_compiler_the_wheel_is_for_all(project: Path, tmp_path: Path, said: dict[str, str]) -> None:
    """And whoever has a compiler that does not work is told so; what is installed here stays as it is."""
    library = project / LIBRARY
    before = library.exists()
    name, files, told = built(project, tmp_path, **said)
    assert name.endswith("-py3-none-any.whl")
    assert LIBRARY not in files
    assert ("by Python alone" in told) == ("CC" in said)
    assert library.exists() == before


def test_a_library_for_another_platform_is_taken(project: Path, tmp_path: Path) -> None:
    """As it is: wheels for all platforms come from one machine."""
    library = tmp_path / "other.so"
    library.write_bytes(b"for another machine")
    said = {"CCM_KERNEL": str(library), "CCM_KERNEL_PLATFORM": "macosx_11_0_arm64"}
    name, files, _ = built(project, tmp_path, **said)
    assert name.endswith("-cp311-abi3-macosx_11_0_arm64.whl")
    assert LIBRARY in files
    with ZipFile(tmp_path / name) as archive:
        assert archive.read(LIBRARY) == b"for another machine"
