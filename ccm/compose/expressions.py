"""Expressions of a template's definition as plain functions: derived fields are worked out for every row.

Why: Through Jinja an expression is a template with a context, a generator and a result in its variables: 14 µs before
    anything is calculated. As a function it is one call. The function is only a shortcut: whatever it raises, the
    template is asked again, and that answer or that error counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from typing import Any, TypeAlias

from jinja2 import nodes
from jinja2.compiler import Frame
from jinja2.environment import TemplateExpression
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.nodes import EvalContext
from jinja2.parser import Parser

from ccm.compose.engine import Engine, evaluate
from ccm.compose.printing import Rendering
from ccm.compose.sandbox import Sandbox, counted_and_bounded
from ccm.compose.template_code import TemplateCode
from ccm.model.values import Money

# A record, and what is looked up where the record has no such field.
ExpressionFunction: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
# Rows, and what is looked up where a row has no such field.
RowsFunction: TypeAlias = Callable[[Iterable[Mapping[str, Any]], Mapping[str, Any]], tuple[dict[str, Any], ...]]

_PLAIN = (
    nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.BinExpr, nodes.UnaryExpr, nodes.Compare,
    nodes.Operand, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Tuple, nodes.List, nodes.Keyword,
)  # fmt: skip


class Formula:
    """One expression, compiled when it is first used.

    function: Takes a record and what is around it; whatever it raises, `in_full` gives the answer. The caller sets
        `RENDERING`.
    """

    __slots__ = ("_engine", "_path", "_template", "function", "source")

    def __init__(self, source: str, path: str, engine: Engine) -> None:
        self.source = source
        self._path = path
        self._engine = engine
        self._template: TemplateExpression | None = None
        self.function: ExpressionFunction = self._first

    def _first(self, record: Mapping[str, Any], around: Mapping[str, Any]) -> Any:
        self.compile()
        return self.function(record, around)

    def compile(self) -> TemplateExpression:
        """Compile the expression, once.

        Raises:
            ComposeFailure: If it is none; says where.
        """
        if self._template is None:
            self._template = self._engine.expression(self.source, self._path)
            self.function = as_function(self.source, self._engine.environment) or _not_plain
        return self._template

    def in_full(self, variables: Mapping[str, Any], rendering: Rendering) -> Any:
        """Return what the expression gives, by way of a template.

        Raises:
            ComposeFailure: If it cannot be computed.
        """
        return evaluate(self.compile(), variables, rendering)


def _not_plain(record: Mapping[str, Any], around: Mapping[str, Any]) -> Any:
    raise TypeError("not a plain expression")


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived field, as `as_rows_function` takes it.

    currency: Expression that gives the currency of an amount; empty if the field is no amount.
    typed: Makes a number whole if it is; None where a value stays as it is, or is an amount.
    """

    name: str
    source: str
    currency: str = ""
    typed: Callable[[Any], Any] | None = None


class Surroundings:
    """What filters of lists ask of a context: where to find other filters and tests."""

    def __init__(self, environment: Sandbox) -> None:
        self.environment = environment


def as_function(source: str, environment: Sandbox) -> ExpressionFunction | None:
    """Compile an expression that only reads fields, calculates, compares and filters.

    Args:
        source: An expression that the environment compiles; it was compiled before.
    Returns:
        A function of a record and of what stands around it; None for an expression that does more, such as a call.
    """
    tree = _tree(source, environment)
    if tree is None:
        return None
    written = StringIO()
    _ExpressionCode(environment, None, None, written).write_function(tree)
    function: ExpressionFunction = _namespace(written, environment)["value"]
    return function


def as_rows_function(fields: Sequence[Derived], environment: Sandbox) -> RowsFunction | None:
    """Compile the derived fields of a row into one function of all rows.

    Returns:
        A function of rows and of what stands around them, which gives copies with the fields filled; None if one of
        the fields has no function.
    """
    trees = [_tree(field.source, environment) for field in fields]
    currencies = [_tree(field.currency or "''", environment) for field in fields]
    both = [(tree, currency) for tree, currency in zip(trees, currencies, strict=True) if tree and currency]
    if len(both) < len(fields):
        return None
    written = StringIO()
    _ExpressionCode(environment, None, None, written).write_rows(fields, both)
    namespace = _namespace(written, environment)
    namespace |= {"amount_of": amount_of, "typed": [field.typed for field in fields]}
    function: RowsFunction = namespace["filled"]
    return function


