"""Reads a variant's Jinja as composing would run it, with types in place of data.

Why: a misspelt field must be found when the author writes it, in every channel, not when the first customer
with that branch comes along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from ccm.diagnostics import suggest
from ccm.load.lint.expressions import Reading
from ccm.load.lint.parse import Parsed, parse
from ccm.load.lint.paths import path_of, sure_if, sure_unless
from ccm.load.lint.source import Source
from ccm.load.lint.types import (
    ANY,
    BOOLEAN,
    MARKUP,
    NUMBER,
    TEXT,
    Scope,
    Type,
    function,
    join,
    list_of,
    member,
    member_names,
    record,
)
from ccm.model.vocabulary import Kind

FRAGMENT_PREFIX = "fragments/"
_MAX_MACRO_READINGS = 40


@dataclass(frozen=True, eq=False)
class Macro:
    """A block that calls run: a macro, or the inside of `{% call %}`.

    scope: Names in force where it was written.
    """

    node: nodes.Macro | nodes.CallBlock
    scope: Scope
    source: Source


@dataclass
class Forms:
    """The fragments as one channel's variant includes them.

    sources: Form by fragment name; None where the fragment has no form for the channel.
    parsed: Cache over all variants.
    """

    sources: Mapping[str, Source | None]
    form_name: str
    parsed: dict[str, Parsed | None]


@dataclass
class VariantReading(Reading):
    """A reading of a whole template text."""

    forms: Forms | None = None
    open_files: tuple[str, ...] = ()
    included: set[str] = field(default_factory=set)
    _running: list[Macro] = field(default_factory=list)
    _called: dict[int, int] = field(default_factory=dict)
    _macros: list[Macro] = field(default_factory=list)

    def read(self, parsed: Parsed) -> None:
        """Read a parsed text from top to bottom."""
        self.body(parsed.tree.body)
        for macro in list(self._macros):
            if id(macro) not in self._called:
                self.run_macro(macro, [], {}, None)

    def body(self, statements: Iterable[nodes.Node]) -> None:
        """Read statements in the scope in force."""
        for statement in statements:
            handler = getattr(self, "_on_" + type(statement).__name__.lower(), None)
            if handler is not None:
                handler(statement)
            elif isinstance(statement, nodes.Expr):
                self.type_of(statement)
            else:
                self.body(statement.iter_child_nodes())

    def _on_output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            if not isinstance(child, nodes.TemplateData):
                self.printed(child)

    # ── conditions and loops ─────────────────────────────────────────────────

    def _on_if(self, node: nodes.If) -> None:
        before = dict(self.scope.names)
        left: list[dict[str, Type]] = []
        unless: frozenset[str] = frozenset()
        for branch in [node, *node.elif_]:
            with self.given(unless):
                self.type_of(branch.test)
            self.scope.names = dict(before)
            with self.given(unless | sure_if(branch.test)):
                self.body(branch.body)
            left.append(self.scope.names)
            unless |= sure_unless(branch.test)
        self.scope.names = dict(before)
        with self.given(unless):
            self.body(node.else_)
        left.append(self.scope.names)
        self.scope.names = _merged(left)

    def _on_for(self, node: nodes.For) -> None:
        over = self.type_of(node.iter)
        if over.optional:
            self.missing(node.iter)
        item = self._item_of(node, over)
        names = {**_bound(node.target, item), "loop": _loop(item)}
        with self.inner(names):
            if node.test is not None:
                self.type_of(node.test)
            with self.given(sure_if(node.test) if node.test is not None else frozenset()):
                self.body(node.body)
        with self.inner():
            self.body(node.else_)

    def _item_of(self, node: nodes.For, over: Type) -> Type:
        if over.kind is Kind.LIST:
            return over.item or ANY
        if over.kind is Kind.RECORD:
            return TEXT
        if over.kind is not Kind.ANY:
            shown = path_of(node.iter) or "the value"
            self.error(node.iter, "wrong-type", f"{shown} is {over.kind} and not a list", "loop over a list")
        return ANY

    # ── names ────────────────────────────────────────────────────────────────

    def _on_assign(self, node: nodes.Assign) -> None:
        found = self.type_of(node.node)
        if isinstance(node.target, nodes.NSRef):
            self._in_namespace(node.target)
            return
        self.scope.names.update(_bound(node.target, found))

    def _in_namespace(self, target: nodes.NSRef) -> None:
        holder = self.scope.find(target.name) or ANY
        if member(holder, target.attr) is None:
            message = f'namespace "{target.name}" was made without "{target.attr}"'
            self.error(target, "unknown-field", message, suggest(target.attr, member_names(holder)), within=target.attr)

    def _on_assignblock(self, node: nodes.AssignBlock) -> None:
        with self.inner():
            self.body(node.body)
        if isinstance(node.target, nodes.Name):
            self.scope.names[node.target.name] = MARKUP

    def _on_with(self, node: nodes.With) -> None:
        names: dict[str, Type] = {}
        for target, value in zip(node.targets, node.values, strict=True):
            names |= _bound(target, self.type_of(value))
        with self.inner(names):
            self.body(node.body)

    def _on_filterblock(self, node: nodes.FilterBlock) -> None:
        self.type_of(node.filter)
        with self.inner():
            self.body(node.body)

    def _on_scope(self, node: nodes.Scope) -> None:
        with self.inner():
            self.body(node.body)

    # ── macros ───────────────────────────────────────────────────────────────

    def _on_macro(self, node: nodes.Macro) -> None:
        macro = Macro(node, self.scope, self.source)
        self._macros.append(macro)
        self.scope.names[node.name] = Type(Kind.FUNCTION, gives=MARKUP, macro=macro)

    def _on_callblock(self, node: nodes.CallBlock) -> None:
        block = Macro(node, self.scope, self.source)
        called = self.type_of(node.call.node)
        given = [self.type_of(child) for child in node.call.args]
        named = {pair.key: self.type_of(pair.value) for pair in node.call.kwargs}
        caller = Type(Kind.FUNCTION, gives=MARKUP, macro=block)
        if isinstance(called.macro, Macro):
            self.run_macro(called.macro, given, named, caller)
        if id(block) not in self._called:
            self.run_macro(block, [], {}, None)

    def run_macro(self, macro: Macro, given: list[Type], named: Mapping[str, Type], caller: Type | None) -> Type:
        """Read a macro's body with the types of one call's arguments."""
        count = self._called.get(id(macro), 0)
        self._called[id(macro)] = count + 1
        if macro in self._running or count >= _MAX_MACRO_READINGS:
            return MARKUP
        arguments = self._arguments(macro, given, named)
        arguments["caller"] = caller or function(MARKUP)
        arguments |= {"varargs": list_of(ANY), "kwargs": Type(Kind.RECORD)}
        self._running.append(macro)
        state = self.scope, self.source, self.sure
        self.scope, self.source, self.sure = Scope(arguments, macro.scope), macro.source, []
        try:
            self.body(macro.node.body)
        finally:
            self.scope, self.source, self.sure = state
            self._running.pop()
        return MARKUP

    def _arguments(self, macro: Macro, given: list[Type], named: Mapping[str, Type]) -> dict[str, Type]:
        names = [argument.name for argument in macro.node.args]
        found: dict[str, Type] = dict.fromkeys(names, ANY)
        for name, default in zip(reversed(names), reversed(macro.node.defaults), strict=False):
            default_type = self.type_of(default)
            found[name] = ANY if isinstance(default, nodes.Const) and default.value is None else default_type
        found.update(zip(names, given, strict=False))
        found.update({name: kind for name, kind in named.items() if name in found})
        return found

    # ── fragments ────────────────────────────────────────────────────────────

    def _on_include(self, node: nodes.Include) -> None:
        names = _constant_names(node.template)
        if names is None:
            remedy = 'write the name out: {% include "fragments/contact" %}'
            self.error(node, "dynamic-include", "a fragment is included by a computed name", remedy)
            return
        for name in names:
            self._include(node, name)

    def _include(self, node: nodes.Include, name: str) -> None:
        form = self._form(node, name, optional=node.ignore_missing)
        if form is not None:
            self._enter(form, node, self.scope if node.with_context else Scope(_only_functions(self.scope)))

    def _form(
        self, node: nodes.Include | nodes.Import | nodes.FromImport, name: str, *, optional: bool
    ) -> Source | None:
        """Return the fragment's form for this channel, or report why there is none."""
        if self.forms is None:
            self.error(node, "missing-fragment", f"{self.title} cannot include anything", "write the text out")
            return None
        fragment = name.removeprefix(FRAGMENT_PREFIX)
        known = [FRAGMENT_PREFIX + each for each in self.forms.sources]
        if name not in known:
            if not optional:
                self.error(node.template, "missing-fragment", f'there is no "{name}"', suggest(name, known))
            return None
        form = self.forms.sources[fragment]
        if form is None:
            remedy = f'add {self.forms.form_name} to the folder of "{fragment}"'
            message = f'"{name}" has no form for {self.title}'
            self.error(node.template, "missing-fragment-form", message, remedy)
        elif form.path in self.open_files:
            circle = " → ".join([*self.open_files[self.open_files.index(form.path) :], form.path])
            message = f"fragments include each other: {circle}"
            self.error(node.template, "circular-fragment", message, "take one include out")
            return None
        return form

    def _enter(self, form: Source, node: nodes.Stmt, outside: Scope) -> dict[str, Type]:
        """Read a fragment's form; return the names that it sets."""
        assert self.forms is not None
        self.included.add(form.path)
        here = self.source.at(node.lineno or 0)
        included = Source(form.path, form.text, (here, *self.source.trace))
        if form.path not in self.forms.parsed:
            self.forms.parsed[form.path] = parse(included, self.findings)
        parsed = self.forms.parsed[form.path]
        if parsed is None:
            return {}
        scope, source, files = self.scope, self.source, self.open_files
        self.scope, self.source, self.open_files = Scope({}, outside), included, (*files, form.path)
        try:
            self.body(parsed.tree.body)
            return self.scope.names
        finally:
            self.scope, self.source, self.open_files = scope, source, files

    def _on_import(self, node: nodes.Import) -> None:
        self.scope.names[node.target] = self._imported(node)

    def _on_fromimport(self, node: nodes.FromImport) -> None:
        module = self._imported(node)
        for name in node.names:
            there, here = (name, name) if isinstance(name, str) else name
            found = member(module, there)
            if found is None:
                message = f'the fragment has no macro "{there}"'
                self.error(node, "unknown-function", message, suggest(there, member_names(module)), within=there)
            self.scope.names[here] = found or ANY

    def _imported(self, node: nodes.Import | nodes.FromImport) -> Type:
        names = _constant_names(node.template)
        if names is None:
            remedy = 'write the name out: {% import "fragments/tables" as tables %}'
            self.error(node, "dynamic-include", "a fragment is imported by a computed name", remedy)
            return ANY
        form = self._form(node, names[0], optional=False)
        if form is None:
            return ANY
        outside = self.scope if node.with_context else Scope(_only_functions(self.scope))
        return record(self._enter(form, node, outside))

    def _on_extends(self, node: nodes.Extends) -> None:
        self._unsupported(node, "extends")

    def _unsupported(self, node: nodes.Node, word: str) -> None:
        message = f"templates share content by fragments, not by {{% {word} %}}"
        self.error(node, "unsafe-word", message, 'use {% include "fragments/<name>" %}')


