"""Promise: editors get JSON Schemas that accept what loading accepts, short forms included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from loaded_workspace import CASES, write_workspace

from ccm.load import SCHEMA_KINDS, contract_json_schema, load_workspace, schema_of, write_schemas

jsonschema_rs = pytest.importorskip("jsonschema_rs")

FILES = {
    "workspace": ["ccm.yaml"],
    "brand": ["brands/*/brand.yaml"],
    "template": ["templates/*/template.yaml"],
    "campaign": ["campaigns/*.yaml"],
    "source": ["data/*.yaml"],
}


def _as_editors_read(path: Path) -> object:
    """Read with YAML 1.2's own types, as editors do; dates stay text."""
    return json.loads(json.dumps(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader), default=str))


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_the_small_and_the_sample_workspace_fit_the_schema(kind: str, project: Path) -> None:
    """No editor marks a file that loads without a mistake."""
    validator = jsonschema_rs.validator_for(schema_of(kind))
    paths = [path for root in (CASES / "workspace", project) for glob in FILES[kind] for path in root.glob(glob)]
    assert paths
    for path in paths:
        errors = [
            f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(_as_editors_read(path))
        ]
        assert errors == [], path


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("campaign", {"purpose": "transactionel"}),
        ("campaign", {"tempalte": "x"}),
        ("template", {"contract": {"a": "txt"}}),
        ("template", {"contract": {"a": {"decimals": 2}}}),
        ("source", {"rows": {"fil": "x.csv"}}),
    ],
)
def test_the_schema_refuses_what_loading_refuses(kind: str, change: dict[str, object]) -> None:
    """A schema that accepts everything would help nobody."""
    path = next(path for glob in FILES[kind] for path in sorted((CASES / "workspace").glob(glob)))
    data = _as_editors_read(path)
    assert isinstance(data, dict)
    validator = jsonschema_rs.validator_for(schema_of(kind))
    assert validator.is_valid(data)
    assert not validator.is_valid({**data, **change})


def test_schemas_are_written_where_the_files_point(tmp_path: Path) -> None:
    """`# yaml-language-server: $schema=../.ccm/schema/campaign.json` finds its schema."""
    paths = write_schemas(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        f".ccm/schema/{kind}.json" for kind in SCHEMA_KINDS
    ]
    assert json.loads(paths[0].read_text("utf-8"))["$schema"].startswith("https://json-schema.org/")


def test_a_contract_is_exported_for_those_who_deliver_data(tmp_path: Path) -> None:
    """The exported schema takes the sample and refuses a missing field; optional fields may be absent."""
    workspace, _ = load_workspace(write_workspace(tmp_path))
    assert workspace is not None
    template = workspace.templates["notice"]
    schema = contract_json_schema(template)
    validator = jsonschema_rs.validator_for(schema)
    data = {key: value for key, value in template.samples["anna"].items() if key != "locale"}
    assert validator.is_valid(data)
    assert not validator.is_valid({**data, "customer": {"name": "Anna"}})
    assert schema["properties"]["customer"]["required"] == ["name", "status", "balance"]