def amount_of(value: Any, currency: Any) -> Money:
    """Return a computed amount.

    Raises:
        TypeError: If it is no plain number, or there is no currency.
    """
    if type(currency) is str:
        if type(value) is Decimal:
            return Money(value, currency)
        if type(value) is int:
            return Money(Decimal(value), currency)
    raise TypeError("not a plain amount")


def _tree(source: str, environment: Sandbox) -> nodes.Template | None:
    """Parse an expression; None if it is not plain."""
    expression = Parser(environment, source, state="variable").parse_expression()
    tree = nodes.Template([nodes.ExprStmt(expression, lineno=1)], lineno=1)
    tree.set_environment(environment)
    tree = counted_and_bounded(tree, environment)
    expression = _expression(tree)
    return tree if all(_is_plain(node) for node in (expression, *expression.find_all(nodes.Node))) else None


def _expression(tree: nodes.Template) -> nodes.Expr:
    (statement,) = tree.body
    assert isinstance(statement, nodes.ExprStmt)
    return statement.node  # type: ignore[return-value]  # an expression was put there


def _is_plain(node: nodes.Node) -> bool:
    return isinstance(node, _PLAIN) and not (isinstance(node, nodes.Name) and node.name == "self")


def _namespace(written: StringIO, environment: Sandbox) -> dict[str, Any]:
    namespace: dict[str, Any] = {"environment": environment, "context": Surroundings(environment)}
    exec(compile(written.getvalue(), "<expression>", "exec"), namespace)  # noqa: S102  # Jinja's generator wrote it
    return namespace


class _ExpressionCode(TemplateCode):
    """Writes expressions as functions: `value(record, around)`, `filled(rows, around)`."""

    def write_function(self, tree: nodes.Template) -> None:
        self._write_names([tree])
        self.writeline("def value(record, around):")
        self.indent()
        frame = self._write_loads(tree, set())
        self.writeline("return ")
        self.visit(_expression(tree), frame)

    def write_rows(self, fields: Sequence[Derived], trees: Sequence[tuple[nodes.Template, nodes.Template]]) -> None:
        self._write_names([tree for both in trees for tree in both])
        self.writeline("def filled(rows, around):")
        self.indent()
        self.writeline("made = []")
        self.writeline("for row in rows:")
        self.indent()
        self.writeline("record = dict(row)")
        loaded: set[str] = set()
        for place, (field, (tree, currency)) in enumerate(zip(fields, trees, strict=True)):
            frame = self._write_loads(tree, loaded)
            self.writeline("value = ")
            self.visit(_expression(tree), frame)
            if field.currency:
                frame = self._write_loads(currency, loaded)
                self.writeline("value = amount_of(value, ")
                self.visit(_expression(currency), frame)
                self.write(")")
            elif field.typed is not None:
                self.writeline(f"value = value if type(value) is int else typed[{place}](value)")
            self.writeline(f"record[{field.name!r}] = value if type(value) is not list else tuple(value)")
            loaded.discard(f"l_0_{field.name}")  # as Jinja calls the name of a field
        self.writeline("made.append(record)")
        self.outdent()
        self.writeline("return tuple(made)")

    def _write_names(self, trees: Sequence[nodes.Template]) -> None:
        self.writeline("from jinja2.runtime import Undefined, internalcode, missing, TemplateRuntimeError")
        self.writeline("undefined = environment.undefined")
        self.writeline("cond_expr_undefined = Undefined")
        self.writeline("attribute = environment.getattr")
        self.writeline("calculated = environment.calculations")
        self.pull_dependencies(trees)

    def _write_loads(self, tree: nodes.Template, loaded: set[str]) -> Frame:
        """Look names up where they are, not through a context; each once.

        Args:
            loaded: What was looked up already; grows.
        """
        frame = Frame(EvalContext(self.environment, None))
        frame.symbols.analyze_node(tree)
        for target, (action, name) in frame.symbols.loads.items():
            assert action == VAR_LOAD_RESOLVE, "an expression gives no name a meaning"
            if target not in loaded:
                self.writeline(f"{target} = record[{name!r}] if {name!r} in record else around.get({name!r}, missing)")
                loaded.add(target)
        return frame
