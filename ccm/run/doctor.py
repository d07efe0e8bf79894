"""Is this machine able to run the workspace, and do its providers answer? Looks, writes a probe, sends nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ccm.model.workspace import Workspace
from ccm.run import health
from ccm.run.accounts import compare_account
from ccm.run.prepare import open_adapters

CHECKS: Mapping[str, Callable[[Workspace], str]] = {
    "layout engine": health.layout_engine,
    "filling": health.filling,
    "fonts": health.fonts,
    "disk": health.disk,
    "clock": health.clock,
    "ledger": health.ledger,
    "archive": health.archive,
    "archive keys": health.archive_keys,
    "manifest key": health.manifest_key,
    "releases": health.releases,
    "secrets": health.secret_files,
}


@dataclass(frozen=True)
class Examined:
    """One thing looked at; free of secrets and personal data.

    remedy: What to do, where it is not fine.
    """

    name: str
    fine: bool
    detail: str
    remedy: str = ""


def examine(workspace: Workspace, *, timeout_seconds: float = 15.0) -> tuple[Examined, ...]:
    """Look at everything at once: machine, stores and every configured provider.

    Args:
        timeout_seconds: For each; what has not answered by then is not fine.
    Returns:
        In a fixed order: machine and stores, then providers by name.
    """
    looks: dict[str, Callable[[], str]] = {name: partial(check, workspace) for name, check in CHECKS.items()}
    looks |= {
        f"provider {name}": partial(_provider, workspace, name) for name in sorted(workspace.definition.providers)
    }
    found: dict[str, Examined] = {}

    def look(name: str) -> None:
        answer = _examined(name, looks[name])
        found.setdefault(name, answer)

    # Daemons: a check that hangs must not keep the command from ending.
    threads = {name: threading.Thread(target=look, args=(name,), daemon=True) for name in looks}
    for thread in threads.values():
        thread.start()
    end = time.monotonic() + timeout_seconds
    for name, thread in threads.items():
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            remedy = "see whether its server can be reached from here, or wait longer with --timeout"
            found.setdefault(name, Examined(name, False, f"no answer within {timeout_seconds:g} seconds", remedy))
    return tuple(found[name] for name in looks)


def _examined(name: str, look: Callable[[], str]) -> Examined:
    try:
        return Examined(name, True, look())
    except Exception as error:  # whatever one check runs into, the others are told as well
        return told(name, error)


def told(name: str, error: Exception) -> Examined:
    """Say what is wrong. Our own exceptions carry a remedy; of others only the kind is told, their words may quote data."""
    remedy = getattr(error, "remedy", "")
    if remedy:
        detail = str(error).removesuffix(f"; {remedy}").removeprefix(f"{name.removeprefix('provider ')}: ")
        return Examined(name, False, detail, str(remedy))
    diagnostics = getattr(error, "diagnostics", ())
    if diagnostics:
        return Examined(name, False, diagnostics[0].message, diagnostics[0].remedy)
    if isinstance(error, OSError) and error.strerror:
        return Examined(name, False, error.strerror, "correct paths and permissions in ccm.yaml and on disk")
    return Examined(
        name, False, f"failed with {type(error).__name__}", "update the package that it comes from, or tell its author"
    )


def _provider(workspace: Workspace, name: str) -> str:
    adapter = open_adapters(workspace, {name})[name]
    try:
        adapter.verify()
        compare_account(workspace, name, adapter)
    finally:
        adapter.close()
    return f"{workspace.definition.providers[name].adapter} answers"
