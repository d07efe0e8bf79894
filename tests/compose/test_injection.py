"""T12: hostile templates escape nowhere. T13: template bombs stop with a named error, neighbours unaffected."""

from __future__ import annotations

import time

import pytest

from ccm.compose.calculations import MAX_ITEMS
from ccm.model.definitions import Channel
from ccm.model.records import SmsRendition
from tests.compose.messages import codes, make_communication, make_composer

_ROOTS = [
    "''", "()", "[]", "{}", "0", "1.5", "true", "none", "name", "brand", "tokens", "brand.legal", "facts", "message",
    "locale", "parameters", "range", "dict", "namespace", "_", "gettext", "salutation", "asset", "qr", "message.issued_on",
    "loop", "self", "caller", "undefined_thing", "rows", "rows[0]", "amount", "brand.tokens",
]  # fmt: skip
_STEPS = [".__class__", "['__class__']", ".__init__", ".__globals__", ".__mro__", ".__subclasses__()", "['__bases__']"]
_CHAINS = [root + step for root in _ROOTS for step in _STEPS[:5]]

_PAYLOADS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ [].__class__.__base__.__subclasses__()[0] }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self._TemplateReference__context.environment }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ range.__class__ }}",
    "{{ dict.__bases__ }}",
    "{{ dict.mro() }}",
    "{{ _.__globals__ }}",
    "{{ gettext.__func__.__globals__ }}",
    "{{ salutation.__globals__ }}",
    "{{ asset.__self__ }}",
    "{{ asset.__func__.__globals__ }}",
    "{{ asset.__self__._library.files }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ config.items() }}",
    "{{ request.application.__globals__ }}",
    "{{ name|attr('__class__') }}",
    "{{ name|attr('upper')() }}",
    "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ ['__class__']|map(attribute='__class__')|first }}",
    "{{ rows|map(attribute='__class__')|first }}",
    "{{ rows|map('attr','__class__')|first }}",
    "{{ rows|selectattr('__class__')|first }}",
    "{{ rows|groupby('__class__')|first }}",
    "{{ rows|sum(attribute='__class__') }}",
    "{{ rows|total('__class__') }}",
    "{{ rows|join(attribute='__class__') }}",
    "{{ '{0.__class__}'.format(name) }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(range) }}",
    "{{ '{x.__class__}'.format_map({'x': name}) }}",
    "{{ '%s'|format(name) }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ ('%s' % name).__class__ }}",
    "{{ name.format }}",
    "{{ name.upper() }}",
    "{{ name.encode() }}",
    "{{ name['upper']() }}",
    "{{ name.join(['a','b']) }}",
    "{{ brand.title.__class__ }}",
    "{{ brand.title.upper() }}",
    "{{ brand.items() }}",
    "{{ brand.pop('title') }}",
    "{{ brand.update({'title': 'x'}) }}",
    "{{ brand.clear() }}",
    "{{ tokens.value }}{{ tokens.printed() }}",
    "{{ rows.append(1) }}",
    "{{ rows.count(1) }}",
    "{{ rows[0].clear() }}",
    "{% set brand.title = 'x' %}",
    "{% set ns = namespace() %}{{ ns.__class__ }}",
    "{% set ns = namespace() %}{{ ns._Namespace__attrs }}",
    "{{ namespace(a=1).__init__ }}",
    "{% for x in rows %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in rows %}{{ loop._iterable }}{% endfor %}",
    "{% for x in rows %}{{ loop(rows) }}{% endfor %}",
    "{% for x in rows recursive %}{{ loop(rows) }}{% endfor %}",
    "{% for x in rows %}{{ loop.cycle.__self__ }}{% endfor %}",
    "{% for x in rows %}{{ loop.cycle.__func__ }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__class__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% include 'brands/acme/secret.txt' %}",
    "{% include '../brands/acme/secret.txt' %}",
    "{% include 'fragments/../../brands/acme/secret.txt' %}",
    "{% include '/etc/passwd' %}",
    "{% include 'file:///etc/passwd' %}",
    "{% include name %}",
    "{% include ['brands/acme/secret.txt', 'x'] %}",
    "{% import 'brands/acme/secret.txt' as s %}{{ s }}",
    "{% from '/etc/passwd' import root %}{{ root }}",
    "{% import 'fragments/f' as f %}{{ f.__class__ }}",
    "{% import 'fragments/f' as f %}{{ f._body_stream }}",
    "{% import 'fragments/f' as f %}{{ f.__dict__ }}",
    "{% extends 'brands/acme/secret.txt' %}",
    "{% extends name %}",
    "{{ asset('../../etc/passwd') }}",
    "{{ asset('/etc/passwd') }}",
    "{{ asset('../acme/../../brands/acme/secret.txt') }}",
    "{{ asset('../other/logo.png') }}",
    "{{ '<b>'|safe }}",
    "{{ name|pprint }}",
    "{{ rows|random }}",
    "{{ {'a': name}|xmlattr }}",
    "{{ name|tojson }}",
    "{{ name|urlize }}",
    "{{ name|filesizeformat }}",
    "{{ name|center(80) }}",
    "{{ open('/etc/passwd').read() }}",
    "{{ eval('1') }}",
    "{{ exec('1') }}",
    "{{ __import__('os') }}",
    "{{ globals() }}",
    "{{ vars() }}",
    "{{ environment }}",
    "{{ context.environment }}",
    "{{ ().__class__.__base__ }}",
    "{{ (1).__class__ }}",
    "{{ 1.0.real }}",
    "{{ amount.amount.__class__ }}",
    "{{ amount.rounded }}",
    "{{ amount.rounded() }}",
    "{{ amount.__dataclass_fields__ }}",
    "{{ message.issued_on.today() }}",
    "{{ message.issued_on.strftime('%Y') }}",
    "{{ message.issued_on.resolution }}",
    "{{ facts.sum.value.__class__ }}",
    "{{ facts.sum.printed }}",
    "{{ facts.sum.__slots__ }}",
    "{{ facts.__class__ }}",
    "{{ _('%(x)s').__class__ }}",
    "{{ _('x %(y)s', y=name).__html__ }}",
    "{{ gettext.jinja_pass_arg }}",
    "{{ name is filter }}",
    "{{ 'upper' is test }}",
    "{{ rows|map('_counted')|list }}{{ ''.__class__ }}",
    "{% set x = rows.__iter__ %}{{ x }}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{{ rows|map('safe')|first }}",
    "{% do rows.append(1) %}",
    "{% debug %}",
    "{{ name['__cl' ~ 'ass__'] }}",
    "{{ name[('__class__')] }}",
    "{{ brand['__class__'] }}",
]
_MARKS = ("<class", "object at 0x", "TOP SECRET", "root:", "built-in", "function", "uid=", "<module", "method")


