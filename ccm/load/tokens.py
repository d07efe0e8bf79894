"""Design tokens: W3C form (`$value`, `$type`) and the older `value` form, aliases resolved, values as CSS text.

Source: https://www.designtokens.org/tr/drafts/format/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ccm.diagnostics import Diagnostic, Location, suggest
from ccm.load.token_css import composite_css, css_text
from ccm.load.yaml_reader import YamlFile, read_yaml
from ccm.model.workspace import ContentLibrary, Token

_ALIAS = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class _Raw:
    """A token as written.

    value: Text, list or mapping; aliases unresolved.
    location: Of its value.
    """

    path: str
    type: str
    value: object
    location: Location


class _Broken(Exception):
    """An alias cannot be resolved; carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.code)


def load_tokens(library: ContentLibrary, paths: Sequence[str]) -> tuple[dict[str, Token], tuple[Diagnostic, ...]]:
    """Load token files; a later file overrides the tokens of an earlier one.

    Args:
        paths: From the workspace's root; the library must hold them.
    Returns:
        Resolved tokens by dotted path, parts of composite values among them
        (`text.heading` and `text.heading.fontSize`), and what is wrong.
    """
    raw: dict[str, _Raw] = {}
    diagnostics: list[Diagnostic] = []
    for path in paths:
        found, problems = read_tokens(library.read(path), path)
        diagnostics += problems
        for name, token in found.items():
            for old in [key for key in raw if key.startswith(name + ".")]:
                del raw[old]
            raw[name] = token
    tokens, problems = _resolve_all(raw)
    return tokens, (*diagnostics, *problems)


def read_tokens(content: bytes, path: str) -> tuple[dict[str, _Raw], tuple[Diagnostic, ...]]:
    """Read one token file without resolving aliases."""
    try:
        json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return {}, (Diagnostic("not-utf8", "the file is not UTF-8", "save the file as UTF-8", Location(path)),)
    except json.JSONDecodeError as error:
        place = Location(path, error.lineno, error.colno)
        what = f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return {}, (Diagnostic("json-syntax", what, "check commas, quotes and brackets here and before", place),)
    except RecursionError:
        return {}, (Diagnostic("yaml-limit", "values are nested too deeply", "make it flatter", Location(path)),)
    # JSON is YAML's flow form: one reader gives numbers as text, places and duplicate keys.
    file, diagnostics = read_yaml(content, path)
    found: dict[str, _Raw] = {}
    problems = list(diagnostics)
    if isinstance(file.data, Mapping):
        _collect(file.data, (), "", file, found, problems)
    elif not problems:
        remedy = 'write {"color": {"brand": {"$type": "color", "$value": "#0055aa"}}}'
        problems.append(Diagnostic("invalid-token", "a token file is a JSON object", remedy, file.at(())))
    return found, tuple(problems)


def _collect(
    group: Mapping[str, object],
    steps: tuple[str, ...],
    inherited: str,
    file: YamlFile,
    found: dict[str, _Raw],
    problems: list[Diagnostic],
) -> None:
    """Walk a group; a mapping with a value is a token, everything else a group."""
    marker = next((key for key in ("$value", "value") if _is_value(group, key)), None)
    kind = group.get("$type", group.get("type") if marker == "value" else None)
    kind = kind if isinstance(kind, str) else inherited
    if marker is not None:
        path = ".".join(step for step in steps if step != "$root")
        found[path] = _Raw(path, kind, group[marker], file.at((*steps, marker)))
        return
    for name, child in group.items():
        if name.startswith("$") and name != "$root":
            continue
        if isinstance(child, Mapping):
            _collect(child, (*steps, name), kind, file, found, problems)
        else:
            text = f'"{name}" is neither a token nor a group'
            remedy = 'give it a "$value", such as {"$value": "16px", "$type": "dimension"}'
            problems.append(Diagnostic("invalid-token", text, remedy, file.at((*steps, name), key=True)))


def _is_value(group: Mapping[str, object], key: str) -> bool:
    """Tell whether a key holds the token's value; a group may be called `value` in the W3C form."""
    if key not in group:
        return False
    held = group[key]
    return key == "$value" or not (isinstance(held, Mapping) and ("$value" in held or "value" in held))


# ── aliases ──────────────────────────────────────────────────────────────────


