"""Writing down who did what: the shell's door to the audit log."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

from ccm.model.audit import AuditAction
from ccm.model.workspace import Workspace

if TYPE_CHECKING:
    from ccm.ledger.audit import AuditEntry, AuditLog

ANCHOR = Path(".ccm") / "audit.heads"


def open_audit(workspace: Workspace) -> AuditLog:
    """Open the workspace's audit log."""
    from ccm.ledger.audit import AuditLog  # SQLAlchemy takes a third of a second

    return AuditLog.open(workspace.definition.ledger, workspace.root, Path(workspace.root) / ANCHOR)


def note(
    workspace: Workspace, action: AuditAction, subject: str, at: datetime, *, by: str = "", **details: object
) -> AuditEntry:
    """Write one entry.

    Args:
        subject: An id; no personal data.
        by: Who; the login name if not given.
        details: Short texts, numbers and truths; those that are empty are left out.
    Raises:
        LedgerError: If it cannot be written.
    """
    told = {name: value for name, value in details.items() if value not in ("", None, False)}
    with closing(open_audit(workspace)) as log:
        return log.append(action, subject, actor=by or _login(), at=at, details=told)


def _login() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        return "unknown"
