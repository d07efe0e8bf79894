"""Emails: filling equals the full path, values stay values, headers stay ours, bytes stay the same."""

from __future__ import annotations

import email
import email.policy
import html as entities
import json
import pickle
import random
import re
from dataclasses import replace
from decimal import Decimal
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ccm.compose import Composer
from ccm.compose.email import composer as email_module
from ccm.model.definitions import Channel, Purpose
from ccm.model.records import Attachment, Composed, EmailRendition
from ccm.model.values import Money
from ccm.model.workspace import Catalogue
from tests.compose.messages import MJML, codes, email_of, make_communication, make_composer

BODY = """
<mj-text css-class="x">  Dear {{ name }}, <b>{{ note }}</b>{{ name }} "{{ note }}" <a href="{{ link }}" title="{{ note }}">go {{ name }}</a></mj-text>
<mj-text>{{ note }}</mj-text>
{% if rows %}<mj-table>{% for row in rows %}<tr><td>{{ row.what }}</td><td align="right">{{ row.amount|money }}</td></tr>{% endfor %}</mj-table>{% endif %}
<mj-button href="{{ link }}" background-color="{{ tokens.color.brand.primary }}">{{ facts.total }} &amp; more</mj-button>
<mj-image src="{{ asset("logo") }}" alt="{{ note }}" width="40px" />
<mj-text>{% trans who=name, sum=facts.total, count=rows|length %}{{ who }} owes {{ sum }} in one row{% pluralize count %}{{ who }} owes {{ sum }} in {{ count }} rows{% endtrans %}</mj-text>
<mj-text>{% set hello %}Hi <i>{{ name }}</i>!{% endset %}{{ hello }}{% macro shout(x) %}<b>{{ x }}</b>{% endmacro %}{{ shout(note) }}</mj-text>
"""
CONTRACT = {
    "name": "text", "note": "text", "link": "link",
    "rows": {"list": {"what": "text", "amount": {"type": "money", "currency": "EUR"}}},
}  # fmt: skip
FACTS = {"total": {"value": 'rows|total("amount")', "kind": "money"}}


def offer(**options: object) -> Composer:
    return make_composer(MJML % ("For {{ name }}: {{ note }}", BODY), contract=CONTRACT, facts=FACTS, **options)  # type: ignore[arg-type]


def data(
    name: str = "Ann", note: str = "hello", link: str = "https://a.example/?x=1&y=2", rows: int = 2
) -> dict[str, object]:
    lines = tuple({"what": f"{note} {row}", "amount": Money(Decimal(row + 1), "EUR")} for row in range(rows))
    return {
        "name": name,
        "note": note,
        "link": link,
        "rows": lines or ({"what": "-", "amount": Money(Decimal(0), "EUR")},),
    }


def both_ways(
    composer: Composer, given: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> tuple[Composed, Composed]:
    """Compose by filling and by the full path."""
    filled = composer.compose(make_communication(given))
    voice = composer._voice(filled.communication)
    emails = composer._email_composer(voice)
    monkeypatch.setattr(emails, "_always_full", "the test says so")
    full = composer.compose(make_communication(given))
    monkeypatch.setattr(emails, "_always_full", "")
    assert not filled.slow_paths
    assert full.slow_paths == {Channel.EMAIL: "the test says so"}
    return filled, full


def as_read(made: EmailRendition) -> object:
    """An email as its reader gets it: headers and decoded parts. Line ends inside an encoding are nobody's business."""
    message = parsed(made.message)
    parts = []
    for part in message.walk():
        if not part.is_multipart():
            heads = [(name, text) for name, text in part.items() if name != "Content-Transfer-Encoding"]
            parts.append((heads, part.get_content()))
    return message.items(), parts, replace(made, message=b"")


def element_names(page: str) -> list[tuple[str, ...]]:
    """Every element of a page with the names of its attributes, as an HTML parser sees them."""
    seen: list[tuple[str, ...]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, *sorted(name for name, _ in attrs)))

    Reader().feed(page)
    return seen


def naughty(folder: Path) -> list[str]:
    strings = json.loads((folder / "vectors" / "naughty" / "blns.json").read_text("utf-8"))
    assert len(strings) > 480
    return [text for text in strings if text.strip()]


