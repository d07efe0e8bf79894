"""Text messages: the segments that carriers bill for, and the alphabet policy."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from ccm.compose.sms.gsm7 import ALPHABET, BASIC, EXTENSION, is_gsm7, septets, transliterated
from ccm.compose.sms.segments import CAPACITY, GSM7, UCS2, characters_over, compose_sms, split_segments, tidy
from ccm.diagnostics import Severity
from ccm.model.definitions import SmsAlphabet, SmsRules

ANSWERS = json.loads((Path(__file__).parent / "sms_oracle" / "answers.json").read_text())


def rules(alphabet: SmsAlphabet) -> SmsRules:
    return SmsRules(alphabet=alphabet)


def units(segment: str, alphabet: str) -> int:
    return septets(segment) if alphabet == GSM7 else len(segment.encode("utf-16-le")) // 2


def test_alphabet_is_complete() -> None:
    """128 positions less the escape, and ten characters of the extension table."""
    assert (len(BASIC), len(EXTENSION), len(ALPHABET)) == (127, 10, 137)
    assert "ç" not in ALPHABET
    assert "Ç" in ALPHABET


def test_segments_equal_the_calculator_of_a_carrier() -> None:
    """Alphabet, count and every cut are what sms-segments-calculator 1.3.0 says."""
    assert len(ANSWERS) >= 300
    assert {answer["encoding"] for answer in ANSWERS} == {"GSM-7", "UCS-2"}
    for answer in ANSWERS:
        alphabet = GSM7 if is_gsm7(answer["text"]) else UCS2
        assert alphabet == {"GSM-7": GSM7, "UCS-2": UCS2}[answer["encoding"]], answer["text"]
        assert list(split_segments(answer["text"], alphabet)) == answer["segments"], answer["text"]


@pytest.mark.data
@pytest.mark.parametrize(("name", "alphabet", "cases"), [("gsm", GSM7, 11), ("unicode", UCS2, 10)])
def test_segments_equal_the_split_sms_vectors(shared_data: Path, name: str, alphabet: str, cases: int) -> None:
    """Every published case is cut the same way.

    Two GSM cases hold characters outside the alphabet, which that library replaces by blanks; we never do.
    """
    path = shared_data / "vectors/sms/split-sms/testdata" / f"{name}.test.json"
    rows = [row for row in json.loads(path.read_text()) if alphabet == UCS2 or is_gsm7(row["message"])]
    assert len(rows) >= cases - 2
    for row in rows:
        segments = split_segments(row["message"], alphabet)
        assert list(segments) == [part["content"] for part in row["parts"]], row["description"]
        factor = 1 if alphabet == GSM7 else 2
        assert [units(segment, alphabet) * factor for segment in segments] == [part["bytes"] for part in row["parts"]]


@pytest.mark.parametrize(
    ("text", "alphabet", "sizes"),
    [
        ("a" * 160, GSM7, [160]),
        ("a" * 161, GSM7, [153, 8]),
        ("a" * 152 + "€" + "a" * 10, GSM7, [152, 11]),  # 152 + 2 septets would be 154
        ("a" * 159 + "€", GSM7, [153, 7]),  # 159 + 2 = 161 septets
        ("é" * 160, GSM7, [160]),
        ("ж" * 70, UCS2, [70]),
        ("ж" * 71, UCS2, [67, 4]),
        ("ж" * 66 + "👍" + "ж" * 10, UCS2, [66, 11]),  # the pair would end at unit 68
        ("ж" * 64 + "👨‍👩‍👧" + "ж" * 10, UCS2, [64, 15]),  # eight units stay together
        ("e" + "\u0301" * 100, UCS2, [67, 34]),  # one cluster longer than a segment falls apart
    ],
)
def test_cuts(text: str, alphabet: str, sizes: list[int]) -> None:
    """No escape pair, surrogate pair or cluster is split; sizes in characters."""
    assert [len(segment) for segment in split_segments(text, alphabet)] == sizes


@pytest.mark.data
def test_naughty_strings_survive(shared_data: Path) -> None:
    """Every hostile string goes through unharmed: nothing but blanks and control characters changes."""
    strings = json.loads((shared_data / "vectors/naughty/blns.json").read_text())
    assert len(strings) > 400
    for text in strings:
        message, findings = compose_sms(f"Dear {text}, hello", "p-1", rules(SmsAlphabet.AUTO), 40)
        assert message is not None
        assert not findings
        assert visible(message.text) == visible(f"Dear {text}, hello")
        assert "".join(message.segments) == message.text
        single, part = CAPACITY[message.alphabet]
        room = single if len(message.segments) == 1 else part
        assert all(units(segment, message.alphabet) <= room for segment in message.segments)
        assert message.content.decode() == message.text


def visible(text: str) -> str:
    """Return text without blanks and control characters."""
    normal = unicodedata.normalize("NFC", text)
    return "".join(c for c in normal if not c.isspace() and unicodedata.category(c) != "Cc")


@pytest.mark.parametrize(
    ("policy", "given", "text", "alphabet"),
    [
        (SmsAlphabet.AUTO, "it’s", "it’s", UCS2),
        (SmsAlphabet.AUTO, "1\u202f234,50\u00a0€", "1 234,50 €", GSM7),
        (SmsAlphabet.TRANSLITERATE, "it’s “so” – 5 €…", 'it\'s "so" - 5 €...', GSM7),
        (SmsAlphabet.TRANSLITERATE, "Łódź’s", "Łódź’s", UCS2),  # a letter would be lost, so nothing is changed
        (SmsAlphabet.TRANSLITERATE, "ça va ?", "ça va ?", UCS2),
        (SmsAlphabet.TRANSLITERATE, "Hi 👍", "Hi 👍", UCS2),
        (SmsAlphabet.TRANSLITERATE, "مرحبا", "مرحبا", UCS2),
        (SmsAlphabet.TRANSLITERATE, "こんにちは", "こんにちは", UCS2),
        (SmsAlphabet.TRANSLITERATE, "soft\u00adhyphen\u200b", "softhyphen", GSM7),
        (SmsAlphabet.GSM7, "Łódź ça Ősz", "Lodz ca Osz", GSM7),
        (SmsAlphabet.GSM7, "Привет", "Privet", GSM7),
        (SmsAlphabet.GSM7, "Γειά σου Κόσμε", "ΓEIA ΣOY KOΣME", GSM7),
        (SmsAlphabet.GSM7, "٣ ₽5", "3 RUB 5", GSM7),
    ],
)
def test_policy(policy: SmsAlphabet, given: str, text: str, alphabet: str) -> None:
    """Each policy does what it says and nothing silently."""
    message, findings = compose_sms(given, "p-1", rules(policy), 3)
    assert message is not None
    assert (message.text, message.alphabet, findings) == (text, alphabet, ())


@pytest.mark.parametrize("text", ["مرحبا", "こんにちは", "नमस्ते", "Total ₸5"])
def test_gsm7_only_holds_what_cannot_be_read(text: str) -> None:
    """Under gsm7 a script or currency without a readable form is held, never dropped."""
    message, (finding,) = compose_sms(text, "p-1", rules(SmsAlphabet.GSM7), 3)
    assert message is None
    assert (finding.code, finding.severity) == ("sms-alphabet", Severity.ERROR)
    assert text not in finding.message


def test_gsm7_only_drops_emoji_and_says_so() -> None:
    """A pictogram is left out with a warning."""
    message, (finding,) = compose_sms("Hi 👍 there 5️⃣", "p-1", rules(SmsAlphabet.GSM7), 3)
    assert message is not None
    assert message.text == "Hi there 5"
    assert (finding.code, finding.severity) == ("sms-symbols-dropped", Severity.WARNING)


@pytest.mark.parametrize("text", ["Straße œuvre ß Ñ µ", "Ελλάδα", "Ђорђе"])
def test_transliterated_stays_in_the_alphabet(text: str) -> None:
    """What transliteration returns can be sent as GSM-7."""
    spelt, lost = transliterated(text)
    assert is_gsm7(spelt)
    assert lost == ""


@pytest.mark.parametrize(
    ("text", "limit", "excess"),
    [("a" * 161, 1, 1), ("a" * 310, 2, 4), ("ж" * 71, 1, 1), ("ж" * 150, 2, 16), ("a" * 159 + "€", 1, 1)],
)
def test_too_long_says_how_much(text: str, limit: int, excess: int) -> None:
    """The finding tells how many characters to cut, and cutting them is enough."""
    message, (finding,) = compose_sms(text, "p-1", rules(SmsAlphabet.AUTO), limit)
    assert message is not None
    assert finding.code == "sms-too-long"
    assert f"cut {excess} characters" in finding.remedy
    assert characters_over(text, message.alphabet, limit) == excess
    assert len(split_segments(text[:-excess], message.alphabet)) <= limit
    assert len(split_segments(text[: len(text) - excess + 1], message.alphabet)) > limit


def test_tidy() -> None:
    """Line ends become line feeds, blanks collapse, control characters vanish, text is NFC."""
    assert tidy("  a\u00a0 b \r\n\r\n\r\n c\td\x00\x1b e\u0301 \u2028") == "a b\n\nc d é"
    assert tidy("\ud800") == "\ufffd"
    assert tidy("") == ""
