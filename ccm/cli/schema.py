"""`ccm schema`: JSON Schemas for editors and programs."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import fail, find_workspace, open_workspace, out, print_json, with_errors, workspace_option
from ccm.diagnostics import ExitCode, suggest


@click.command("schema")
@click.argument("kind", required=False)
@click.option("--template", "template", metavar="NAME", help="Print the data contract of this template instead.")
@workspace_option
@with_errors
def command(kind: str | None, template: str | None, folder: Path | None) -> None:
    """Write the JSON Schemas of all YAML files into .ccm/schema, or print one.

    KIND: workspace, brand, template, campaign or source.

    Example: ccm schema campaign

    Example: ccm schema --template monthly-statement
    """
    from ccm.load import SCHEMA_KINDS, contract_json_schema, schema_of, write_schemas

    if template is not None:
        workspace = open_workspace(folder, quiet=True, lint=False)
        if template not in workspace.templates:
            fail(f'the workspace has no template "{template}"', suggest(template, workspace.templates))
        print_json(contract_json_schema(workspace.templates[template].definition))
    elif kind is not None:
        if kind not in SCHEMA_KINDS:
            fail(f'there is no schema "{kind}"', suggest(kind, SCHEMA_KINDS))
        print_json(schema_of(kind))
    else:
        root = find_workspace(folder)
        try:
            written = write_schemas(root)
        except OSError as error:
            fail(f"{root / '.ccm' / 'schema'}: {error.strerror}", "check permissions and free space", ExitCode.OUTSIDE)
        for path in written:
            out.print(str(path), markup=False)