EXTRA = ["a\nb", " edge ", "tab\tin", "nul\0x", "\u202eevil", "a\r\nb", "&amp;", "&#60;", "<!--", "-->", "]]>", "</title>", "<b", "\u00a0x\u00a0",
         "\ud800x", "\ufeffx", "a" * 3000, "Zq0sX00001", "Zq0sX00000", "%(who)s", "{{ name }}", "{% raw %}", "</mj-text>", "<mj-raw>"]  # fmt: skip


@pytest.mark.data
def test_filling_equals_the_full_path_for_every_naughty_string(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T18: the same message in every part, whatever the customer's name is, and no new element in it."""
    composer = offer()
    strings = naughty(shared_data) + EXTRA
    elements = element_names(email_of(composer.compose(make_communication(data()))).html)
    for number, text in enumerate(strings):
        given = data(text, strings[(number * 7) % len(strings)])
        filled, full = both_ways(composer, given, monkeypatch)
        assert as_read(email_of(filled)) == as_read(email_of(full)), (number, text)
        assert element_names(email_of(filled).html) == elements, (number, text)


@pytest.mark.data
def test_naughty_text_round_trips(shared_data: Path) -> None:
    """A plain reader and a browser see the customer's text as it was given, but for blanks and controls."""
    composer = make_composer(MJML % ("Hello", "<mj-text>|{{ name }}|</mj-text>"), email_text="|{{ name }}|")
    for text in naughty(shared_data):
        made = email_of(composer.compose(make_communication({"name": text})))
        shown = "".join(sign for sign in text.replace("\r\n", "\n") if sign in "\t\n" or not _is_control(sign))
        assert f"|{shown}|" in made.text
        assert f"|{shown}|" in entities.unescape(made.html)


def _is_control(sign: str) -> bool:
    return ord(sign) < 32 or 127 <= ord(sign) < 160 or 0xD800 <= ord(sign) < 0xE000 or sign in "\ufffe\uffff"


def test_filling_equals_the_full_path_for_seeded_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any mixture of letters, signs, blanks and row counts gives the same message both ways."""
    draw = random.Random(5)
    alphabet = "abc <>&\"'\u00a0\n\t;:#=%{}[]()\\/äßЖ日م😀\u200f,."
    composer = offer()
    for _ in range(300):
        words = ["".join(draw.choices(alphabet, k=draw.randint(0, 12))) for _ in range(2)]
        given = data(*words, rows=draw.randint(0, 4))
        filled, full = both_ways(composer, given, monkeypatch)
        assert as_read(email_of(filled)) == as_read(email_of(full)), given


def test_the_oracle_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filler that forgets to escape is caught by comparing with the full path."""
    composer = offer()
    monkeypatch.setattr("ccm.compose.email.capture.escape_text", lambda value: value)
    filled, full = both_ways(composer, data("<b>x"), monkeypatch)
    assert email_of(filled) != email_of(full)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<mj-text><span style="color:{{ name }}">x</span></mj-text>', "style"),
        ('<mj-text padding="{{ name }}">x</mj-text>', "attribute style"),
        ("<mj-text>{% filter upper %}{{ name }}{% endfilter %}</mj-text>", "block"),
        ("<mj-text>{% set x %}{{ name }}{% endset %}{% if x == 'red' %}yes{% endif %}{{ x|upper }}</mj-text>", "block"),
        ("<mj-text>{% macro m(x) %}{{ x }}{% endmacro %}{{ m(name)|upper }}</mj-text>", "macro"),
        ('<mj-text>{{ _("%(who)s!", who=name)|upper }}</mj-text>', "macro or a text"),
        ("<mj-raw><!-- {{ name }} --></mj-raw><mj-text>x</mj-text>", "comment"),
        ('<mj-text><i class="{{ name }}">x</i></mj-text>', "class"),
    ],
)
def test_what_cannot_be_proved_takes_the_full_path_and_says_why(body: str, reason: str) -> None:
    """The shortcut is left, counted and explained; the message is right all the same."""
    composed = make_composer(MJML % ("Hello", body)).compose(make_communication({"name": "red"}))
    page = email_of(composed).html
    assert reason in composed.slow_paths[Channel.EMAIL]
    assert "red" in page.lower()
    if "upper" in body:
        assert "RED" in page


