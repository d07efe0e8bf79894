"""Write docs/commands.md from the commands themselves; `--check` tells whether the page is what they say.

    .venv/bin/python tools/commands_page.py

tests/guards/test_commands_page.py holds the page to it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from ccm.cli import COMMANDS, cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = """# Commands

What `ccm COMMAND --help` says. This page is made from the commands by `tools/commands_page.py`; do not edit it by hand.

Results go to stdout, everything else to stderr. `--json` prints the same for programs. Colours are left out where
`NO_COLOR` is set or the output is no terminal. Exit codes: [errors](errors.md#errors-that-end-a-command).

"""


def command_named(name: str) -> click.Command:
    """Return a command as the door would load it."""
    module = importlib.import_module(f"ccm.cli.{name.replace('-', '_')}")
    command: click.Command = module.command
    return command


def help_of(command: click.Command, name: str, parent: click.Context | None = None) -> str:
    """Return the help text without boxes and colours, 100 characters wide."""
    context = click.Context(command, info_name=name, parent=parent, max_content_width=100, terminal_width=100)
    context.help_option_names = ["-h", "--help"]
    formatter = click.HelpFormatter(width=100)
    formatter.write_usage(context.command_path, " ".join(command.collect_usage_pieces(context)))
    click.Command.format_help_text(command, context, formatter)
    click.Command.format_options(command, context, formatter)
    return formatter.getvalue().rstrip()


def text() -> str:
    """Return the whole page."""
    top = click.Context(cli, info_name="ccm")
    parts = [HEAD, "| command | what it does |\n|---|---|\n"]
    parts += [f"| [`ccm {name}`](#ccm-{name}) | {short} |\n" for name, short in COMMANDS.items()]
    parts += ["\n## ccm\n\n```text\n", help_of(cli, "ccm"), "\n```\n"]
    for name in COMMANDS:
        command = command_named(name)
        parts += [f"\n## ccm {name}\n\n```text\n", help_of(command, name, top), "\n```\n"]
        if isinstance(command, click.Group):
            parent = click.Context(command, info_name=name, parent=top)
            for inner, one in command.commands.items():
                parts += [f"\n### ccm {name} {inner}\n\n```text\n", help_of(one, inner, parent), "\n```\n"]
    return "".join(parts)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0 if PAGE.read_text(encoding="utf-8") == text() else "docs/commands.md is old: run tools/commands_page.py"
        )
    PAGE.write_text(text(), encoding="utf-8")
