"""DOOR: the `ccm` command. Arguments → call → print → exit code; every command loads its own module only.

Results go to stdout, everything else to stderr. Exit codes: `ccm.diagnostics.ExitCode`.
"""

from __future__ import annotations

import gc
import importlib
import signal
import sys
from types import FrameType

import click

from ccm import __version__
from ccm.diagnostics import ExitCode

COMMANDS = {
    "init": "Make a new workspace that runs at once.",
    "check": "Find every mistake in the workspace before any data is seen.",
    "preview": "Show one customer's message on every channel.",
    "release": "Freeze a template with everything its messages are made of.",
    "approve": "Approve a release for production.",
    "run": "Compose, check and deliver a campaign; go on where it stopped.",
    "status": "List runs and where they stand.",
    "pause": "Let a run begin no further hand-over until it is resumed.",
    "resume": "Let a paused run go on.",
    "cancel": "End a run for good; whoever was not reached is left out.",
    "reconcile": "Ask providers what became of pieces whose answer was lost.",
    "report": "Show a run's report: outcomes, control totals, pages.",
    "manifest": "Write or check what a run made: hashes, exceptions, control totals, signed.",
    "explain-speed": "Tell what in a template keeps its documents and emails slow, with file and line.",
    "print": "Make batches for a print shop: PDF, marks, manifest; print envelopes again.",
    "history": "Show who got what, when, in which version, with which facts.",
    "bundle": "Write print streams: thousands of documents in one PDF, sorted, with a manifest.",
    "verify": "Compose sent pieces again and compare them byte for byte with the archive.",
    "archive": "Read sent pieces as they were; give up what can be made again.",
    "erase": "Take a customer out of archive, ledger and keys.",
    "audit": "Show what was done here, and prove that nobody changed the log of it.",
    "consent": "Show or enter what a customer said about being written to.",
    "suppress": "Keep addresses and people from being written to.",
    "events": "Take in bounces, complaints and deliveries from files.",
    "serve": "Serve unsubscribe and preference pages, and take callbacks.",
    "diff": "Compare two releases, or one with the working folder.",
    "releases": "List releases, where they stand, and what would change next.",
    "retire": "Take a release out of use for good.",
    "where-used": "List what uses a fragment, token, asset, template or brand.",
    "schema": "Write the JSON Schemas that editors use.",
    "doctor": "Check this machine and every configured provider, without sending.",
    "completion": "Print the shell completion script.",
}

# Objects that hold others before Python looks for what only holds itself. Importing a thousand modules leaves next to nothing
# of that kind, and with Python's own figure all of them are walked through again and again: a tenth of a short command's time.
_WAITING = 50_000


class LazyGroup(click.Group):
    """Imports a command's module only when that command is called, so that --help stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; its command is called `command`."""
        if cmd_name not in COMMANDS:
            return None
        if {"--help", "-h"} & set(sys.argv[1:2]):
            return click.Command(name=cmd_name, help=COMMANDS[cmd_name])
        module = importlib.import_module(f"ccm.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ccm")
@click.option(
    "--log-level",
    type=click.Choice(["off", "error", "warning", "info", "debug"]),
    default="off",
    envvar="CCM_LOG",
    show_envvar=True,
    help="Write a structured log to stderr as well, one JSON object a line.",
)
def cli(log_level: str) -> None:
    """One versioned message with customer data, on every channel: preview, check, run and prove it.

    Example: ccm preview october-statement --customer C-1001 --open
    """


def main() -> None:
    """Entry point of the `ccm` command."""
    gc.set_threshold(_WAITING, *gc.get_threshold()[1:])
    signal.signal(signal.SIGTERM, _terminated)
    try:
        cli(prog_name="ccm")
    except KeyboardInterrupt:
        click.echo("interrupted; give the same command again to go on", err=True)
        raise SystemExit(ExitCode.INTERRUPTED) from None


def _terminated(signum: int, frame: FrameType | None) -> None:
    """Treat a service manager's stop like Ctrl-C: finish what is in flight, write it down, end."""
    raise KeyboardInterrupt
