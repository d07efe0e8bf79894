"""What every command shares: finding the workspace, printing diagnostics, turning errors into exit codes."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import click
import orjson
from rich.console import Console
from rich.text import Text

from ccm.diagnostics import Diagnostic, ExitCode, Severity, has_errors

if TYPE_CHECKING:
    from ccm.model.definitions import Channel
    from ccm.model.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")

LOG_LEVELS = {
    "off": logging.CRITICAL,  # we write no line of this level
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}

# A full or broken disk, told without a file's name: whatever was open, stdout among it, takes no more.
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class FirstCommand(click.Group):
    """Takes `ccm GROUP RUN` for its first command; a run's name has a dot, so it is never a command's."""

    first = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in where only a run is named."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [self.first, *args]
        return super().parse_args(ctx, args)


def workspace_option(function: Callable[P, R]) -> Callable[P, R]:
    """Add -w/--workspace."""
    return click.option(
        "-w",
        "--workspace",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=None,
        help="Folder with ccm.yaml; the nearest one upwards from here if not given.",
    )(function)


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def by_option(function: Callable[P, R]) -> Callable[P, R]:
    """Add --by: who releases, approves or retires."""
    return click.option(
        "--by",
        default=login_name,
        envvar="CCM_BY",
        show_envvar=True,
        metavar="NAME",
        help="Who does this; the login name if not given.",
    )(function)


def login_name() -> str:
    """Return the name of whoever is logged in."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        return "unknown"


def fail(message: str, remedy: str, code: ExitCode = ExitCode.CONFIGURATION) -> NoReturn:
    """End the command with an error and its remedy."""
    err.print(Text("error: ", style="bold red") + Text(message))
    err.print(Text("  fix: ", style="green") + Text(remedy))
    _as_json({"code": "failed", "severity": "error", "message": message, "remedy": remedy})
    raise SystemExit(code)


def stop(diagnostics: Iterable[Diagnostic]) -> NoReturn:
    """End the command with what is wrong with the workspace."""
    diagnostics = tuple(diagnostics)
    print_diagnostics(diagnostics)
    _as_json(*(item.as_json() for item in diagnostics))
    raise SystemExit(ExitCode.CONFIGURATION)


def _as_json(*errors: Mapping[str, object]) -> None:
    """Tell programs what stopped a command, where they asked for JSON."""
    context = click.get_current_context(silent=True)
    if context is not None and context.params.get("as_json"):
        print_json({"errors": list(errors)})


def find_workspace(folder: Path | None) -> Path:
    """Return the workspace's folder, or end with what to do."""
    if folder is not None:
        if (folder / "ccm.yaml").is_file():
            return folder
        return fail(f"{folder}: no ccm.yaml here", "name the workspace's folder, or make one with: ccm init DIR")
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / "ccm.yaml").is_file():
            return place
    return fail(
        "no ccm.yaml here or above", "change into a workspace, say --workspace DIR, or make one with: ccm init DIR"
    )


def open_workspace(
    folder: Path | None,
    *,
    quiet: bool = False,
    lint: bool = True,
    lint_for: str | None = None,
    channels: Collection[Channel] = (),
) -> Workspace:
    """Load the workspace; end with its errors if it has any. Warnings are printed unless quiet.

    Args:
        lint: Also read the texts of all templates; commands that compose nothing leave it out.
        lint_for: With lint off: read those of this campaign's template alone, which a preview has time for.
        channels: Of that template, read what these channels show; all of it if empty.
    """
    from ccm.load import lint_templates, load_workspace

    workspace, diagnostics = load_workspace(find_workspace(folder), lint=lint)
    if workspace is not None and lint_for is not None and lint_for in workspace.campaigns:
        diagnostics += lint_templates(workspace, [workspace.campaigns[lint_for].template_name], channels)
    if has_errors(diagnostics) or workspace is None:
        stop(diagnostics)
    warnings = len(diagnostics)
    if warnings and not quiet:
        err.print(f"{warnings} warning{'s' if warnings > 1 else ''} in the workspace; see: ccm check", style="yellow")
    return workspace


def open_workspace_as_is(folder: Path | None) -> tuple[Workspace, tuple[Diagnostic, ...]]:
    """Load the workspace with its mistakes; the command decides which ones matter. Texts are not read."""
    from ccm.load import load_workspace

    workspace, diagnostics = load_workspace(find_workspace(folder), lint=False)
    if workspace is None:
        stop(diagnostics)
    return workspace, diagnostics


def open_settings(folder: Path | None) -> Workspace:
    """Load the workspace for commands that read nothing of the working folder but ccm.yaml."""
    return open_workspace_as_is(folder)[0]


