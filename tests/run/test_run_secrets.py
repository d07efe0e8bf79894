"""Secrets come from the environment or from a file that only we can read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ccm.model.keyring import Keyring
from ccm.run.contents import ConfigurationFault
from ccm.run.secrets import FILE, load_keyring

NEW, OLD = "the secret of this year", "the-secret-of-last-year"


def code_of(problem: pytest.ExceptionInfo[ConfigurationFault]) -> str:
    return problem.value.diagnostics[0].code


def test_the_file_is_made_once_and_only_we_can_read_it(tmp_path: Path) -> None:
    """Every later call, and every other process, finds the same secret."""
    first = load_keyring(tmp_path, {})
    assert load_keyring(tmp_path, {}) == first
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / ".ccm").iterdir()] == ["secret"]


def test_processes_at_once_agree(tmp_path: Path) -> None:
    """Of several first uses one makes the secret, and all take it."""
    program = "import sys; from ccm.run.secrets import load_keyring; print(load_keyring(sys.argv[1], {}).newest.ident)"
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    idents = {process.communicate()[0].strip() for process in started}
    assert idents == {load_keyring(tmp_path, {}).newest.ident}


def test_the_environment_counts_before_the_file(tmp_path: Path) -> None:
    """Several secrets, the newest first; no file is made."""
    given = {"CCM_SECRET": f"{NEW.replace(' ', '-')},{OLD}"}
    assert load_keyring(tmp_path, given) == Keyring.of(NEW.replace(" ", "-"), OLD)
    assert not (tmp_path / ".ccm").exists()


def test_a_weak_secret_is_refused(tmp_path: Path) -> None:
    """Too short, and it is not shown."""
    with pytest.raises(ConfigurationFault) as problem:
        load_keyring(tmp_path, {"CCM_SECRET": "hunter2"})
    assert code_of(problem) == "secret-unusable"
    assert "hunter2" not in str(problem.value.diagnostics[0])


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """And so is an empty one."""
    load_keyring(tmp_path, {})
    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(ConfigurationFault, match="secret-unusable"):
        load_keyring(tmp_path, {})
    (tmp_path / FILE).chmod(0o600)
    (tmp_path / FILE).write_text("\n")
    with pytest.raises(ConfigurationFault):
        load_keyring(tmp_path, {})
