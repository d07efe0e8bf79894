"""Promise: filled documents are compared with the layout engine's in production, and a difference stops the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from e2e.print_workspace import TEMPLATE, letters, print_workspace

from ccm.cli import cli
from ccm.compose.document.fill.draw import paginator as paginator_module
from ccm.diagnostics import ExitCode

ALL = TEMPLATE.replace("channels:\n", "document: {compared: 1}\nchannels:\n")


def ran(root: Path) -> Result:
    return CliRunner().invoke(cli, ["run", "news", "--as-of", "2026-11-02T12:00Z", "-w", str(root), "--workers", "1"])


def test_a_difference_stops_the_run_before_anything_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The piece is named without its recipient; once filling is right again, the same command sends to everybody."""
    root = print_workspace(tmp_path / "w", letters(12), "folder: print", templates__notice__template_dot_yaml=ALL)
    with monkeypatch.context() as patch:
        whole = paginator_module._PageFill._after
        patch.setattr(paginator_module._PageFill, "_after", lambda self, placed, y: whole(self, placed, y - 1))
        stopped = ran(root)
    assert stopped.exit_code == ExitCode.PROBLEMS, stopped.output
    assert "filling gives another page than the layout engine" in stopped.output
    assert "Person" not in stopped.output
    assert not list((root / "print").rglob("*.pdf"))
    again = ran(root)
    assert again.exit_code == 0, again.output
    assert "12 compiled (laid out to be compared 12)" in again.output
    assert len(list((root / "print").rglob("*.pdf"))) == 12
