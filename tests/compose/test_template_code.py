"""Our code for templates and Jinja's own print the same, capture the same and fail the same."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.localedata import locale_identifiers
from babel.numbers import list_currencies
from jinja2 import Template as Compiled
from jinja2.compiler import CodeGenerator
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from markupsafe import Markup, escape

from ccm.compose import Composer
from ccm.compose.composer import _Work
from ccm.compose.engine import Engine, OutputKind, render
from ccm.compose.expressions import Surroundings
from ccm.compose.failure import NO_MEMORY, ComposeFailure
from ccm.compose.filters import FILTERS, _bounded, money
from ccm.compose.filters import date as written
from ccm.compose.filters import number as written_number
from ccm.compose.formats.dates import STYLES
from ccm.compose.formats.locale_formats import _is_bare, formats_for
from ccm.compose.printed_filters import printed_date, printed_money, printed_number
from ccm.compose.printing import RENDERING, Lines, Rendering, StaticText, Voice, print_markup, printed_markup
from ccm.compose.sandbox import Sandbox
from ccm.compose.translations import Texts
from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.values import Money, minor_digits
from ccm.model.workspace import ContentLibrary, Fragment, Workspace
from tests.compose.messages import make_communication
from tests.compose.test_expressions import HOSTILE, ROOT, WORKSPACES, record

NUMBERS = (0, 7, -1234, Decimal("1.5"), Decimal("1.50"), Decimal("-0.00"), Decimal("1E+3"), Decimal("1234567.125"))
CURRENCIES = sorted(list_currencies())
SOURCES = (
    "{{ a }}", "{{ a.b }}|{{ a['b'] }}|{{ a.b.c }}|{{ a['b']['c'] }}", "{{ a[0] }}{{ a[0].b }}{{ a[b] }}", "{{ a[:1] }}",
    "{% for x in rows %}{{ loop.index }}{{ loop.cycle('odd', 'even') }}{{ x.b }}{{ x['b'] }}{% else %}none{% endfor %}",
    "{% for x in rows if x.b %}{{ x.b }}{% endfor %}", "{% for x in rows %}{% for y in x.c %}{{ y }}{% endfor %}{% endfor %}",
    "{% macro m(x, y=1) %}<i>{{ x }}{{ y }}</i>{% endmacro %}{{ m(a) }}{{ m(b, a.b) }}{% set z = m(a) %}{{ z }}",
    "{% set x %}<b>{{ a }}</b>{% endset %}{{ x }}", "{% set ns = namespace(n=0) %}{% for x in rows %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
    "{% if a.b is defined and a.b %}{{ a.b }}{% elif b %}{{ b }}{% else %}-{% endif %}", "{{ a + b }}{{ a - b }}", "{{ a * b }}", "{{ -a }}",
    "{{ a / b }}", "{{ a // b }}{{ a % b }}", "{{ a ** b }}", "{{ a ~ b }}", "{{ (a.b, b)|first }}", "{{ a.b|default('<none>') }}",
    "{{ _('Hello %(who)s & you', who=a) }}{% trans who=b %}Dear {{ who }}{% endtrans %}", "{{ rows|map(attribute='b')|join(' & ') }}",
    "{{ '<x>' }}{{ 5 }}{{ 'a' ~ '<' }}", "{{ static }}{{ safe }}{{ lines }}", "{{ a.__class__ }}", "{{ a.b if a.b is defined else '<' }}",
    "{% with c = a.b %}{{ c }}{% endwith %}", "{% call(x) wrap(a) %}{{ x }}{% endcall %}", "{% block body %}{{ a }}{% endblock %}",
    "{% macro wrap(x) %}[{{ caller(x) }}]{% endmacro %}{% call(x) wrap(a) %}<u>{{ x }}</u>{% endcall %}", "{{ {'k': a}.k }}{{ dict(k=b)['k'] }}",
    "{% filter upper %}{{ a }}<i>{% endfilter %}", "{{ rows|selectattr('b')|total('b') }}{{ rows|rejectattr('b', 'none')|length }}",
    "{{ a|money }}{{ b|money }}", "{{ b|date }}{{ b|date('long') }}", "{{ b|date(a) }}", "{{ a.b|date(style='short') }}", "{{ 3|money('EUR') }}",
    "{{ a|money|upper }}{{ a|date|lower }}", "{% filter money %}{{ a }}{% endfilter %}", "{% set x %}{{ b|money }}{% endset %}{{ x }}",
    "{% for x in rows %}{{ x.b|money }}{{ x.b|date }}{{ x.b }}{% endfor %}", "{{ a|number }}{{ a|number(2) }}{{ a|number|upper }}",
    "{% for x in rows %}{{ x.b|number }}{{ x.b|number }}{% endfor %}", "{{ a.b|number }}", "{{ b|number(decimals=1) }}{{ 5|number }}",
)  # fmt: skip


def voice(language: str = "en") -> Voice:
    formats = formats_for(language, "en-GB")
    return Voice(language, formats.direction, formats, Texts(None, {}))


def compiled(
    source: str, kind: OutputKind, generator: type[CodeGenerator] | None, *, of_pages: bool = False
) -> Compiled | None:
    """A template in our code, or in Jinja's; None if it is not one."""
    with pytest.MonkeyPatch.context() as patch:
        if generator is not None:
            patch.setattr(Sandbox, "code_generator_class", generator)
        try:
            library = ContentLibrary({})
            engine = Engine(kind, forms=(), fragments={}, library=library, functions={}, marks_loops=of_pages)
            return engine.compile(source, "t.html")
        except ComposeFailure:
            return None


