"""Whether a template's values can be captured: nothing may look at printed text that holds slots."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes
from jinja2.exceptions import TemplateError

from ccm.compose.engine import Engine
from ccm.model.vocabulary import TRANSLATING


def why_not_fillable(engine: Engine, source: str) -> str:
    """Return why a template cannot be captured; empty if it can.

    Macros, block assignments and translated texts hold slots once they are printed. Printing them again is
    fine; anything else (a filter, a comparison, a length) would work on the slot and not on the value.

    Args:
        source: Text of the template; what it includes is looked at as well.
    """
    try:
        trees = list(_trees(engine, source, set()))
    except TemplateError:
        return ""  # compiling says what is wrong
    for tree in trees:
        reason = _reason(tree)
        if reason:
            return reason
    return ""


def _trees(engine: Engine, source: str, seen: set[str]) -> Iterator[nodes.Template]:
    tree = engine.environment.parse(source)
    yield tree
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport)):
        named = getattr(node, "template", None)
        name = named.value if isinstance(named, nodes.Const) else None
        loader = engine.environment.loader
        if isinstance(name, str) and name not in seen and loader is not None:
            seen.add(name)
            yield from _trees(engine, loader.get_source(engine.environment, name)[0], seen)


def _reason(tree: nodes.Template) -> str:
    printed = {id(child) for output in tree.find_all(nodes.Output) for child in output.nodes}
    if next(tree.find_all(nodes.FilterBlock), None) is not None:
        return "a filter works on a whole block"
    blocks = list(tree.find_all(nodes.AssignBlock))
    if any(block.filter is not None for block in blocks):
        return "a filter works on a whole block"
    names = {name.name for block in blocks for name in block.target.find_all(nodes.Name)}
    names |= {block.target.name for block in blocks if isinstance(block.target, nodes.Name)}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in names and id(name) not in printed:
            return f'the block "{name.name}" is used otherwise than by printing it'
    macros = _macros(tree)
    for call in tree.find_all(nodes.Call):
        if id(call) not in printed and (_is_macro(call, macros) or _is_filled_text(call)):
            return "a macro or a text with values is used otherwise than by printing it"
    return ""


def _macros(tree: nodes.Template) -> set[str]:
    names = {macro.name for macro in tree.find_all(nodes.Macro)} | {"caller"}
    names |= {node.target for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.FromImport):
        names |= {name if isinstance(name, str) else name[1] for name in node.names}
    return names


def _is_macro(call: nodes.Call, macros: set[str]) -> bool:
    function = call.node
    while isinstance(function, (nodes.Getattr, nodes.Getitem)):
        function = function.node
    return isinstance(function, nodes.Name) and function.name in macros


def _is_filled_text(call: nodes.Call) -> bool:
    function = call.node
    return isinstance(function, nodes.Name) and function.name in TRANSLATING and bool(call.kwargs)