def _composed(source: str) -> tuple[list[str], str]:
    composer = make_composer(
        sms=source,
        contract={"name": "text", "rows": {"list": {"a": "text"}}, "amount": {"type": "money", "currency": "EUR"}},
        facts={"sum": {"value": "amount", "kind": "money"}},
        fragments={"f": {"sms.txt": "{% macro m() %}x{% endmacro %}"}},
    )
    from decimal import Decimal

    from ccm.model.values import Money

    data = {"name": "Ann", "rows": ({"a": "1"}, {"a": "2"}), "amount": Money(Decimal(1), "EUR")}
    composed = composer.compose(make_communication(data, channels=(Channel.SMS,)))
    text = "".join(one.text for one in composed.renditions if isinstance(one, SmsRendition))
    return codes(composed), text


def test_there_are_enough_payloads() -> None:
    """The list is as long as promised."""
    assert len(set(_PAYLOADS)) >= 120
    assert len(set(_CHAINS)) >= 120


@pytest.mark.parametrize("source", _PAYLOADS)
def test_payload_does_not_escape(source: str) -> None:
    """A hostile template is refused with a finding, or prints nothing but harmless text."""
    found, text = _composed(source)
    assert found or not any(mark in text for mark in _MARKS), text
    if not found:
        assert text in ("", "xnone", "Ann") or not any(sign in text for sign in "_<>"), text


def test_every_chain_of_attributes_is_refused() -> None:
    """No dunder of any value within reach gives anything."""
    for chain in _CHAINS:
        found, text = _composed("{{ " + chain + " }}")
        assert found, (chain, text)


