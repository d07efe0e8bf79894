"""Checks the expressions in template.yaml: facts, derived fields and the document's file name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ccm.load.lint.authored import AuthoredFile
from ccm.load.lint.scope import Surroundings, functions, names_for, names_for_facts
from ccm.load.lint.source import Findings
from ccm.load.lint.types import Type, types_of_fields
from ccm.model.definitions import Channel, FieldDefinition
from ccm.model.vocabulary import KIND_OF_FIELD, KINDS_OF_FACT, Kind
from ccm.model.workspace import Template

_RECORD_FORMS: tuple[tuple[str, ...], ...] = (("record",), ("fields",))
_LIST_FORMS: tuple[tuple[str, ...], ...] = (("list",), ("of", "record"), ("of", "fields"))
# A field's kind and the kinds that its derived value may have.
_FITTING: Mapping[Kind, frozenset[Kind]] = {
    Kind.MONEY: frozenset({Kind.MONEY, Kind.NUMBER}),
    Kind.PERCENT: frozenset({Kind.PERCENT, Kind.NUMBER}),
    Kind.DATETIME: frozenset({Kind.DATETIME, Kind.DATE}),
}


def fact_types(template: Template, file: AuthoredFile, findings: Findings) -> dict[str, Type]:
    """Check the facts' expressions and return the types of their values."""
    names = {**functions(), **names_for_facts(template.definition)}
    types: dict[str, Type] = {}
    for name, fact in template.definition.facts.items():
        steps = ("facts", name, "value")
        found = types[name] = file.type_of(steps, fact.value, names, f'fact "{name}"', findings)
        fitting = KINDS_OF_FACT[fact.kind]
        if found.kind is not Kind.ANY and found.kind not in fitting:
            message = f'fact "{name}" is of kind {fact.kind}, but its value is {found.kind}'
            remedy = f"give it {' or '.join(sorted(fitting))}, or change its kind"
            findings.add(file.source, file.offset(steps, fact.value), "wrong-type", message, remedy)
    return types


def read_derived(template: Template, file: AuthoredFile, findings: Findings) -> None:
    """Check the expressions of derived fields; each sees its siblings and the root."""
    contract = template.definition.contract
    _read_fields(file, ("contract",), contract, {**functions(), **types_of_fields(contract)}, findings)


def _read_fields(
    file: AuthoredFile,
    steps: tuple[str, ...],
    fields: Mapping[str, FieldDefinition],
    outer: Mapping[str, Type],
    findings: Findings,
) -> None:
    names = {**outer, **types_of_fields(fields)}
    for name, field in fields.items():
        here = (*steps, name)
        if field.derive is not None:
            place = (*here, "derive")
            found = file.type_of(place, field.derive, names, f'derived field "{name}"', findings)
            _fits(file, place, name, field, found, findings)
        # Fields stand under their short form (record, list) or their long one (fields, of.fields).
        forms = _RECORD_FORMS if field.fields else _LIST_FORMS
        held = field.fields or (field.of.fields if field.of else {})
        for form in forms:
            if held and file.has((*here, *form)):
                _read_fields(file, (*here, *form), held, names, findings)


def _fits(
    file: AuthoredFile, steps: Sequence[str], name: str, field: FieldDefinition, found: Type, findings: Findings
) -> None:
    wanted = KIND_OF_FIELD[field.type]
    if found.kind in (Kind.ANY, wanted) or found.kind in _FITTING.get(wanted, frozenset()):
        return
    message = f'"{name}" is {wanted}, but its expression gives {found.kind}'
    remedy = "change the expression or the field's type"
    findings.add(file.source, file.offset(steps, field.derive or ""), "wrong-type", message, remedy)


def read_filename(around: Surroundings, file: AuthoredFile, findings: Findings) -> None:
    """Check the document's file name."""
    names = {**functions(), **names_for(around, Channel.DOCUMENT)}
    text = around.template.definition.document.filename
    file.read_text(("document", "filename"), text, names, "the document's file name", findings)
