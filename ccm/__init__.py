"""Customer communication management: one versioned message, every channel, proved and sent together.

    workspace, diagnostics = load_workspace(folder)             # load
    for decided in plan(recipients, brief): ...                 # plan
        composed = composer.compose(communication)              # compose
        findings = check(composed, rules)                       # check
        receipt = adapter.deliver(envelope)                     # deliver
        ref = archive.put(content, media_type)                  # archive
    report = reconcile(ledger.tally(run_id))                    # reconcile

`run_campaign` wires the phases; `docs/architecture.md` is the map of the house. The names in `__all__` are the
public ones, beside `ccm.testing`; they are imported when they are first used, so that `import ccm` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccm.deliver.interface import Adapter, DeliveryError
    from ccm.diagnostics import Diagnostic, ExitCode
    from ccm.load import load_workspace
    from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus, RunReport
    from ccm.model.workspace import Workspace
    from ccm.run import RunOptions, preview_customer, run_campaign, run_report

__version__ = "0.1.0"

__all__ = [
    "Adapter",
    "Capabilities",
    "DeliveryError",
    "Diagnostic",
    "Envelope",
    "ExitCode",
    "Receipt",
    "ReceiptStatus",
    "RunOptions",
    "RunReport",
    "Workspace",
    "load_workspace",
    "preview_customer",
    "run_campaign",
    "run_report",
]

_HOMES = {
    "ccm.deliver.interface": ("Adapter", "DeliveryError"),
    "ccm.diagnostics": ("Diagnostic", "ExitCode"),
    "ccm.load": ("load_workspace",),
    "ccm.model.records": ("Capabilities", "Envelope", "Receipt", "ReceiptStatus", "RunReport"),
    "ccm.model.workspace": ("Workspace",),
    "ccm.run": ("RunOptions", "preview_customer", "run_campaign", "run_report"),
}


def __getattr__(name: str) -> object:
    """Import a public name from its home (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'ccm' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*globals(), *__all__])
