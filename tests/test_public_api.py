"""The public names: few, importable, typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ccm


def test_every_public_name_can_be_imported() -> None:
    """`from ccm import X` works for all of __all__, and there are at most fifteen."""
    assert 0 < len(ccm.__all__) <= 15
    assert all(getattr(ccm, name) is not None for name in ccm.__all__)
    assert set(ccm.__all__) <= set(dir(ccm))


def test_importing_ccm_loads_nothing_heavy() -> None:
    """`import ccm` must not load the layout engine, the database or a provider's library."""
    script = (
        "import sys, ccm; print([m for m in ('weasyprint', 'sqlalchemy', 'boto3', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_stranger_can_use_the_names_with_types(project: Path) -> None:
    """The type checker accepts tests/typing/api.py as it stands, in strict mode."""
    # The cache that `make check` fills; without it all of ccm is read again.
    settings = [
        "--strict",
        "--config-file",
        str(project / "pyproject.toml"),
        "--cache-dir",
        str(project / ".mypy_cache"),
    ]
    command = [sys.executable, "-m", "mypy", *settings, "-m", "api"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project / "tests" / "typing", check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout
    assert "no issues found" in done.stdout
