"""Every rule catches a seeded mutation, and output in which nothing is wrong passes in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ccm.check import CheckRules, check
from ccm.diagnostics import Severity
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, Composed, Finding
from tests.check.conftest import HTML, LEAVE, SMS, TEXT, changed, message

EMAIL, DOCUMENT, TEXTING, SOCIAL = Channel.EMAIL, Channel.DOCUMENT, Channel.SMS, Channel.MASTODON


def codes(composed: Composed, rules: CheckRules) -> set[str]:
    return {finding.code for finding in check(composed, rules)}


def test_good_output_passes(good: Composed, rules: CheckRules) -> None:
    """No finding, not even a warning."""
    assert check(good, rules) == ()


def html(old: str, new: str) -> Callable[[Composed], Composed]:
    assert old in HTML
    return lambda good: changed(good, EMAIL, html=HTML.replace(old, new))


def sms(text: str, segments: tuple[str, ...] | None = None) -> Callable[[Composed], Composed]:
    return lambda good: changed(good, TEXTING, text=text, segments=segments or (text,))


MUTATIONS: list[tuple[str, str, Callable[[Composed], Composed]]] = [
    ("rendition dropped", "rendition-missing", lambda good: replace(good, renditions=good.renditions[:-1])),
    ("subject blank", "empty-subject", lambda good: changed(good, EMAIL, subject=" ")),
    (
        "html empty",
        "empty-body",
        lambda good: changed(good, EMAIL, html="<html><head><style>p{}</style></head></html>"),
    ),
    ("text part empty", "empty-body", lambda good: changed(good, EMAIL, text="\n")),
    ("sms empty", "empty-body", sms("")),
    ("post empty", "empty-body", lambda good: changed(good, SOCIAL, text=" ", card=None)),
    ("document is no pdf", "empty-body", lambda good: changed(good, DOCUMENT, content=b"<html>")),
    ("document is damaged", "empty-body", lambda good: changed(good, DOCUMENT, content=b"%PDF-1.7 broken")),
    (
        "attachment lost",
        "attachment-missing",
        lambda good: changed(good, EMAIL, message=message(HTML, TEXT, "x", b"%PDF other")),
    ),
    (
        "sms over the limit",
        "sms-too-long",
        lambda good: changed(good, TEXTING, segments=(SMS[:40], SMS[40:60], SMS[60:70], SMS[70:])),
    ),
    ("segment too long", "sms-segments-wrong", sms(SMS + "a" * 160)),
    ("segments lose text", "sms-segments-wrong", lambda good: changed(good, TEXTING, segments=(SMS[:-1],))),
    ("post over the limit", "social-too-long", lambda good: changed(good, SOCIAL, length=501)),
    ("gmail clips", "gmail-clips", html("<body>", "<body>" + "<p>long</p>" * 10_000)),
    ("http link", "link-insecure", html('href="https://bank.example/pay', 'href="http://bank.example/pay')),
    ("http link in single quotes", "link-insecure", html('href="#top"', "href='http://bank.example'")),
    ("http link in text", "link-insecure", lambda good: changed(good, EMAIL, text=TEXT + "http://bank.example")),
    ("http link in sms", "link-insecure", sms(SMS + " http://bank.example")),
    ("script link", "link-unsafe", html('href="#top"', 'href="javascript:alert(1)"')),
    ("script link, disguised", "link-unsafe", html('href="#top"', 'href="&#106;avascript:alert(1)"')),
    ("relative link", "link-relative", html('href="#top"', 'href="/up"')),
    ("relative picture", "link-relative", html('src="cid:logo"', 'src="images/logo.png"')),
    ("file picture", "link-unsafe", html('src="cid:logo"', 'src="file:///etc/passwd"')),
    ("empty link", "link-empty", html('href="#top"', 'href=""')),
    ("alt lost", "image-without-alt", html(' alt="Bank"', "")),
    ("card alt lost", "card-without-alt", lambda good: changed(good, SOCIAL, card=Attachment("c", "image/png", b"x"))),
    ("jinja left in html", "template-leftover", html("Dear ", "Dear {{ customer.name }} ")),
    ("jinja left in subject", "template-leftover", lambda good: changed(good, EMAIL, subject="Hi {% if x %}")),
    ("placeholder left in sms", "template-leftover", sms(SMS + " %(day)s")),
    ("slot left", "slot-leftover", html("Dear ", "Dear Zq0sX0004 ")),
    ("word to avoid", "word-to-avoid", html("Dear ", "Guaranteed, dear ")),
    ("word to avoid, soft hyphen", "word-to-avoid", lambda good: changed(good, EMAIL, subject="guaran\u00adteed")),
    ("word to avoid in sms", "word-to-avoid", sms(SMS + " RISK-FREE")),
    (
        "header lost",
        "missing-unsubscribe",
        lambda good: changed(good, EMAIL, message=message(HTML, TEXT, "x", good.renditions[1].content, headers=False)),
    ),
    ("leave link lost in html", "unsubscribe-link-missing", html(f'href="{LEAVE}"', 'href="https://bank.example"')),
    (
        "leave link lost in text",
        "unsubscribe-link-missing",
        lambda good: changed(good, EMAIL, text=TEXT.replace(LEAVE, "")),
    ),
    ("sms without stop", "sms-opt-out-missing", sms(SMS.replace("STOP", ""))),
    ("fact changed in html", "fact-missing", html("234.50, due", "234.05, due")),
]


@pytest.mark.parametrize(("code", "mutate"), [row[1:] for row in MUTATIONS], ids=[row[0] for row in MUTATIONS])
def test_mutation_is_caught(
    good: Composed, rules: CheckRules, code: str, mutate: Callable[[Composed], Composed]
) -> None:
    """One seeded mistake gives its code."""
    assert code in codes(mutate(good), rules)


def test_too_large(good: Composed, rules: CheckRules) -> None:
    """A message above the limit is not sent."""
    assert codes(good, replace(rules, max_email_bytes=1_000)) == {"email-too-large"}


def test_larger_than_the_provider_takes(good: Composed, rules: CheckRules) -> None:
    """Each channel by what its own provider says; one byte decides."""
    for rendition in good.renditions:
        size = len(rendition.content)
        assert codes(good, replace(rules, largest={rendition.channel: size})) == set()
        assert codes(good, replace(rules, largest={rendition.channel: size - 1})) == {"too-large-for-provider"}


def test_what_composing_said_is_not_repeated(good: Composed, rules: CheckRules) -> None:
    """A piece that composing refused, or a finding it made already, is reported once."""
    refused = Finding("missing-value", "m", "r", "p-mastodon", SOCIAL)
    assert codes(replace(good, renditions=good.renditions[:-1], findings=(refused,)), rules) == set()
    long = replace(
        changed(good, SOCIAL, length=501), findings=(Finding("social-too-long", "m", "r", "p-mastodon", SOCIAL),)
    )
    assert codes(long, rules) == set()


def test_transactional_needs_no_way_out(good: Composed) -> None:
    """Only marketing must carry unsubscribe ways."""
    bare = changed(good, EMAIL, message=message(HTML, TEXT, "x", good.renditions[1].content, headers=False))
    assert codes(bare, CheckRules()) == set()


def test_avoided_words_are_whole_words(good: Composed, rules: CheckRules) -> None:
    """Part of a longer word is no hit, unless the script writes no blanks; other languages' lists do not count."""
    post = changed(good, SOCIAL, text=good.renditions[3].text + " unguaranteedly")  # type: ignore[union-attr]
    assert codes(post, rules) == set()
    japanese = replace(rules, avoid={"ja-JP": ("保証",), "en-GB": ()})
    text = changed(good, SOCIAL, text=good.renditions[3].text + " 元本保証付き")  # type: ignore[union-attr]
    assert codes(text, japanese) == set()
    spoken = replace(text, communication=replace(text.communication, language="ja-JP"))
    assert codes(spoken, japanese) == {"word-to-avoid"}


