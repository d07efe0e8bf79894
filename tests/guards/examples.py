"""Renders the examples of docs/template-guide.md with the engine that messages are made with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from guards.reading import page

from ccm.compose.engine import Engine, OutputKind, render
from ccm.compose.facts import views
from ccm.compose.figures.page_functions import page_functions
from ccm.compose.formats.locale_formats import formats_for
from ccm.compose.printing import Rendering, Voice
from ccm.compose.translations import Texts
from ccm.load.contract import contract_reader
from ccm.load.yaml_reader import read_yaml
from ccm.model.definitions import BrandDefinition, TemplateDefinition
from ccm.model.values import Money
from ccm.model.workspace import Brand, ContentLibrary

_LINE = re.compile(r"(?:(?P<locale>[a-z]{2}-[A-Z]{2}) )?(?P<source>\{[{%].*?)\s+→ (?P<gives>.*)")
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One line of the guide: what is written and what comes out."""

    locale: str
    source: str
    gives: str


def examples() -> tuple[Example, ...]:
    """Return every example of the guide."""
    return tuple(_examples(page("template-guide.md")))


def _examples(text: str) -> Iterator[Example]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            yield Example(match["locale"] or "en-GB", match["source"], match["gives"].strip())


@cache
def guide_template() -> tuple[TemplateDefinition, Mapping[str, Any]]:
    """Return the template of the guide and its sample, typed by the contract."""
    definition, sample = (_yaml(block) for block in _YAML.findall(page("template-guide.md")))
    template = TemplateDefinition.model_validate(definition)
    values = {name: value for name, value in sample.items() if name != "locale"}
    data, faults = contract_reader(template.contract).read(values)
    assert not faults
    return template, data


def _yaml(text: str) -> Any:
    file, problems = read_yaml(text.encode(), "guide.yaml")
    assert not problems
    return file.data


def rendered(example: Example) -> str:
    """Return what the engine makes of an example, no-break spaces as plain ones."""
    engine = Engine(
        OutputKind.TEXT,
        forms=(),
        fragments={},
        library=ContentLibrary({}),
        functions={**page_functions(_brand()), "asset": lambda name: f"ccm:{name}"},
    )
    formats = formats_for(example.locale, example.locale, "Europe/London")
    voice = Voice(example.locale, formats.direction, formats, Texts(None, {}))
    variables = {**guide_template()[1], "facts": views(()), "fee_in_euro": Money(Decimal("12.50"), "EUR")}
    text = render(engine.compile(example.source, "guide"), variables, Rendering(voice))
    return re.sub("[\u00a0\u202f]", " ", text).strip()


@cache
def _brand() -> Brand:
    definition = BrandDefinition.model_validate(
        {
            "brand": "parcel",
            "title": "Parcel plc",
            "logo": {"file": "logo.png", "alt": "Parcel"},
            "fonts": [{"family": "Inter", "file": "inter.ttf"}],
            "senders": {"email": {"name": "Parcel", "address": "post@parcel.example"}},
            "address": ["Parcel plc"],
            "legal": {"en": ["Parcel plc"]},
        }
    )
    return Brand(definition, "brands/parcel", {})