@pytest.mark.parametrize(
    "value",
    [
        "red;background:url(https://evil.example/)",
        'x" onmouseover="alert(1)',
        "</style><script>",
        "expression(alert(1))",
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        '<mj-text><span style="color:{{ name }}">x</span></mj-text>',
        '<mj-text color="{{ name }}">x</mj-text>',
        '<mj-text><i class="{{ name }}">x</i></mj-text>',
    ],
)
def test_a_value_in_a_style_or_a_tag_must_be_harmless(body: str, value: str) -> None:
    """Escaping does not help in CSS: what could end or begin anything there is refused."""
    composed = make_composer(MJML % ("Hello", body)).compose(make_communication({"name": value}))
    assert codes(composed) == ["unsafe-value"]
    assert not composed.renditions


UNSAFE = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x",
          "http://plain.example", "//evil.example", "file:///etc/passwd", "cid:x", "\x01javascript:x", "jav&#x09;ascript:alert(1)", "ftp://x"]  # fmt: skip


@pytest.mark.parametrize("link", UNSAFE)
@pytest.mark.parametrize("full", [False, True])
def test_unsafe_link_is_refused(link: str, full: bool) -> None:
    """Only https, mailto and tel get into a link, by filling and by the full path alike."""
    body = '<mj-button href="{{ name }}">x</mj-button>' + ('<mj-text padding="{{ pad }}">y</mj-text>' if full else "")
    composer = make_composer(MJML % ("Hello", body), contract={"name": "text", "pad": "text"})
    composed = composer.compose(make_communication({"name": link, "pad": "1px"}))
    assert codes(composed) == ["unsafe-link"]
    assert not composed.renditions


@pytest.mark.parametrize(
    "link", ["https://a.example/?q=<b>&x=1", "mailto:a@b.example", "tel:+491", "HTTPS://A.example"]
)
def test_safe_link_is_kept(link: str) -> None:
    """A safe address arrives as it was given."""
    composer = make_composer(MJML % ("Hello", '<mj-button href="{{ name }}">x</mj-button>'))
    assert link in entities.unescape(email_of(composer.compose(make_communication({"name": link}))).html)


# ── headers and message ──────────────────────────────────────────────────────

HOSTILE = ["x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com", "x\rBcc: e@example.com", "=?utf-8?q?=0ABcc:_evil@example.com?=", "=?utf-8?b?CkJjYzogZXZpbEBleGFtcGxlLmNvbQ==?=",
           "x\u2028Bcc: e@example.com", "x\x0bBcc: e@x.y", "x\0Bcc: e@x.y", '"; filename="evil.exe', "a" * 2000, "日本語" * 60, "\x85Bcc: e@x.y"]  # fmt: skip
ALLOWED = {"From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted", "Feedback-ID", "List-Unsubscribe",
           "List-Unsubscribe-Post", "MIME-Version", "Content-Type"}  # fmt: skip


def parsed(message: bytes) -> EmailMessage:
    made = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


@pytest.mark.data
def test_no_value_becomes_a_header(shared_data: Path) -> None:
    """T17: naughty strings, line breaks and encoded words: no header and no recipient more, by two parsers."""
    composer = make_composer(
        MJML % ("Hi {{ name }}", "<mj-text>x</mj-text>"), purpose="marketing", reply_to="r@acme.example"
    )
    for text in HOSTILE + naughty(shared_data):
        made = email_of(composer.compose(make_communication({"name": text}, purpose=Purpose.MARKETING)))
        modern = parsed(made.message)
        old = email.message_from_bytes(made.message)
        for seen in (modern.keys(), old.keys()):
            assert set(seen) <= ALLOWED, text
            assert len(seen) == len(set(seen)), text
        assert modern["To"] == "ann@example.com"
        assert modern["Bcc"] is None
        assert len(modern["To"].addresses) == 1
        assert not modern.defects
        assert " ".join(str(modern["Subject"]).split()) == " ".join(made.subject.split()), text
        assert all(len(line) <= 998 for line in made.message.split(b"\r\n"))
        assert b"\n" not in made.message.replace(b"\r\n", b"")


@pytest.mark.parametrize("key", ["INV-7", "РФ 12/7", "7\nBcc: x@evil.example", "=?utf-8?q?x?=", "7:8", "9" * 500])
def test_an_occurrence_from_data_is_one_word_of_its_header(key: str) -> None:
    """With `each`, the occurrence is a customer's invoice number: any text, and never a header or a crash."""
    composer = make_composer(MJML % ("Hi", "<mj-text>x</mj-text>"))
    message = parsed(email_of(composer.compose(replace(make_communication(), occurrence=key))).message)
    assert set(message.keys()) <= ALLOWED
    campaign, occurrence, purpose, brand = message["Feedback-ID"].split(":")
    assert (campaign, purpose, brand) == ("letters", "transactional", "acme")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", occurrence)
    assert occurrence == key or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", key)


