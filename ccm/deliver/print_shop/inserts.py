"""Inserts: what the inserter machine adds to an envelope, by rules in CEL over the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# What a rule may ask, and CEL's type.
VARIABLES: Mapping[str, str] = {
    "country": "string",
    "postal_code": "string",
    "locale": "string",
    "brand": "string",
    "campaign": "string",
    "occurrence": "string",
    "template": "string",
    "release": "string",
    "pages": "int",
    "sheets": "int",
}
_LINE = re.compile(r"([a-z0-9][a-z0-9-]{0,40})\s*\(\s*(\d{1,4}(?:\.\d{1,2})?)\s*g\s*(,\s*required\s*)?\)\s*:\s*(\S.*)")
_EXAMPLE = 'write one a line, such as: terms-2027 (4 g, required): country == "DE" && pages > 2'


class InsertMistake(Exception):
    """A line of the setting cannot be used."""

    def __init__(self, message: str, remedy: str = _EXAMPLE) -> None:
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True)
class Insert:
    """One kind of insert; the first of the list lies in feeder 1 of the machine.

    grams: Weight of one.
    required: Goes in whatever the limits say; another envelope is opened where it does not fit.
    when: CEL rule over a letter; true puts the insert into its envelope, once.
    """

    name: str
    grams: float
    required: bool
    when: str
    rule: Callable[[Mapping[str, object]], bool] = field(compare=False, repr=False)


def read_inserts(text: str) -> tuple[Insert, ...]:
    """Read the setting, one insert a line.

    Raises:
        InsertMistake: Names the line; its rule is compiled and typed here, before anything is printed.
    """
    found: list[Insert] = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        match = _LINE.fullmatch(line)
        if not match:
            raise InsertMistake(f"line {number} is no insert")
        name, grams, required, when = match.groups()
        if name in {insert.name for insert in found}:
            raise InsertMistake(f'line {number}: the insert "{name}" stands there twice', "join the two rules with ||")
        found.append(Insert(name, float(grams), bool(required), when, _rule(when, number)))
    return tuple(found)


def _rule(when: str, number: int) -> Callable[[Mapping[str, object]], bool]:
    from cel_expr_python import cel

    types = {"string": cel.Type.STRING, "int": cel.Type.INT}
    try:
        compiled = cel.NewEnv(variables={name: types[kind] for name, kind in VARIABLES.items()}).compile(when)
    except RuntimeError:
        names = ", ".join(VARIABLES)
        raise InsertMistake(f"line {number}: the rule is not understood", f"it may use {names}") from None
    if compiled.return_type() != cel.Type.BOOL:
        raise InsertMistake(f"line {number}: the rule gives no true or false", "compare it with something")
    return _Rule(compiled, cel.Type.BOOL)


class _Rule:
    """A compiled rule; what it has no answer for gets no insert."""

    def __init__(self, compiled: Any, boolean: Any) -> None:
        self._compiled = compiled
        self._boolean = boolean

    def __call__(self, letter: Mapping[str, object]) -> bool:
        result = self._compiled.eval(data={name: letter[name] for name in VARIABLES})
        return bool(result.type() == self._boolean and result.value())
