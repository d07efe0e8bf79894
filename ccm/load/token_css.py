"""The CSS text of design-token values.

Source: https://www.designtokens.org/tr/drafts/format/#types
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Names of weights that CSS does not know.
_WEIGHTS = {
    "thin": "100", "hairline": "100",
    "extra-light": "200", "ultra-light": "200",
    "light": "300",
    "normal": "400", "regular": "400", "book": "400",
    "medium": "500",
    "semi-bold": "600", "demi-bold": "600",
    "bold": "700",
    "extra-bold": "800", "ultra-bold": "800",
    "black": "900", "heavy": "900",
    "extra-black": "950", "ultra-black": "950",
}  # fmt: skip

_GENERIC = frozenset({"serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "math", "emoji"})


def css_text(value: object, kind: str) -> str:
    """Return a resolved value as CSS text.

    Args:
        value: Text, list or mapping without aliases.
        kind: W3C type; empty if unknown.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _WEIGHTS.get(value.strip().lower(), value) if kind == "fontWeight" else value
    if isinstance(value, list):
        return _list_css(value, kind)
    if isinstance(value, Mapping):
        return _mapping_css(value, kind)
    return str(value)


def _list_css(items: list[object], kind: str) -> str:
    if kind == "cubicBezier":
        return f"cubic-bezier({', '.join(str(item) for item in items)})"
    if kind == "fontFamily":
        return ", ".join(_family(str(item)) for item in items)
    return ", ".join(css_text(item, kind) for item in items)


def _family(name: str) -> str:
    """Quote a family name that CSS would not read as one name."""
    if name in _GENERIC or re.fullmatch(r"[A-Za-z][\w-]*", name) or name[:1] in "'\"":
        return name
    return '"' + name.replace('"', "") + '"'


def _mapping_css(value: Mapping[str, object], kind: str) -> str:
    if {"value", "unit"} <= set(value):
        return f"{value['value']}{value['unit']}"
    if "components" in value or "hex" in value:
        return _color_css(value)
    if kind == "strokeStyle":
        return "dashed"  # CSS cannot say the lengths of dashes
    return composite_css(value, kind, {})


def _color_css(value: Mapping[str, object]) -> str:
    alpha = str(value.get("alpha", "1"))
    if "hex" in value and alpha in ("1", "1.0"):
        return str(value["hex"])
    components = value.get("components")
    space = str(value.get("colorSpace", "srgb"))
    numbers = components if isinstance(components, list) else []
    if space == "srgb" and len(numbers) == 3 and all(_is_number(item) for item in numbers):
        red, green, blue = (round(float(str(item)) * 255) for item in numbers)
        return f"#{red:02x}{green:02x}{blue:02x}" if alpha in ("1", "1.0") else f"rgba({red}, {green}, {blue}, {alpha})"
    tail = "" if alpha in ("1", "1.0") else f" / {alpha}"
    return f"color({space} {' '.join(str(item) for item in numbers)}{tail})"


def _is_number(item: object) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", str(item)) is not None


def composite_css(value: Mapping[str, object], kind: str, part_types: Mapping[str, str]) -> str:
    """Return the CSS shorthand of a composite value: font, border, shadow, transition."""
    parts = {name: css_text(item, part_types.get(name, "")) for name, item in value.items()}
    if kind == "typography":
        size = parts.get("fontSize", "1em") + (f"/{parts['lineHeight']}" if "lineHeight" in parts else "")
        return " ".join(filter(None, (parts.get("fontWeight", ""), size, parts.get("fontFamily", "inherit"))))
    order = {
        "border": ("width", "style", "color"),
        "shadow": ("inset", "offsetX", "offsetY", "blur", "spread", "color"),
        "transition": ("duration", "timingFunction", "delay"),
    }.get(kind, tuple(parts))
    if "inset" in parts:
        parts["inset"] = "inset" if parts["inset"] == "true" else ""
    return " ".join(parts[name] for name in order if parts.get(name))