_BOMBS = [
    "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{{ range(10000000000)|length }}",
    "{{ range(999999999) }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
    "{{ 'x' * 10000000000 }}",
    "{{ [1] * 10000000000 }}",
    "{{ 9 ** 64 ** 64 ** 64 }}",
    "{% set x = 10 ** 64 %}" + "{% set x = x * x %}" * 30 + "{{ x }}",
    "{% set x = [1, 2, 3] %}" + "{% set x = x + x %}" * 40 + "{{ x|length }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40 + "{{ x }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x|replace('a', 'aaaaaaaaaa') %}" * 12 + "{{ x }}",
    "{% set x = range(1000)|join('aaaaaaaaaa') %}{% set x = range(1000)|join(x) %}{{ x }}",
    "{{ [1]|batch(10000000000, 'x')|list }}",
    "{{ range(10)|slice(10000000000)|list }}",
    "{{ 'x'|indent(10000000000) }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ 1|round(999999999) }}",
    "{{ amount|number(999999999) }}",
    "{% for a in range(1000) %}{% for b in range(1000) %}{% include 'fragments/f' %}{% endfor %}{% endfor %}",
    "{% for a in range(1000) %}{{ range(1000)|sort|join }}{% endfor %}",
    "{% for a in range(1000) %}{{ range(1000)|map('string')|map('upper')|join }}{% endfor %}",
    "{% include 'fragments/circle' %}",
    "{% set x = range(1000)|join(' ') %}" + "{% set x = x|wordwrap(1, true, x) %}" * 4 + "{{ x }}",
    "{{ 'a b'|wordwrap(0) }}",
    "{% for a in range(900) %}" + "y" * 20_000 + "{% endfor %}",
]


@pytest.mark.parametrize("source", _BOMBS, ids=range(len(_BOMBS)))
def test_bomb_stops_with_a_named_error(source: str) -> None:
    """Loops, doubling, powers, recursion: refused in seconds, and the next message is fine."""
    composer = make_composer(
        sms="{% if name == 'bomb' %}" + source + "{% endif %}ok",
        contract={"name": "text", "amount": "decimal"},
        fragments={"f": {"sms.txt": "x"}, "circle": {"sms.txt": "{% include 'fragments/circle' %}"}},
    )
    from decimal import Decimal

    started = time.process_time()
    bad = composer.compose(make_communication({"name": "bomb", "amount": Decimal(1)}, channels=(Channel.SMS,)))
    spent = time.process_time() - started
    good = composer.compose(make_communication({"name": "Ann", "amount": Decimal(1)}, channels=(Channel.SMS,)))
    assert codes(bad), source[:80]
    assert not bad.renditions
    assert set(codes(bad)) <= {"template-limit", "not-allowed", "bad-decimals", "template-failed"}, bad.findings
    assert spent < 5
    assert [one.text for one in good.renditions if isinstance(one, SmsRendition)] == ["ok"]


def test_the_customers_own_rows_are_within_the_limits() -> None:
    """A statement of many thousand rows is no bomb."""
    composer = make_composer(
        sms="{% for row in rows %}{{ row.a }}{% endfor %}", contract={"name": "text", "rows": {"list": {"a": "text"}}}
    )
    rows = tuple({"a": "1"} for _ in range(20_000))
    composed = composer.compose(make_communication({"name": "Ann", "rows": rows}, channels=(Channel.SMS,)))
    assert "template-limit" not in codes(composed)
    assert len(rows) < MAX_ITEMS


def test_no_value_gets_into_a_finding() -> None:
    """A field chosen by a value, a broken sum, a wrong filter: the message names no data."""
    secret = "Zaphod Beeblebrox"
    for source in (
        "{{ brand[name] }}",
        "{{ name|money }}",
        "{{ name + 1 }}",
        "{{ {}[name] }}",
        "{{ name|total }}",
        "{{ name.x }}",
    ):
        composer = make_composer(sms=source)
        composed = composer.compose(make_communication({"name": secret}, channels=(Channel.SMS,)))
        assert composed.findings
        for finding in composed.findings:
            assert "Zaphod" not in str(finding)
            assert "Beeble" not in str(finding)
