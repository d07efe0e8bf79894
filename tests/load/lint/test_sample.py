"""Promise: in the sample workspace no name can be misspelt without being found at its place, before any data is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import Environment

from ccm.diagnostics import Severity
from ccm.load.lint import lint_templates
from ccm.load.lint.markup import tags_in
from ccm.load.lint.source import PRINTED, without_jinja
from ccm.load.workspace import load_workspace
from ccm.model.definitions import Channel
from ccm.model.workspace import Template, Variant, VariantPart, Workspace

SHARE = 20  # every twentieth name is misspelt


@pytest.fixture(scope="module")
def sample(project: Path) -> Workspace:
    workspace, problems = load_workspace(project)
    assert workspace is not None, "\n".join(map(str, problems))
    return workspace


def test_the_sample_workspace_has_no_mistakes(sample: Workspace) -> None:
    """What we show as an example is clean: no error and no warning."""
    assert len(sample.templates) >= 5
    assert [str(item) for item in lint_templates(sample)] == []


def _variants(workspace: Workspace) -> Iterator[tuple[Template, Variant]]:
    for template in workspace.templates.values():
        for variant in template.variants.values():
            yield template, variant


def _found_at(workspace: Workspace, template: Template, variant: Variant, offset: int, text: str) -> bool:
    """Tell whether linting finds a mistake on the line of the offset when the variant's text is this."""
    changed = replace(variant, source=text)
    variants = {**template.variants, (variant.channel, variant.part): changed}
    one = replace(workspace, templates={template.name: replace(template, variants=variants)})
    line = text.count("\n", 0, offset) + 1
    return any(item.location.path == variant.path and item.location.line == line for item in lint_templates(one))


def _jinja_names(template: Template, text: str) -> Iterator[tuple[int, str]]:
    roots = {*template.definition.contract, "parameters", "facts", "brand", "tokens", "message", "locale", "salutation"}
    position, before = 0, ""
    for _, kind, value in Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"]).lex(text):
        start = text.find(value, position)
        position = start + len(value)
        # What stands in front of "=" names a variable of {% trans %} or an argument; it is no use of a field.
        if kind == "name" and (
            before in (".", "|") or (value in roots and not text[position:].lstrip().startswith("="))
        ):
            yield start, value
        before = before if kind == "whitespace" else value


def test_every_misspelt_name_is_found(sample: Workspace) -> None:
    """A letter too many in a field, filter, token or function is an error on that line, in every channel."""
    names = [
        (template, variant, start, name)
        for template, variant in _variants(sample)
        if variant.part is not VariantPart.STYLE
        for start, name in _jinja_names(template, variant.source)
    ][::SHARE]
    assert len(names) > 30
    assert {variant.channel for _, variant, _, _ in names} >= {"email", "sms", "document"}
    missed = []
    for template, variant, start, name in names:
        end = start + len(name)
        text = f"{variant.source[:end]}qz{variant.source[end:]}"
        if not _found_at(sample, template, variant, start, text):
            missed.append(f"{variant.path}: {name}")
    assert missed == []


def test_every_misspelt_mjml_word_is_found(sample: Workspace) -> None:
    """A letter too many in an MJML tag or attribute is found on that line."""
    words = []
    for template, variant in _variants(sample):
        if not variant.path.endswith(".mjml"):
            continue
        for tag in tags_in(without_jinja(variant.source)):
            if tag.name.startswith("mj-") and tag.kind != "end":
                words.append((template, variant, tag.offset + 1, tag.name))
                words += [
                    (template, variant, each.offset, each.name) for each in tag.attributes if PRINTED not in each.name
                ]
    words = words[::SHARE]
    assert len(words) > 10
    for template, variant, start, word in words:
        end = start + len(word)
        text = f"{variant.source[:end]}q{variant.source[end:]}"
        assert _found_at(sample, template, variant, start, text), f"{variant.path}: {word}"


def test_linting_says_nothing_about_warnings_as_errors(sample: Workspace) -> None:
    """A misspelt field is an error: the workspace does not load with it."""
    template = next(iter(sample.templates.values()))
    variant = next(variant for variant in template.variants.values() if variant.path.endswith("sms.txt"))
    changed = replace(variant, source=variant.source + "{{ nobody }}")
    variants = {**template.variants, (variant.channel, variant.part): changed}
    found = lint_templates(replace(sample, templates={template.name: replace(template, variants=variants)}))
    assert [item.severity for item in found if item.code == "unknown-field"] == [Severity.ERROR]


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL, Channel.DOCUMENT, Channel.BLUESKY])
def test_who_looks_at_one_channel_is_told_of_that_one(sample: Workspace, channel: Channel) -> None:
    """Mistakes everywhere: those of the channel's own files are found, with the card's where it is a network, and no others."""
    template = sample.templates["monthly-statement"]
    variants = {key: replace(one, source=one.source + "{{ nobody }}") for key, one in template.variants.items()}
    broken = replace(sample, templates={template.name: replace(template, variants=variants)})
    shown = {
        one.path for one in template.variants.values() if one.channel is channel and one.part is not VariantPart.CARD
    }
    if channel.is_social:
        shown |= {one.path for one in template.variants.values() if one.part is VariantPart.CARD}
    found = {item.location.path for item in lint_templates(broken, channels=(channel,))}
    assert shown
    assert found == shown
    assert {item.location.path for item in lint_templates(broken)} == {one.path for one in template.variants.values()}
