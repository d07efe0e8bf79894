"""One communication on every channel: derived fields, facts, texts, addresses, what templates see."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from babel import Locale

from ccm.compose.failure import FormatRefused
from ccm.compose.filters import FILTERS
from ccm.compose.formats.postal import address_lines
from ccm.compose.formats.salutations import greeting
from ccm.model.definitions import Channel, Purpose
from ccm.model.records import SmsRendition, SocialRendition
from ccm.model.values import Money
from ccm.model.vocabulary import FILTERS as PUBLIC_FILTERS
from ccm.model.vocabulary import FUNCTIONS, PLAIN_FUNCTIONS, TESTS
from ccm.model.workspace import Catalogue
from tests.compose.messages import codes, make_communication, make_composer, write


def euro(text: str) -> Money:
    return Money(Decimal(text), "EUR")


# ── words of templates ───────────────────────────────────────────────────────


def test_every_public_word_is_there_and_no_other() -> None:
    """Loading checks authors against the vocabulary; composing registers exactly it."""
    composer = make_composer(sms="x")
    composer.compose(make_communication(channels=(Channel.SMS,)))
    environments = [engine.environment for engine in composer._engines.values()]
    assert environments
    for environment in environments:
        public = {name for name in environment.filters if not name.startswith("_")}
        assert public == set(PUBLIC_FILTERS) == set(FILTERS)
        assert set(environment.tests) == set(TESTS)
        assert set(environment.globals) == set(FUNCTIONS) | set(PLAIN_FUNCTIONS)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ amount|money }}", "€1,234.50"),
        ("{{ 12.5|money('GBP') }}", "£12.50"),
        ("{{ amount }}", "€1,234.50"),
        ("{{ share|percent }} {{ share|percent(1) }}", "4.5% 4.5%"),
        ("{{ 1234567.891|number }} {{ 2.345|number(2) }}", "1,234,567.891 2.35"),
        ("{{ day|date('long') }}; {{ day|date }}; {{ day|month }}; {{ day }}", "3 October 2026; 3 Oct 2026; October 2026; 3 Oct 2026"),
        ("{{ message.issued_on|date('short') }} {{ message.period_end|date('short') }}", "02/11/2026 31/10/2026"),
        ("{{ ['a', 'b', 'c']|list }} {{ ['a', 'b']|list('or') }}", "a, b and c a or b"),
        ("{{ 12|unit('kilometer') }}", "12 km"),
        ("{{ rows|total('amount')|money }} {{ rows|map(attribute='what')|list }}", "€4.00 a and b"),
        ("{{ rows|sum(attribute='amount')|money }}", "€4.00"),
        ("{{ 'Anna Maria Berg'|initials }} {{ 'Prince'|initials }}", "AB P"),
        ("{{ salutation(name) }} {{ salutation('') }}", "Dear Ann, Hello,"),
        ("{{ none_here|default('-') }} {{ empty|default('-') }}", "- -"),
        ("{{ 7 / 2 }} {{ 7 // 2 }} {{ 0.1 + 0.2 }} {{ 2 ** 10 }}", "3.5 3 0.3 1024"),
        ("{{ record.items }} {{ record.keys }}", "own also"),
        ("{% for row in rows %}{{ loop.index }}{{ row.what }}{{ loop.cycle('-', '+') }}{% endfor %}", "1a-2b+"),
        ("{% set ns = namespace(n=0) %}{% for row in rows %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "2"),
        ("{{ brand.title }} {{ brand.links.home }} {{ brand.legal }}", "Acme & Sons https://acme.example/ Acme Ltd"),
        ("{{ brand.tokens['color.brand.primary'] }} {{ tokens.color.brand.primary }} {{ brand.tokens.color.brand.primary }}", "#102030 #102030 #102030"),
        ("{{ locale.tag }} {{ locale.language }} {{ locale.territory }} {{ locale.direction }}", "en en GB ltr"),
        ("{{ name|upper }} {{ 'a-b'|replace('-', '+') }} {{ name|length }}", "ANN a+b 3"),
        ("{% trans who=name %}Hello {{ who }} 100%{% endtrans %}", "Hello Ann 100%"),
        ("{{ _('50 %% off') }} {{ ngettext('%(num)s day', '%(num)s days', 3) }}", "50 % off 3 days"),
        ("{% import 'fragments/m' as m %}{{ m.twice('x') }}", "xx"),
        ("{{ '1E+99999999'|int(7) }} {{ '1E+999999999999'|float }} {{ 'Infinity'|float }} {{ '1e3'|int }}", "7 0 0 1000"),
        ("{{ 2.5|round }} {{ 2.44|round(1) }} {{ -3|abs }} {{ '12'|int + 1 }}", "3 2.4 3 13"),
    ],
)  # fmt: skip
def test_what_templates_write(source: str, text: str) -> None:
    """Each word of the template guide does what it says."""
    composer = make_composer(
        sms=source, fragments={"m": {"sms.txt": "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}"}}
    )
    given = {
        "name": "Ann", "amount": euro("1234.5"), "share": Decimal("4.5"), "day": date(2026, 10, 3), "empty": None,
        "rows": ({"what": "a", "amount": euro("1.5")}, {"what": "b", "amount": euro("2.5")}),
        "record": {"items": "own", "keys": "also"},
    }  # fmt: skip
    composed = composer.compose(make_communication(given, channels=(Channel.SMS,)))
    assert not [one for one in composed.findings if one.severity == "error"], composed.findings
    (made,) = composed.renditions
    assert isinstance(made, SmsRendition)
    assert made.text == text


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ empty }}", "missing-value"),
        ("{{ gone }}", "missing-value"),
        ("{{ name.first }}", "missing-value"),
        ("{{ gone.deeper }}", "missing-value"),
        ("{{ flag }}", "unprintable-value"),
        ("{{ rows }}", "unprintable-value"),
        ("{{ amount|money }}{{ precise|money }}", "money-precision"),
        ("{{ 5|money }}", "money-without-currency"),
        ("{{ name|date }}", "wrong-type"),
        ("{{ day|date('fancy') }}", "unknown-style"),
        ("{{ amount + 1 }}", "template-failed"),
        ("{{ amount + dollars }}", "template-failed"),
        ("{{ _('%(who)s') }}", "unknown-placeholder"),
        ("{{ name|money }}", "wrong-type"),
    ],
)  # fmt: skip
def test_what_templates_must_not_write(source: str, code: str) -> None:
    """An empty, unknown or unfitting value holds the piece and never prints None."""
    given = {
        "name": "Ann", "empty": None, "flag": True, "rows": ({"a": 1},), "amount": euro("1"), "precise": euro("1.005"),
        "dollars": Money(Decimal(1), "USD"), "day": date(2026, 1, 1),
    }  # fmt: skip
    composed = make_composer(sms=source).compose(make_communication(given, channels=(Channel.SMS,)))
    assert codes(composed) == [code]
    assert not composed.renditions


def test_plain_text_is_not_escaped() -> None:
    """O'Brien & Söhne is no HTML in a text message."""
    assert write("{{ name }}", {"name": "O'Brien & Söhne <b>"}) == "O'Brien & Söhne <b>"


