"""Works out the type of every Jinja expression and reports what cannot be right.

Nodes carry character offsets where Jinja usually keeps line numbers (see `lint_parse`), so every mistake has
its exact place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes

from ccm.diagnostics import suggest
from ccm.load.lint.calls import check_asset, check_placeholders, unknown_function
from ccm.load.lint.filters import filter_type
from ccm.load.lint.operators import NUMERIC, SURE, comparable, difference, in_words, product, quotient, total
from ccm.load.lint.paths import innermost, path_of, start_of, sure_if, sure_unless
from ccm.load.lint.source import Findings, Source
from ccm.load.lint.types import (
    ANY,
    BOOLEAN,
    NUMBER,
    TEXT,
    Scope,
    Type,
    join,
    list_of,
    member,
    member_names,
    record,
)
from ccm.model.vocabulary import BANNED, FILTERS, TESTS, TRANSLATING, Kind


@dataclass
class Reading:
    """One reading of a variant or an expression, with what it gathers.

    title: What the text is to its author, such as "the email variant".
    hidden: Names that exist for others but not here, with why.
    asset_known: Tells whether asset("…") finds its file.
    told: Names of facts that the text mentions; "*" for all.
    """

    source: Source
    findings: Findings
    scope: Scope
    title: str
    hidden: Mapping[str, str] = field(default_factory=dict)
    asset_known: Callable[[str], str | None] | None = None
    told: set[str] = field(default_factory=set)
    sure: list[frozenset[str]] = field(default_factory=list)

    # ── saying ───────────────────────────────────────────────────────────────

    def error(self, node: nodes.Node, code: str, message: str, remedy: str, *, within: str = "") -> None:
        """Note a mistake at a node, or at the word `within` it."""
        self.findings.add(self.source, self.offset(node, within), code, message, remedy)

    def warn(self, node: nodes.Node, code: str, message: str, remedy: str, *, within: str = "") -> None:
        """Note something poor at a node."""
        self.findings.warn(self.source, self.offset(node, within), code, message, remedy)

    def offset(self, node: nodes.Node, within: str = "") -> int:
        """Return the character where a node, or a word of it, starts."""
        start = node.lineno or 0
        if not within:
            return start + 1 if isinstance(node, nodes.Getattr) else start  # behind the dot
        found = re.compile(rf"(?<!\w){re.escape(within)}(?!\w)").search(self.source.text, start)
        return found.start() if found and found.start() - start < 400 else start

    # ── names in force ───────────────────────────────────────────────────────

    @contextmanager
    def inner(self, names: Mapping[str, Type] | None = None, sure: frozenset[str] = frozenset()) -> Iterator[None]:
        """Read a block with names and with paths that are sure to be there."""
        scope, self.scope = self.scope, Scope(dict(names or {}), self.scope)
        self.sure.append(sure)
        try:
            yield
        finally:
            self.scope = scope
            self.sure.pop()

    @contextmanager
    def given(self, sure: frozenset[str]) -> Iterator[None]:
        """Read an expression under a condition."""
        self.sure.append(sure)
        try:
            yield
        finally:
            self.sure.pop()

    def is_sure(self, node: nodes.Node) -> bool:
        """Tell whether a condition around the place says that the value is there."""
        path = path_of(node)
        return path is not None and any(path in paths for paths in self.sure)

    # ── types ────────────────────────────────────────────────────────────────

    def type_of(self, node: nodes.Node | None) -> Type:
        """Return what an expression gives, reporting on the way."""
        if node is None:
            return ANY
        handler: Callable[[Any], Type] | None = getattr(self, "_" + type(node).__name__.lower(), None)
        if handler is None:
            for child in node.iter_child_nodes():
                self.type_of(child)
            return ANY
        found = handler(node)
        return found.maybe(False) if found.optional and self.is_sure(node) else found

    def _const(self, node: nodes.Const) -> Type:
        if isinstance(node.value, bool):
            return BOOLEAN
        if isinstance(node.value, str):
            return TEXT
        return NUMBER if isinstance(node.value, (int, float)) else ANY

    def _templatedata(self, node: nodes.TemplateData) -> Type:
        return Type(Kind.MARKUP)

    def _name(self, node: nodes.Name) -> Type:
        found = self.scope.find(node.name)
        if found is not None:
            if node.name == "facts":
                self.told.add("*")
            return found
        if node.name in BANNED:
            self.error(
                node, "unsafe-word", f'"{node.name}" is not allowed in templates', BANNED[node.name], within=node.name
            )
        elif node.name in self.hidden:
            remedy = "use parameters, brand, message or locale: one broadcast is read by everybody"
            message = f'{self.title} sees no customer, and "{node.name}" is {self.hidden[node.name]}'
            self.error(node, "customer-data-in-broadcast", message, remedy, within=node.name)
        else:
            self.unknown(node, node.name, f'{self.title} has no "{node.name}"', self.scope.all())
        return ANY

    def unknown(self, node: nodes.Node, name: str, message: str, known: Any, code: str = "unknown-field") -> None:
        """Note a misspelt word of a node, with the nearest known one."""
        self.error(node, code, message, suggest(name, known), within=name)

    def _getattr(self, node: nodes.Getattr) -> Type:
        return self._member(node, node.node, node.attr)

    def _getitem(self, node: nodes.Getitem) -> Type:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._member(node, node.node, node.arg.value)
        holder = self.type_of(node.node)
        self.type_of(node.arg)
        if isinstance(node.arg, nodes.Slice):
            return holder
        if holder.parts and isinstance(node.arg, nodes.Const) and node.arg.value in range(len(holder.parts)):
            return holder.parts[int(node.arg.value)]
        return (holder.item or ANY) if holder.kind is Kind.LIST else ANY

    def _member(self, node: nodes.Expr, holding: nodes.Expr, name: str) -> Type:
        if isinstance(holding, nodes.Name) and holding.name == "facts" and self.scope.find("facts") is not None:
            self.told.add(name)
            holder = self.scope.find("facts") or ANY
        else:
            holder = self.type_of(holding)
        found = member(holder, name)
        if found is not None:
            return found.maybe() if holder.optional else found
        shown = path_of(holding) or f"this {holder.kind}"
        if name in holder.absent:
            message = f'brand "{holder.absent[name]}" has no "{shown}.{name}"'
            self.error(
                node, "unknown-field", message, "add it to that brand, or use a name that every brand has", within=name
            )
        else:
            message = f'"{shown}" is {in_words(holder.kind)} and has no "{name}"'
            self.unknown(node, name, message, member_names(holder))
        return ANY

    def _filter(self, node: nodes.Filter) -> Type:
        given = self.type_of(node.node) if node.node is not None else Type(Kind.MARKUP)
        for child in [*node.args, *node.kwargs]:
            self.type_of(child)
        if node.name in BANNED:
            self.error(node, "unsafe-word", f'the filter "{node.name}" is not allowed in templates', BANNED[node.name])
            return ANY
        word = FILTERS.get(node.name)
        if word is None:
            self.unknown(node, node.name, f'there is no filter "{node.name}"', FILTERS, "unknown-filter")
            return ANY
        if word.takes and given.kind not in word.takes and given.kind is not Kind.ANY:
            self._wrong_filter(node, given)
            return ANY.maybe(given.optional and not word.missing)
        return filter_type(self, node, word, given)

    def _wrong_filter(self, node: nodes.Filter, given: Type) -> None:
        shown = (path_of(node.node) if node.node else None) or "the value"
        takes = " or ".join(sorted(FILTERS[node.name].takes))
        if given.kind is Kind.FACT:
            remedy = f"write {shown} alone: a fact prints itself; or {shown}.value | {node.name}"
        else:
            fitting = {
                Kind.MONEY: "money",
                Kind.DATE: "date",
                Kind.DATETIME: "datetime",
                Kind.PERCENT: "percent",
                Kind.NUMBER: "number",
            }
            instead = fitting.get(given.kind)
            remedy = f"use the filter {instead}" if instead else f"give it {takes}, or leave the filter out"
        self.error(
            node, "wrong-type", f'the filter "{node.name}" takes {takes}; {shown} is {in_words(given.kind)}', remedy
        )

    def _test(self, node: nodes.Test) -> Type:
        for child in [node.node, *node.args]:
            self.type_of(child)
        if node.name not in TESTS:
            self.unknown(node, node.name, f'there is no test "{node.name}"', TESTS, "unknown-filter")
        return BOOLEAN

    # ── calling ──────────────────────────────────────────────────────────────

    def _call(self, node: nodes.Call) -> Type:
        if (
            isinstance(node.node, nodes.Name)
            and self.scope.find(node.node.name) is None
            and node.node.name not in self.hidden
        ):
            unknown_function(self, node.node)
            called = ANY
        else:
            called = self.type_of(node.node)
        given = [self.type_of(child) for child in node.args]
        named = {pair.key: self.type_of(pair.value) for pair in node.kwargs}
        if called.kind not in (Kind.FUNCTION, Kind.ANY):
            shown = path_of(node.node) or "the value"
            self.error(
                node.node,
                "wrong-type",
                f'"{shown}" is {in_words(called.kind)} and cannot be called',
                "leave the brackets out",
            )
            return ANY
        if called.macro is not None:
            return self.run_macro(called.macro, given, named, None)
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name == "asset":
            check_asset(self, node)
        if name in ("dict", "namespace"):
            # What a namespace holds changes on the way; its names do not.
            return record(dict.fromkeys(named, ANY) if name == "namespace" else named) if named else Type(Kind.RECORD)
        if name in TRANSLATING:
            check_placeholders(self, node, named)
        return called.gives or ANY

    def run_macro(self, macro: Any, given: list[Type], named: Mapping[str, Type], caller: Type | None) -> Type:
        """Read what a macro does with these arguments; statements know how."""
        return Type(Kind.MARKUP)

    # ── operators ────────────────────────────────────────────────────────────

    def _binary(self, node: nodes.BinExpr, combine: Callable[[Type, Type], Type | None]) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        optional = left.optional or right.optional
        if left.kind not in SURE or right.kind not in SURE:
            return ANY.maybe(optional)
        found = combine(left, right)
        if found is None:
            message = f'"{node.operator}" does not work between {in_words(left.kind)} and {in_words(right.kind)}'
            remedy = "join texts with ~" if Kind.TEXT in (left.kind, right.kind) else "bring both sides to one kind"
            self.error(node, "wrong-type", message, remedy)
            return ANY
        return found.maybe(optional)

    def _add(self, node: nodes.Add) -> Type:
        return self._binary(node, total)

    def _sub(self, node: nodes.Sub) -> Type:
        return self._binary(node, difference)

    def _mul(self, node: nodes.Mul) -> Type:
        return self._binary(node, product)

    def _div(self, node: nodes.Div) -> Type:
        return self._binary(node, quotient)

    def _floordiv(self, node: nodes.FloorDiv) -> Type:
        return self._binary(node, quotient)

    def _mod(self, node: nodes.Mod) -> Type:
        left = self.type_of(node.left)
        if isinstance(node.right, nodes.Dict):  # {% trans %} writes its values so
            for pair in node.right.items:
                self.printed(pair.value)
            return TEXT
        self.type_of(node.right)
        return left if left.kind in NUMERIC else ANY

    def _neg(self, node: nodes.Neg) -> Type:
        return self.type_of(node.node)

    def _concat(self, node: nodes.Concat) -> Type:
        for child in node.nodes:
            self.printed(child)
        return TEXT

    def _not(self, node: nodes.Not) -> Type:
        self.type_of(node.node)
        return BOOLEAN

    def _and(self, node: nodes.And) -> Type:
        left = self.type_of(node.left)
        with self.given(sure_if(node.left)):
            return join(left, self.type_of(node.right)).maybe(False)

    def _or(self, node: nodes.Or) -> Type:
        left = self.type_of(node.left)
        with self.given(sure_unless(node.left)):
            right = self.type_of(node.right)
        return join(left, right).maybe(right.optional)

    def _condexpr(self, node: nodes.CondExpr) -> Type:
        self.type_of(node.test)
        with self.given(sure_if(node.test)):
            first = self.type_of(node.expr1)
        with self.given(sure_unless(node.test)):
            return join(first, self.type_of(node.expr2)) if node.expr2 is not None else first

    def _compare(self, node: nodes.Compare) -> Type:
        left = self.type_of(node.expr)
        for operand in node.ops:
            self._compared(node, operand, left, self.type_of(operand.expr))
        return BOOLEAN

    def _compared(self, node: nodes.Compare, operand: nodes.Operand, left: Type, right: Type) -> None:
        texts = operand.expr.items if isinstance(operand.expr, (nodes.List, nodes.Tuple)) else [operand.expr]
        for text in texts:
            if (
                left.values
                and isinstance(text, nodes.Const)
                and isinstance(text.value, str)
                and text.value not in left.values
            ):
                shown = path_of(node.expr) or "the value"
                self.error(
                    text, "unknown-value", f'"{shown}" is never "{text.value}"', suggest(text.value, left.values)
                )
        if operand.op in ("lt", "lteq", "gt", "gteq"):
            if (left.optional and not self.is_sure(node.expr)) or (right.optional and not self.is_sure(operand.expr)):
                self.missing(node.expr if left.optional else operand.expr)
            if not comparable(left, right):
                message = f"{in_words(left.kind)} cannot be compared with {in_words(right.kind)}"
                self.error(node, "wrong-type", message, "compare values of one kind")

    # ── literals ─────────────────────────────────────────────────────────────

    def _list(self, node: nodes.List) -> Type:
        found = [self.type_of(item) for item in node.items]
        item = found[0] if found else ANY
        for other in found[1:]:
            item = join(item, other)
        return list_of(item)

    def _tuple(self, node: nodes.Tuple) -> Type:
        return Type(Kind.LIST, item=ANY, parts=tuple(self.type_of(item) for item in node.items))

    def _dict(self, node: nodes.Dict) -> Type:
        fields = {pair.key.value: self.type_of(pair.value) for pair in node.items if isinstance(pair.key, nodes.Const)}
        return record(fields) if len(fields) == len(node.items) else Type(Kind.RECORD)

    # ── printing ─────────────────────────────────────────────────────────────

    def printed(self, node: nodes.Expr) -> None:
        """Report what would not print well."""
        found = self.type_of(node)
        shown = path_of(node) or "the value"
        if found.kind in (Kind.RECORD, Kind.LIST) and not found.prints:
            remedy = "print one of its fields" if found.kind is Kind.RECORD else "use {% for %}, | list or | join"
            self.error(start_of(node), "wrong-type", f"{shown} is {in_words(found.kind)} and cannot be printed", remedy)
        elif found.kind is Kind.FUNCTION and found.macro is None and found.gives is not None:
            self.error(start_of(node), "wrong-type", f"{shown} is a function", f"call it: {shown}()")
        elif found.optional:
            self.missing(node)

    def missing(self, node: nodes.Node) -> None:
        """Warn that a value may be missing when it is used."""
        shown = path_of(innermost(node)) or "the value"
        remedy = f'write {{{{ {shown} | default("–") }}}}, or put it inside {{% if {shown} %}}'
        self.warn(start_of(node), "maybe-missing", f"{shown} may be missing in the data", remedy)
