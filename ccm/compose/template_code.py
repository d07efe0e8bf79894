"""Python code of templates: what Jinja generates, with shorter ways for what every row does.

Why: Of the time that a statement takes before any layout, most went into calls between a template and its environment:
    four for each value that is printed, one for each dot and each calculation.
Source: `jinja2.compiler.CodeGenerator`; the methods below change how an expression is written, never what it gives.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst


def _calculation(sign: str) -> Any:
    """Return how an operator is written: as a call of the sandbox's calculation, which is exact and bounded."""

    @optimizeconst
    def visit(self: TemplateCode, node: nodes.Expr, frame: Frame) -> None:
        self.write(f"calculated[{sign!r}](")
        for operand in node.iter_child_nodes():
            self.visit(operand, frame)
            self.write(", ")
        self.write(")")

    return visit


def _whole_calculation(sign: str) -> Any:
    """Return how an operator is written that needs no bounds for whole numbers: they are calculated in place."""
    otherwise = _calculation(sign)

    @optimizeconst
    def visit(self: TemplateCode, node: nodes.BinExpr, frame: Frame) -> None:
        fixed = [type(one.value) is int if isinstance(one, nodes.Const) else False for one in (node.left, node.right)]
        if all(fixed):
            otherwise(self, node, frame)
            return
        names = [
            repr(one.as_const(frame.eval_ctx)) if known else self.temporary_identifier()
            for one, known in zip((node.left, node.right), fixed, strict=True)
        ]
        self.write(f"({names[0]} {sign} {names[1]} if ")
        joint = ""
        for one, known, name in zip((node.left, node.right), fixed, names, strict=True):
            if not known:
                self.write(f"{joint}(type({name} := ")
                self.visit(one, frame)
                self.write(") is int)")
                joint = " & "  # both sides are worked out, whatever the first one is
        self.write(f" else calculated[{sign!r}]({names[0]}, {names[1]}))")

    return visit


class TemplateCode(CodeGenerator):
    """Writes the code of a template of `Sandbox`."""

    _at_once: nodes.Expr | None = None  # a filter whose result is printed as soon as it is there

    def write_commons(self) -> None:
        """Give short names to what the code below calls."""
        super().write_commons()
        self.writeline("printed = environment.printed")
        self.writeline("escaped = environment.escaped")
        for name in self.environment.printed_filters:  # type: ignore[attr-defined]  # a `Sandbox`
            self.writeline(f"printed_{name} = environment.printed_filters[{name!r}][0]")
        self.writeline("attribute = environment.getattr")
        self.writeline("calculated = environment.calculations")

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        """Write a text of the template, and remember it: whoever has pieces of a page knows these from values."""
        text = super()._output_const_repr(group)
        known: str = ast.literal_eval(text)
        self.environment.statics[known] = known  # type: ignore[attr-defined]  # a `Sandbox`
        return text

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        """Print and escape in one call, and ordinary texts in none; they need no sign that they are safe: they go out at once."""
        if self._is_printed_at_once(node):
            self._at_once = node
        elif self._is_looked_at(node):
            self.write("(escaped(value) if type(value := ")
        else:
            self.write("printed(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if self._at_once is node:
            self._at_once = None
        elif self._is_looked_at(node):
            self.write(") is str and value.isprintable() else printed(value))")
        else:
            self.write(")")

    def _is_looked_at(self, node: nodes.Expr) -> bool:
        """Tell whether something may be an ordinary text, which is printed in place; captured values never are."""
        return self.environment.escaped is not None and not isinstance(node, nodes.EnvironmentAttribute)  # type: ignore[attr-defined]  # a `Sandbox`

    def _is_printed_at_once(self, node: nodes.Expr) -> bool:
        if not isinstance(node, nodes.Filter) or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return False
        known = self.environment.printed_filters.get(node.name)  # type: ignore[attr-defined]  # a `Sandbox`
        return known is not None and len(node.args) <= known[1]

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        """Call a filter; or what prints its result as well."""
        if node is not self._at_once or node.node is None:
            super().visit_Filter(node, frame)
            return
        self.write(f"printed_{node.name}(")
        self.visit(node.node, frame)
        self.signature(node, frame)
        self.write(")")

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> str:
        """Print texts and whole numbers while compiling, and nothing else: the rest looks different in every locale."""
        constant = node.as_const(frame.eval_ctx)
        if not isinstance(constant, str) and type(constant) is not int:
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """Look into a plain record without a call; everything else is asked of the sandbox."""
        self._looked_up(node.node, node.attr, frame)

    @optimizeconst
    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        """Look up `row["name"]` as `row.name`; positions and computed names are asked of the sandbox."""
        if isinstance(node.arg, nodes.Const) and type(node.arg.value) is str:
            self._looked_up(node.node, node.arg.value, frame, by_item=True)
        else:
            CodeGenerator.visit_Getitem(self, node, frame)

    def _looked_up(self, record: nodes.Expr, name: str, frame: Frame, *, by_item: bool = False) -> None:
        asked = "environment.getitem" if by_item else "attribute"
        if isinstance(record, nodes.Name):
            again = first = frame.symbols.ref(record.name)
            self.write(f"({first}[{name!r}] if type({first}) is dict and {name!r} in {again} else {asked}(")
            self.visit(record, frame)
        else:
            again = self.temporary_identifier()
            self.write(f"({again}[{name!r}] if type({again} := ")
            self.visit(record, frame)
            self.write(f") is dict and {name!r} in {again} else {asked}({again}")
        self.write(f", {name!r}))")

    visit_Add = _whole_calculation("+")
    visit_Sub = _whole_calculation("-")
    visit_Mul = _calculation("*")
    visit_Div = _calculation("/")
    visit_FloorDiv = _whole_calculation("//")
    visit_Mod = _calculation("%")
    visit_Pow = _calculation("**")
    visit_Neg = _calculation("neg")
