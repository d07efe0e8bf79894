"""Typing the settings of a provider: texts in, values out, and every mistake named without its value."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ccm.deliver.interface import DeliveryError
from ccm.diagnostics import suggest


class SettingsRecord(Protocol):
    """A dataclass whose fields are the settings that an adapter knows."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class SettingsReader:
    """Reads the settings of one provider."""

    def __init__(self, provider: str, settings: Mapping[str, str], kind: type[SettingsRecord], *, root: str) -> None:
        """Begin with refusing what the adapter does not know.

        Args:
            kind: Dataclass whose fields are the known names.
            root: Absolute folder of the workspace, for files.
        Raises:
            DeliveryError: If a setting is unknown; names the nearest.
        """
        self._provider = provider
        self._settings = settings
        self._root = Path(root)
        known = [item.name for item in fields(kind)]
        for name in settings:
            if name not in known:
                raise self.wrong(f'setting "{name}" is not known', suggest(name, known))

    def text(self, name: str, default: str = "") -> str:
        """Return a setting as it is."""
        return self._settings.get(name, "").strip() or default

    def required(self, name: str, example: str) -> str:
        """Return a setting that must be there."""
        found = self.text(name)
        if not found:
            raise self.wrong(f"setting {name} is missing", f"such as {name}: {example}")
        return found

    def one_of(self, name: str, allowed: Collection[str], default: str) -> str:
        """Return a setting that has only some values."""
        found = self.text(name, default)
        if found not in allowed:
            raise self.wrong(f"setting {name} is wrong", suggest(found, allowed))
        return found

    def number(self, name: str, default: float, *, largest: float, smallest: float = 0.01) -> float:
        """Return a number within its bounds."""
        try:
            value = float(self.text(name) or default)
        except ValueError:
            value = -1.0
        if not smallest <= value <= largest:
            raise self.wrong(f"setting {name} is no number from {smallest:g} to {largest:g}", f"such as {name}: 8")
        return value

    def whole(self, name: str, default: int, *, largest: int, smallest: int = 1) -> int:
        """Return a whole number within its bounds."""
        value = self.number(name, default, largest=largest, smallest=smallest)
        if value != int(value):
            raise self.wrong(f"setting {name} is no whole number", f"such as {name}: {default or 1}")
        return int(value)

    def address(self, name: str) -> str:
        """Return an https address, or an http one on this machine (a test server, a proxy); empty if not set."""
        found = self.text(name).rstrip("/")
        local = found.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
        if found and not (found.startswith("https://") or local):
            raise self.wrong(f"setting {name} is no https address", f"such as {name}: https://…")
        return found

    def file(self, name: str) -> bytes:
        """Return the bytes of a file that a setting names, relative to the workspace; empty if not set."""
        found = self.text(name)
        try:
            return (self._root / found).read_bytes() if found else b""
        except OSError:
            raise self.wrong(f"setting {name} names no readable file", "correct its path") from None

    def wrong(self, message: str, remedy: str) -> DeliveryError:
        """Return the fault of a wrong setting."""
        return DeliveryError(self._provider, message, remedy, retriable=False)


def require_package(provider: str, module: str, install: str) -> None:
    """Import a package that only some providers need.

    Args:
        install: What pip is given, such as "ccm-engine[print]".
    Raises:
        DeliveryError: If it is not installed; names the line that installs it.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise DeliveryError(
            provider, f"the package {error.name} is not installed", f'run: pip install "{install}"', retriable=False
        ) from None
