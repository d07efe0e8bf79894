"""Promise: design tokens of both forms load completely, aliases resolved, as CSS text; broken ones are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccm.load.contrast import contrast
from ccm.load.tokens import load_tokens
from ccm.model.workspace import ContentLibrary


def _load(*files: object) -> tuple[dict[str, str], list[tuple[str, str]]]:
    texts = [item if isinstance(item, str) else json.dumps(item) for item in files]
    library = ContentLibrary({f"{number}.json": text.encode() for number, text in enumerate(texts)})
    tokens, diagnostics = load_tokens(library, list(library.files))
    return {path: token.value for path, token in tokens.items()}, [
        (item.code, str(item.location)) for item in diagnostics
    ]


def _leaves(group: dict[str, object], path: str, key: str) -> set[str]:
    if key in group:
        return {path}
    found: set[str] = set()
    for name, child in group.items():
        if isinstance(child, dict):
            found |= _leaves(child, f"{path}.{name}" if path else name, key)
    return found


SETS = {
    "styledict_basic": ("$value", ["colors", "dimensions", "object-values", "text"]),
    **{
        f"styledict_multibrand {brand} {platform}": (
            "value",
            [
                "globals/button", "globals/color/base", "globals/color/font", "globals/font/index", "globals/size/font",
                f"brands/{brand}/color", f"platforms/{platform}/button", f"platforms/{platform}/font",
            ],
        )
        for brand in ("brand-1", "brand-2", "brand-3")
        for platform in ("web", "ios", "android")
    },
}  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_real_token_sets_load_completely(name: str, shared_data: Path) -> None:
    """Every token that a set's files hold comes out, without an alias left in it."""
    key, files = SETS[name]
    folder = shared_data / "brand_tokens" / name.split()[0] / "tokens"
    texts = [(folder / f"{file}.json").read_text("utf-8") for file in files]
    tokens, diagnostics = _load(*texts)
    wanted = {path for text in texts for path in _leaves(json.loads(text), "", key)}
    assert diagnostics == []
    assert len(wanted) >= 25
    assert wanted <= set(tokens)
    assert not [path for path, value in tokens.items() if "{" in value or not value]


@pytest.mark.data
def test_composite_tokens_become_css_and_their_parts(shared_data: Path) -> None:
    """A composite value is a CSS shorthand, and each part is a token of its own."""
    folder = shared_data / "brand_tokens" / "styledict_basic" / "tokens"
    tokens, _ = _load(*[(folder / f"{name}.json").read_text("utf-8") for name in SETS["styledict_basic"][1]])
    assert tokens["text.typography.heading"] == "800 28px/1.8 Open Sans, sans-serif"
    assert tokens["text.typography.heading.fontSize"] == "28px"
    assert tokens["borders.heavy"] == "4px solid #000000"
    assert tokens["shadows.multi"] == "0px 4px 12px #000000, 0px 8px 16px #000000"
    assert tokens["transitions.fade"] == "600ms cubic-bezier(0, 0, 0.5, 1) 0ms"


@pytest.mark.parametrize(
    ("token", "css"),
    [
        ({"$value": "#0af", "$type": "color"}, "#0af"),
        (
            {"$value": {"colorSpace": "srgb", "components": [0, 0.2, 0.4], "hex": "#003366"}, "$type": "color"},
            "#003366",
        ),
        ({"$value": {"colorSpace": "srgb", "components": [0, 0.2, 0.4]}, "$type": "color"}, "#003366"),
        (
            {"$value": {"colorSpace": "srgb", "components": [0, 0.2, 0.4], "alpha": 0.5}, "$type": "color"},
            "rgba(0, 51, 102, 0.5)",
        ),
        ({"$value": {"value": 1.50, "unit": "rem"}, "$type": "dimension"}, "1.5rem"),
        ({"$value": {"value": 200, "unit": "ms"}, "$type": "duration"}, "200ms"),
        ({"$value": ["Open Sans", "sans-serif"], "$type": "fontFamily"}, '"Open Sans", sans-serif'),
        ({"$value": "semi-bold", "$type": "fontWeight"}, "600"),
        ({"$value": 350, "$type": "fontWeight"}, "350"),
        ({"$value": [0.5, 0, 1, 1], "$type": "cubicBezier"}, "cubic-bezier(0.5, 0, 1, 1)"),
        ({"$value": 1.20, "$type": "number"}, "1.2"),
        ({"value": "16px"}, "16px"),
        ({"$value": {"dashArray": ["1px"], "lineCap": "round"}, "$type": "strokeStyle"}, "dashed"),
    ],
)
def test_a_value_becomes_css_text(token: dict[str, object], css: str) -> None:
    """Each W3C type prints as CSS understands it."""
    assert _load({"a": token})[0]["a"] == css


def test_types_and_aliases_are_inherited() -> None:
    """A group's type counts for its tokens; an alias takes the type of its target, also of a part."""
    text = {
        "weight": {"$type": "fontWeight", "strong": {"$value": "bold"}},
        "alias": {"$value": "{weight.strong}"},
        "old": {"value": "{weight.strong.value}"},
        "font": {"$type": "typography", "body": {"$value": {"fontWeight": "{alias}", "fontSize": "12pt"}}},
        "part": {"$value": "{font.body.fontSize}"},
        "mixed": {"$value": "{part} solid"},
    }
    tokens, diagnostics = _load(text)
    assert diagnostics == []
    assert {name: tokens[name] for name in ("alias", "old", "part", "mixed")} == {
        "alias": "700",
        "old": "700",
        "part": "12pt",
        "mixed": "12pt solid",
    }


def test_a_later_file_overrides_and_aliases_follow() -> None:
    """A brand's file changes the base, and everything that points at it."""
    tokens, _ = _load({"a": {"$value": "1px"}, "b": {"$value": "{a}"}}, {"a": {"$value": "2px"}})
    assert tokens == {"a": "2px", "b": "2px"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": {"$value": "{b}"},\n "b": {"$value": "{a}"}}', [("alias-cycle", "0.json:1:18"), ("alias-cycle", "0.json:2:18")]),
        ('{"a": {"$value": "{a}"}}', [("alias-cycle", "0.json:1:18")]),
        ('{"color": {"$value": "1"},\n "b": {"$value": "{colour}"}}', [("unknown-token", "0.json:2:18")]),
        ('{"a": "1px"}', [("invalid-token", "0.json:1:2")]),
        ('{"a": {"$value": "red; } body { display: none"}}', [("invalid-token", "0.json:1:18")]),
        ('{"a": {"$value": "url(https://evil.example)"}}', [("invalid-token", "0.json:1:18")]),
        ('{"a": {"$value": "1"},\n "a": {"$value": "2"}}', [("duplicate-key", "0.json:2:2")]),
        ('{"a": {"$value" "1"}}', [("json-syntax", "0.json:1:17")]),
        ("[]", [("invalid-token", "0.json:1:1")]),
    ],
)  # fmt: skip
def test_a_broken_token_is_told_at_its_place(text: str, expected: list[tuple[str, str]]) -> None:
    """Cycles, unknown aliases, unsafe text and syntax each have a place; the rest still loads."""
    assert _load(text)[1] == expected


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21 to 1; #767676 is the lightest grey that passes on white."""
    assert round(contrast((0, 0, 0), (255, 255, 255)), 2) == 21
    assert contrast((0x76, 0x76, 0x76), (255, 255, 255)) >= 4.5 > contrast((0x77, 0x77, 0x77), (255, 255, 255))
