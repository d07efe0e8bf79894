"""From a YAML file to a definition: pydantic checks, and its findings are told in the author's words and place."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ccm.diagnostics import Diagnostic, nearest, suggest
from ccm.load.yaml_reader import Place, YamlFile
from ccm.model.definitions import FieldDefinition

M = TypeVar("M", bound=BaseModel)

# The short forms of a field: what pydantic calls it → what the author wrote.
_SHORT_FORMS = {"fields": "record", "of": "list"}

_PATTERNS = {
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "small letters and digits with dashes between, such as monthly-statement",
    r"^[a-z][a-z0-9_]*$": "small letters, digits and underscores, such as due_on",
    r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$": "a locale tag, such as de, pt-BR or zh-Hant-TW",
    r"^\d+\.\d+\.\d+$": "a version of three numbers, such as 1.0.0",
    r"^[a-z][a-z0-9-]*(@\d+(\.\d+){0,2})?$": "a template's name and version, such as monthly-statement@1",
}

_SHAPES = {
    "string_type": "a text",
    "model_type": "a mapping of `name: value` lines",
    "model_attributes_type": "a mapping of `name: value` lines",
    "dict_type": "a mapping of `name: value` lines",
    "mapping_type": "a mapping of `name: value` lines",
    "tuple_type": "a list, such as [email, sms]",
    "list_type": "a list, such as [email, sms]",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "time_parsing": "a time of day, such as 21:00",
    "datetime_parsing": "a date and time, such as 2026-11-02T08:30",
    "datetime_from_date_parsing": "a date and time, such as 2026-11-02T08:30",
    "datetime_type": "a date and time, such as 2026-11-02T08:30",
}

_WRONG_KIND = frozenset(kind for kind in _SHAPES if kind.endswith("_type"))
_FOR_TEXTS = frozenset({"enum", "literal_error", "string_type", "string_pattern_mismatch"})


def parse_definition(model: type[M], file: YamlFile) -> tuple[M | None, tuple[Diagnostic, ...]]:
    """Turn a file's data into a definition.

    Returns:
        The definition, or None when something is wrong, with one diagnostic per mistake in file order.
    """
    if file.data is None:
        what = f"the file is empty; a {_noun(model)} is expected"
        fields = ", ".join(name for name, field in model.model_fields.items() if field.is_required())
        return None, (Diagnostic("missing-field", what, f"write at least: {fields}", file.at(())),)
    try:
        return model.model_validate(file.data), ()
    except ValidationError as error:
        errors = _drop_misspelt(_drop_other_branches(error.errors(include_url=False), file), model, file)
        found = {_diagnose(item, model, file): None for item in errors}
        return None, tuple(sorted(found, key=lambda item: item.location))


def _noun(model: type[BaseModel]) -> str:
    return re.sub(r"Definition$", "", model.__name__).lower()


# ── where: from pydantic's loc to the tree of places ─────────────────────────


def _walk(loc: Sequence[str | int], file: YamlFile) -> tuple[list[str | int], int]:
    """Follow pydantic's loc down the tree.

    Returns:
        The steps that exist in the file, and how many parts of loc were used up when the last one was found.
    Why: loc also names union branches and validators, and calls short forms by their long names.
    """
    place: Place = file.place
    steps: list[str | int] = []
    used = 0
    for number, part in enumerate(loc, start=1):
        step = part if part in place.children else _SHORT_FORMS.get(str(part))
        child = None if step is None else place.children.get(step)
        if child is None or step is None:
            continue
        steps.append(step)
        place, used = child, number
    return steps, used


def _value_at(steps: Sequence[str | int], data: object) -> object:
    for step in steps:
        if isinstance(data, Mapping):
            data = data[step]
        elif isinstance(data, Sequence):
            data = data[int(step)]
    return data


def _drop_other_branches(errors: list[ErrorDetails], file: YamlFile) -> list[ErrorDetails]:
    """Keep the union branch that the author meant: texts for a text, mappings for a mapping."""
    by_place: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    for error in errors:
        loc = error["loc"]
        steps, used = _walk(loc[:-1] if error["type"] == "missing" else loc, file)
        # Parts of loc that are not in the file, after a place that is: a union, one entry per branch.
        prefix = tuple(steps) if used < len(loc) else (*steps, "·")
        by_place.setdefault(prefix, []).append(error)
    kept = []
    for place, group in by_place.items():
        is_mapping = place[-1:] != ("·",) and isinstance(_value_at(place, file.data), Mapping)
        unfit = _FOR_TEXTS if is_mapping else _WRONG_KIND
        fitting = [error for error in group if error["type"] not in unfit]
        kept += fitting if fitting else group
    return kept


def _drop_misspelt(errors: list[ErrorDetails], model: type[BaseModel], file: YamlFile) -> list[ErrorDetails]:
    """Leave out a missing field whose misspelt key is reported already: one mistake, one diagnostic."""
    meant: set[tuple[str | int, ...]] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            name = nearest(str(error["loc"][-1]), _free_names(error["loc"], model, file))
            meant.add((*error["loc"][:-1], name or ""))
    return [error for error in errors if error["type"] != "missing" or error["loc"] not in meant]


# ── what: pydantic's words for authors ───────────────────────────────────────


def _diagnose(error: ErrorDetails, model: type[BaseModel], file: YamlFile) -> Diagnostic:
    loc, kind = error["loc"], error["type"]
    if kind == "missing":
        return _missing(loc, model, file)
    if kind == "extra_forbidden":
        return _unknown(loc, model, file)
    bad_key = len(loc) >= 2 and loc[-1] == "[key]"
    steps, _ = _walk(loc[:-1] if bad_key else loc, file)
    name = ".".join(str(step) for step in steps) or _noun(model)
    code, message, remedy = _words(error, name, loc[-2] if bad_key else _value_at(steps, file.data))
    return Diagnostic(code, message, remedy, file.at(steps, key=bad_key))


def _missing(loc: tuple[str | int, ...], model: type[BaseModel], file: YamlFile) -> Diagnostic:
    steps, _ = _walk(loc[:-1], file)
    name = str(loc[-1])
    owner = f'"{steps[-1]}"' if steps else f"the {_noun(model)}"
    described = _description(model, loc)
    remedy = f'add "{name}: …"' + (f" ({described})" if described else "")
    return Diagnostic("missing-field", f'{owner} has no "{name}"', remedy, file.at(steps, key=bool(steps)))


def _unknown(loc: tuple[str | int, ...], model: type[BaseModel], file: YamlFile) -> Diagnostic:
    steps, _ = _walk(loc, file)
    name = str(loc[-1])
    remedy = suggest(name, _free_names(loc, model, file))
    if " " in name and _value_at(steps, file.data) is None:
        remedy = "put quotes around the text in front of it; a comma ends a text inside braces"
    what = f'"{steps[-2]}"' if len(steps) > 1 else f"a {_noun(model)}"
    return Diagnostic("unknown-field", f'{what} has no field "{name}"', remedy, file.at(steps, key=True))


def _free_names(loc: tuple[str | int, ...], model: type[BaseModel], file: YamlFile) -> set[str]:
    """Return the fields that the unknown one at loc may mean: those that its mapping does not have yet."""
    owner = model_at(model, loc[:-1])
    known = set(owner.model_fields) if owner else set()
    if owner is FieldDefinition:
        known |= {"record", "list"}
    steps, _ = _walk(loc, file)
    present = _value_at(steps[:-1], file.data)
    return known - set(present) if isinstance(present, Mapping) else known


def _words(error: ErrorDetails, name: str, value: object) -> tuple[str, str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("enum", "literal_error"):
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return "invalid-value", f'"{_short(value)}" is not allowed for "{name}"', suggest(str(value), allowed)
    if kind == "string_pattern_mismatch":
        form = _PATTERNS.get(str(context.get("pattern")), f"a text like {context.get('pattern')}")
        return "invalid-value", f'"{name}" is not well formed', f"write {form}"
    if kind == "value_error":
        return "invalid-value", f'"{name}" does not fit together', str(context.get("error", error["msg"]))
    if kind in _SHAPES:
        code = "invalid-value" if kind.endswith("_parsing") else "wrong-shape"
        return code, f'"{name}" is not {_SHAPES[kind]}', f"write {_SHAPES[kind]}"
    if kind == "too_short":
        return "invalid-value", f'"{name}" has too few entries', f"write at least {context.get('min_length')}"
    return "invalid-value", f'"{name}" is not right: {_lower(error["msg"])}', f'change the value of "{name}"'


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


# ── which model stands at a loc ──────────────────────────────────────────────


def model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the definition class that stands at pydantic's loc, or None."""
    current: list[Any] = [model]
    for part in loc:
        following: list[Any] = []
        known = False
        for kind in current:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                if part in kind.model_fields:
                    known = True
                    following += _parts(kind.model_fields[str(part)].annotation)
            else:
                known = True
                following += _parts(get_args(kind)[-1 if get_origin(kind) is not tuple else 0])
        # A part that no class knows names a branch of a union or a validator.
        current = following if known else [kind for kind in current if _is_branch(kind, part)] or current
    models = [kind for kind in current if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return models[0] if models else None


def _is_branch(kind: Any, part: str | int) -> bool:
    return getattr(kind, "__name__", None) == part


def _parts(annotation: Any) -> list[Any]:
    """Return the models and containers that an annotation may mean."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [part for branch in get_args(annotation) for part in _parts(branch)]
    if origin is not None:
        return [annotation] if get_args(annotation) else []
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []


def _description(model: type[BaseModel], loc: Sequence[str | int]) -> str:
    owner = model_at(model, loc[:-1])
    field = owner.model_fields.get(str(loc[-1])) if owner else None
    return (field.description or "").rstrip(".") if field else ""
