"""The one factory of Jinja environments: one per kind of output, all sandboxed, all strict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError
from jinja2.environment import Environment, TemplateExpression
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.tests import TESTS as DEFAULT_TESTS
from jinja2.utils import Namespace

from ccm.compose.failure import NO_MEMORY, ComposeFailure, LimitExceeded
from ccm.compose.filters import FILTERS, FUNCTIONS
from ccm.compose.folding import Folding
from ccm.compose.internal_filters import INTERNAL_FILTERS
from ccm.compose.printed_filters import PRINTED_FILTERS
from ccm.compose.printing import RENDERING, PrintedPage, Rendering, escaped, print_markup, print_plain, printed_markup
from ccm.compose.sandbox import Sandbox
from ccm.compose.translations import Texts, translating_functions
from ccm.diagnostics import Location
from ccm.model.vocabulary import TESTS
from ccm.model.workspace import ContentLibrary, Fragment


class OutputKind(StrEnum):
    """What a template makes; decides escaping."""

    MJML = "mjml"  # escaped; becomes HTML
    HTML = "html"  # escaped
    TEXT = "text"  # as it is


class FragmentLoader(BaseLoader):
    """Finds `fragments/<name>` in the form of one channel, and nothing else: no file system, no other path."""

    def __init__(self, fragments: Mapping[str, Fragment], forms: Sequence[str], library: ContentLibrary) -> None:
        self._fragments = fragments
        self._forms = forms
        self._library = library

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return a fragment's text for Jinja."""
        prefix, _, name = template.partition("/")
        fragment = self._fragments.get(name) if prefix == "fragments" else None
        for form in self._forms:
            if fragment is not None and form in fragment.forms:
                path = fragment.forms[form]
                return self._library.text(path), path, None
        raise TemplateNotFound(template)


class Engine:
    """Renders templates of one output kind.

    Args:
        forms: File names of a fragment's form for this channel, best first (email.mjml, email.html).
        functions: What templates of this channel may call beside the common ones: asset and figures.
        folding: What never changes while this engine lives; None looks everything up when rendering.
        marks_loops: Pages say where loops over table rows begin and end, for `render_page`.
    """

    def __init__(
        self,
        kind: OutputKind,
        *,
        forms: Sequence[str],
        fragments: Mapping[str, Fragment],
        library: ContentLibrary,
        functions: Mapping[str, Callable[..., Any]],
        folding: Folding | None = None,
        marks_loops: bool = False,
    ) -> None:
        self.kind = kind
        markup = kind is not OutputKind.TEXT
        self.environment = Sandbox(
            undefined=StrictUndefined,
            autoescape=markup,
            finalize=print_markup if markup else print_plain,
            loader=FragmentLoader(fragments, forms, library),
            extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"],
            trim_blocks=not markup,
            lstrip_blocks=not markup,
            keep_trailing_newline=False,
            auto_reload=False,
            cache_size=-1,
        )
        self.environment.folding = folding
        self.environment.marks_loops = marks_loops
        self.environment.printed = printed_markup if markup else print_plain
        if markup:
            self.environment.printed_filters = PRINTED_FILTERS
            self.environment.escaped = escaped if marks_loops else None
        self.environment.newstyle_gettext = True  # type: ignore[attr-defined]  # set by the i18n extension
        self._register(functions, markup=markup)

    def _register(self, own: Mapping[str, Callable[..., Any]], *, markup: bool) -> None:
        functions = {
            **FUNCTIONS,
            **own,
            **translating_functions(_texts, self.environment.printed, markup=markup),
            "dict": dict,
            "namespace": Namespace,
        }
        self.environment.globals = functions
        self.environment.callables = {id(one): _takes_context(one) for one in functions.values()}
        self.environment.filters = {**FILTERS, **INTERNAL_FILTERS}
        self.environment.tests = {name: DEFAULT_TESTS[name] for name in sorted(TESTS)}

    def compile(self, source: str, path: str) -> Template:
        """Compile a variant.

        Raises:
            ComposeFailure: If it is not a template; says where.
        """
        with _told(path):
            code = self.environment.compile(source, name=path, filename=path)
            return Template.from_code(self.environment, code, self.environment.make_globals(None))

    def expression(self, source: str, path: str) -> TemplateExpression:
        """Compile one expression of the template's definition."""
        with _told(path):
            return self.environment.compile_expression(source, undefined_to_none=False)


