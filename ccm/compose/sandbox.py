"""The sandbox: templates read items, never attributes; they are counted, and nothing else is within reach."""

from __future__ import annotations

import contextvars
import datetime as clock
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import Any

from jinja2 import nodes
from jinja2.environment import Environment, Template, TemplateModule
from jinja2.exceptions import SecurityError, TemplateAssertionError, TemplateError
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from ccm.compose.calculations import CALCULATIONS
from ccm.compose.failure import LimitExceeded
from ccm.compose.folding import Folding, is_translated
from ccm.compose.printing import LOOP_MARK, MAX_CHARACTERS, RENDERING, Printable, print_plain
from ccm.compose.template_code import TemplateCode
from ccm.compose.translations import escaped_text
from ccm.model.values import Money

_DATE = frozenset({"year", "month", "day"})
_SHOWN: Mapping[type, frozenset[str]] = {
    Money: frozenset({"amount", "currency"}),
    clock.date: _DATE,
    clock.datetime: _DATE | {"hour", "minute"},
    LoopContext: frozenset(
        [
            "index",
            "index0",
            "revindex",
            "revindex0",
            "first",
            "last",
            "length",
            "depth",
            "depth0",
            "previtem",
            "nextitem",
            "cycle",
            "changed",
        ]
    ),
}
# Names whose values authors wrote: the same for every customer of one language.
_AUTHORED = frozenset({"tokens", "brand", "parameters", "asset", "locale", "_", "gettext"})


class _LightContext(Context):
    """The variables of one rendering; what is the same in every one is made once for the environment."""

    def __init__(
        self,
        environment: Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: MutableMapping[str, Any] | None = None,
    ) -> None:
        assert isinstance(environment, Sandbox)
        self.parent = parent
        self.vars = {}
        self.environment = environment
        self.eval_ctx = environment.evaluation
        self.exported_vars = set()
        self.name = name
        self.globals_keys = environment.known_names if globals is environment.globals else set(globals or ())
        self.blocks = {block: [code] for block, code in blocks.items()} if blocks else {}


