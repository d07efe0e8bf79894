"""Which properties our layout knows; a style that says anything else is the engine's.

Why a list of what is known: a property that nobody thought of then costs time, and never a page that looks otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

# Read by our layout, or refused by it with a reason of its own.
_READ = frozenset((
    "anchor", "background_color", "bookmark_level", "border_collapse", "border_spacing", "bottom", "box_sizing",
    "break_after", "break_before", "break_inside", "caption_side", "color", "color_scheme", "content",
    "direction", "display", "hyphenate_character", "hyphenate_limit_chars", "hyphenate_limit_zone",
    "image_rendering", "lang", "left", "letter_spacing", "line_height", "object_fit", "object_position",
    "orphans", "overflow_wrap", "quotes", "right", "size", "table_layout", "tab_size", "text_align_all",
    "text_decoration_color", "text_decoration_style", "text_decoration_thickness", "text_underline_offset",
    "top", "transform_origin", "unicode_bidi", "vertical_align", "white_space", "widows", "width", "height",
    "word_spacing", "outline_width", "outline_color", "outline_offset", "column_rule_width",
    "column_rule_color", "column_fill", "column_gap", "row_gap", "list_style_image", "list_style_position",
    "list_style_type", "marks", "color_adjust", "footnote_display", "footnote_policy", "background_attachment",
    "background_origin", "background_position", "background_repeat", "background_size", "align_items",
    "align_self", "justify_content", "justify_items", "justify_self"
))  # fmt: skip
# Read as well where an element is laid out as a box of its own.
_OF_BOXES = frozenset((
    "position", "flex_basis", "flex_direction", "flex_grow", "flex_shrink", "flex_wrap", "align_content",
    "border_top_left_radius", "border_top_right_radius", "border_bottom_right_radius", "border_bottom_left_radius",
    "min_width", "min_height", "overflow", "z_index",
))  # fmt: skip
_READ_FAMILIES = ("font_", "bleed_", "margin_top", "margin_right", "margin_bottom", "margin_left",
                  "padding_top", "padding_right", "padding_bottom", "padding_left")  # fmt: skip
_SIDES = ("top", "right", "bottom", "left")
# Names of the flow's own directions: the engine turns them into the others.
_LOGICAL = ("block_", "inline_", "max_block", "max_inline", "min_block", "min_inline", "margin_block", "margin_inline",
            "padding_block", "padding_inline", "inset_", "border_block", "border_inline", "border_start", "border_end")  # fmt: skip
# What else a value may be than the initial one.
_HARMLESS: dict[str, tuple[object, ...]] = {
    "background_clip": (["border-box"],),
    "bookmark_label": ((("content()", "text"),),),
    "hyphens": ("none",),
    "page": ("",),
    "min_height": (0, (0, "px")),
    "min_width": (0, (0, "px")),
}


def unknown(style: Any, *, boxes: bool = False) -> str:
    """Return the first property whose value our layout would pass over; empty if there is none.

    Args:
        boxes: Whether the element is laid out as a box of its own.
    """
    for name, initial in _watched():
        if boxes and name in _OF_BOXES:
            continue
        value = style[name]
        if value != initial and value not in _HARMLESS.get(name, ()):
            return name.replace("_", "-")
    if style["text_align_all"] == "justify":
        return "text-align: justify"
    last = style["text_align_last"]
    if last not in ("auto", style["text_align_all"]):
        return "text-align-last"
    return ""


@cache
def _watched() -> tuple[tuple[str, object], ...]:
    return tuple(_every())


def _every() -> Iterator[tuple[str, object]]:
    from weasyprint.css.properties import INITIAL_VALUES

    borders = {f"border_{side}_{part}" for side in _SIDES for part in ("width", "style", "color")}
    for name, initial in INITIAL_VALUES.items():
        known = name in _READ or name in borders or name == "text_align_last" or name.startswith(_READ_FAMILIES)
        if not known and (not name.startswith(_LOGICAL) or name == "block_ellipsis"):
            yield name, initial
