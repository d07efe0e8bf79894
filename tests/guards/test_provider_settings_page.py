"""The settings of every adapter that lists them stand in its row of docs/providers.md, and no others."""

from __future__ import annotations

import re
import sys

import pytest
from guards.reading import page

from ccm.plugins import adapter_names, load_adapter


def listed() -> dict[str, frozenset[str]]:
    """Return the settings of the adapters whose module names them."""
    found = {}
    for name in adapter_names():
        module = sys.modules[load_adapter(name).__module__]
        if hasattr(module, "SETTINGS"):
            found[name] = frozenset(module.SETTINGS)
    return found


def test_the_guard_sees_adapters() -> None:
    """Otherwise it would hold whatever the page says."""
    assert len(listed()) >= 6


@pytest.mark.parametrize("name", sorted(listed()))
def test_settings_are_in_the_table(name: str) -> None:
    """Each by its name."""
    row = next(line for line in page("providers.md").splitlines() if line.startswith(f"| `{name}` |"))
    assert set(re.findall(r"`([a-z_]+)`", row)) - {name} == listed()[name]
