"""Tokens of unsubscribe links: signed, opaque, valid for years, forged by nobody."""

from __future__ import annotations

import base64
import random
import string

from hypothesis import given
from hypothesis import strategies as st

from ccm.model.definitions import Purpose
from ccm.model.keyring import Keyring
from ccm.model.tokens import LONGEST, LinkClaims, read, signed

OLD = Keyring.of("the secret of last year")
NEW = Keyring.of("the secret of this year", "the secret of last year")
CLAIMS = LinkClaims("bank", Purpose.MARKETING, "c-abc", "de-DE", OLD.mark("p:C-1"), OLD.mark("a:x@example.com"))


def test_the_same_claims_always_give_the_same_token() -> None:
    """A message composed again has the same bytes."""
    assert signed(CLAIMS, OLD) == signed(CLAIMS, Keyring.of("the secret of last year"))
    assert read(signed(CLAIMS, OLD), OLD) == CLAIMS


def test_old_tokens_work_after_the_secret_was_changed_and_not_once_it_is_gone() -> None:
    """A token names its key."""
    assert read(signed(CLAIMS, OLD), NEW) == CLAIMS
    assert read(signed(CLAIMS, NEW), NEW) == CLAIMS
    assert read(signed(CLAIMS, NEW), OLD) is None


def test_a_token_names_nobody() -> None:
    """Neither address nor customer id can be read out of it, plain or decoded."""
    token = signed(CLAIMS, OLD)
    payload = token.split(".")[1]
    decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    for secret in (b"x@example.com", b"C-1"):
        assert secret not in token.encode()
        assert secret not in decoded
    assert len(token) < 250


def test_every_change_of_one_character_is_refused() -> None:
    """Every place, every other letter of the alphabet."""
    token = signed(CLAIMS, OLD)
    alphabet = string.ascii_letters + string.digits + "-_."
    tried = 0
    for place, was in enumerate(token):
        for letter in alphabet:
            if letter != was:
                tried += 1
                assert read(token[:place] + letter + token[place + 1 :], OLD) is None
    assert tried > 9_000


def test_forgeries_are_refused() -> None:
    """Cut, doubled, joined from two, signed with another secret, with no or a foreign signature, far too long."""
    token, other = signed(CLAIMS, OLD), signed(LinkClaims("shop", Purpose.LEGAL, "c-x", "en", "p", "e"), OLD)
    ident, payload, signature = token.split(".")
    _, other_payload, other_signature = other.split(".")
    stranger = signed(CLAIMS, Keyring.of("somebody else's secret"))
    forged = [
        "",
        ".",
        "..",
        ident,
        f"{ident}.{payload}",
        f"{ident}.{payload}.",
        f"{ident}.{payload}.{other_signature}",
        f"{ident}.{other_payload}.{signature}",
        f"{ident}.{payload}.{signature}.{signature}",
        f"{ident}.{payload}.{'A' * 22}",
        f"{ident}.{payload}{payload}.{signature}",
        f"{ident.upper()}.{payload}.{signature}",
        f"aaaaaa.{payload}.{signature}",
        f"{ident}.{stranger.split('.')[1]}.{stranger.split('.')[2]}",
        stranger,
        token + "\n",
        " " + token,
        token + "=",
        token.replace(".", "%2E"),
        token + "\x00",
        "é" * 40,
        "c-abc",
        "a" * (LONGEST + 1),
    ]
    assert [text for text in forged if read(text, OLD) is not None] == []


def test_noise_is_refused() -> None:
    """Ten thousand tokens of the right form with drawn letters."""
    draw = random.Random(5)
    letters = string.ascii_letters + string.digits + "-_"
    ident, payload, _ = signed(CLAIMS, OLD).split(".")
    for _ in range(10_000):
        assert read(f"{ident}.{payload}.{''.join(draw.choices(letters, k=22))}", OLD) is None


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=20))
def test_any_text_goes_through(brand: str, communication: str, locale: str) -> None:
    """Whatever the words hold, a token reads back as one set of claims."""
    claims = LinkClaims(
        *(word.replace("\x1f", "").encode("utf-8", "ignore").decode() for word in (brand,)),
        Purpose.MARKETING,
        communication.replace("\x1f", "").encode("utf-8", "ignore").decode(),
        locale.replace("\x1f", "").encode("utf-8", "ignore").decode(),
        "p",
    )
    token = signed(claims, OLD)
    assert len(token) > LONGEST or read(token, OLD) == claims
