"""The whole workspace: every authored file read once, all mistakes told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ccm.diagnostics import Diagnostic, Location
from ccm.load.authored import parse_definition
from ccm.load.brand import load_brand
from ccm.load.campaign import check_campaign
from ccm.load.files import folders_in, read_library
from ccm.load.fragment import load_fragments
from ccm.load.lint import lint_templates
from ccm.load.secrets import secrets_of_source, secrets_of_workspace
from ccm.load.source.source_files import check_source_files
from ccm.load.template import load_template
from ccm.load.yaml_reader import YamlFile, read_yaml_file
from ccm.model.definitions import CampaignDefinition, SourceDefinition, WorkspaceDefinition
from ccm.model.workspace import ContentLibrary, Workspace

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def load_workspace(root: Path, *, lint: bool = True) -> tuple[Workspace | None, tuple[Diagnostic, ...]]:
    """Load everything that authors wrote.

    Args:
        root: Folder that holds ccm.yaml.
        lint: Also read every template's Jinja, MJML and CSS, which takes most of the time; commands that compose
            nothing (status, history) leave it out.
    Returns:
        The workspace with every part that could be read (None without a usable ccm.yaml), and all
        diagnostics, ordered by place. With an error among them nothing may be sent.
    """
    definition, diagnostics = _settings(root)
    if definition is None:
        return None, tuple(diagnostics)
    library, problems = read_library(root)
    diagnostics += problems
    brands = _folders(library, "brands", "brand.yaml", load_brand, diagnostics)
    templates = _folders(library, "templates", "template.yaml", load_template, diagnostics)
    fragments, problems = load_fragments(library)
    diagnostics += problems
    sources = _files(root, "data", SourceDefinition, "source", diagnostics)
    campaigns = _files(root, "campaigns", CampaignDefinition, "campaign", diagnostics)
    workspace = Workspace(
        root=str(root.resolve()),
        definition=definition,
        brands=brands,
        templates=templates,
        fragments=fragments,
        campaigns={name: campaign for name, (campaign, _) in campaigns.items()},
        sources={name: source for name, (source, _) in sources.items()},
        library=library,
    )
    for source, file in sources.values():
        diagnostics += check_source_files(root, source, file)
        diagnostics += secrets_of_source(source, file)
    if lint:
        diagnostics += lint_templates(workspace)
    broken = _broken(diagnostics)
    for campaign, file in campaigns.values():
        diagnostics += check_campaign(workspace, campaign, file, broken)
    return workspace, _in_order(diagnostics)


def _settings(root: Path) -> tuple[WorkspaceDefinition | None, list[Diagnostic]]:
    if not (root / "ccm.yaml").is_file():
        remedy = "run the command inside a workspace, or make one with `ccm init DIR`"
        return None, [Diagnostic("missing-workspace", "there is no ccm.yaml here", remedy, Location("ccm.yaml"))]
    file, problems = read_yaml_file(root, "ccm.yaml")
    if problems:
        return None, list(problems)
    definition, problems = parse_definition(WorkspaceDefinition, file)
    return definition, [*problems, *(secrets_of_workspace(definition, file) if definition else ())]


def _folders(
    library: ContentLibrary,
    folder: str,
    marker: str,
    load: Callable[[ContentLibrary, str], tuple[T | None, tuple[Diagnostic, ...]]],
    diagnostics: list[Diagnostic],
) -> dict[str, T]:
    """Load every sub-folder that does not start with an underscore."""
    loaded: dict[str, T] = {}
    for name in folders_in(library, folder):
        if name.startswith("_"):
            continue
        if f"{folder}/{name}/{marker}" not in library.files:
            remedy = f"add {marker}, or rename the folder to _{name} if others share it"
            place = Location(f"{folder}/{name}")
            diagnostics.append(Diagnostic("missing-file", f"the folder has no {marker}", remedy, place))
            continue
        found, problems = load(library, name)
        diagnostics += problems
        if found is not None:
            loaded[name] = found
    return loaded


def _files(
    root: Path, folder: str, model: type[M], named_by: str, diagnostics: list[Diagnostic]
) -> dict[str, tuple[M, YamlFile]]:
    """Load every YAML file of a folder; the file's name is the definition's."""
    loaded: dict[str, tuple[M, YamlFile]] = {}
    for path in sorted((root / folder).glob("*.y*ml")):
        if path.name.startswith("."):
            continue
        name = path.relative_to(root).as_posix()
        file, problems = read_yaml_file(root, name)
        diagnostics += problems
        if problems:
            continue
        definition, problems = parse_definition(model, file)
        diagnostics += problems
        if definition is None:
            continue
        given = getattr(definition, named_by)
        if given != path.stem:
            remedy = f'write "{named_by}: {path.stem}", or rename the file'
            what = "the name is not that of the file"
            diagnostics.append(Diagnostic("name-mismatch", what, remedy, file.at((named_by,))))
        loaded[given] = (definition, file)
    return loaded


def _broken(diagnostics: Iterable[Diagnostic]) -> Mapping[str, frozenset[str]]:
    """Return names of brands, templates and sources that exist but could not be read.

    Why: a campaign that refers to one should not be told that there is no such thing.
    """
    names: dict[str, set[str]] = {"brands": set(), "templates": set(), "data": set()}
    for item in diagnostics:
        folder, _, rest = item.location.path.partition("/")
        if folder in names:
            names[folder].add(rest.partition("/")[0].removesuffix(".yaml").removesuffix(".yml"))
    return {folder: frozenset(found) for folder, found in names.items()}


def _in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda item: (item.location, item.code)))