@pytest.mark.parametrize(
    "address",
    ["a@good.example,b@evil.example", "a@good.example b@evil.example", "a@x.example\r\nBcc: b@y.example", "Ann <a@x.example>", "a@", "@x.example", "a", "",
     "a@x", "a..b@x.example", "ä@x.example", '"a b"@x.example', "a@x.example\0", "=?utf-8?q?a?=@x.example\n"],
)  # fmt: skip
def test_bad_address_is_refused(address: str) -> None:
    """One field addresses one person, in a form that every server takes."""
    composed = make_composer(MJML % ("Hi", "<mj-text>x</mj-text>")).compose(make_communication(address=address))
    assert codes(composed) == ["unusable-address"]
    assert len(address) < 3 or address not in composed.findings[0].message


def test_international_domain_becomes_ascii() -> None:
    """IDN domains travel in their ASCII form."""
    composed = make_composer(MJML % ("Hi", "<mj-text>x</mj-text>")).compose(
        make_communication(address="ann@bücher.example")
    )
    assert parsed(email_of(composed).message)["To"] == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "subject", ["ご請求書のお知らせ" * 12, "كشف حساب أكتوبر", "Łódź – café 😀" * 9, "plain words " * 30, "a" * 300]
)
def test_subject_survives_encoding(subject: str) -> None:
    """Japanese, Arabic, long: every parser reads the subject as it was, and no line is too long."""
    composer = make_composer(MJML % ("{{ name }}", "<mj-text>x</mj-text>"))
    made = email_of(composer.compose(make_communication({"name": subject})))
    assert str(parsed(made.message)["Subject"]) == " ".join(subject.split())
    head = made.message.split(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 for line in head.split(b"\r\n") if not line.startswith(b"List-"))


def test_same_input_gives_the_same_bytes() -> None:
    """No clock, no random boundary: a later render, in another process, is the same message."""
    composer = offer()
    one = email_of(composer.compose(make_communication(data())))
    other = email_of(pickle.loads(pickle.dumps(composer)).compose(make_communication(data())))
    assert one == other
    assert parsed(one.message)["Date"] == "Mon, 02 Nov 2026 08:30:00 +0000"
    assert one.piece_id in parsed(one.message)["Message-ID"]


def test_marketing_has_one_click_unsubscribing() -> None:
    """RFC 8058: both headers, the recipient's own address, not encoded, not folded inside."""
    composer = make_composer(
        MJML % ("Hi", '<mj-text><a href="{{ message.unsubscribe_url }}">out</a></mj-text>'),
        purpose="marketing",
        unsubscribe_url="https://acme.example/out/" + "x" * 150 + "/{token}",
    )
    communication = make_communication(purpose=Purpose.MARKETING)
    made = email_of(composer.compose(communication))
    url = "https://acme.example/out/" + "x" * 150 + "/" + communication.communication_id
    assert f"<{url}>".encode() in made.message
    assert parsed(made.message)["List-Unsubscribe"].replace(" ", "") == f"<{url}>,<mailto:out@acme.example>"
    assert parsed(made.message)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in made.html


def test_a_mail_that_unsubscribes_carries_the_token() -> None:
    """In its subject, where mail programs keep it; the header stays one link a line."""
    composer = make_composer(
        MJML % ("Hi", '<mj-text><a href="{{ message.unsubscribe_url }}">out</a></mj-text>'),
        purpose="marketing",
        unsubscribe_url="https://acme.example/u/{token}",
    )
    token = "ec7asp." + "b" * 180 + "." + "c" * 22
    communication = replace(make_communication(purpose=Purpose.MARKETING), unsubscribe_token=token)
    made = email_of(composer.compose(communication))
    wanted = f"<https://acme.example/u/{token}>,\r\n <mailto:out@acme.example?subject=unsubscribe%20{token}>\r\n"
    assert f"List-Unsubscribe: {wanted}".encode() in made.message


def test_marketing_without_a_way_out_is_refused() -> None:
    """No unsubscribing, no marketing."""
    composer = make_composer(
        MJML % ("Hi", "<mj-text>x</mj-text>"), purpose="marketing", unsubscribe_url=None, unsubscribe_mailto=None
    )  # type: ignore[arg-type]
    assert codes(composer.compose(make_communication(purpose=Purpose.MARKETING))) == ["missing-unsubscribe"]


