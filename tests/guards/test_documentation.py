"""Links lead somewhere, adapters and make targets are documented, the map of the house is the house."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from guards.reading import DOCS, ROOT, SOURCE, page, pages

from ccm.deliver.end_user_messaging import EndUserMessagingSettings
from ccm.deliver.interface import Adapter
from ccm.deliver.print_shop.settings import PrintSettings
from ccm.deliver.s3 import S3Settings
from ccm.deliver.ses import SesSettings
from ccm.deliver.smtp_settings import SmtpSettings
from ccm.deliver.sns import SnsSettings
from ccm.deliver.twilio import TwilioSettings
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, ReceiptStatus
from ccm.plugins import adapter_names, load_adapter

_LINK = re.compile(r"(?<!`)!?\[[^\]\n]+\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def links(path: Path) -> list[str]:
    """Return the targets of a page's links that lead to files of ours."""
    text = _CODE.sub("`code`", path.read_text(encoding="utf-8"))
    return [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:", target)]


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page; what looks like a heading inside a code block is none."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in _HEADING.findall(text)}


def test_pages_are_there() -> None:
    """The guards below look at the pages that a newcomer needs."""
    names = {path.relative_to(ROOT).as_posix() for path in pages()}
    needed = "adding-a-channel adding-an-adapter architecture campaign-guide contributing errors glossary providers template-guide"
    assert {f"docs/{name}.md" for name in needed.split()} | {"README.md", "CHANGELOG.md"} <= names
    assert sum(len(links(path)) for path in pages()) > 30


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_resolve(path: Path) -> None:
    """Files exist, and so do the headings that links name."""
    for target in links(path):
        name, _, heading = target.partition("#")
        place = (path.parent / name).resolve() if name else path
        assert place.exists(), target
        if heading:
            assert heading in anchors(place), target


def test_the_readme_leads_to_every_page() -> None:
    """No page is only found by accident."""
    named = " ".join(links(ROOT / "README.md"))
    for path in DOCS.glob("*.md"):
        assert f"docs/{path.name}" in named, path.name


def test_every_adapter_of_ours_is_in_the_table() -> None:
    """With its channels, abilities and limits as the class says them."""
    own = [name for name in adapter_names() if load_adapter(name).__module__.startswith("ccm.")]
    assert len(own) >= 3
    guide = page("providers.md")
    for name in own:
        can = load_adapter(name).capabilities
        row = re.search(rf"^\| `{name}` \|(.+)\|$", guide, re.MULTILINE)
        assert row, name
        cells = [cell.strip() for cell in row[1].split("|")]
        everything = set(can.channels) == set(Channel)
        assert cells[0] == ("all" if everything else ", ".join(can.channels)), name
        yes_or_no = ["yes" if yes else "no" for yes in (can.attachments, can.deduplicates, can.looks_up)]
        assert [cells[1], cells[3], cells[4]] == yes_or_no, name
        assert cells[2] == size_of(can.max_bytes), name
        assert cells[5].count("`") >= 2, name


def size_of(size_bytes: int | None) -> str:
    """Return a limit as the table writes it."""
    if size_bytes is None:
        return "–"
    unit, name = (1024**3, "GiB") if size_bytes >= 1024**3 else (1024**2, "MiB")
    return f"{size_bytes // unit} {name}"


def test_every_setting_of_the_printer_is_in_the_table() -> None:
    """As the adapter knows them."""
    row = next(line for line in page("providers.md").splitlines() if line.startswith("| `print` |"))
    assert not [item.name for item in fields(PrintSettings) if f"`{item.name}`" not in row]


def test_the_adapter_page_explains_the_whole_interface() -> None:
    """Every public name of `Adapter`, every capability and every status of a receipt."""
    text = page("adding-an-adapter.md")
    names = [name for name in vars(Adapter) if not name.startswith("_")]
    names += [item.name for item in fields(Capabilities)] + list(ReceiptStatus)
    assert len(names) > 12
    assert not [name for name in names if not re.search(rf"`{name}[`(]", text)]


@pytest.mark.parametrize(
    ("adapter", "settings"),
    [
        ("smtp", SmtpSettings),
        ("ses", SesSettings),
        ("sns", SnsSettings),
        ("end-user-messaging", EndUserMessagingSettings),
        ("twilio", TwilioSettings),
        ("s3", S3Settings),
    ],
)
def test_settings_are_in_the_table(adapter: str, settings: Any) -> None:
    """Every setting that the adapter knows."""
    row = next(line for line in page("providers.md").splitlines() if line.startswith(f"| `{adapter}` |"))
    assert not [item.name for item in fields(settings) if f"`{item.name}`" not in row]


def test_the_map_of_rooms_names_what_is_there() -> None:
    """Every room stands on the page, and every room on the page exists."""
    rooms = page("architecture.md").partition("## Rooms")[2].partition("\n## ")[0]
    there = {path.name + "/" if path.is_dir() else path.name for path in SOURCE.iterdir()}
    there = {name for name in there if not name.startswith(("__", "py.typed")) and name != "starter/"}
    named = set(re.findall(r"^      ([a-z_]+(?:/|\.py))", rooms, re.MULTILINE))
    assert len(named) > 12
    assert named == there


def test_phase_functions_of_the_map_exist() -> None:
    """With the arguments that the page gives them."""
    block = page("architecture.md").partition("## Phase signatures")[2].partition("\n## ")[0]
    found = re.findall(r"^    ((?:\w+\.)+\w+)(?:\(([^)]*)\)(\.\w+)?)?", block, re.MULTILINE)
    assert len(found) > 12
    for name, arguments, method in found:
        module, _, function = name.rpartition(".")
        thing = module_or_class(module, function)
        known = inspect.signature(thing).parameters
        if method:
            assert callable(getattr(thing, method[1:])), name
        for argument in re.sub(r"\[[^\]]*\]", "", arguments).split(","):
            word = re.match(r"\s*(\w+)", argument)
            assert word is None or word[1] in known, (name, argument)


def module_or_class(module: str, name: str) -> Callable[..., object]:
    """Return `name` of a room of ours, or of a class in it."""
    try:
        owner: object = importlib.import_module(f"ccm.{module}")
    except ModuleNotFoundError:
        room, _, inner = module.rpartition(".")
        owner = getattr(importlib.import_module(f"ccm.{room}"), inner)
    found: Callable[..., object] = getattr(owner, name)
    return found


def test_files_that_the_map_names_exist() -> None:
    """In some room; the page is read as a way to them."""
    text = page("architecture.md") + page("adding-a-channel.md") + page("contributing.md")
    named = {name for name in re.findall(r"[\w/]+\.py", text) if "<" not in name}
    assert len(named) > 20
    known = [path.as_posix() for path in (*SOURCE.rglob("*.py"), *(ROOT / "tools").glob("*.py"))]
    known += [path.as_posix() for path in (ROOT / "tests").rglob("*.py")]
    assert not sorted(name for name in named if not any(path.endswith(f"/{name}") for path in known))


def test_make_targets_in_the_text_exist() -> None:
    """The README's commands are the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {name for path in pages() for name in re.findall(r"\bmake ([a-z]+)\b(?=[`\s])", _made(path))}
    assert {"demo", "test", "check"} <= used
    assert used <= targets


def _made(path: Path) -> str:
    """Return the code of a page, where `make` is the program and not the verb."""
    text = path.read_text(encoding="utf-8")
    indented = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    return indented + "\n" + "\n".join(f"{code} " for code in re.findall(r"`([^`\n]+)`", text))


def test_the_picture_is_small() -> None:
    """A README opens fast."""
    picture = DOCS / "images" / "one-message.png"
    assert 10_000 < picture.stat().st_size < 500_000
