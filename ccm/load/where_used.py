"""Who uses a fragment, token, asset, template, brand or source: what an edit will change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ccm.diagnostics import Location
from ccm.model.workspace import Workspace

_TEXT_FILES = (".mjml", ".html", ".txt", ".css")
_INCLUDE = re.compile(r"""(?:include|import|from|extends)\s+["']fragments/([\w-]+)["']""")
_ASSET = re.compile(r"""\basset\(\s*["']([^"']+)["']""")
_VARIABLE = re.compile(r"var\(\s*--([\w-]+)")
_TOKEN = re.compile(r"\btokens\.([A-Za-z][\w.]*)")
_TOKEN_ITEM = re.compile(r"""\btokens\[\s*["']([^"']+)["']\s*\]""")


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One place where something is used.

    kind: fragment, token, asset, template, brand or source.
    name: What is used.
    user: What uses it: a template, `fragments/<name>`, `campaigns/<name>` or `brands/<name>`.
    """

    kind: str
    name: str
    user: str
    location: Location


def where_used(workspace: Workspace, name: str) -> tuple[Use, ...]:
    """List what uses something, in the order of files.

    Args:
        name: `contact` or `fragments/contact`, `color.brand.primary` or `--color-brand-primary`, `logo` or
            `images/x.png`, or the name of a template, brand or source.
    """
    wanted = name.strip()
    plain = wanted.removeprefix("fragments/").removeprefix("templates/").removeprefix("brands/")
    variable = wanted.removeprefix("--").replace(".", "-").lower()
    found = []
    for use in all_uses(workspace):
        if use.kind == "token":
            # Dots and dashes cannot be told apart in CSS variables, so both sides are compared with dashes.
            match = use.name.replace(".", "-").lower() == variable
        elif use.kind == "asset":
            match = use.name in (wanted, plain) or use.name.endswith("/" + wanted)
        else:
            match = use.name == plain
        if match:
            found.append(use)
    return tuple(sorted(set(found), key=lambda use: (use.location, use.kind)))


def all_uses(workspace: Workspace) -> Iterator[Use]:
    """Yield every use in the workspace."""
    for path in workspace.library.files:
        if path.endswith(_TEXT_FILES) and path.startswith("templates/"):
            yield from _in_file(workspace, path)
    for path in workspace.library.files:
        if path.startswith("brands/") and path.endswith(".json"):
            yield from _aliases(workspace, path)
    for name, campaign in workspace.campaigns.items():
        place = f"campaigns/{name}.yaml"
        user = f"campaigns/{name}"
        yield Use("template", campaign.template_name, user, Location(place))
        yield Use("brand", campaign.brand, user, Location(place))
        yield Use("source", campaign.audience.source, user, Location(place))


def _in_file(workspace: Workspace, path: str) -> Iterator[Use]:
    parts = path.split("/")
    if len(parts) < 3:
        return
    user = f"fragments/{parts[2]}" if parts[1] == "_fragments" else f"templates/{parts[1]}"
    text = workspace.library.files[path].decode("utf-8", "replace")
    for kind, pattern in (
        ("fragment", _INCLUDE),
        ("asset", _ASSET),
        ("token", _VARIABLE),
        ("token", _TOKEN),
        ("token", _TOKEN_ITEM),
    ):
        for match in pattern.finditer(text):
            yield Use(kind, match[1].rstrip("."), user, _place(path, text, match.start()))


def _aliases(workspace: Workspace, path: str) -> Iterator[Use]:
    text = workspace.library.files[path].decode("utf-8", "replace")
    user = "/".join(path.split("/")[:2])
    for match in re.finditer(r"\{([\w.-]+)\}", text):
        yield Use("token", match[1].removesuffix(".value"), user, _place(path, text, match.start()))


def _place(path: str, text: str, start: int) -> Location:
    return Location(path, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