class Sandbox(ImmutableSandboxedEnvironment):
    """Base of every environment. Attribute access is item access only, and all work is counted.

    printed: What `{{ … }}` calls: the text of a value, escaped if the output is markup.
    escaped: What is left to do for a text of printable signs; None where values are captured.
    printed_filters: What prints the result of a filter at once, by the filter's name, and how many arguments it takes.
    calculations: What each sign of arithmetic does; `neg` turns a sign around.
    marks_loops: Whether loops over table rows say where they begin and end.
    statics: Every text of the templates that were compiled.
    """

    code_generator_class = TemplateCode
    context_class = _LightContext
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"-"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.callables: dict[int, bool] = {}  # our functions by their identity, and whether they take the context
        self.folding: Folding | None = None
        self._fragments: dict[str, Template] = {}
        self.marks_loops = False
        self.loop_mark = LOOP_MARK
        self.statics: dict[str, str] = {}
        self.printed: Callable[[Any], str] = print_plain
        self.escaped: Callable[[str], str] | None = None
        self.printed_filters: Mapping[str, tuple[Callable[..., str], int]] = {}
        self.calculations = CALCULATIONS
        self.concat = _concat  # type: ignore[method-assign]  # a class attribute in Jinja

    @cached_property
    def evaluation(self) -> nodes.EvalContext:
        """What is known of escaping; no template can change it, the tag `autoescape` is not there."""
        return nodes.EvalContext(self)

    @cached_property
    def known_names(self) -> set[str]:
        """The names of the functions that every template sees."""
        return set(self.globals)

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None
    ) -> Template:
        """Return a fragment; compiled when it is first asked for."""
        known = self._fragments.get(name) if isinstance(name, str) else None
        if known is None:
            known = super().get_template(name, parent, globals)
            if isinstance(name, str):
                self._fragments[name] = known
        return known

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        tree = _Counting(self, name, filename).rewrite(source)
        # A fragment is compiled while a customer's message is made. Without that customer: what Jinja works out
        # beforehand must not be written in the locale of whoever comes first.
        return contextvars.Context().run(super()._generate, tree, name, filename, defer_init)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the functions that every template sees; a plain dict, which Jinja's chain of maps is not."""
        return self.globals if not d else {**self.globals, **d}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what a dot gives: an item of a record, or a shown attribute of our own values."""
        kind = type(obj)
        if kind in _SHOWN and attribute in _SHOWN[kind]:
            return getattr(obj, attribute)
        if kind is dict or isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)  # raises UndefinedError, which names the field
        if isinstance(obj, Printable) and attribute in obj.shown:
            return getattr(obj, attribute)
        if isinstance(obj, (Namespace, TemplateModule)) and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute) if isinstance(obj, Namespace) else obj.__dict__[attribute]
            except (KeyError, AttributeError):
                return self.undefined(obj=obj, name=attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return what brackets give: an item by name or position."""
        if isinstance(argument, str):
            found = self.getattr(obj, str(argument))
            if isinstance(found, Undefined) and not isinstance(obj, Printable):
                # The name may come from a customer's data: it must not get into a message.
                return self.undefined(hint="a field that was chosen in brackets is missing")
            return found
        if isinstance(obj, (str, Sequence, Mapping)) and isinstance(argument, (int, slice)):
            try:
                return obj[argument]
            except (LookupError, TypeError, ValueError):
                return self.undefined(hint="a list has no item at that place")
        if isinstance(obj, Undefined):
            return obj[argument]  # raises UndefinedError
        return self.undefined(hint="a value that has no items is asked for one")

    def is_safe_callable(self, obj: Any) -> bool:
        """Tell whether templates may call this: macros, loop.cycle, loop.changed and what we registered."""
        if id(obj) in self.callables or type(obj) is Macro:
            return True
        owner = getattr(obj, "__self__", None)
        return type(owner) is LoopContext and getattr(obj, "__name__", "") in ("cycle", "changed")

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # Jinja's own form
        """Call a macro or function from a template, and count it."""
        rendering = RENDERING.get(None)
        if rendering is not None:
            rendering.spend(1)
        takes_context = __self.callables.get(id(__obj))
        if takes_context is not None:  # none of ours looks at what a loop or a block assigned
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
            return __obj(__context, *args, **kwargs) if takes_context else __obj(*args, **kwargs)
        if not __self.is_safe_callable(__obj):
            raise SecurityError("only macros and the functions of the template guide can be called")
        return __context.call(__obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate; exact for numbers, bounded for texts and lists."""
        return self.calculations[operator](left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Turn a sign around."""
        return self.calculations["neg"](arg)


def _concat(parts: Iterable[str]) -> str:
    if type(parts) is not list:
        parts = list(parts)
    if sum(map(len, parts)) > MAX_CHARACTERS:
        raise LimitExceeded("characters", MAX_CHARACTERS)
    return "".join(parts)


def counted_and_bounded(tree: nodes.Template, environment: Sandbox) -> nodes.Template:
    """Return a parsed template as it is compiled."""
    return _Counting(environment, None, None).rewrite(tree)


class _Counting(NodeTransformer):
    """Rewrites a parsed template so that loops, includes and joined texts are counted and bounded."""

    def __init__(
        self, environment: Sandbox, name: str | None, filename: str | None, inside: frozenset[str] = frozenset()
    ) -> None:
        self._environment = environment
        self._name = name
        self._filename = filename
        self._inside = inside  # fragments that are being looked into
        self._taken: frozenset[str] = frozenset()

    def rewrite(self, tree: nodes.Template) -> nodes.Template:
        """Return the tree, counted and bounded, with constants worked out."""
        self._taken = frozenset(_assigned(tree))
        visited: nodes.Template = self.visit(tree)
        return visited

    def visit_For(self, node: nodes.For) -> nodes.Node | list[nodes.Node]:
        if node.recursive:
            raise self._refused("recursive loops are not available; use nested loops", node)
        self.generic_visit(node)
        node.iter = _filter(node.iter, "_counted")
        if not self._environment.marks_loops or not _begins_row(node.body):
            return node
        return [_loop_mark(node), node, _loop_mark(node)]

    def visit_Include(self, node: nodes.Include) -> list[nodes.Node]:
        if not isinstance(node.template, nodes.Const):
            raise self._refused("include a fragment by its name, not by a variable", node)
        count = nodes.ExprStmt(_filter(nodes.Const(1, lineno=node.lineno), "_counted_step"), lineno=node.lineno)
        text = self._constant(node.template.value)
        if text is not None:
            return [count, nodes.Output([nodes.TemplateData(text, lineno=node.lineno)], lineno=node.lineno)]
        return [count, node]

    def _constant(self, fragment: Any) -> str | None:
        """Return the text of a fragment that is the same for every customer of the language; None if it is not.

        Why: Head, foot and style of a page are mostly such; a template of its own costs more than what it prints.
        """
        environment = self._environment
        if environment.folding is None or environment.loader is None or not isinstance(fragment, str):
            return None
        if fragment in self._inside:
            return None  # a fragment that includes itself
        try:
            source, path, _ = environment.loader.get_source(environment, fragment)
            inner = _Counting(environment, fragment, path, self._inside | {fragment})
            tree = inner.rewrite(environment.parse(source, fragment, path))
        except TemplateError:
            return None  # said when the fragment is included, which an {% if %} may never do
        texts: list[str] = []
        for node in tree.body:
            for child in node.nodes if isinstance(node, nodes.Output) else (node,):
                if not isinstance(child, nodes.TemplateData):
                    return None
                texts.append(child.data)
        return "".join(texts)

    def visit_Extends(self, node: nodes.Extends) -> nodes.Node:
        raise self._refused("templates do not extend each other; use fragments", node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Filter(node.nodes[0], "_joined", node.nodes[1:], [], None, None, lineno=node.lineno)

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        if isinstance(node.value, float):
            return _filter(nodes.Const(repr(node.value), lineno=node.lineno), "_exact")
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        folded = [self._folded(child) for child in node.nodes]
        node.nodes = folded
        self.generic_visit(node)
        node.nodes = [self._static(child) for child in node.nodes]
        return node

    def _folded(self, node: nodes.Expr) -> nodes.Expr:
        folding = self._environment.folding
        if folding is None or isinstance(node, nodes.TemplateData):
            return node
        text = folding.printed(node, self._environment, self._name, self._taken)
        if text is None:
            return node
        if self._environment.autoescape:
            text = escaped_text(text) if is_translated(text) else escape(text)
        return nodes.TemplateData(str(text), lineno=node.lineno)

    def _static(self, node: nodes.Expr) -> nodes.Expr:
        """Mark what is printed from authored names alone: it belongs to the structure, not to the slots."""
        if isinstance(node, (nodes.TemplateData, nodes.Const)):
            return node
        names = {name.name for name in node.find_all(nodes.Name)} | (
            {node.name} if isinstance(node, nodes.Name) else set()
        )
        if names and names <= _AUTHORED - self._taken and not any(isinstance(one, nodes.Call) for one in _all(node)):
            return _filter(node, "_authored")
        return node

    def _refused(self, message: str, node: nodes.Node) -> TemplateAssertionError:
        return TemplateAssertionError(message, node.lineno, self._name, self._filename)


def _begins_row(body: Iterable[nodes.Node]) -> bool:
    """Tell whether the first thing that a loop prints is a table row."""
    for node in body:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                text = child.data.lstrip() if isinstance(child, nodes.TemplateData) else "a value"
                if text:
                    return text.startswith("<tr")
        elif not isinstance(node, (nodes.Assign, nodes.ExprStmt)):
            return False
    return False


def _loop_mark(beside: nodes.Node) -> nodes.Output:
    mark = nodes.EnvironmentAttribute("loop_mark", lineno=beside.lineno)
    return nodes.Output([mark], lineno=beside.lineno)


def _assigned(tree: nodes.Template) -> Iterator[str]:
    """Yield every name that a template gives a meaning of its own."""
    yield from (name.name for name in tree.find_all(nodes.Name) if name.ctx != "load")
    yield from (macro.name for macro in tree.find_all(nodes.Macro))
    yield from (one.target for one in tree.find_all(nodes.Import))
    for one in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in one.names)


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def _filter(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
