"""Plug-ins come from installed distributions; real ones are written into a folder on the path."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from ccm import plugins
from ccm.deliver.outbox import OutboxAdapter
from ccm.plugins import PluginError, adapter_names, load_adapter

ADAPTER = "from ccm.testing import RecordingAdapter\nclass Pigeon(RecordingAdapter):\n    pass\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path


def install(site: Path, distribution: str, module: str, source: str, *, name: str = "pigeon") -> None:
    """Write a distribution with one delivery adapter."""
    (site / f"{module}.py").write_text(source)
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ccm.delivery]\n{name} = {module}:Pigeon\n")
    sys.modules.pop(module, None)
    importlib.invalidate_caches()


def test_our_own_adapters_are_plug_ins() -> None:
    """Outbox, archive and SMTP are registered as anybody's."""
    assert {"archive", "outbox", "smtp"} <= set(adapter_names())
    assert load_adapter("outbox") is OutboxAdapter
    for name in ("archive", "outbox", "smtp"):
        assert load_adapter(name).capabilities.channels


def test_a_stranger_s_adapter_is_found_by_name(site: Path) -> None:
    """An installed distribution adds an adapter; listing names loads none."""
    install(site, "ccm-pigeon", "ccm_pigeon_one", ADAPTER)
    assert "pigeon" in adapter_names()
    assert "ccm_pigeon_one" not in sys.modules
    assert load_adapter("pigeon").__name__ == "Pigeon"


def test_a_name_that_nobody_has_gets_a_suggestion() -> None:
    """The nearest name is offered."""
    with pytest.raises(PluginError, match='"outbox"'):
        load_adapter("outbux")


def test_the_same_name_twice_is_an_error(site: Path) -> None:
    """Both distributions are named, for one has to go."""
    install(site, "ccm-pigeon", "ccm_pigeon_two", ADAPTER)
    install(site, "other-pigeon", "other_pigeon_two", ADAPTER)
    with pytest.raises(PluginError, match="ccm-pigeon and other-pigeon"):
        load_adapter("pigeon")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ValueError('token=secret')\n", "failed to load"),
        ("Other = 1\n", "failed to load"),
        ("Pigeon = 1\n", "no Adapter"),
        ("class Pigeon:\n    pass\n", "no Adapter"),
        ("import nowhere_to_be_found\n", "pip install"),
    ],
)
def test_a_broken_plug_in_names_its_distribution(site: Path, source: str, said: str) -> None:
    """Whatever is wrong with it, the operator learns whose it is."""
    install(site, "ccm-broken", "ccm_broken_three", source)
    with pytest.raises(PluginError, match=said) as caught:
        load_adapter("pigeon")
    assert "ccm-broken" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_group_is_the_documented_one() -> None:
    """Renaming the group would lose every plug-in."""
    assert plugins.DELIVERY == "ccm.delivery"
