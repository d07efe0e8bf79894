"""Checks authors' texts before any data is seen: Jinja, MJML, CSS and HTML of every template and fragment."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ccm.diagnostics import Diagnostic
from ccm.load.lint.authored import AuthoredFile
from ccm.load.lint.facts import fact_types, read_derived, read_filename
from ccm.load.lint.scope import Surroundings, brands_of
from ccm.load.lint.source import Findings
from ccm.load.lint.variants import read_variants
from ccm.model.definitions import Channel
from ccm.model.workspace import Template, Workspace


def lint_templates(
    workspace: Workspace, only: Iterable[str] | None = None, channels: Collection[Channel] = ()
) -> tuple[Diagnostic, ...]:
    """Check the templates of a loaded workspace.

    Reads nothing but the workspace: sources come from its library and variants.

    Args:
        only: Names of the templates to check; all if not given. Unknown names are passed over.
        channels: Check what these channels show, for who looks at no others; all if empty.
    Returns:
        Every mistake once, in the order of files and lines.
    """
    findings = Findings()
    chosen = workspace.templates if only is None else workspace.templates.keys() & set(only)
    for name in sorted(chosen):
        _lint_template(workspace, workspace.templates[name], channels, findings)
    return findings.all()


def _lint_template(workspace: Workspace, template: Template, channels: Collection[Channel], findings: Findings) -> None:
    file = AuthoredFile.of(workspace, template)
    read_derived(template, file, findings)
    types = fact_types(template, file, findings)
    around = Surroundings(workspace, template, brands_of(workspace, template), types)
    read_filename(around, file, findings)
    read_variants(around, channels, findings)
