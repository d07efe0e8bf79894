"""Paths of inline SVG as operators: lines and curves, filled and stroked as the engine does.

Source: WeasyPrint 70, svg/path.py and svg/__init__.py (`set_graphical_state`, `fill_stroke`); arcs, dashes and gradients are
refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ccm.compose.document.fill.display import Drawing
from ccm.compose.document.fill.unfillable import Unfillable

_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)=\"([^\"<]*)\"")
_NUMBER = re.compile(r"-?\d*\.?\d+")
_COMMAND = re.compile(
    r"([A-Za-z])[ \t\n,]*(?:(-?\d*\.?\d+)[ \t\n,]*(?:(-?\d*\.?\d+)[ \t\n,]*)?)?([^A-Za-z]*)"
)  # with its first two numbers
_AMOUNT = re.compile(r"\d*\.?\d+")
_HEX = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_KNOWN = frozenset((
    "d", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit",
))  # fmt: skip
_CAPS = {"butt": 0, "round": 1, "square": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}
_BLANKS = " \t\n"
_BETWEEN = _BLANKS + ","
_MITER = 4.0  # the usual limit of SVG; that of PDF is 10
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}
_COUNTS |= {name.lower(): count for name, count in _COUNTS.items()}
_STRAIGHT = frozenset("LlHhVv")
_SLANTING = frozenset("LlCcSsQqTt")
Point = tuple[float, float]


def path(text: str) -> Drawing:
    """Return the operators of a path.

    Args:
        text: Its attributes as they stand in the source.
    Raises:
        Unfillable: If it has more than lines and curves in plain colours.
    """
    found = _ATTRIBUTE.findall(text)
    attributes = dict(found)
    if attributes.keys() - _KNOWN or "d" not in attributes or len(found) != len(attributes):
        raise Unfillable("a path with other attributes than its fill and stroke")
    states: list[bytes] = []
    before: list[bytes] = []
    outline = _outline(attributes["d"])
    fill = _ink(attributes.get("fill", "#000"), b"rg")
    width = _amount(attributes.get("stroke-width", "1"))
    stroke = _ink(attributes.get("stroke", "none"), b"RG") if width else b""
    if stroke and not outline.encloses:
        fill = b""
    if fill:
        before += [fill, *_state(b"a", attributes.get("fill-opacity", "1"), states)]
    if stroke:
        before += [stroke, b"%.6g w" % width, *_state(b"A", attributes.get("stroke-opacity", "1"), states)]
        before += _corners(attributes, outline)
    odd = {"evenodd": b"*", "nonzero": b""}.get(attributes.get("fill-rule", "nonzero"))
    if odd is None:
        raise Unfillable("a fill-rule")
    last = b"B" + odd if fill and stroke else b"S" if stroke else b"f" + odd if fill else b"n"
    whole = b"\n".join((*before, outline.operators, last))
    if len(before) > (2 if stroke and not fill else 1):  # more is set than colour and width, which every path sets
        whole = b"q\n%b\nQ" % whole
    return Drawing(whole, frozenset(states))


@lru_cache(maxsize=256)
def _ink(text: str, operator: bytes) -> bytes:
    """Return what sets a colour, nothing for none."""
    if text == "none":
        return b""
    if _HEX.fullmatch(text) is None:
        raise Unfillable("a colour of an SVG that is no hexadecimal number")
    digits = text[1:] if len(text) == 7 else "".join(one * 2 for one in text[1:])
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return b"%.6g %.6g %.6g %b" % (red, green, blue, operator)


def _amount(text: str) -> float:
    if _AMOUNT.fullmatch(text) is None:
        raise Unfillable("a stroke or opacity of an SVG that is no plain number")
    return float(text)


def _state(kind: bytes, opacity: str, states: list[bytes]) -> list[bytes]:
    """Return what sets an opacity, if there is one; notes the name of its state."""
    value = _amount(opacity)
    if value >= 1:
        return []
    states.append(b"%b%.6g" % (kind, value))
    return [b"/%b gs" % states[-1]]


def _corners(attributes: dict[str, str], outline: Outline) -> list[bytes]:
    """Return what sets the ends and corners of strokes, where it is not what PDF begins with."""
    cap = _CAPS.get(attributes.get("stroke-linecap", "butt"))
    join = _JOINS.get(attributes.get("stroke-linejoin", "miter"))
    if cap is None or join is None:
        raise Unfillable("ends or corners of strokes")
    limit = _amount(attributes.get("stroke-miterlimit", "4"))
    found = [b"%d J" % cap] if cap else []
    if join:
        found.append(b"%d j" % join)
    if limit != _MITER or not outline.square:  # square corners are within both limits
        found.append(b"%.6g M" % limit)
    return found


# ── path data ────────────────────────────────────────────────────────────────


class Outline(NamedTuple):
    """Operators of path data.

    square: Whether all of it runs across and down. encloses: Whether there is anything to fill: not in single lines.
    """

    operators: bytes
    square: bool
    encloses: bool


@lru_cache(maxsize=4096)
def _outline(data: str) -> Outline:
    """Return the operators of path data.

    Why so long: codes are made of thousands of lines, and no two customers have the same one; a call for each costs as much
    again.
    """
    parts: list[bytes] = []
    add = parts.append
    x = y = start_x = start_y = 0.0
    bend = (x, y)  # the last control point of the curve that ends here
    before = "z"
    steps = _steps(data)
    for command, first, second, rest in steps:
        if command == "h":
            x += float(first)
        elif command == "v":
            y += float(first)
        elif command in "zZ":
            if before in "MmZz":
                raise Unfillable("path data of an SVG")
            add(b"h")
            x, y, before = start_x, start_y, command
            continue
        elif command in "Mm":
            x, y = float(first) + (x if command == "m" else 0), float(second) + (y if command == "m" else 0)
            start_x, start_y, before = x, y, command
            add(b"%.6g %.6g m" % (x, y))
            continue
        elif command == "H":
            x = float(first)
        elif command == "V":
            y = float(first)
        elif command in "Ll":
            x, y = float(first) + (x if command == "l" else 0), float(second) + (y if command == "l" else 0)
        else:
            numbers = [float(one) for one in (first, second, *_NUMBER.findall(rest))]
            operator, bend, (x, y) = _curve(command, numbers, (x, y), bend, before)
            before = command
            add(operator)
            continue
        before = command
        add(b"%.6g %.6g l" % (x, y))
    commands = [step[0] for step in steps]
    encloses = any(one not in "Mm" for one in commands[::2]) or not set(commands[1::2]).issubset(_STRAIGHT)
    return Outline(b"\n".join(parts), _SLANTING.isdisjoint(commands), encloses)


def _steps(data: str) -> list[tuple[str, str, str, str]]:
    """Return commands, each with as many numbers as it takes: its first two, and the text of the others.

    Raises:
        Unfillable: If there is anything else, or the first one does not say where to begin.
    """
    data = data.strip(_BLANKS)
    steps: list[tuple[str, str, str, str]] = []
    if data[:1] not in ("M", "m"):
        raise Unfillable("path data of an SVG")
    for step in _COMMAND.findall(data):
        command, first, second, rest = step
        count = _COUNTS.get(command, -1)
        if not rest and count == (2 if second else 1 if first else 0):
            steps.append(step)
            continue
        numbers = [one for one in (first, second, *_NUMBER.findall(rest)) if one]
        if count < 1 or not numbers or len(numbers) % count or _NUMBER.sub("", rest).strip(_BETWEEN):
            raise Unfillable("path data of an SVG")
        for at in range(0, len(numbers), count):
            one, *others = numbers[at : at + count]
            steps.append((command, one, others[0] if others else "", " ".join(others[1:])))
            command = {"M": "L", "m": "l"}.get(command, command)  # more points after a move are lines
    return steps


def _curve(command: str, numbers: list[float], at: Point, bend: Point, before: str) -> tuple[bytes, Point, Point]:
    """Draw a cubic curve, or a quadratic one as the cubic one that it is; a small letter counts from where drawing is.

    Returns:
        The operator, the last control point, where the curve ends.
    """
    x, y = at
    if command.islower():
        numbers = [one + (y if place % 2 else x) for place, one in enumerate(numbers)]
    *points, end = zip(numbers[::2], numbers[1::2], strict=True)
    if command in "CcSs":
        alike = before in "CcSs"
        if command in "Ss":
            points.insert(0, (2 * x - bend[0], 2 * y - bend[1]) if alike else at)
        first, bend = points
        second = bend
    else:
        alike = before in "QqTt"
        bend = points[0] if points else (2 * x - bend[0], 2 * y - bend[1]) if alike else at
        first, second = (
            (here[0] + (bend[0] - here[0]) * 2 / 3, here[1] + (bend[1] - here[1]) * 2 / 3) for here in (at, end)
        )
    return b"%.6g %.6g %.6g %.6g %.6g %.6g c" % (*first, *second, *end), bend, end
