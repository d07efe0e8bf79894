"""Contrast of text on its background, from token names that pair up.

Source: https://www.w3.org/TR/WCAG22/#contrast-minimum (relative luminance, 4.5 to 1 for text)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ccm.diagnostics import Diagnostic, Location, Severity
from ccm.model.workspace import Token

ENOUGH = 4.5


def contrast_warnings(tokens: Mapping[str, Token], path: str) -> tuple[Diagnostic, ...]:
    """Warn about colours that cannot be read: `on-x` on `x`, `x.on` on `x`, `…text…` on `…background…`.

    Args:
        path: The token file that has the last word; where the warning points.
    """
    found = []
    for text, ground in sorted(_pairs(tokens)):
        front, back = _channels(tokens[text].value), _channels(tokens[ground].value)
        if front is None or back is None:
            continue
        ratio = contrast(front, back)
        if ratio < ENOUGH:
            what = f"{text} on {ground} has a contrast of {ratio:.1f} to 1"
            remedy = f"make one of them darker or lighter; text needs {ENOUGH} to 1"
            found.append(Diagnostic("low-contrast", what, remedy, Location(path), Severity.WARNING))
    return tuple(found)


def _pairs(tokens: Mapping[str, Token]) -> set[tuple[str, str]]:
    pairs = set()
    for path in tokens:
        head, _, name = path.rpartition(".")
        for ground in (
            f"{head}.{name.removeprefix('on-')}" if name.startswith("on-") else "",
            head if name == "on" else "",
        ):
            if ground in tokens:
                pairs.add((path, ground))
        if name in ("text", "body") and head:
            pairs |= {(path, f"{head}.{other}") for other in ("background", "surface") if f"{head}.{other}" in tokens}
    return pairs


def _channels(css: str) -> tuple[int, int, int] | None:
    match = re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", css.strip())
    if match is None:
        return None
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _luminance(color: tuple[int, int, int]) -> float:
    parts = [value / 255 for value in color]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Return the contrast ratio of two sRGB colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