def _takes_context(function: object) -> bool:
    return getattr(function, "jinja_pass_arg", None) is not None


def _texts() -> Texts:
    return RENDERING.get().voice.texts


@dataclass(frozen=True)
class _told:
    """Turns whatever Jinja raises into a `ComposeFailure` with its place in the templates.

    Why: The sentence must name the field and never its value, so no foreign message is passed on but
        those that we know to hold none.
    """

    path: str

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, NO_MEMORY):  # what bounds this process must know
            return
        if isinstance(error, TemplateSyntaxError):
            place = Location(error.filename or self.path, error.lineno)
            raise ComposeFailure("template-syntax", error.message or "not a template", "mend the tag", place) from None
        places = template_places(trace)
        if isinstance(error, ComposeFailure):
            error.location = error.location or (places[0] if places else None)
            return
        raise _explained(error, places) from None


def template_places(trace: Any) -> tuple[Location, ...]:
    """Return the lines of templates in a traceback, innermost first; the others are what included it."""
    places: list[Location] = []
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(trace.tb_lineno)
            place = Location(template.filename or template.name or "", line)
            if not places or places[-1] != place:
                places.append(place)
        trace = trace.tb_next
    return tuple(reversed(places))


def _explained(error: Exception, places: Sequence[Location]) -> ComposeFailure:
    place = places[0] if places else None
    included = "".join(f" (included from {outer})" for outer in places[1:])
    if isinstance(error, UndefinedError):
        return ComposeFailure(
            "missing-value", f"{error.message}{included}", 'add it to the data, or print {{ … | default("–") }}', place
        )
    if isinstance(error, TemplateNotFound):
        return ComposeFailure(
            "missing-fragment",
            f'there is no "{error.name}" for this channel{included}',
            "add the fragment's form",
            place,
        )
    if isinstance(error, SecurityError):
        return ComposeFailure("not-allowed", f"{error.message}{included}", "use the words of the template guide", place)
    if isinstance(error, RecursionError):
        failure = LimitExceeded("nested calls", 1000)
        failure.location = place
        return failure
    return ComposeFailure(
        "template-failed",
        f"the template cannot work with its data ({type(error).__name__}){included}",
        "check the fields that this line uses",
        place,
    )


def render(template: Template, variables: Mapping[str, Any], rendering: Rendering) -> str:
    """Run a template.

    Args:
        variables: What the template sees.
        rendering: State of this run; its slots are filled while capturing.
    Raises:
        ComposeFailure: With the template's line, and without any value.
    """
    return _rendered(template, variables, rendering, template.environment.concat)


def render_page(template: Template, variables: Mapping[str, Any], rendering: Rendering) -> PrintedPage:
    """Run a template as `render` does, and keep the pieces."""
    environment = template.environment
    assert isinstance(environment, Sandbox)
    pieces: list[str] = []

    def kept(parts: Iterable[str]) -> str:
        pieces.extend(parts)
        return environment.concat(pieces)

    page = PrintedPage(_rendered(template, variables, rendering, kept))
    page.pieces, page.statics = pieces, environment.statics
    return page


def _rendered(
    template: Template, variables: Mapping[str, Any], rendering: Rendering, concat: Callable[[Iterable[str]], str]
) -> str:
    environment = template.environment
    assert rendering.slots is None or getattr(environment, "escaped", None) is None, (
        "texts printed in place are not captured"
    )
    token = RENDERING.set(rendering)
    try:
        with _told(template.filename or ""):
            context = template.new_context(variables)  # type: ignore[arg-type]  # read only
            return concat(template.root_render_func(context))
    finally:
        RENDERING.reset(token)


def evaluate(expression: TemplateExpression, variables: Mapping[str, Any], rendering: Rendering) -> Any:
    """Return the value of an expression; a missing field raises `ComposeFailure`."""
    token = RENDERING.set(rendering)
    try:
        with _told(""):
            return expression(variables)
    finally:
        RENDERING.reset(token)