SENTINELS = tuple(Markup(f"Zq0sX{number:05d}") for number in range(40))  # letters and digits


def outcome(template: Compiled, variables: Mapping[str, Any], language: str, *, capture: bool) -> str:
    """Everything that rendering gives: text, slots, noted amounts, steps, or the failure."""
    slots: list[str] | None = [] if capture else None
    rendering = Rendering(voice(language), "<br/>", slots, SENTINELS)
    try:
        text = render(template, variables, rendering)
    except ComposeFailure as failure:
        text = repr((failure.code, failure.message, failure.remedy, failure.location))
    return repr((text, slots, rendering.voice.computed, rendering.steps_left))


@pytest.mark.parametrize(
    ("kind", "of_pages"), [*((kind, False) for kind in OutputKind), (OutputKind.HTML, True)], ids=str
)
def test_what_templates_can_say_comes_out_as_jinja_says_it(kind: OutputKind, of_pages: bool) -> None:
    """Loops, macros, blocks, calculations, translations: same text, same slots, same errors at the same lines."""
    draw = random.Random(5)
    compared = 0
    for source in SOURCES:
        ours, theirs = (compiled(f"\n{source}\n", kind, code, of_pages=of_pages) for code in (None, CodeGenerator))
        assert (ours is None) == (theirs is None), source
        if ours is None or theirs is None:
            continue
        for number in range(40):
            a, b = draw.choice(HOSTILE), draw.choice(HOSTILE)
            nested = draw.choice([a, {"b": b}, {"b": {"c": a}}, {"c": a}, ({"b": a},)])
            rows = draw.choice([(), ({"b": b, "c": (a, b)},), ({"b": 1}, {"b": a}), nested])
            seen = {
                "a": nested, "b": b, "rows": rows, "static": StaticText("<&>"), "safe": Markup("<hr/>"), "lines": Lines(("<1>", "\u00a02"))
            }  # fmt: skip
            for capture in (False,) if kind is OutputKind.TEXT or of_pages else (False, True):
                language = ("en", "ar", "de")[number % 3]
                wanted = outcome(theirs, seen, language, capture=capture)
                assert outcome(ours, seen, language, capture=capture) == wanted, (source, seen)
                compared += 1
    assert compared > 1_000


VALUES: tuple[object, ...] = (
    *(value for value in HOSTILE if value not in ((), [], {}, None)), "<a href=\"x\" title='y'>&amp;\u00a0", " edge ", "\x00\x07", "a\r\nb\rc", "\n\t ", "\u200e\ufeff",
    Markup("<b>"), Markup(" <b>\x00 "), StaticText("a & b"), Lines(("a<", " b ", "")), Lines(()), Decimal("1234.5"), 1234,
)  # fmt: skip


@pytest.mark.parametrize("capture", [False, True])
def test_printing_in_one_call_is_printing_and_escaping(capture: bool) -> None:
    """One by one, and when there are more values than signs to stand for them."""
    token = None
    for value in VALUES:
        results = []
        for printing in (printed_markup, lambda one: escape(print_markup(one))):
            for marks in (SENTINELS, ()):
                slots: list[str] | None = [] if capture else None
                token = RENDERING.set(Rendering(voice(), "<br/>", slots, marks))
                try:
                    results.append((str(printing(value)), slots))
                except ComposeFailure as failure:
                    results.append((failure.message, slots))
                finally:
                    RENDERING.reset(token)
        assert results[:2] == results[2:], value
    assert token is not None