def _resolve_all(raw: Mapping[str, _Raw]) -> tuple[dict[str, Token], tuple[Diagnostic, ...]]:
    tokens: dict[str, Token] = {}
    problems: dict[Diagnostic, None] = {}
    for token in raw.values():
        try:
            value, kind = _resolved(token, raw, ())
        except _Broken as broken:
            problems[broken.diagnostic] = None
            continue
        tokens.update(_flatten(token.path, kind, value))
        for item in _unsafe(tokens[token.path], token.location):
            problems[item] = None
    return tokens, tuple(problems)


def _resolved(token: _Raw, raw: Mapping[str, _Raw], trail: tuple[str, ...]) -> tuple[object, str]:
    """Return a token's value without aliases, and its type: its own, or that of what it points at."""
    if token.path in trail:
        circle = " → ".join((*trail[trail.index(token.path) :], token.path))
        remedy = "give one of them a value of its own"
        raise _Broken(Diagnostic("alias-cycle", f"tokens point at each other: {circle}", remedy, token.location))
    trail = (*trail, token.path)
    kind = token.type
    if isinstance(token.value, str) and (match := _ALIAS.fullmatch(token.value.strip())):
        value, target = _target(match[1], token, raw, trail)
        return value, kind or target
    return _substitute(token.value, token, raw, trail), kind


def _substitute(value: object, token: _Raw, raw: Mapping[str, _Raw], trail: tuple[str, ...]) -> object:
    if isinstance(value, Mapping):
        return {key: _substitute(item, token, raw, trail) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, token, raw, trail) for item in value]
    if not isinstance(value, str):
        return value
    if match := _ALIAS.fullmatch(value.strip()):
        return _target(match[1], token, raw, trail)[0]

    def inline(match: re.Match[str]) -> str:
        found, kind = _target(match[1], token, raw, trail)
        return css_text(found, kind)

    return _ALIAS.sub(inline, value)


def _target(name: str, token: _Raw, raw: Mapping[str, _Raw], trail: tuple[str, ...]) -> tuple[object, str]:
    name = name.strip()
    plain = name.removesuffix(".value")
    for candidate in (name, plain):
        if candidate in raw:
            return _resolved(raw[candidate], raw, trail)
    owner, _, part = plain.rpartition(".")
    if owner in raw:
        value, _ = _resolved(raw[owner], raw, trail)
        if isinstance(value, Mapping) and part in value:
            return value[part], _PART_TYPES.get(part, "")
    text = f'there is no token "{name}"'
    raise _Broken(Diagnostic("unknown-token", text, suggest(name, raw), token.location))


# ── composite values ─────────────────────────────────────────────────────────

_PART_TYPES = {
    "fontFamily": "fontFamily",
    "fontWeight": "fontWeight",
    "fontSize": "dimension",
    "letterSpacing": "dimension",
    "lineHeight": "number",
    "color": "color",
    "width": "dimension",
    "style": "strokeStyle",
    "offsetX": "dimension",
    "offsetY": "dimension",
    "blur": "dimension",
    "spread": "dimension",
    "duration": "duration",
    "delay": "duration",
    "timingFunction": "cubicBezier",
}

# Mappings that are one CSS value and have no parts of their own.
_WHOLE = frozenset({"dimension", "duration", "color", "strokeStyle"})


def _flatten(path: str, kind: str, value: object) -> dict[str, Token]:
    """Return a token and, for composite values, one more for each part."""
    found = {path: Token(path, kind, css_text(value, kind))}
    if isinstance(value, Mapping) and kind not in _WHOLE and not {"value", "unit"} <= set(value):
        found[path] = Token(path, kind, composite_css(value, kind, _PART_TYPES))
        for part, item in value.items():
            name = f"{path}.{part}"
            found.update(_flatten(name, _PART_TYPES.get(part, ""), item))
    return found


def _unsafe(token: Token, location: Location) -> tuple[Diagnostic, ...]:
    """Refuse text that would end the CSS declaration it is put into."""
    if not re.search(r"[;{}<]|/\*|url\(", token.value):
        return ()
    text = f'the value of "{token.path}" is not one CSS value'
    remedy = "remove ; { } < comments and url() from it"
    return (Diagnostic("invalid-token", text, remedy, location),)
