"""docs/commands.md is what --help says, and the README names every command."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import ModuleType

import click
import pytest
from guards.reading import ROOT, page

from ccm.cli import COMMANDS, cli


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The script that makes the page."""
    path = ROOT / "tools" / "commands_page.py"
    spec = importlib.util.spec_from_file_location("commands_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_equals_the_help(generator: ModuleType) -> None:
    """Whoever changes a command runs tools/commands_page.py."""
    assert page("commands.md") == generator.text(), "run .venv/bin/python tools/commands_page.py"


def test_every_command_is_on_the_page() -> None:
    """Each with its options; the page is not empty by accident."""
    text = page("commands.md")
    assert len(COMMANDS) >= 10
    for name in COMMANDS:
        assert f"\n## ccm {name}\n" in text
        assert f"Usage: ccm {name} " in text


def test_the_list_of_commands_is_complete() -> None:
    """Every module of the door is a command of the list, and every command has its module."""
    shared = {"--init--", "terminal"}
    found = {path.stem.replace("_", "-") for path in (ROOT / "ccm" / "cli").glob("*.py")} - shared
    assert found == set(COMMANDS)


def test_every_help_gives_an_example(generator: ModuleType) -> None:
    """An example says more than a synopsis."""
    for name in COMMANDS:
        assert f"Example: ccm {name} " in generator.help_of(generator.command_named(name), name) or name == "doctor"
    assert "Example: ccm doctor" in page("commands.md")


def test_the_readme_names_every_command() -> None:
    """One line each."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"| `ccm {name}" in readme, name


def test_help_of_the_group_lists_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short help stands in a list of its own, so that --help imports nothing; it must stay a known command."""
    monkeypatch.setattr(sys, "argv", ["ccm"])
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name


def commands_of(command: click.Command) -> Iterator[click.Command]:
    """Yield a command and all below it."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands_of(found)


def test_every_option_does_something() -> None:
    """A parameter that the function of a command never looks at is a promise of the help that nothing keeps."""
    seen = 0
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ccm" / "cli").glob("*.py"))
    for command in commands_of(cli):
        if command.callback is None:
            continue
        function = inspect.unwrap(command.callback)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for parameter in command.params:
            if parameter.expose_value:
                seen += 1
                looked_up = f'params.get("{parameter.name}"' in sources  # by commands further down
                assert parameter.name in used or looked_up, f"{command.name}: {parameter.name}"
    assert seen > 100
