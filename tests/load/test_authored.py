"""Promise: pydantic's findings reach authors in their own words, at the place of the mistake, each once."""

from __future__ import annotations

import pytest

from ccm.load.authored import model_at, parse_definition
from ccm.load.yaml_reader import read_yaml
from ccm.model.definitions import (
    BrandDefinition,
    CampaignDefinition,
    EmailSender,
    FieldDefinition,
    OccurrenceEach,
    SourceDefinition,
    TemplateDefinition,
)

CAMPAIGN = """campaign: a
brand: b
template: t
purpose: legal
audience: {source: s}
channels: {together: [email]}
deliver: {email: outbox}
"""


def _codes(model: type, text: str) -> list[tuple[str, str]]:
    file, problems = read_yaml(text, "a.yaml")
    assert problems == ()
    _, diagnostics = parse_definition(model, file)
    return [(item.code, f"{item.location.line}:{item.location.column}") for item in diagnostics]


def test_a_right_file_is_typed() -> None:
    """Texts become what the definition says."""
    file, _ = read_yaml(
        CAMPAIGN + "limits: {held_share: 0.2, sms_segments: 3}\nschedule: {at: 2026-11-02T08:30}\n", "a"
    )
    campaign, diagnostics = parse_definition(CampaignDefinition, file)
    assert diagnostics == ()
    assert campaign is not None
    assert (campaign.limits.held_share, campaign.limits.sms_segments) == (0.2, 3)
    assert campaign.schedule is not None
    assert campaign.schedule.at.hour == 8


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("occurrence: montly", [("invalid-value", "8:13")]),  # neither a period nor a mapping: told once
        ("occurrence: {each: invoice.number}", []),
        ("occurrence: {eech: invoice.number}", [("unknown-field", "8:14")]),  # the misspelt key is not missing too
        ("occurrence: {}", [("missing-field", "8:1")]),
        ("occurrence: [a]", [("invalid-value", "8:13")]),
        ("limits: {held_share: lots}", [("invalid-value", "8:22")]),
        ("limits: 5", [("wrong-shape", "8:9")]),
        ('schedule: {at: "2026-11-02T08:30", quiet: "21-8"}', [("invalid-value", "8:43")]),
        ("locales: de", [("wrong-shape", "8:10")]),
        ("locales: [de, D]", [("invalid-value", "8:15")]),
        ("parameters: {Due: 1}", [("invalid-value", "8:14")]),  # a bad key points at the key
        ("titel: x", [("unknown-field", "8:1")]),
    ],
)
def test_one_mistake_gives_one_diagnostic_at_its_place(line: str, expected: list[tuple[str, str]]) -> None:
    """Unions, keys, short forms and missing fields point where the author must look."""
    assert _codes(CampaignDefinition, CAMPAIGN + line) == expected


def test_the_remedy_names_the_nearest_field_that_is_still_free() -> None:
    """A misspelt name is answered with the name that was meant."""
    file, _ = read_yaml(CAMPAIGN + "limts: {held_share: 1}", "a.yaml")
    _, diagnostics = parse_definition(CampaignDefinition, file)
    assert diagnostics[0].remedy == 'did you mean "limits"?'


def test_short_forms_keep_their_places() -> None:
    """`record:`, `list:` and `name: text` are followed into the file although the definition calls them otherwise."""
    text = """template: t
title: T
purpose: legal
locales: [en]
contract:
  customer: {record: {name: txt}}
  lines:
    list:
      amount: {type: money}
      tags: {list: textt}
channels: {required: [sms]}
"""
    assert _codes(TemplateDefinition, text) == [
        ("invalid-value", "6:29"),
        ("invalid-value", "9:15"),
        ("invalid-value", "10:20"),
    ]


def test_an_empty_or_foreign_file_says_what_is_expected() -> None:
    """An empty file lists its required fields; a list is told to be a mapping."""
    assert _codes(BrandDefinition, "") == [("missing-field", "1:1")]
    assert _codes(SourceDefinition, "- a") == [("wrong-shape", "1:1")]


def test_the_model_at_a_place_is_found() -> None:
    """Names are suggested from the class that stands there, through unions, mappings and tuples."""
    assert model_at(BrandDefinition, ("senders", "email")) is EmailSender
    assert model_at(TemplateDefinition, ("contract", "a", "fields", "b")) is FieldDefinition
    assert model_at(CampaignDefinition, ("occurrence", "OccurrenceEach")) is OccurrenceEach
    assert model_at(CampaignDefinition, ("title",)) is None
