"""From the working folder to a hashed release: everything that a message is made of, and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from ccm import __version__
from ccm.diagnostics import suggest
from ccm.model.records import ReleaseRef
from ccm.model.workspace import ContentLibrary, Workspace
from ccm.release.layout import in_range

_FRAGMENT = re.compile(rb"""["']fragments/([\w-]+)["']""")


class ReleaseNotFound(LookupError):
    """No template, brand or version of that name; says what there is."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


def resolve(workspace: Workspace, template_name: str, version_range: str, brand_name: str) -> ReleaseRef:
    """Hash what the messages of a template in a brand are made of.

    Args:
        version_range: 1 takes 1.x.y, 1.2 takes 1.2.x, empty takes all.
    Returns:
        A reference that is the same wherever the same bytes and the same engine are; its version ends in
        -draft because the working folder can still change.
    Raises:
        ReleaseNotFound: If the template, the brand or a version in the range does not exist.
    """
    template = workspace.templates.get(template_name)
    if template is None:
        remedy = suggest(template_name, workspace.templates)
        raise ReleaseNotFound(f'there is no template "{template_name}"', remedy)
    brand = workspace.brands.get(brand_name)
    if brand is None:
        raise ReleaseNotFound(f'there is no brand "{brand_name}"', suggest(brand_name, workspace.brands))
    version = template.definition.version
    if not in_range(version, version_range):
        raise ReleaseNotFound(f"the template {template_name} has version {version}", f"ask for @{version}")
    paths = release_files(workspace, template_name, brand_name)
    return ReleaseRef(template_name, f"{version}-draft", content_hash(workspace.library, paths))


def content_hash(library: ContentLibrary, paths: tuple[str, ...]) -> str:
    """Return the SHA-256 over engine version, paths and contents, in hex."""
    digest = hashlib.sha256(f"ccm {__version__}\n".encode())
    for path in paths:
        digest.update(f"{path}\x00{library.hash_of(path)}\n".encode())
    return digest.hexdigest()


def release_files(workspace: Workspace, template_name: str, brand_name: str) -> tuple[str, ...]:
    """Return the sorted paths that a message of this template in this brand may be made of.

    Samples are left out: they are test data. Fragments count when a variant includes them, also through
    other fragments. What brands share (`brands/_…`) counts for every brand.
    """
    library = workspace.library
    template_root = workspace.templates[template_name].root
    own = [path for path in library.under(template_root) if not path.startswith(f"{template_root}/samples/")]
    fragments = [path for name in _fragments(workspace, own) for path in library.under(workspace.fragments[name].root)]
    brand = library.under(workspace.brands[brand_name].root)
    shared = [path for path in library.under("brands") if path.startswith("brands/_")]
    return tuple(sorted({*own, *fragments, *brand, *shared}))


def _fragments(workspace: Workspace, paths: list[str]) -> Iterator[str]:
    """Yield the fragments that files include, and those that these include in turn, each once."""
    seen: set[str] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        for match in _FRAGMENT.finditer(workspace.library.files[path]):
            name = match[1].decode()
            if name in workspace.fragments and name not in seen:
                seen.add(name)
                yield name
                waiting += workspace.library.under(workspace.fragments[name].root)