# ── derived fields and facts ─────────────────────────────────────────────────

CONTRACT = {
    "currency": "code",
    "rate": "decimal",
    "lines": {"list": {"count": "integer", "price": {"type": "money", "currency": "currency"},
                       "amount": {"type": "money", "currency": "currency", "derive": "price * count"},
                       "share": {"type": "money", "currency": "currency", "derive": "(amount.amount * rate)|round(2)"}}},
    "total": {"type": "money", "currency": "currency", "derive": 'lines|total("amount")'},
}  # fmt: skip


def test_derived_fields_see_siblings_and_the_root_and_leave_the_data_alone() -> None:
    """Rows first, then the record; the communication's own data is not written on."""
    given = {
        "currency": "EUR",
        "rate": Decimal("0.19"),
        "lines": ({"count": 2, "price": euro("1.25")}, {"count": 1, "price": euro("0.10")}),
    }
    composer = make_composer(
        sms="{{ total|money }} {% for line in lines %}{{ line.amount|money }}/{{ line.share|money }} {% endfor %}",
        contract=CONTRACT,
    )
    communication = make_communication(given, channels=(Channel.SMS,))
    (made,) = composer.compose(communication).renditions
    assert isinstance(made, SmsRendition)
    assert made.text == "€2.60 €2.50/€0.48 €0.10/€0.02"
    assert "total" not in given
    assert "amount" not in given["lines"][0]  # type: ignore[index]


def test_facts_have_a_value_and_the_locales_text() -> None:
    """Each kind is written in the recipient's form; facts of other channels are known as well."""
    facts = {
        "sum": {"value": "total", "kind": "money", "total": True},
        "rate": {"value": "rate * 100", "kind": "percent"},
        "due": {"value": "message.period_end", "kind": "date", "channels": ["sms"]},
        "count": {"value": "lines|length * 1000", "kind": "number"},
        "ref": {"value": "currency", "kind": "code"},
    }
    given = {"currency": "EUR", "rate": Decimal("0.19"), "lines": ({"count": 2, "price": euro("1250")},)}
    composer = make_composer(
        sms="{{ facts.sum }} {{ facts.sum.value.amount }} {{ facts.due }}", contract=CONTRACT, facts=facts
    )
    composed = composer.compose(make_communication(given, channels=(Channel.SMS,), language="de", locale="de-DE"))
    assert {fact.name: fact.text for fact in composed.facts} == {
        "sum": "2.500,00\u00a0€", "rate": "19\u00a0%", "due": "31. Oktober 2026", "count": "1.000", "ref": "EUR",
    }  # fmt: skip
    assert composed.facts[0].value == euro("2500")
    assert composed.facts[0].total
    (made,) = composed.renditions
    assert isinstance(made, SmsRendition)
    assert made.text == "2.500,00 € 2.500 31. Oktober 2026"