def test_transactional_has_no_list_headers() -> None:
    """A bill is not a mailing list."""
    made = email_of(offer().compose(make_communication(data())))
    assert parsed(made.message)["List-Unsubscribe"] is None


def test_parts_are_what_a_standard_parser_expects() -> None:
    """mixed(alternative(text, related(html, logo))): texts, image and file come back byte for byte."""
    made = email_of(offer().compose(make_communication(data())))
    message = parsed(made.message)
    assert message.get_content_type() == "multipart/alternative"
    plain, related = message.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == made.text
    page, image = related.iter_parts()
    assert page.get_content().replace("\r\n", "\n") == made.html
    assert image.get_content_type() == "image/png"
    assert f'src="cid:{image["Content-ID"][1:-1]}"' in made.html


@pytest.mark.parametrize("filename", ["bill.pdf", "Rechnung März.pdf", "請求書.pdf", "a;b'c.pdf"])
def test_attachments_come_back(filename: str) -> None:
    """Name and bytes of a file survive, in any script; the same as the standard library would send."""
    from ccm.compose.email.mime import assemble, page_part

    content = bytes(range(256)) * 999
    head = "From: a@x.example\r\nTo: b@x.example\r\nSubject: s\r\n"
    ours = parsed(
        assemble(
            head, "text ä\n", page_part("<p>x</p>"), (), (Attachment(filename, "application/pdf", content),), "p-1"
        )
    )
    oracle = EmailMessage()
    oracle["From"], oracle["To"], oracle["Subject"] = "a@x.example", "b@x.example", "s"
    oracle.set_content("text ä\n")
    oracle.add_alternative("<p>x</p>", subtype="html")
    oracle.add_attachment(content, maintype="application", subtype="pdf", filename=filename)
    theirs = parsed(oracle.as_bytes(policy=email.policy.SMTP))

    def leaves(message: EmailMessage) -> list[tuple[str, str | None, object]]:
        return [
            (
                part.get_content_type(),
                part.get_filename(),
                part.get_content().strip() if part.get_content_maintype() == "text" else part.get_content(),
            )
            for part in message.walk()
            if not part.is_multipart()
        ]

    assert leaves(ours) == leaves(theirs)


# ── what the page is like ────────────────────────────────────────────────────


def test_right_to_left_page() -> None:
    """Arabic: direction and language on the page, texts to the right, digits of the locale."""
    given = data()
    made = email_of(offer().compose(replace(make_communication(given), language="ar", locale="ar-EG")))
    assert '<html lang="ar" dir="rtl"' in made.html
    assert "text-align:right" in made.html
    assert "direction: rtl" in made.html
    assert "٣٫٠٠" in made.html


def test_dark_mode_and_brand_defaults() -> None:
    """Every MJML email says that it knows dark mode, takes the brand's font and links no web font."""
    page = email_of(offer().compose(make_communication(data()))).html
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "font-family:'Inter Tight', Arial, sans-serif" in page
    assert "#102030" in page
    assert "fonts.googleapis" not in page


def test_plural_and_translation_hold_values() -> None:
    """A translated text with values is filled like any other place, in the language's plural."""
    texts = {
        ("", "%(who)s owes %(sum)s in one row"): (
            "%(who)s schuldet %(sum)s in einer Zeile",
            "%(who)s schuldet %(sum)s in %(count)s Zeilen",
        )
    }
    german = Catalogue("de", "de.po", texts, "n != 1")
    composer = offer(catalogues={"de": german})
    made = composer.compose(replace(make_communication(data("<Ann>", rows=3)), language="de", locale="de-AT"))
    assert "&lt;Ann&gt; schuldet €\u00a06,00 in 3 Zeilen".replace("\u00a0", "&nbsp;") in email_of(made).html
    assert not made.slow_paths