def test_amounts_days_and_numbers_are_printed_at_once_as_in_two_steps() -> None:
    """In every locale of CLDR: separators and signs of currencies that markup escapes are escaped."""
    draw = random.Random(11)
    amounts = [Decimal(text) for text in ("0.00", "-0.00", "7.5", "-7.25", "1E+3")]
    bare = 0
    for identifier in locale_identifiers():
        tag = identifier.replace("_", "-")
        formats = formats_for(tag, tag)
        token = RENDERING.set(Rendering(Voice(tag, formats.direction, formats, Texts(None, {}))))
        try:
            for currency in ("EUR", "CHF", *draw.sample(CURRENCIES, 3)):
                size = draw.randint(2, 11)
                for amount in (*amounts, Decimal(draw.randint(-(10**size), 10**size)).scaleb(-minor_digits(currency))):
                    value = Money(amount.quantize(Decimal(1).scaleb(-minor_digits(currency))), currency)
                    assert printed_money(value) == printed_money(value) == escape(print_markup(money(value)))
                bare += currency in formats.bare_amounts
            for one in (*NUMBERS, draw.randint(-(10**size), 10**size), Decimal(draw.randint(1, 10**size)).scaleb(-5)):
                assert printed_number(one) == printed_number(one) == escape(print_markup(written_number(one)))
            for style in STYLES:
                day = date(2026, draw.randint(1, 12), draw.randint(1, 28))
                assert printed_date(day, style) == printed_date(day, style) == escape(print_markup(written(day, style)))
        finally:
            RENDERING.reset(token)
    assert bare > 1_000
    assert not _is_bare(lambda amount: f"{amount} <&>")
    assert not _is_bare(lambda amount: f"{amount}'000")


# ── the sample templates and the oracle's, with customers as they should not be ──


@dataclass
class _Desk:
    """Composers of one template, in our code and in Jinja's."""

    ours: Composer
    theirs: Composer


def desks(workspace: Workspace) -> dict[str, _Desk]:
    (brand, *_) = workspace.brands.values()
    parts = [(name, (one, brand, workspace.fragments, workspace.library)) for name, one in workspace.templates.items()]
    return {name: _Desk(Composer(*four), Composer(*four)) for name, four in parts}


def pages(composer: Composer, data: Mapping[str, object], parameters: Mapping[str, object], language: str) -> str:
    """What the document, the captured email and the text message of one customer are before any layout."""
    communication = make_communication(
        data,
        language=language,
        locale="de-DE",
        channels=(Channel.DOCUMENT, Channel.EMAIL, Channel.SMS),
        parameters=parameters,
    )
    work = _Work(communication, composer._voice(communication), data)
    said: list[object] = []
    try:
        work.data = composer._statements.derived(data, work.voice)
    except ComposeFailure as failure:
        return repr((failure.message, work.voice.computed))
    composer._tell_facts(work)
    for piece in communication.pieces:
        slots: list[str] = []
        try:
            variant = composer._variant(piece.channel)
            variables = composer._variables(work, piece)
            if piece.channel is Channel.EMAIL:
                emails = composer._email_composer(work.voice)
                said.append(
                    render(emails._page, variables, Rendering(work.voice, "<br/>", slots, composer._sentinels.marks))
                )
            elif piece.channel is Channel.DOCUMENT:
                said.append(render(composer._document_page(work.voice), variables, Rendering(work.voice, "<br/>")))
            else:
                said.append(composer._rendered_text(variant, ("sms.txt",), variables, work.voice))
        except ComposeFailure as failure:
            said.append((failure.code, failure.message, failure.location))
        said.append(slots)
    return repr((said, work.facts, work.findings, work.data, work.voice.computed))


