"""docs/template-guide.md: every word has an example, and every example gives what the guide says."""

from __future__ import annotations

import re

import pytest
from guards.examples import Example, examples, guide_template, rendered
from guards.reading import page

from ccm.model.definitions import FactKind, FieldType
from ccm.model.vocabulary import BANNED, FILTERS, FUNCTIONS, PLAIN_FUNCTIONS, TESTS

DRAWN = {"(picture)": "<svg", "(address)": "ccm:"}


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example.locale} {example.source}")
def test_an_example_gives_what_the_guide_says(example: Example) -> None:
    """Rendered with the engine of messages and the guide's own sample."""
    made = rendered(example)
    if example.gives in DRAWN:
        assert DRAWN[example.gives] in made
    else:
        assert made == example.gives


def test_every_filter_has_an_example() -> None:
    """A filter that nobody can look up is not there."""
    shown = " ".join(example.source for example in examples())
    assert len(examples()) > 60
    missing = [name for name in FILTERS if not re.search(rf"\|{name}\b", shown)]
    assert not missing


def test_every_function_has_an_example() -> None:
    """The same for what templates may call."""
    shown = " ".join(example.source for example in examples())
    missing = [name for name in (*FUNCTIONS, *PLAIN_FUNCTIONS) if not re.search(rf"(?<![\w.]){name}\(", shown)]
    assert not missing


def test_every_test_is_listed() -> None:
    """Words after `is`."""
    listed = page("template-guide.md").partition("\n## Tests\n")[2].partition("\n## ")[0]
    assert {name for name in TESTS if f"`{name}`" not in listed} == set()


def test_every_banned_word_says_what_to_use_instead() -> None:
    """The guide and the sandbox tell the same."""
    table = page("template-guide.md").partition("## Not there on purpose")[2]
    for word, remedy in BANNED.items():
        assert f"| `{word}` | {remedy} |" in table


def test_the_guide_explains_every_type_and_kind() -> None:
    """Of fields and of facts."""
    text = page("template-guide.md")
    for word in (*FieldType, *FactKind):
        assert f"`{word}`" in text, word


def test_the_guide_s_template_is_valid() -> None:
    """What people copy works: the definition loads, and its sample fits the contract."""
    template, data = guide_template()
    assert template.template == "parcel-notice"
    assert set(data) == set(template.contract)
