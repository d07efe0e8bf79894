"""Chains of names such as customer.name, and which of them a condition makes sure of."""

from __future__ import annotations

from jinja2 import nodes


def path_of(node: nodes.Node | None) -> str | None:
    """Return `customer.name` for a chain of names, None for anything else."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        holder = path_of(node.node)
        return f"{holder}.{node.attr}" if holder else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        holder = path_of(node.node)
        return f"{holder}.{node.arg.value}" if holder else None
    return None


def sure_if(test: nodes.Node) -> frozenset[str]:
    """Return the paths that are there when a condition holds."""
    if isinstance(test, nodes.And):
        return sure_if(test.left) | sure_if(test.right)
    if isinstance(test, nodes.Or):
        return sure_if(test.left) & sure_if(test.right)
    if isinstance(test, nodes.Not):
        return sure_unless(test.node)
    if isinstance(test, nodes.Test):
        return _prefixes(test.node) if test.name not in ("none", "undefined", "false") else frozenset()
    if isinstance(test, nodes.Filter):
        return sure_if(test.node) if test.node is not None and test.name not in ("default", "d") else frozenset()
    if isinstance(test, nodes.Compare):
        against = test.ops[0]
        is_none = isinstance(against.expr, nodes.Const) and against.expr.value is None
        if against.op == "ne":
            return _prefixes(test.expr) if is_none else frozenset()
        return frozenset() if is_none or against.op == "notin" else _prefixes(test.expr)
    return _prefixes(test)


def sure_unless(test: nodes.Node) -> frozenset[str]:
    """Return the paths that are there when a condition does not hold."""
    if isinstance(test, nodes.Not):
        return sure_if(test.node)
    if isinstance(test, nodes.Or):
        return sure_unless(test.left) | sure_unless(test.right)
    if isinstance(test, nodes.Test) and test.name in ("none", "undefined"):
        return _prefixes(test.node)
    if isinstance(test, nodes.Compare) and test.ops[0].op == "eq":
        against = test.ops[0].expr
        return _prefixes(test.expr) if isinstance(against, nodes.Const) and against.value is None else frozenset()
    return frozenset()


def _prefixes(node: nodes.Node) -> frozenset[str]:
    path = path_of(node)
    if path is None:
        return frozenset()
    steps = path.split(".")
    return frozenset(".".join(steps[: count + 1]) for count in range(len(steps)))


def start_of(node: nodes.Node) -> nodes.Node:
    """Return the node that an expression starts with."""
    inner = innermost(node)
    while isinstance(inner, (nodes.Getattr, nodes.Getitem, nodes.Call)):
        inner = inner.node
    return inner


def innermost(node: nodes.Node) -> nodes.Node:
    """Return what a chain of filters works on."""
    while isinstance(node, nodes.Filter) and node.node is not None:
        node = node.node
    return node