@pytest.mark.data
@pytest.mark.parametrize("root", WORKSPACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sample_templates_say_the_same_in_both(root: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents, captured emails and text messages, with naughty names and amounts that nobody thought of."""
    strings = json.loads((shared_data / "vectors" / "naughty" / "blns.json").read_text("utf-8"))
    workspace, diagnostics = load_workspace(root)
    assert workspace is not None, diagnostics
    draw = random.Random(17)
    compared = 0
    for name, desk in desks(workspace).items():
        definition = workspace.templates[name].definition
        for number in range(60):
            data = with_texts(record(definition.contract, draw, (0.0, 0.01, 0.05)[number % 3]), strings, draw)
            parameters = {field: draw.choice([Decimal("12.5"), "x", None]) for field in definition.parameters}
            language = definition.locales[number % len(definition.locales)]
            with monkeypatch.context() as patch:
                patch.setattr(Sandbox, "code_generator_class", CodeGenerator)
                wanted = pages(desk.theirs, data, parameters, language)
            assert pages(desk.ours, data, parameters, language) == wanted, (name, number)
            compared += 1
    assert compared >= 120


def with_texts(value: Any, strings: list[str], draw: random.Random) -> Any:
    """The same data with naughty texts."""
    if isinstance(value, dict):
        return {name: with_texts(one, strings, draw) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(with_texts(one, strings, draw) for one in value)
    return draw.choice(strings) if isinstance(value, str) and value != "EUR" and draw.random() < 0.6 else value


@pytest.mark.parametrize("kind", list(OutputKind))
def test_a_number_in_a_template_is_written_for_each_reader(kind: OutputKind) -> None:
    """Whoever was first: what is compiled while a message is made holds nothing of its reader."""
    library = ContentLibrary({"f/text": b"{{ 2.5 }} {{ 1234.5|number }} {{ 3|money('EUR') }}"})
    fragments = {"f": Fragment("f", "f", {"text": "f/text"}, {})}
    engine = Engine(kind, forms=("text",), fragments=fragments, library=library, functions={})
    template = engine.compile("{% include 'fragments/f' %} {{ 0.5 }}", "t")
    for locale, wanted in (("de-DE", "2,5 1.234,5 3,00\u00a0€ 0,5"), ("en-GB", "2.5 1,234.5 €3.00 0.5")):
        formats = formats_for(locale[:2], locale)
        assert render(template, {}, Rendering(Voice(locale[:2], "ltr", formats, Texts(None, {})))) == wanted


@pytest.mark.parametrize("error", NO_MEMORY)
@pytest.mark.parametrize("kind", list(OutputKind))
def test_a_process_without_memory_is_no_mistake_of_the_template(kind: OutputKind, error: type[Exception]) -> None:
    """Whoever bounds the process must know: the error comes through as it is."""

    def hungry() -> str:
        raise error

    engine = Engine(kind, forms=(), fragments={}, library=ContentLibrary({}), functions={"hungry": hungry})
    voice = Voice("en", "ltr", formats_for("en", "en-GB"), Texts(None, {}))
    with pytest.raises(error):
        render(engine.compile("{{ hungry() }}", "t"), {}, Rendering(voice))


def test_rows_are_chosen_by_a_field_as_jinja_chooses_them() -> None:
    """The quick way for plain rows: the same rows, or the same error, and the same steps."""
    environment = Engine(OutputKind.TEXT, forms=(), fragments={}, library=ContentLibrary({}), functions={}).environment
    surroundings = Surroundings(environment)
    draw = random.Random(23)
    for number in range(2_000):
        name = draw.choice(["b", "c.b", "0", "missing", "__class__"])
        rows: Any = tuple(
            {"b": draw.choice(HOSTILE), "c": {"b": draw.choice(HOSTILE)}} for _ in range(draw.randint(0, 3))
        )
        rows = draw.choice([rows, list(rows), draw.choice(HOSTILE), environment.undefined(name="rows")])
        wanted = [
            chosen(_bounded(DEFAULT_FILTERS[way]), surroundings, rows, name) for way in ("selectattr", "rejectattr")
        ]
        assert [chosen(FILTERS[way], surroundings, rows, name) for way in ("selectattr", "rejectattr")] == wanted, (
            number
        )


def chosen(choosing: Any, *arguments: Any) -> str:
    rendering = Rendering(voice())
    token = RENDERING.set(rendering)
    try:
        return repr((choosing(*arguments), rendering.steps_left))
    except Exception as error:  # compared, whatever it is
        return repr((type(error), str(error)))
    finally:
        RENDERING.reset(token)


def test_the_values_are_of_every_type() -> None:
    """The lists above hold every type that data can have."""
    assert {type(value) for value in HOSTILE} >= {Money, Decimal, int, str, bool, tuple, dict}