def test_findings_carry_no_personal_data(good: Composed, rules: CheckRules) -> None:
    """Messages go into logs: no name, amount or address is in them."""
    for _, _, mutate in MUTATIONS:
        for finding in check(mutate(good), rules):
            said = finding.message + finding.remedy
            assert not any(secret in said for secret in ("Ana", "Silva", "234.50", "SAVE10", "X7"))


@pytest.mark.data
def test_naughty_names_are_no_mistake_of_the_author(good: Composed, rules: CheckRules, shared_data: Path) -> None:
    """A customer may be called anything: what stands in the data is not reported as a leftover or a link."""
    from html import escape

    names = json.loads((shared_data / "vectors/naughty/blns.json").read_text())
    assert len(names) > 400
    for name in filter(str.strip, names):
        named = replace(good, communication=replace(good.communication, data={"customer": {"name": name}}))
        for part, text in (("html", HTML.replace("Ana", escape(name))), ("text", TEXT.replace("Ana", name))):
            found = check(changed(named, EMAIL, **{part: text}), rules)
            assert [finding.code for finding in found if finding.severity is Severity.ERROR] == [], name


@pytest.mark.parametrize(("attaches", "expected"), [(True, {EMAIL, DOCUMENT}), (False, {DOCUMENT})])
def test_a_faulty_document_does_not_go_out_inside_its_email(
    good: Composed, rules: CheckRules, attaches: bool, expected: set[Channel]
) -> None:
    """An optional document that breaks a rule is held; the email that carries it is held with it."""
    pieces = tuple(replace(one, required=one.channel is not DOCUMENT) for one in good.communication.pieces)
    optional = replace(good, communication=replace(good.communication, pieces=pieces))
    rules = replace(rules, attaches=attaches)
    assert check(optional, rules) == ()
    said = Finding("missing-glyph", "one character has no glyph", "add a font", "p-document", DOCUMENT)
    for broken in (changed(optional, DOCUMENT, pages=0), replace(optional, findings=(said,))):
        faults = (*broken.findings, *check(broken, rules))
        assert {one.channel for one in faults if one.severity is Severity.ERROR} == expected
    warned = replace(optional, findings=(replace(said, severity=Severity.WARNING),))
    assert check(warned, rules) == ()
