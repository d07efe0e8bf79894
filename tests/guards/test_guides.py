"""The YAML of the guides and of the sample is valid: people copy it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from guards.reading import DOCS, ROOT, page, pages

from ccm.load import SCHEMA_KINDS, schema_of
from ccm.load.yaml_reader import read_yaml
from ccm.model.definitions import (
    BrandDefinition,
    CampaignDefinition,
    ConsentColumns,
    Definition,
    OccurrencePeriod,
    Purpose,
    SourceDefinition,
    TemplateDefinition,
    WorkspaceDefinition,
)

KINDS: Mapping[str, type[Definition]] = {
    "workspace": WorkspaceDefinition,
    "brand": BrandDefinition,
    "template": TemplateDefinition,
    "campaign": CampaignDefinition,
    "source": SourceDefinition,
}
SAMPLE = {
    "workspace": "ccm.yaml",
    "brand": "brands/*/brand.yaml",
    "template": "templates/*/template.yaml",
    "campaign": "campaigns/*.yaml",
    "source": "data/*.yaml",
}
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_POINTER = re.compile(r"# yaml-language-server: \$schema=(\S+)")


def blocks() -> list[tuple[str, str]]:
    """Return the YAML of the pages that is a whole file, with its kind: the first key says which."""
    found = []
    for path in pages():
        for block in _BLOCK.findall(path.read_text(encoding="utf-8")):
            first = re.search(r"^([a-z]+):", block, re.MULTILINE)
            if first and first[1] in KINDS:
                found.append((first[1], block))
    return found


def test_the_guides_show_every_kind() -> None:
    """But the brand, which the sample shows."""
    assert {kind for kind, _ in blocks()} == set(KINDS) - {"brand"}


@pytest.mark.parametrize(("kind", "block"), blocks(), ids=[kind for kind, _ in blocks()])
def test_yaml_of_the_guides_is_valid(kind: str, block: str) -> None:
    """By the definition that loading uses, and by the JSON Schema that editors use."""
    file, problems = read_yaml(block.encode(), "guide.yaml")
    assert not problems
    KINDS[kind].model_validate(file.data)
    jsonschema_rs.validate(schema_of(kind), as_editors_read(block))


def sample_files() -> list[tuple[str, Path]]:
    """Return the sample's YAML files with their kinds."""
    return [(kind, path) for kind in SCHEMA_KINDS for path in sorted(ROOT.glob(SAMPLE[kind]))]


@pytest.mark.parametrize(("kind", "path"), sample_files(), ids=lambda item: getattr(item, "name", item))
def test_sample_files_point_to_the_schema_that_they_fit(kind: str, path: Path) -> None:
    """The first line leads to where `ccm schema` writes, and no editor marks the file."""
    text = path.read_text(encoding="utf-8")
    pointer = _POINTER.match(text)
    assert pointer
    assert (path.parent / pointer[1]).resolve() == ROOT / ".ccm" / "schema" / f"{kind}.json"
    jsonschema_rs.validate(schema_of(kind), as_editors_read(text))


def test_the_sample_has_every_kind() -> None:
    """The two tests above looked at something."""
    assert {kind for kind, _ in sample_files()} == set(KINDS)
    assert len(sample_files()) > 12


def as_editors_read(text: str) -> object:
    """Return YAML with the types that editors see; dates are text to them."""
    read = yaml.load(text, Loader=yaml.CSafeLoader)
    return _without_dates(read)


def _without_dates(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def test_the_campaign_guide_explains_every_field() -> None:
    """Of campaigns, sources and providers; a field that nobody explains is found by accident only."""
    text = page("campaign-guide.md")
    fields = {*CampaignDefinition.model_fields, *SourceDefinition.model_fields, *ConsentColumns.model_fields}
    assert len(fields) > 20
    assert not sorted(name for name in fields if not re.search(rf"\b{name}\b", text))
    for word in (*OccurrencePeriod, *Purpose):
        assert f"`{word}`" in text, word


def test_the_brand_guide_explains_every_field() -> None:
    """Of brand.yaml and of its senders."""
    text = page("brand-guide.md")
    assert not sorted(name for name in BrandDefinition.model_fields if f"`{name}`" not in text)


def test_the_glossary_has_one_row_for_a_word() -> None:
    """Sorted by subject, each word once, and no word that another row forbids."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 40
    assert len(rows) == len(set(rows))
