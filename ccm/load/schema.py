"""JSON Schemas of the authored files, for editors, and of data contracts, for those who deliver data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccm.model.definitions import (
    BrandDefinition,
    CampaignDefinition,
    Definition,
    FieldDefinition,
    FieldType,
    SourceDefinition,
    TemplateDefinition,
    WorkspaceDefinition,
)
from ccm.model.workspace import Template

_KINDS: dict[str, type[Definition]] = {
    "workspace": WorkspaceDefinition,
    "brand": BrandDefinition,
    "template": TemplateDefinition,
    "campaign": CampaignDefinition,
    "source": SourceDefinition,
}
SCHEMA_KINDS = tuple(_KINDS)
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file, with the short forms that authors may write.

    Args:
        kind: One of `SCHEMA_KINDS`.
    """
    model = _KINDS[kind]
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    for name, widen in _SHORT_FORMS.items():
        if name in definitions:
            definitions[name] = widen(definitions[name])
    _allow_loose_scalars(schema)
    title = (model.__doc__ or "").split("\n")[0]
    return {"$schema": _DRAFT, **schema, "title": f"ccm {kind}", "description": title}


def write_schemas(root: Path) -> tuple[Path, ...]:
    """Write every schema to `.ccm/schema/<kind>.json` below root, and return the paths."""
    folder = root / ".ccm" / "schema"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in SCHEMA_KINDS:
        path = folder / f"{kind}.json"
        path.write_text(json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        paths.append(path)
    return tuple(paths)


# ── short forms ──────────────────────────────────────────────────────────────


def _field(schema: dict[str, Any]) -> dict[str, Any]:
    """A field may be its type (`text`, `text?`), or have `record:` or `list:` instead of type and fields."""
    names = [str(kind) for kind in FieldType if kind not in (FieldType.RECORD, FieldType.LIST, FieldType.MONEY)]
    short = {"enum": [form for name in names for form in (name, f"{name}?")], "description": "Type; ? may be missing."}
    fields = {"type": "object", "additionalProperties": {"$ref": "#/$defs/FieldDefinition"}}
    properties = {
        **schema["properties"],
        "type": {"enum": [form for kind in FieldType for form in (str(kind), f"{kind}?")]},
        "record": {**fields, "description": "Fields of a record."},
        "list": {"anyOf": [{"type": "string"}, fields], "description": "Fields, or the type, of a list's items."},
    }
    one_of = [{"required": [name]} for name in ("type", "record", "list")]
    long = {**schema, "properties": properties, "anyOf": one_of}
    long.pop("required", None)
    return {"anyOf": [short, long]}


def _table(schema: dict[str, Any]) -> dict[str, Any]:
    """A table may be just the name of a file."""
    return {"anyOf": [{"type": "string", "description": "File beside the source file."}, schema]}


def _quiet(schema: dict[str, Any]) -> dict[str, Any]:
    """Quiet hours may be one text."""
    short = {"type": "string", "pattern": r"^\d\d:\d\d\s*-\s*\d\d:\d\d$", "examples": ["21:00-08:00"]}
    return {"anyOf": [short, schema]}


_SHORT_FORMS = {"FieldDefinition": _field, "TableDefinition": _table, "QuietHours": _quiet}


def _allow_loose_scalars(node: Any) -> None:
    """Let an unquoted 400 stand where a text is wanted: the reader keeps scalars as text.

    Why: editors type scalars before they look at the schema, and would mark `weight: 400` as wrong.
    """
    if isinstance(node, dict):
        if node.get("type") == "string":
            formats = ("date-time", "time")
            if node.get("format") in formats:
                node.pop("format")  # local times have no offset, which the format asks for
            if "pattern" not in node and "enum" not in node and "const" not in node:
                node["type"] = ["string", "number", "boolean"]
        for child in node.values():
            _allow_loose_scalars(child)
    elif isinstance(node, list):
        for child in node:
            _allow_loose_scalars(child)


# ── data contracts ───────────────────────────────────────────────────────────

_DECIMAL = {"type": ["string", "number"], "pattern": r"^[+-]?[0-9]{1,30}(\.[0-9]{1,20})?$"}
_TYPES: dict[FieldType, dict[str, Any]] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.INTEGER: {"type": ["integer", "string"], "pattern": "^[+-]?[0-9]{1,30}$"},
    FieldType.DECIMAL: _DECIMAL,
    FieldType.PERCENT: _DECIMAL,
    FieldType.MONEY: _DECIMAL,
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
    FieldType.BOOLEAN: {"type": ["boolean", "string"]},
    FieldType.CODE: {"type": ["string", "integer"]},
    FieldType.LINK: {"type": "string", "pattern": "^https://"},
    FieldType.EMAIL: {"type": "string"},
    FieldType.PHONE: {"type": "string"},
    FieldType.COUNTRY: {"type": "string", "pattern": "^[A-Za-z]{2}$"},
}


def contract_json_schema(template: Template | Any) -> dict[str, Any]:
    """Return a template's data contract as JSON Schema, for one recipient's data.

    Args:
        template: The loaded template or its definition.
    """
    definition = template.definition if isinstance(template, Template) else template
    return {
        "$schema": _DRAFT,
        "title": f"{definition.template}@{definition.version}",
        "description": definition.title,
        **_record(definition.contract),
    }


def _record(fields: Mapping[str, FieldDefinition]) -> dict[str, Any]:
    given = {name: field for name, field in fields.items() if field.derive is None}
    return {
        "type": "object",
        "properties": {name: _value(field) for name, field in given.items()},
        "required": [name for name, field in given.items() if field.required],
    }


def _value(field: FieldDefinition) -> dict[str, Any]:
    if field.type is FieldType.RECORD:
        schema = _record(field.fields)
    elif field.type is FieldType.LIST and field.of is not None:
        schema = {"type": "array", "items": _value(field.of)}
    else:
        schema = dict(_TYPES[field.type])
    if field.values:
        schema = {"enum": list(field.values)}
    notes = [field.description] if field.description else []
    if field.type is FieldType.MONEY:
        notes.append(f"Amount; currency: {field.currency}.")
    if notes:
        schema["description"] = " ".join(notes)
    return schema
