"""What a template prints that is the same for every customer of one language is worked out while compiling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes
from jinja2.environment import Environment
from jinja2.nodes import Impossible
from jinja2.runtime import Undefined

from ccm.compose.failure import ComposeFailure
from ccm.compose.printing import StaticText
from ccm.compose.translations import Texts


class Folding:
    """Values that do not change while an environment lives.

    Args:
        values: By the names that templates use: tokens, brand, locale.
        functions: Functions that give the same for the same constant, such as asset.
        texts: Catalogues of the language.
    Why: Two thirds of what an email prints are tokens, brand texts and translations; looking them up for
        every customer costs more than everything else that templates do.
    """

    def __init__(self, values: Mapping[str, Any], functions: Mapping[str, Any], texts: Texts) -> None:
        self._values = values
        self._functions = functions
        self._texts = texts

    def printed(self, node: nodes.Expr, environment: Environment, template: str | None, taken: frozenset[str]) -> Any:
        """Return what an expression prints, or None if that is only known when rendering.

        Args:
            taken: Names that the template itself assigns; they hide ours.
        """
        try:
            value = self._value(node, environment, template, taken)
        except (Impossible, ComposeFailure):
            return None
        return value if isinstance(value, str) else None

    def _value(self, node: nodes.Node, environment: Environment, template: str | None, taken: frozenset[str]) -> Any:
        def inner(one: nodes.Node) -> Any:
            return self._value(one, environment, template, taken)

        if isinstance(node, nodes.Const):
            return StaticText(node.value) if isinstance(node.value, str) else node.value
        if isinstance(node, nodes.Name) and node.name in self._values and node.name not in taken:
            return self._values[node.name]
        if isinstance(node, nodes.Getattr):
            return _known(environment.getattr(inner(node.node), node.attr))
        if isinstance(node, nodes.Getitem):
            return _known(environment.getitem(inner(node.node), inner(node.arg)))
        if isinstance(node, nodes.CondExpr) and node.expr2 is not None:
            return inner(node.expr1 if inner(node.test) else node.expr2)
        if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in ("eq", "ne"):
            return (inner(node.expr) == inner(node.ops[0].expr)) is (node.ops[0].op == "eq")
        if isinstance(node, nodes.Call):
            return self._called(node, template, taken)
        raise Impossible

    def _called(self, node: nodes.Call, template: str | None, taken: frozenset[str]) -> Any:
        alone = len(node.args) == 1 and not node.kwargs and node.dyn_args is None and node.dyn_kwargs is None
        if not alone or not isinstance(node.node, nodes.Name) or not isinstance(node.args[0], nodes.Const):
            raise Impossible
        name, argument = node.node.name, node.args[0].value
        if name in taken or not isinstance(argument, str):
            raise Impossible
        if name in self._functions:
            return self._functions[name](argument)
        if name in ("_", "gettext") and "%" not in argument:
            text = self._texts.find(template, "", argument)
            if "%" not in text:
                return _Translated(text)
        raise Impossible


class _Translated(str):
    """A text of a catalogue, which may hold tags."""

    __slots__ = ()


def is_translated(text: str) -> bool:
    """Tell whether folding found a text in a catalogue."""
    return isinstance(text, _Translated)


def _known(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise Impossible
    return value
