"""A stranger's adapter: built and installed by pip into a folder of its own, found and used by `ccm run`; nothing here is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from guards.reading import ROOT
from run.small_workspace import AS_OF, CAMPAIGN, CCM, people, small_workspace

CCM_WITH_BIRDS = CCM + "  birds: {adapter: pigeon, settings: {loft: pigeons}}\n"
TO_BIRDS = CAMPAIGN.replace("sms: outbox", "sms: birds")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the plug-in into; the network is not asked."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(ROOT / "tests" / "plugins" / "ccm-pigeon", folder / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--target", str(folder / "site"), str(folder / "source")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "site" / "ccm_pigeon-1.0.dist-info" / "entry_points.txt").exists()
    return folder / "site"


def ccm(root: Path, *args: str, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Give a command in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CCM_")}
    command = [sys.executable, "-m", "ccm", *args]
    return subprocess.run(command, cwd=root, env=environment | dict(more), capture_output=True, text=True, check=False)


def test_a_run_uses_the_installed_adapter(site: Path, tmp_path: Path) -> None:
    """Every text message flies, once, also when the command is given twice; doctor finds the loft."""
    root = small_workspace(tmp_path / "w", people(3), ccm_dot_yaml=CCM_WITH_BIRDS, campaigns__news_dot_yaml=TO_BIRDS)
    installed = {"PYTHONPATH": str(site)}
    for _ in range(2):
        done = ccm(root, "run", "news", "--as-of", AS_OF, "--json", more=installed)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["pieces"]["sms"]["accepted"] == 3
    flown = [json.loads(path.read_text()) for path in sorted((root / "pigeons").glob("*.json"))]
    assert len(flown) == 3
    assert {bird["from"] for bird in flown} == {"Plain"}
    healthy = ccm(root, "doctor", more=installed)
    assert "provider birds: pigeon answers" in healthy.stdout


def test_without_the_plug_in_nothing_is_sent(tmp_path: Path) -> None:
    """The missing adapter is named before anything is composed, by check, doctor and run."""
    root = small_workspace(tmp_path / "w", people(2), ccm_dot_yaml=CCM_WITH_BIRDS, campaigns__news_dot_yaml=TO_BIRDS)
    done = ccm(root, "run", "news", "--as-of", AS_OF, more={})
    assert done.returncode == 3
    assert 'no delivery adapter "pigeon"' in done.stderr
    assert not (root / "outbox").exists()
    assert "fail provider birds" in ccm(root, "doctor", more={}).stdout


def test_a_message_larger_than_the_plug_in_takes_is_held(site: Path, tmp_path: Path) -> None:
    """Its `max_bytes` counts; the other channel goes, because text messages are optional here."""
    text = "{{ brand.title }}: {{ facts.balance }} " + "ж" * 600 + "\n"
    root = small_workspace(
        tmp_path / "w",
        people(1),
        ccm_dot_yaml=CCM_WITH_BIRDS,
        campaigns__news_dot_yaml=TO_BIRDS + "limits: {sms_segments: 10}\n",
        templates__notice__sms_dot_txt=text,
    )
    done = ccm(root, "run", "news", "--as-of", AS_OF, "--json", more={"PYTHONPATH": str(site)})
    report = json.loads(done.stdout)
    assert report["findings"].get("too-large-for-provider") == 1
    assert report["pieces"]["sms"] == {"held": 1}
    assert report["pieces"]["email"] == {"accepted": 1}
    assert not (root / "pigeons").exists() or not list((root / "pigeons").iterdir())
