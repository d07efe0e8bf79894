"""`ccm completion`: the shell's completion script."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    Example: ccm completion bash >> ~/.bashrc
    """
    from ccm.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "ccm", "_CCM_COMPLETE").source())


def campaign_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the campaigns that begin so, by their files: whoever types does not want to wait for YAML to be read."""
    given = context.params.get("folder")
    here = Path.cwd()
    for place in [Path(given)] if given else [here, *here.parents]:
        if (place / "ccm.yaml").is_file():
            names = (file.stem for file in (place / "campaigns").glob("*.yaml"))
            return sorted(name for name in names if name.startswith(incomplete))
    return []


def channel_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the channels that begin so."""
    from ccm.model.definitions import Channel

    return [str(channel) for channel in Channel if channel.startswith(incomplete)]


def run_ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the runs that begin so, newest first; none where the ledger cannot be read."""
    from ccm.cli.terminal import open_settings
    from ccm.ledger.interface import LedgerError
    from ccm.run import workspace_ledger

    try:
        ledger = workspace_ledger(open_settings(context.params.get("folder")))
    except (LedgerError, SystemExit):
        return []
    try:
        return [run.run_id for run in ledger.runs() if run.run_id.startswith(incomplete)]
    finally:
        ledger.close()
