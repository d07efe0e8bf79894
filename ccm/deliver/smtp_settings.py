"""What an SMTP provider may be told in ccm.yaml, typed and checked. Reads the password's file and nothing else."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from ccm.deliver.interface import DeliveryError
from ccm.diagnostics import suggest


class TlsMode(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"  # plain first, then upgraded; refused when the server does not offer it
    IMPLICIT = "implicit"  # TLS from the first byte
    NONE = "none"  # for a relay on the same machine


_PORTS = {TlsMode.STARTTLS: 587, TlsMode.IMPLICIT: 465, TlsMode.NONE: 25}


@dataclass(frozen=True)
class SmtpSettings:
    """How to reach one server.

    password_file: A file that holds the password, in place of it.
    return_path: Address for bounces; the brand's sender when empty.
    ca_file: PEM file of a private certificate authority; the system's when empty.
    timeout_seconds: For every answer of the server.
    connections: Largest number open at once.
    messages_per_connection: After so many, a connection is closed in good order.
    dkim_domain, dkim_selector, dkim_key_file: Sign each message; all three or none. The file holds an RSA key in PEM.
    """

    host: str
    tls: TlsMode
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    return_path: str = ""
    ca_file: str = ""
    timeout_seconds: float = 30.0
    connections: int = 16
    messages_per_connection: int = 100
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_file: str = ""


def read_settings(provider: str, settings: Mapping[str, str], *, root: str = "") -> SmtpSettings:
    """Type the settings.

    Args:
        root: Absolute folder of the workspace, for the file of the password.
    Raises:
        DeliveryError: If one is missing, unknown or wrong; names it, never its value.
    """
    known = {item.name for item in fields(SmtpSettings)}
    for name in settings:
        if name not in known:
            raise _wrong(provider, f'setting "{name}" is not known', suggest(name, known))
    if not settings.get("host"):
        raise _wrong(provider, "setting host is missing", "name the server, such as host: smtp.example.com")
    tls = _tls(provider, settings.get("tls", TlsMode.STARTTLS))
    found = SmtpSettings(
        host=settings["host"],
        tls=tls,
        port=int(_number(provider, settings, "port", _PORTS[tls], largest=65535)),
        user=settings.get("user", ""),
        password=settings.get("password", "") or _from_file(provider, settings.get("password_file", ""), root),
        password_file=settings.get("password_file", ""),
        return_path=settings.get("return_path", ""),
        ca_file=settings.get("ca_file", ""),
        timeout_seconds=_number(provider, settings, "timeout_seconds", 30.0, largest=600),
        connections=int(_number(provider, settings, "connections", 16, largest=200)),
        messages_per_connection=int(_number(provider, settings, "messages_per_connection", 100, largest=100_000)),
        dkim_domain=settings.get("dkim_domain", ""),
        dkim_selector=settings.get("dkim_selector", ""),
        dkim_key_file=settings.get("dkim_key_file", ""),
    )
    if bool(found.user) != bool(found.password):
        raise _wrong(provider, "only one of user and password is set", "set both, or neither")
    if found.user and tls is TlsMode.NONE and not _is_loopback(found.host):
        raise _wrong(provider, "the password would travel unprotected", "set tls: starttls or tls: implicit")
    if len({bool(found.dkim_domain), bool(found.dkim_selector), bool(found.dkim_key_file)}) > 1:
        raise _wrong(
            provider, "only a part of dkim_domain, dkim_selector and dkim_key_file is set", "set all three, or none"
        )
    return found


def _from_file(provider: str, name: str, root: str) -> str:
    try:
        return (Path(root) / name).read_text(encoding="utf-8").strip() if name else ""
    except (OSError, UnicodeDecodeError):
        raise _wrong(provider, "setting password_file names no readable file", "correct its path") from None


def _tls(provider: str, text: str) -> TlsMode:
    try:
        return TlsMode(text)
    except ValueError:
        raise _wrong(provider, "setting tls is wrong", suggest(text, list(TlsMode))) from None


def _number(provider: str, settings: Mapping[str, str], name: str, default: float, *, largest: int) -> float:
    try:
        value = float(settings.get(name, default))
    except ValueError:
        value = 0.0
    if not 0 < value <= largest:
        raise _wrong(provider, f"setting {name} is no number from 1 to {largest}", f"such as {name}: {default:g}")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(provider: str, message: str, remedy: str) -> DeliveryError:
    return DeliveryError(provider, message, remedy, retriable=False)
