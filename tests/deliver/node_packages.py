"""Servers that Node runs: their packages are installed once, beside the environment.

`python tests/deliver/node_packages.py` installs all of them, so that no test waits for it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRISM = "@stoplight/prism-cli@5.14"
_SECONDS = 900  # two minutes on a quiet machine; a test that installs them has five


def bluesky_tools() -> Path | None:
    """Return the folder of the Bluesky server's script, or None where it or Node is absent."""
    folder = Path(os.environ.get("CCM_SHARED_TOOLS") or ROOT.parent / "shared" / "tools") / "bluesky"
    return folder if (folder / "server.js").is_file() and shutil.which("npm") else None


def bluesky_packages(tools: Path) -> Path:
    """Return the folder with the Bluesky server's packages."""
    folder = Path(sys.prefix) / "pds"
    folder.mkdir(exist_ok=True)
    with (folder / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copyfile(tools / "package.json", folder / "package.json")
        if not (folder / "node_modules" / "@atproto" / "pds" / "package.json").is_file():
            _install(folder)
    return folder


def prism() -> Path:
    """Return the program of Prism, which answers as an OpenAPI description says."""
    folder = Path(sys.prefix) / "prism"
    folder.mkdir(exist_ok=True)
    program = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    with (folder / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _install(folder, PRISM)
    return program


def _install(folder: Path, *packages: str) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *packages]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_SECONDS)


def main() -> None:
    """Install everything; the two at once, since both wait for the network."""
    tools = bluesky_tools()
    with ThreadPoolExecutor() as pool:
        begun = [pool.submit(prism)] if shutil.which("npm") else []
        if tools is not None:
            begun.append(pool.submit(bluesky_packages, tools))
        failed = [one.exception() for one in begun if one.exception() is not None]
    if failed:
        sys.exit(f"npm could not install them: {failed[0]}")


if __name__ == "__main__":
    main()
