"""The sample plug-in of docs/adding-an-adapter.md keeps the contract, and ccm finds it once it is installed."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from guards.reading import ROOT

from ccm.deliver.interface import Adapter
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus
from ccm.plugins import adapter_names, load_adapter
from ccm.testing import AdapterContract, sample_envelope

PLUGIN = ROOT / "tests" / "plugins" / "ccm-pigeon"


@pytest.fixture(autouse=True)
def pigeon(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Install the distribution as an installer would: its module and its entry points on the path."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = tmp_path_factory.mktemp("site") / "ccm_pigeon-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["ccm.delivery"]
    (info / "entry_points.txt").write_text("[ccm.delivery]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.syspath_prepend(str(PLUGIN))
    importlib.invalidate_caches()
    yield importlib.import_module("ccm_pigeon")
    sys.modules.pop("ccm_pigeon", None)


def answering(adapter: Adapter, word: str) -> Adapter:
    """Return the adapter with a loft that answers with this word, or with none."""
    adapter._post = lambda key, content: word  # type: ignore[attr-defined]
    return adapter


class TestPigeon(AdapterContract):
    def open(self, folder: Path) -> Adapter:
        return load_adapter("pigeon").from_settings("mine", {"loft": "loft"}, root=str(folder))

    def received(self, folder: Path) -> int:
        return len(list((folder / "loft").glob("*.json")))

    def refusing(self, folder: Path) -> Adapter:
        return answering(self.open(folder), "no such roof")

    def silent(self, folder: Path) -> Adapter:
        return answering(self.open(folder), "")

    def broken(self, folder: Path) -> Adapter:
        (folder / "file").write_text("in the way")
        return load_adapter("pigeon").from_settings("mine", {"loft": "file/loft"}, root=str(folder))


def test_ccm_finds_the_installed_adapter() -> None:
    """By the name of its entry point, beside our own."""
    assert {"pigeon", "outbox", "smtp"} <= set(adapter_names())
    assert load_adapter("pigeon").capabilities.channels == (Channel.SMS,)


def test_building_needs_no_provider(pigeon: ModuleType) -> None:
    """The first of the three steps is pure."""
    assert b'"id": "p-1"' in pigeon.payload(sample_envelope(Channel.SMS, "p-1"))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("airborne", ReceiptStatus.ACCEPTED),
        ("storm", ReceiptStatus.DEFERRED),
        ("no such roof", ReceiptStatus.REJECTED),
        ("", ReceiptStatus.UNKNOWN),
    ],
)
def test_answers_are_told_apart(pigeon: ModuleType, word: str, status: ReceiptStatus) -> None:
    """What is not known to be refused is unknown, so that nobody gets it twice."""
    assert pigeon.answer("p-1", "mine", word).status is status