def _bound(target: nodes.Node, value: Type) -> dict[str, Type]:
    """Return the names that an assignment binds."""
    if isinstance(target, nodes.Name):
        return {target.name: value}
    if isinstance(target, nodes.Tuple):
        parts = value.parts or ((value.item or ANY,) * len(target.items) if value.kind is Kind.LIST else ())
        found: dict[str, Type] = {}
        for index, part in enumerate(target.items):
            found |= _bound(part, parts[index] if index < len(parts) else ANY)
        return found
    return {}


def _merged(left: list[dict[str, Type]]) -> dict[str, Type]:
    """Return the names after a condition; one that only some branches set may be missing."""
    merged: dict[str, Type] = {}
    for name in {name for names in left for name in names}:
        found = [names[name] for names in left if name in names]
        kind = found[0]
        for other in found[1:]:
            kind = join(kind, other)
        merged[name] = kind.maybe(kind.optional or len(found) < len(left))
    return merged


def _loop(item: Type) -> Type:
    numbers = ("index", "index0", "revindex", "revindex0", "length", "depth", "depth0")
    fields = {
        **dict.fromkeys(numbers, NUMBER),
        "first": BOOLEAN,
        "last": BOOLEAN,
        "previtem": item.maybe(),
        "nextitem": item.maybe(),
        "cycle": function(ANY),
        "changed": function(BOOLEAN),
    }
    return record(fields)


def _constant_names(node: nodes.Expr) -> list[str] | None:
    items = node.items if isinstance(node, (nodes.List, nodes.Tuple)) else [node]
    names = [item.value for item in items if isinstance(item, nodes.Const) and isinstance(item.value, str)]
    return names if names and len(names) == len(items) else None


def _only_functions(scope: Scope) -> dict[str, Type]:
    found = {name: scope.find(name) or ANY for name in scope.all()}
    return {name: kind for name, kind in found.items() if kind.kind is Kind.FUNCTION and kind.macro is None}
