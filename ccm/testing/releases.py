"""Approved releases for tests: a production run takes nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ccm.load import load_workspace
from ccm.release import Release, ReleaseError, ReleaseOrder
from ccm.run.releasing import approve_release, brands_for, make_release

RELEASED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def release_everything(root: Path) -> tuple[Release, ...]:
    """Release and approve what every campaign of a workspace sends; what did not change is left out.

    Older releases are retired. Author and approver are two persons, as four eyes want.
    """
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None, diagnostics
    made = []
    for template in sorted({one.template_name for one in workspace.campaigns.values()}):
        for brand in brands_for(workspace, template):
            try:
                order = ReleaseOrder("author", RELEASED_AT)
                release = make_release(workspace, diagnostics, template, brand, order).release
            except ReleaseError as error:
                if error.code != "nothing-changed":
                    raise
                continue
            approve_release(workspace, release, by="approver", at=RELEASED_AT, supersede=True)
            made.append(release)
    return tuple(made)
