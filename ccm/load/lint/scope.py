"""Which names a variant sees: the contract, parameters, facts, brand, message and locale, with their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ccm.load.lint.types import ANY, DATE, LINES, NUMBER, TEXT, Type, function, list_of, record, types_of_fields
from ccm.model.definitions import Channel, Purpose, TemplateDefinition
from ccm.model.vocabulary import FUNCTIONS, PLAIN_FUNCTIONS, Kind
from ccm.model.workspace import Brand, Template, Workspace

LOCALE = record(
    {"tag": TEXT, "language": TEXT, "territory": TEXT.maybe(), "direction": Type(Kind.TEXT, values=("ltr", "rtl"))}
)


@dataclass(frozen=True)
class Surroundings:
    """What a template stands in, apart from its own text.

    brands: Those that its campaigns use; all of the workspace when it has no campaign.
    fact_types: Types of the facts' values, worked out from their expressions.
    """

    workspace: Workspace
    template: Template
    brands: tuple[Brand, ...]
    fact_types: Mapping[str, Type]


def brands_of(workspace: Workspace, template: Template) -> tuple[Brand, ...]:
    """Return the brands that a template is sent for, in order of name."""
    used = {item.brand for item in workspace.campaigns.values() if item.template_name == template.name}
    names = sorted(used & set(workspace.brands)) or sorted(workspace.brands)
    return tuple(workspace.brands[name] for name in names)


def functions() -> dict[str, Type]:
    """Return the functions that every template may call."""
    kinds = {**FUNCTIONS, **PLAIN_FUNCTIONS}
    return {
        name: function(list_of(Type(Kind.NUMBER)) if name == "range" else Type(kind)) for name, kind in kinds.items()
    }


def names_for(around: Surroundings, channel: Channel) -> dict[str, Type]:
    """Return the names that a channel's variants see; broadcasts see no customer."""
    definition = around.template.definition
    names = {
        "parameters": record(types_of_fields(definition.parameters)),
        "brand": brand_type(around.brands, channel),
        "tokens": _token_tree(around.brands),
        "message": message_type(definition.purpose),
        "locale": LOCALE,
    }
    if not channel.is_social:
        names |= types_of_fields(definition.contract)
        names["facts"] = record(
            {
                name: Type(Kind.FACT, fields={"value": kind.maybe(False)}, optional=kind.optional)
                for name, kind in around.fact_types.items()
            }
        )
    return names


def names_for_facts(definition: TemplateDefinition) -> dict[str, Type]:
    """Return the names that facts' expressions see."""
    return {"parameters": record(types_of_fields(definition.parameters)), **types_of_fields(definition.contract)}


def message_type(purpose: Purpose) -> Type:
    """Return the type of `message`; only marketing is sure to have a way to unsubscribe."""
    texts = dict.fromkeys(("piece_id", "communication_id", "campaign", "occurrence"), TEXT)
    return record(
        {
            **texts,
            "issued_on": DATE,
            "period_start": DATE.maybe(),
            "period_end": DATE.maybe(),
            "unsubscribe_url": TEXT.maybe(purpose is not Purpose.MARKETING),
            "purpose": Type(Kind.TEXT, values=tuple(Purpose)),
        }
    )


def brand_type(brands: tuple[Brand, ...], channel: Channel) -> Type:
    """Return the type of `brand`: only what every brand has is sure to be there."""
    if not brands:
        return ANY
    return record(
        {
            "name": TEXT,
            "title": TEXT,
            "logo": record({"alt": TEXT, "width_mm": NUMBER}),
            "links": _shared({brand.name: brand.definition.links for brand in brands}),
            "contact": _shared({brand.name: brand.definition.contact for brand in brands}),
            "address": LINES,
            "legal": LINES,
            "sender": _sender(channel),
            "tokens": _shared({brand.name: brand.tokens for brand in brands}),
        }
    )


def _shared(by_brand: Mapping[str, Iterable[str]]) -> Type:
    everywhere = set.intersection(*(set(names) for names in by_brand.values()))
    absent = {name: brand for brand, names in by_brand.items() for name in _all(by_brand) if name not in set(names)}
    return record(dict.fromkeys(sorted(everywhere), TEXT), absent=absent)


def _all(by_brand: Mapping[str, Iterable[str]]) -> set[str]:
    return {name for names in by_brand.values() for name in names}


def _sender(channel: Channel) -> Type:
    if channel is Channel.SMS:
        return record({"sender": TEXT})
    if channel.is_social:
        return record({"handle": TEXT, "profile_url": TEXT.maybe()})
    optional = dict.fromkeys(("reply_to", "unsubscribe_url", "unsubscribe_mailto"), TEXT.maybe())
    return record({"name": TEXT, "address": TEXT, **optional})


def _token_tree(brands: tuple[Brand, ...]) -> Type:
    if not brands:
        return ANY
    everywhere = set.intersection(*(set(brand.tokens) for brand in brands))
    absent = {
        path: brand.name for brand in brands for other in brands for path in other.tokens if path not in brand.tokens
    }
    return _branch("", everywhere, absent)


def _branch(prefix: str, paths: set[str], absent: Mapping[str, str]) -> Type:
    below = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
    fields: dict[str, Type] = {}
    for name in sorted({path.partition(".")[0] for path in below}):
        leaf = prefix + name in paths
        deeper = any(path.startswith(f"{name}.") for path in below)
        # A token that is also a group prints its own value and has members: nothing sure can be said.
        fields[name] = ANY if leaf and deeper else TEXT if leaf else _branch(f"{prefix}{name}.", paths, absent)
    lacking = {
        path.removeprefix(prefix).partition(".")[0]: brand for path, brand in absent.items() if path.startswith(prefix)
    }
    return record(fields, absent={name: brand for name, brand in lacking.items() if name not in fields})