def open_workspace_for_run(folder: Path | None, campaign: str) -> Workspace:
    """Load the workspace for a production run, which reads releases: mistakes in the working templates do not count.

    Whether the campaign fits its release is checked when the release is known.
    """
    from ccm.load import load_workspace

    workspace, diagnostics = load_workspace(find_workspace(folder), lint=False)
    own = workspace is None or campaign not in workspace.campaigns
    counted = [
        item
        for item in diagnostics
        if not item.location.path.startswith(("templates/", "brands/", "campaigns/"))
        or (own and item.location.path.startswith(f"campaigns/{campaign}."))
    ]
    if has_errors(counted) or workspace is None:
        stop(counted)
    return workspace


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics to stderr, place first so that editors can jump."""
    for item in diagnostics:
        colour = "bold red" if item.severity is Severity.ERROR else "yellow"
        err.print(
            Text(f"{item.location}: ", style="bold")
            + Text(f"{item.severity}[{item.code}]", style=colour)
            + Text(f": {item.message}")
        )
        for place in item.trace:
            err.print(Text(f"  included from {place}", style="dim"))
        err.print(Text("  fix: ", style="green") + Text(item.remedy))


def print_json(value: object) -> None:
    """Print a value as JSON on stdout."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())


def parse_moment(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read an aware ISO 8601 time from the command line."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("write it like 2026-11-02T11:30Z") from None
    if moment.tzinfo is None:
        raise click.BadParameter("add an offset, such as 2026-11-02T11:30Z")
    return moment


def exit_for(error: Exception) -> ExitCode | None:
    """Say what went wrong in one sentence and return the exit code; None for a bug, which keeps its traceback."""
    from ccm.archive.interface import ArchiveError
    from ccm.archive.vault import VaultLocked
    from ccm.check.totals import ControlTotalsDiffer
    from ccm.deliver.interface import DeliveryError
    from ccm.ledger.interface import LeaseLost, LedgerError, RunBusy
    from ccm.load.source.tables import SourceUnreadable
    from ccm.plugins import PluginError
    from ccm.reconcile import Unbalanced
    from ccm.release import ReleaseError, StoreUnusable, as_diagnostic
    from ccm.run import (
        ConfigurationFault,
        DayUsedUp,
        FilledOtherwise,
        ProviderFailed,
        RestoredLedger,
        RunCancelled,
        RunPaused,
        ScheduleLate,
        TooFewRecipients,
        TooManyFailed,
        TooManyHeld,
        TooManyOrphans,
        WorkerDied,
    )

    match error:
        case ConfigurationFault():
            stop(error.diagnostics)
        case SourceUnreadable():
            stop((error.diagnostic,))
        case ReleaseError():
            stop((as_diagnostic(error),))
        case StoreUnusable():
            code = ExitCode.OUTSIDE
        case VaultLocked():
            code = ExitCode.CONFIGURATION
        case PluginError():
            code = ExitCode.CONFIGURATION
        case TooFewRecipients() | TooManyOrphans():
            code = ExitCode.PROBLEMS
        case TooManyHeld() | TooManyFailed() | FilledOtherwise() | Unbalanced() | ControlTotalsDiffer():
            code = ExitCode.PROBLEMS
        case RestoredLedger() | RunCancelled() | RunPaused() | ScheduleLate():
            code = ExitCode.PROBLEMS
        case ArchiveError() | DeliveryError() | LedgerError() | LeaseLost() | RunBusy():
            code = ExitCode.OUTSIDE
        case ProviderFailed() | WorkerDied() | DayUsedUp():
            code = ExitCode.OUTSIDE
        case OSError(filename=None) if error.errno in UNWRITABLE:
            return _unwritable(error)
        case _:
            return None
    err.print(Text("error: ", style="bold red") + Text(str(error)))
    remedy = str(getattr(error, "remedy", ""))
    _as_json({"code": "failed", "severity": "error", "message": str(error), "remedy": remedy})
    return code


def _unwritable(error: OSError) -> ExitCode:
    """Say that a disk, or whatever stdout goes to, takes no more."""
    err.print(Text("error: ", style="bold red") + Text(f"nothing more can be written: {error.strerror}"))
    err.print(
        Text("  fix: ", style="green") + Text("make room where the output goes, then give the same command again")
    )
    with contextlib.suppress(OSError, ValueError):  # what stdout still holds would fail once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OUTSIDE


def start_logs(level: str) -> None:
    """Write our log lines of this level and above to stderr as JSON; `off` writes none.

    Why off by default: what stopped a command is said once, as a sentence with its remedy.
    """
    import structlog

    threshold = LOG_LEVELS[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *names: structlog.PrintLogger(sys.stderr),
    )


def with_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command so that outside errors end it properly."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except click.ClickException:
            raise
        except KeyboardInterrupt:  # click would end with 1, which means something else here
            err.print("interrupted; give the same command again to go on")
            raise SystemExit(ExitCode.INTERRUPTED) from None
        except Exception as error:
            code = exit_for(error)
            if code is None:
                raise
            raise SystemExit(code) from None

    return wrapped
