"""Compiles the innermost loops of filling (ccm/compose/document/fill/_kernel.c) when the package is built.

Where that cannot be done, or does not work, the package is built without it, and the same loops run in Python.

Environment:
    CC: Compiler; else the one Python was compiled with, or any there is.
    CCM_WITHOUT_KERNEL: Set to build without it.
    CCM_KERNEL, CCM_KERNEL_PLATFORM: Library that was compiled already, for a wheel of this platform; see tools/wheels.py.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("ccm/compose/document/fill")
SOURCE, LIBRARY = "_kernel.c", "_kernel.abi3.so"
PROBE = "import sys; sys.path.insert(0, sys.argv[1]); import _kernel; _kernel.show_areas([1.0, 2.0, 3.0, 4.0])"
# Places must not hang on whether a processor multiplies and adds in one step.
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off", "-Wall")


class KernelHook(BuildHookInterface[Any]):
    """Puts the compiled library beside its source where the package is installed to be edited, else into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before files are collected."""
        source = Path(self.root) / FOLDER / SOURCE
        if version == "editable":
            library = source.with_name(LIBRARY)
            if os.environ.get("CCM_WITHOUT_KERNEL") or not compiled(source, library):
                library.unlink(missing_ok=True)
            return
        library = Path(os.environ.get("CCM_KERNEL") or Path(tempfile.mkdtemp()) / LIBRARY)
        if not library.exists() and (os.environ.get("CCM_WITHOUT_KERNEL") or not compiled(source, library)):
            return
        platform = os.environ.get("CCM_KERNEL_PLATFORM") or sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = (FOLDER / LIBRARY).as_posix()
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"


def compiled(source: Path, library: Path) -> bool:
    """Compile the library, and see whether Python can load it; says on the terminal why not."""
    if os.name == "nt":
        return False
    fresh = library.with_name("_kernel.abi3.new")
    command = [*compiler(), *FLAGS, f"-I{sysconfig.get_paths()['include']}", str(source), "-o", str(fresh)]
    if sys.platform == "darwin":
        command += ["-undefined", "dynamic_lookup"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        fresh.replace(library)
        subprocess.run([sys.executable, "-c", PROBE, str(library.parent)], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        fresh.unlink(missing_ok=True)
        sys.stderr.write(
            f"note: documents are filled by Python alone, more slowly: {type(error).__name__} of {command[0]}\n"
        )
        return False
    return True


def compiler() -> list[str]:
    """Return the command of a C compiler."""
    said = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    names = [shlex.split(said), ["cc"], ["gcc"], ["clang"]]
    return next((name for name in names if shutil.which(name[0])), names[0])
