"""Shared fragments: `templates/_fragments/<name>/` with one form per channel."""

from __future__ import annotations

from pathlib import PurePosixPath

from ccm.diagnostics import Diagnostic, Location, Severity, suggest
from ccm.load.catalogue import read_catalogue
from ccm.load.files import folders_in
from ccm.model.workspace import Catalogue, ContentLibrary, Fragment

FOLDER = "templates/_fragments"
FORMS = ("email.mjml", "email.html", "email.txt", "sms.txt", "document.html", "social.txt", "card.html")


def load_fragments(library: ContentLibrary) -> tuple[dict[str, Fragment], tuple[Diagnostic, ...]]:
    """Load every fragment, with all catalogues that lie beside it."""
    fragments: dict[str, Fragment] = {}
    diagnostics: list[Diagnostic] = []
    for name in folders_in(library, FOLDER):
        root = f"{FOLDER}/{name}"
        forms: dict[str, str] = {}
        catalogues: dict[str, Catalogue] = {}
        for path in library.under(root):
            relative = PurePosixPath(path).relative_to(root)
            if len(relative.parts) == 1 and relative.name in FORMS:
                forms[relative.name] = path
            elif relative.parts[0] == "locales" and relative.suffix == ".po":
                found, problems = read_catalogue(library.read(path), path, relative.stem)
                diagnostics += problems
                if found:
                    catalogues[relative.stem] = found
            elif relative.suffix in (".mjml", ".txt", ".html"):
                what = f'"{relative.name}" is not a form of a fragment; nothing uses it'
                remedy = suggest(relative.name, FORMS)
                diagnostics.append(Diagnostic("unknown-variant", what, remedy, Location(path), Severity.WARNING))
        fragments[name] = Fragment(name, root, forms, catalogues)
    return fragments, tuple(diagnostics)
