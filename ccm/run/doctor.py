"""Is this machine able to run the workspace? Looks, writes a probe file, sends nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ccm.archive.interface import ArchiveError
from ccm.archive.vault import WORKSPACE, Kept
from ccm.deliver.interface import DeliveryError
from ccm.ledger.interface import LedgerError
from ccm.ledger.sql import open_ledger
from ccm.model.workspace import Workspace
from ccm.plugins import PluginError
from ccm.run.prepare import open_adapters
from ccm.run.vault import open_vault

LOW_DISK_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Examined:
    """One thing looked at; detail is free of secrets and personal data."""

    name: str
    fine: bool
    detail: str


def examine(workspace: Workspace) -> tuple[Examined, ...]:
    """Look at libraries, disk, ledger, archive and providers."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("layout engine", _layout_engine),
        ("disk", lambda: _disk(workspace)),
        ("ledger", lambda: _ledger(workspace)),
        ("archive", lambda: _archive(workspace)),
    ]
    return (*(_examined(name, check) for name, check in checks), *_providers(workspace))


def _examined(name: str, look: Callable[[], str]) -> Examined:
    try:
        return Examined(name, True, look())
    except (OSError, ImportError, LookupError, LedgerError, ArchiveError) as error:
        return Examined(name, False, str(error))


def _layout_engine() -> str:
    try:
        import weasyprint
    except OSError as error:
        raise OSError(
            "Pango is missing; install it: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        ) from error
    return f"WeasyPrint {weasyprint.__version__}"


def _disk(workspace: Workspace) -> str:
    free = shutil.disk_usage(workspace.root).free
    if free < LOW_DISK_BYTES:
        raise OSError(f"only {free // 1_000_000} MB free; a run of documents needs about 60 kB for each recipient")
    return f"{free // 1_000_000_000} GB free"


def _ledger(workspace: Workspace) -> str:
    ledger = open_ledger(workspace.definition.ledger, workspace.root)
    try:
        return f"{len(ledger.runs())} runs"
    finally:
        ledger.close()


def _archive(workspace: Workspace) -> str:
    probe = b"ccm doctor writes and reads this\n"
    vault = open_vault(workspace, make=True)
    try:
        address = vault.keep(WORKSPACE, "probe", Kept(probe, "text/plain")).address
        if vault.read(WORKSPACE, "probe", address).content != probe:
            raise OSError("the archive gave back other bytes than it was given")
        return f"writes and reads, encrypted; master key from {vault.keys.place}"
    finally:
        vault.close()


def _providers(workspace: Workspace) -> Iterator[Examined]:
    for name, provider in sorted(workspace.definition.providers.items()):
        try:
            adapter = open_adapters(workspace, {name})[name]
            try:
                adapter.verify()
            finally:
                adapter.close()
        except (DeliveryError, PluginError, OSError) as error:
            yield Examined(f"provider {name}", False, str(error))
        else:
            yield Examined(f"provider {name}", True, f"{provider.adapter} answers")
