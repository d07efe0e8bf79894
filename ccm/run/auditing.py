"""Writing down who did what: the shell's door to the audit log."""

from __future__ import annotations

from contextlib import closing, suppress
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

from ccm.ledger.interface import LedgerError
from ccm.model.audit import AuditAction
from ccm.model.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

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
        return log.append(action, subject, actor=by or login(), at=at, details=told)


class Witness:
    """Notes what recipients and providers do, in the very transaction that does it.

    Why: An opt-out counts at once and must never wait for a log; and no opt-out must be without its entry.
    """

    def __init__(self, log: AuditLog | None = None, actor: str = "") -> None:
        """Take an open log, closed with this; without one nothing is noted."""
        self._log = log
        self._actor = actor or login()

    def note(self, connection: Connection, action: AuditAction, subject: str, at: datetime, **details: object) -> None:
        """Write one entry; see `note`. `anchor` follows the transaction."""
        if self._log is not None:
            told = {name: value for name, value in details.items() if value not in ("", None, False)}
            self._log.append_in(connection, action, subject, actor=self._actor, at=at, details=told)

    def anchor(self) -> None:
        """Anchor what was noted. A file that cannot be written now is made up for by the next entry."""
        if self._log is not None:
            with suppress(LedgerError):
                self._log.anchor()

    def close(self) -> None:
        """Give back connections."""
        if self._log is not None:
            self._log.close()


def open_witness(workspace: Workspace, actor: str = "") -> Witness:
    """Open the workspace's audit log for what recipients and providers do.

    Args:
        actor: Who lets us know; the login name if not given.
    """
    return Witness(open_audit(workspace), actor)


def login() -> str:
    """Return who runs this process."""
    try:
        return getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        return "unknown"
