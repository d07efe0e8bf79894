"""Settings of an HTTP provider, read and checked: unknown names, missing values, secrets in files, unsafe addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ccm.deliver.interface import DeliveryError
from ccm.diagnostics import suggest

LARGEST_TIMEOUT_SECONDS = 600.0


class ProviderSettings:
    """The texts of ccm.yaml for one provider. Every fault names the setting, never its value."""

    def __init__(self, provider: str, settings: Mapping[str, str], *, root: str, known: frozenset[str]) -> None:
        self.provider = provider
        self._settings = settings
        self._root = root
        for name in settings:
            if name not in known:
                raise self.wrong(f'setting "{name}" is not known', suggest(name, known))

    def required(self, name: str, example: str) -> str:
        """Return a setting that must be there.

        Args:
            example: How one looks, for the remedy.
        """
        value = self._settings.get(name, "").strip()
        if not value:
            raise self.wrong(f"setting {name} is missing", f"set it, such as {name}: {example}")
        return value

    def optional(self, name: str, default: str) -> str:
        """Return a setting, or its default where it is absent or empty."""
        return self._settings.get(name, "").strip() or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return a setting that takes certain words only."""
        value = self.optional(name, default)
        if value not in allowed:
            raise self.wrong(f"setting {name} is wrong", suggest(value, allowed))
        return value

    def seconds(self, name: str, default: float) -> float:
        """Return a duration."""
        return self._number(name, default, LARGEST_TIMEOUT_SECONDS)

    def count(self, name: str, default: int, *, largest: int) -> int:
        """Return a whole number from 1."""
        return int(self._number(name, default, largest))

    def secret(self, name: str) -> str:
        """Return a secret, from the setting (`${NAME}` in ccm.yaml) or from the file that `<name>_file` names."""
        file = self._settings.get(f"{name}_file", "").strip()
        given = self._settings.get(name, "").strip()
        if file and given:
            raise self.wrong(f"both {name} and {name}_file are set", "set one of them")
        if file:
            given = self._read(f"{name}_file", file)
        if not given:
            raise self.wrong(
                f"setting {name} is missing", f"set {name}: ${{{name.upper()}}}, or {name}_file to a file that holds it"
            )
        return given

    def file(self, name: str) -> str:
        """Return the absolute path of a file; empty where the setting is absent."""
        value = self._settings.get(name, "").strip()
        return str(Path(self._root) / value) if value else ""

    def address(self, name: str, default: str = "") -> str:
        """Return an address without its last slash: https, or http to this machine; no user, no fragment."""
        value = (self.optional(name, default) or self.required(name, "https://service.example")).rstrip("/")
        remedy = "write it as https://host/path; http is for this machine only"
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise self.wrong(f"setting {name} is no address", remedy) from None
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not safe or not host or parts.username is not None or parts.password is not None or parts.fragment:
            raise self.wrong(f"setting {name} is no safe address", remedy)
        return value

    def wrong(self, message: str, remedy: str) -> DeliveryError:
        """Return the fault of a setting."""
        return DeliveryError(self.provider, message, remedy, retriable=False)

    def _number(self, name: str, default: float, largest: float) -> float:
        try:
            value = float(self.optional(name, str(default)))
        except ValueError:
            value = 0.0
        if not 0 < value <= largest:
            raise self.wrong(f"setting {name} is no number from 1 to {largest:g}", f"such as {name}: {default:g}")
        return value

    def _read(self, name: str, file: str) -> str:
        try:
            return (Path(self._root) / file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise self.wrong(f"setting {name} names no readable file", "correct its path and permissions") from None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