def test_deep_nesting_is_a_named_error_and_not_a_crash() -> None:
    """2,000 nested wrappers would end the process inside the MJML compiler."""
    deep = "<mj-wrapper>" * 2000 + "</mj-wrapper>" * 2000
    composed = make_composer(f"<mjml><mj-body>{deep}</mj-body></mjml>").compose(make_communication())
    assert codes(composed) == ["template-limit"]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (MJML % ("{{ nmae }}", "<mj-text>x</mj-text>"), "missing-value"),
        (MJML % ("", "<mj-text>x</mj-text>"), "missing-subject"),
        ("<mjml><mj-body><mj-section></mj-body></mjml>", "mjml-broken"),
        ("<p>no mjml</p>", "mjml-broken"),
        (MJML % ("Hi", '<mj-image src="{{ asset("gone.png") }}" />'), "missing-image"),
        (MJML % ("Hi", '{% include "fragments/none" %}'), "missing-fragment"),
        (MJML % ("Hi", "{% if %}"), "template-syntax"),
        (MJML % ("Hi", "<mj-text>{{ parameters }}</mj-text>"), "unprintable-value"),
    ],
)
def test_a_bad_template_is_a_finding(source: str, code: str) -> None:
    """Nothing is raised: the piece has no rendition and a finding says why."""
    composed = make_composer(source).compose(make_communication())
    assert codes(composed) == [code]
    assert not composed.renditions


def test_the_place_of_a_mistake_is_told() -> None:
    """File and line of the innermost template, and what included it."""
    composer = make_composer(
        MJML % ("Hi", '\n{% include "fragments/a" %}'),
        fragments={"a": {"email.mjml": "<mj-text>\n\n{{ customer.nmae }}</mj-text>"}},
    )
    finding = composer.compose(make_communication({"name": "x", "customer": {"name": "y"}})).findings[0]
    assert str(finding.location) == "templates/_fragments/a/email.mjml:3"
    assert "templates/letter/email.mjml:3" in finding.message
    assert "nmae" in finding.message


def test_one_failing_channel_does_not_stop_the_others() -> None:
    """The email fails, the text message is made."""
    composer = make_composer(MJML % ("{{ gone }}", "<mj-text>x</mj-text>"), sms="Hello {{ name }}")
    composed = composer.compose(make_communication(channels=(Channel.EMAIL, Channel.SMS)))
    assert [one.channel for one in composed.renditions] == [Channel.SMS]
    assert [one.channel for one in composed.findings] == [Channel.EMAIL]


def test_html_email_has_subject_preheader_and_derived_text() -> None:
    """email.html: title, .preheader element, inlined CSS, text with addresses of links."""
    source = (
        "<html><head><title>Bill for {{ name }}</title><style>p{color:red}</style></head><body>"
        '<div class="preheader" style="display:none">Pay &amp; go {{ name }}</div><p>Dear {{ name }}</p><p><a href="https://a.example/">Pay</a></p></body></html>'
    )
    made = email_of(make_composer(source, html=True).compose(make_communication({"name": "A & B"})))
    assert (made.subject, made.preheader) == ("Bill for A & B", "Pay & go A & B")
    assert "color: red" in made.html
    assert "Dear A & B" in made.text
    assert "https://a.example/" in made.text
    assert "Pay & go" not in made.text


def test_structures_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the number of different structures."""
    monkeypatch.setattr(email_module, "MAX_PATTERNS", 4)
    composer = offer()
    for rows in range(12):
        composer.compose(make_communication(data(rows=rows)))
    (one,) = composer._emails.values()
    assert sum(map(len, one._patterns.values())) == one._kept == 4


def test_structures_of_one_length_are_told_apart() -> None:
    """Pages that have as many signs and values are still two pages."""
    page = "<mj-text>{% if name|length > 3 %}<b>{{ name }}</b>{% else %}<i>{{ name }}</i>{% endif %}</mj-text>"
    composer = make_composer(MJML % ("Hello", page))
    for name, tag in (("Ann", "i"), ("Anna", "b"), ("Eve", "i"), ("Lena", "b")):
        composed = composer.compose(make_communication({"name": name}))
        assert f"<{tag}>{name}</{tag}>" in email_of(composed).html


@pytest.mark.parametrize(
    "source",
    [
        "{% set tokens = {'color': name} %}{{ tokens.color }}",
        "{% macro asset(x) %}{{ name }}{% endmacro %}{{ asset('logo') }}",
        "{% for brand in [{'title': name}] %}{{ brand.title }}{% endfor %}",
        "{% with locale = {'tag': name} %}{{ locale.tag }}{% endwith %}",
    ],
)
def test_a_templates_own_name_hides_ours(source: str) -> None:
    """What is worked out while compiling is not worked out for a name that the template assigns."""
    composer = make_composer(MJML % ("Hi", f"<mj-text>{source}</mj-text>"))
    for name in ("Ann", "Bob"):
        assert f">{name}</div>" in email_of(composer.compose(make_communication({"name": name}))).html
