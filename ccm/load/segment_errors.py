"""What is wrong with a segment rule, in the author's words: names, types, syntax, fields of list items."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ccm.diagnostics import nearest, suggest
from ccm.model.definitions import FieldDefinition, FieldType

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_TEXT = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_MACRO = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\(\s*(\w+)\s*,")
_MEMBERS = {"size", "contains", "startsWith", "endsWith", "matches"}
_WORDS = {
    "string": "text",
    "int": "whole number",
    "double": "decimal number",
    "bool": "true/false",
    "google.protobuf.Timestamp": "time",
    "null_type": "null",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in an expression.

    line, column: From 1, inside the expression.
    """

    code: str
    message: str
    remedy: str
    line: int
    column: int


def mask_texts(expression: str) -> str:
    """Blank out quoted texts, keeping every position, so that names in them do not count."""
    return _TEXT.sub(lambda match: '"' + " " * (len(match[0]) - 2) + '"', expression)


def type_mistakes(
    error: str, expression: str, known: Collection[str], contract: Mapping[str, FieldDefinition]
) -> Iterator[Mistake]:
    """Translate the compiler's words."""
    lines = expression.split("\n")
    for line, column, words in _ERROR.findall(error):
        if words.startswith("Syntax error") and (line, column) != _ERROR.findall(error)[0][:2]:
            continue  # what follows the first one is guesswork of the parser
        text = lines[int(line) - 1] if int(line) <= len(lines) else ""
        yield _mistake(words, int(line), int(column), text, known, contract)


def _mistake(
    words: str, line: int, column: int, text: str, known: Collection[str], contract: Mapping[str, FieldDefinition]
) -> Mistake:
    if match := _UNDECLARED.search(words):
        name = match[1]
        # CEL points at the last dot of a dotted name; authors want its start.
        start = text.rfind(name, 0, column + len(name))
        column = start + 1 if start >= 0 else column
        if re.match(r"\s*\(", text[column - 1 + len(name) :]):
            remedy = "use size, contains, startsWith, endsWith, matches, exists, all or timestamp"
            return Mistake("unknown-function", f'there is no function "{name}" for these values', remedy, line, column)
        what, remedy = _unknown_name(name, known, contract)
        return Mistake("unknown-field", what, remedy, line, column)
    if match := _OVERLOAD.search(words):
        return Mistake("segment-type", *_overload(match[1], match[2]), line, column)
    if words.startswith("Syntax error"):
        what = "the rule is not a complete expression here"
        return Mistake("segment-syntax", what, "check quotes, brackets, == and && around this place", line, column)
    return Mistake("segment-type", f"the rule cannot be checked: {words}", "change this part", line, column)


def _unknown_name(name: str, known: Collection[str], contract: Mapping[str, FieldDefinition]) -> tuple[str, str]:
    field = _field_at(contract, name.split("."))
    if field is not None and field.derive is not None:
        return f'"{name}" is computed later and cannot choose recipients', "use the fields that it is computed from"
    if field is not None and field.type is FieldType.MONEY:
        return f'"{name}" is money', f"write {name}.amount or {name}.currency"
    if field is not None and field.type is FieldType.RECORD:
        inside = sorted(item for item in known if item.startswith(name + "."))
        return f'"{name}" is a record', f"name one of its fields: {', '.join(inside[:8])}"
    what = f'the contract has no field "{name}"'
    return what, suggest(name, known)


def _field_at(contract: Mapping[str, FieldDefinition], steps: list[str]) -> FieldDefinition | None:
    field = contract.get(steps[0])
    for step in steps[1:]:
        field = field.fields.get(step) if field is not None else None
    return field


def _overload(function: str, given: str) -> tuple[str, str]:
    operator = function.strip("_?:@!").strip("_") or function
    kinds = [_WORDS.get(kind, kind) for kind in re.sub(r"wrapper\((\w+)\)", r"\1", given.strip("()")).split(", ")]
    what = f'"{operator}" does not work for {" and ".join(kinds)}'
    if set(kinds) == {"whole number", "decimal number"}:
        return what, "write the number with a point, such as 100.0, for money, decimals and percentages"
    if "null" in kinds:
        return what, 'only optional fields can be null; write "…?" in the contract if it may be missing'
    if "time" in kinds:
        return what, 'write timestamp("2026-10-31T00:00:00Z") to compare with a time'
    return what, "compare values of the same type; quotes make a text"


# ── fields of list items, which CEL itself does not know ─────────────────────


def item_mistakes(masked: str, contract: Mapping[str, FieldDefinition]) -> Iterator[Mistake]:
    """Report misspelt fields of list items: in `lines.exists(t, t.amuont …)` and in `lines[0].amuont`.

    Args:
        masked: Expression with quoted texts blanked out.
    Why: CEL types a record inside a list as a map of anything.
    """
    lists = dict(_lists(contract, ""))
    if not lists:
        return
    names = "|".join(re.escape(name) for name in sorted(lists, key=len, reverse=True))
    starts = [(match.end(), match[1]) for match in re.finditer(rf"(?<![\w.])({names})\b", masked)]
    for match in _MACRO.finditer(masked):
        owner = [name for end, name in starts if end <= match.start()]
        if owner and ".map(" not in masked[: match.start()]:
            scope = _scope(masked, match.end())
            for use in re.finditer(rf"(?<![\w.]){re.escape(match[2])}\.(\w+)(\.\w+)?", masked[match.end() : scope]):
                yield from _check_item(use, match.end(), lists[owner[-1]], masked)
    for use in re.finditer(rf"(?<![\w.])(?:{names})\[\d+\]\.(\w+)(\.\w+)?", masked):
        name = re.match(names, use[0])
        if name:
            yield from _check_item(use, 0, lists[name[0]], masked)


def _lists(fields: Mapping[str, FieldDefinition], before: str) -> Iterator[tuple[str, FieldDefinition]]:
    for name, field in fields.items():
        if field.type is FieldType.RECORD:
            yield from _lists(field.fields, f"{before}{name}.")
        elif field.type is FieldType.LIST and field.of is not None:
            yield f"{before}{name}", field.of


def _scope(masked: str, start: int) -> int:
    """Return where the bracket that was opened before start closes."""
    depth = 1
    for index in range(start, len(masked)):
        depth += {"(": 1, ")": -1}.get(masked[index], 0)
        if depth == 0:
            return index
    return len(masked)


def _check_item(use: re.Match[str], offset: int, item: FieldDefinition, masked: str) -> Iterator[Mistake]:
    name, below = use[1], use[2]
    at = offset + use.start(1)
    line, column = masked.count("\n", 0, at) + 1, at - masked.rfind("\n", 0, at)
    if item.type is FieldType.MONEY:
        known: set[str] = {"amount", "currency"}
    else:
        known = {field for field, given in item.fields.items() if given.derive is None}
    if name in _MEMBERS:
        return
    if name not in known:
        guess = nearest(name, known)
        remedy = f'did you mean "{guess}"?' if guess else suggest(name, known)
        yield Mistake("unknown-field", f'the list\'s items have no field "{name}"', remedy, line, column)
    elif below is None and item.fields and item.fields[name].type is FieldType.MONEY:
        remedy = f"write {use[0]}.amount or {use[0]}.currency"
        yield Mistake("segment-type", f'"{name}" is money', remedy, line, column)
