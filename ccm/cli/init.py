"""`ccm init`: a new workspace that runs at once."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click
from rich.text import Text

import ccm
from ccm.cli.terminal import fail, out, with_errors
from ccm.diagnostics import ExitCode

PARTS = ("ccm.yaml", "brands", "templates", "campaigns", "data")
NEXT = (
    ("see any customer on every channel", "ccm preview october-statement --customer C-1008 --open"),
    ("find every mistake", "ccm check"),
    ("see a whole run, marked as a draft", "ccm run welcome --draft"),
    ("freeze what messages are made of", "ccm release --all"),
    ("let production runs use it", "ccm approve --all"),
    ("run a campaign into the outbox folder", "ccm run october-statement --as-of 2026-11-02T11:30Z"),
)
# Releases know the hash of every byte: line ends must stay as they are.
ATTRIBUTES = "releases/** -text\n"
IGNORED = ".ccm/\noutbox/\narchive/\ndraft/\npreview/\n"


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_errors
def command(folder: Path) -> None:
    """Make a workspace in FOLDER with two brands, five message types, campaigns and made-up customers.

    It runs at once and sends nothing: the outbox is a folder. Change it step by step into your own.

    Example: ccm init my-messages
    """
    taken = [name for name in PARTS if (folder / name).exists()]
    if taken:
        fail(f"{folder} already has {taken[0]}", "name an empty or new folder", ExitCode.USAGE)
    source = sample_workspace()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in PARTS:
            copy = shutil.copytree if (source / name).is_dir() else shutil.copy
            copy(source / name, folder / name)
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
        if not (folder / ".gitattributes").exists():
            (folder / ".gitattributes").write_text(ATTRIBUTES, encoding="utf-8")
        from ccm.load import write_schemas

        write_schemas(folder)
    except OSError as error:
        fail(f"{folder}: {error.strerror or error}", "check permissions and free space", ExitCode.OUTSIDE)
    out.print("[green]made[/]", Text(str(folder)))
    out.print(f"  cd {shlex.quote(str(folder))}", markup=False)
    for why, line in NEXT:
        out.print(f"  {line}   [dim]# {why}[/]")


def sample_workspace() -> Path:
    """Return the sample workspace: inside the installed package, or the checkout's root when ccm runs from one."""
    package = Path(ccm.__file__).parent
    shipped = package / "starter"
    return shipped if shipped.is_dir() else package.parent