def test_a_failing_fact_holds_the_pieces_that_tell_it() -> None:
    """Data for which an expression makes no sense: a finding, not a crash, and no value in it."""
    facts = {"first": {"value": "lines[0].price", "kind": "money", "channels": ["sms"]}}
    composer = make_composer(sms="hello", contract=CONTRACT, facts=facts)
    composed = composer.compose(
        make_communication({"currency": "EUR", "rate": Decimal(1), "lines": ()}, channels=(Channel.SMS,))
    )
    assert codes(composed) == ["fact-failed"]
    assert composed.findings[0].piece_id == composed.communication.pieces[0].piece_id


def test_a_failing_derivation_holds_every_piece() -> None:
    """Without its data nothing of a communication can be made."""
    composer = make_composer(sms="x", contract=CONTRACT)
    given = {"currency": "EUR", "rate": Decimal(1), "lines": ({"count": 1, "price": "free"},)}
    composed = composer.compose(make_communication(given, channels=(Channel.EMAIL, Channel.SMS)))
    assert codes(composed) == ["fact-failed", "fact-failed"]
    assert not composed.renditions


# ── channels together ────────────────────────────────────────────────────────


def test_a_broadcast_sees_parameters_and_only_social_facts() -> None:
    """Posts know no customer: only facts that a network tells are computed, from the parameters."""
    facts = {
        "code": {"value": "parameters.code", "kind": "code", "channels": ["mastodon", "email"]},
        "name": {"value": "name", "kind": "name", "channels": ["email"]},
    }
    from ccm.model.workspace import VariantPart

    composer = make_composer(
        more={(Channel.MASTODON, VariantPart.BODY): "Use {{ facts.code }} at {{ brand.title }}"}, facts=facts
    )
    communication = make_communication(
        {},
        channels=(Channel.MASTODON,),
        parameters={"code": "AB12"},
        recipient="broadcast:en",
        purpose=Purpose.MARKETING,
    )
    composed = composer.compose(replace(communication, recipient_id="broadcast:en"))
    assert [fact.text for fact in composed.facts] == ["AB12"]
    (made,) = composed.renditions
    assert isinstance(made, SocialRendition)
    assert made.text == "Use AB12 at Acme & Sons"


def test_renditions_come_in_the_order_of_the_pieces() -> None:
    """The order of composing is ours; the order of sending is the campaign's."""
    composer = make_composer("<mjml><mj-head><mj-title>x</mj-title></mj-head><mj-body></mj-body></mjml>", sms="x")
    composed = composer.compose(make_communication(channels=(Channel.SMS, Channel.EMAIL)))
    assert [one.channel for one in composed.renditions] == [Channel.SMS, Channel.EMAIL]


def test_a_channel_without_variant_is_a_finding() -> None:
    """The template cannot do what the campaign wants: said, not raised."""
    assert codes(make_composer(sms=None).compose(make_communication(channels=(Channel.SMS,)))) == ["missing-variant"]


def test_a_composer_travels_to_workers() -> None:
    """Pickled, it composes the same."""
    composer = make_composer(sms="Hello {{ name }}")
    communication = make_communication(channels=(Channel.SMS,))
    assert pickle.loads(pickle.dumps(composer)).compose(communication) == composer.compose(communication)


def test_catalogue_of_the_template_comes_before_that_of_the_fragment() -> None:
    """Plurals by the catalogue's rule; the source text where nothing is translated."""
    polish = Catalogue(
        "pl", "pl.po",
        {("", "%(num)s day"): ("%(num)s dzień", "%(num)s dni (few)", "%(num)s dni"), ("menu", "Open"): ("Otwórz",)},
        "(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2)",
    )  # fmt: skip
    source = "{% for n in [1, 3, 5] %}{{ ngettext('%(num)s day', '%(num)s days', n) }}, {% endfor %}{{ pgettext('menu', 'Open') }} {{ _('Open') }}"
    composer = make_composer(sms=source, catalogues={"pl": polish})
    (made,) = composer.compose(make_communication(channels=(Channel.SMS,), language="pl", locale="pl-PL")).renditions
    assert isinstance(made, SmsRendition)
    assert made.text.endswith("Otwórz Open")
    assert "1 dzie" in made.text
    assert "3 dni (few), 5 dni," in made.text


# ── greetings and addresses ──────────────────────────────────────────────────


