"""Builds wheels for all platforms on one machine, each with the compiled loops of filling, and one without for all others.

    .venv/bin/python tools/wheels.py [FOLDER]

The compiler is Zig's, from PyPI: it compiles C for any platform, against as old a C library as it is told. The library
needs nothing of Python but its stable interface, so one file serves every version from 3.11 on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from kernel_build import FLAGS, FOLDER, LIBRARY, SOURCE

ROOT = Path(__file__).resolve().parent.parent
ZIG = "ziglang==0.17.1"
PLATFORMS = {
    "manylinux_2_17_x86_64.manylinux2014_x86_64": "x86_64-linux-gnu.2.17",
    "manylinux_2_17_aarch64.manylinux2014_aarch64": "aarch64-linux-gnu.2.17",
    "musllinux_1_2_x86_64": "x86_64-linux-musl",
    "musllinux_1_2_aarch64": "aarch64-linux-musl",
    "macosx_11_0_x86_64": "x86_64-macos.11.0",
    "macosx_11_0_arm64": "aarch64-macos.11.0",
}


def main() -> None:
    """Build them all."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist")
    with tempfile.TemporaryDirectory() as scratch:
        tool = Path(scratch) / "zig"
        uv = [str(ROOT / ".venv/bin/uv"), "pip", "install", "--quiet", "--target", str(tool), ZIG]
        subprocess.run(uv, check=True)
        for platform, target in PLATFORMS.items():
            library = Path(scratch) / platform / LIBRARY
            library.parent.mkdir()
            dynamic = ["-undefined", "dynamic_lookup"] if "macos" in target else []
            command = [str(tool / "ziglang" / "zig"), "cc", "-target", target, *FLAGS, "-s", *dynamic]
            command += [f"-I{sysconfig.get_paths()['include']}", str(ROOT / FOLDER / SOURCE), "-o", str(library)]
            subprocess.run(command, check=True)
            wheel(folder, CCM_KERNEL=str(library), CCM_KERNEL_PLATFORM=platform)
        wheel(folder, CCM_WITHOUT_KERNEL="1")


def wheel(folder: Path, **said: str) -> None:
    """Build one wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **said})


if __name__ == "__main__":
    main()
