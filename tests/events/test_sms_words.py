"""Answers to text messages: known words count, anything else does nothing."""

from __future__ import annotations

import pytest

from ccm.compose.sms.gsm7 import is_gsm7, septets
from ccm.events.sms_words import answer, meaning
from ccm.model.permissions import NewsKind

STOP, START, HELP = NewsKind.STOPPED, NewsKind.STARTED, NewsKind.ASKED


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("STOP", STOP),
        ("stop", STOP),
        (" Stop.\n", STOP),
        ("„STOPP!“", STOP),
        ("STOPALL", STOP),
        ("stop all", STOP),
        ("Opt-out", STOP),
        ("opt out", STOP),
        ("Unsubscribe", STOP),
        ("CANCEL", STOP),
        ("End", STOP),
        ("quit", STOP),
        ("revoke", STOP),
        ("stop please", STOP),
        ("Bitte STOPP", STOP),
        ("Abmelden", STOP),
        ("ARRÊT", STOP),
        ("arret", STOP),
        ("BAJA", STOP),
        ("Ｓｔｏｐ", STOP),  # full width
        ("停止", STOP),
        ("إيقاف", STOP),
        ("СТОП", STOP),
        ("START", START),
        ("unstop", START),
        ("Anmelden", START),
        ("HELP", HELP),
        ("hilfe", HELP),
        ("info", HELP),
        ("", None),
        ("please", None),
        ("yes", None),
        ("When does the offer end?", None),
        ("Don't stop", None),
        ("stop by tomorrow and bring the papers", None),
        ("STOP STOP START", None),
        ("nonstop", None),
        ("x" * 100_000, None),
    ],
)
def test_what_an_answer_wants(text: str, kind: NewsKind | None) -> None:
    """Alone, politely, in another alphabet, with signs around it; not inside a sentence."""
    found = meaning(text)
    assert (found.kind if found else None) is kind


def test_the_confirmation_is_one_segment_in_every_language() -> None:
    """With a brand's name of thirty letters, in the cheap alphabet wherever it has the letters."""
    brand = "Northwind Bank of the Far West"
    languages = ("en", "de", "fr", "es", "it", "nl", "pl", "pt")
    texts = {language: answer(STOP, language, brand) for language in languages}
    assert len(set(texts.values())) == len(texts)
    for said in (answer(kind, language, brand) for language in languages for kind in (STOP, START)):
        assert is_gsm7(said), said
        assert septets(said) <= 160, said
    assert answer(STOP, "ja", brand) == texts["en"]
    assert answer(HELP, "en", brand) == ""