def test_greeting_never_guesses_a_gender() -> None:
    """The name as it was given; without a name a greeting without one; unknown languages in English."""
    assert greeting("de-AT", "Kim Berg") == "Guten Tag Kim Berg,"
    assert greeting("de-AT", "  ") == "Guten Tag,"
    assert greeting("ja", "山田太郎") == "山田太郎 様"
    assert greeting("xx", "Kim") == "Dear Kim,"
    for language in ("de", "en", "es", "fr", "it", "pl", "pt", "ar", "ru"):
        text = greeting(language, "Kim").lower()
        assert not any(
            word in text
            for word in ("herr", "frau", "mr", "mrs", "señor", "monsieur", "madame", "pan ", "sr.", "السيد")
        )


@pytest.mark.parametrize(
    ("record", "language", "lines"),
    [
        ({"name": "Kim", "street": "Hauptstr. 5", "postal_code": "10115", "city": "Berlin", "country": "DE"}, "en", ("Kim", "Hauptstr. 5", "10115 Berlin", "GERMANY")),
        ({"street": "1 High St", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"}, "de", ("1 High St", "LEEDS", "LS1 1AA", "VEREINIGTES KÖNIGREICH")),
        ({"street": "5 Main St", "city": "Reno", "region": "NV", "postal_code": "89501", "country": "US"}, "en", ("5 Main St", "RENO, NV 89501", "UNITED STATES")),
        ({"street": ("R. A, 1", "Apto 2"), "city": "Recife", "region": "PE", "postal_code": "50000-000", "country": "BR"}, "pt", ("R. A, 1", "Apto 2", "Recife-PE", "50000-000", "BRASIL")),
        ({"street": "千代田1-1", "city": "千代田区", "region": "東京都", "postal_code": "100-0001", "country": "JP"}, "ja", ("〒100-0001", "東京都千代田区", "千代田1-1", "日本")),
        ({"street": "X 1", "city": "Y", "country": "ZZ"}, "en", ("X 1", "Y", "UNKNOWN REGION")),
    ],
)  # fmt: skip
def test_address_has_the_layout_of_its_country(
    record: dict[str, object], language: str, lines: tuple[str, ...]
) -> None:
    """Order and capitals by the country of destination, its name in the language of the text."""
    made = address_lines(record, Locale.parse(language))
    assert made[-1] == lines[-1]
    assert [line.upper() for line in made] == [line.upper() for line in lines] or made == lines


def test_home_country_is_not_written() -> None:
    """A letter inside one country does not name it."""
    record = {"street": "1 High St", "city": "Leeds", "country": "GB"}
    assert address_lines(record, Locale.parse("en"), home="GB")[-1] == "LEEDS"


def test_what_is_no_address_is_refused() -> None:
    """A record without any part of an address is the template's mistake."""
    with pytest.raises(FormatRefused):
        address_lines({"a": "b"}, Locale.parse("en"))


@pytest.mark.data
def test_addresses_of_all_countries_keep_every_part(shared_data: Path) -> None:
    """For every country of the vectors: all given parts are printed, once, and the country comes last."""
    text = Locale.parse("en")
    checked = 0
    for path in sorted((shared_data / "vectors" / "addresses" / "testcases" / "countries").glob("*.yaml")):
        for case in yaml.safe_load_all(path.read_text("utf-8")):
            parts = case and case.get("components")
            if not parts or not parts.get("city") or not parts.get("country_code") or not parts.get("road"):
                continue
            street = " ".join(str(parts[part]) for part in ("road", "house_number") if parts.get(part))
            record = {
                "street": street,
                "city": parts["city"],
                "postal_code": parts.get("postcode"),
                "country": str(parts["country_code"]),
            }
            lines = address_lines(record, text)
            whole = " ".join(lines).upper()
            assert street.strip(" ,").upper() in whole, path.name
            assert str(parts["city"]).upper() in whole, path.name
            assert lines[-1] == text.territories.get(str(parts["country_code"]).upper(), "").upper()
            checked += 1
    assert checked > 150


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ rows|selectattr("n", "gt", 1)|length }}', "2"),
        ('{% set big = rows|rejectattr("n", "gt", 2) %}{{ big|length }} {{ (big|last).n }}', "2 2"),
        ('{{ rows|map(attribute="n")|unique|length }}', "3"),
        ('{{ (rows|map(attribute="n"))[0] }}', "1"),
        ("{{ [1, 2, 3]|select('odd')|length }} {{ [1, 2, 3]|reverse|first }}", "2 3"),
        ("{{ [1, 2, 3]|slice(2)|length }} {{ [1, 2, 3]|batch(2)|length }}", "2 2"),
    ],
)
def test_list_filters_give_lists(source: str, text: str) -> None:
    """What a filter picked out can be counted, indexed and read twice."""
    assert write(source, {"rows": ({"n": 1}, {"n": 2}, {"n": 3})}) == text
