"""The signed tokens of unsubscribe links: what they say, how they are signed, how a forged one is known. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

from ccm.model.definitions import Purpose
from ccm.model.keyring import Key, Keyring

LONGEST = 600  # characters; a longer one is refused before it is looked at

_FORM = re.compile(r"[a-z2-7]{6}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{22}")
_ANYWHERE = re.compile(rf"(?<![A-Za-z0-9_.-]){_FORM.pattern}(?![A-Za-z0-9_-])")
_MOST_TEXT = 4000  # characters that are searched
_SIGNATURE_BYTES = 16
_CONTEXT = b"link-1:"  # a signature for a link is good for nothing else
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class LinkClaims:
    """What an unsubscribe link says about the message it came in. Names nobody.

    person: Mark of the recipient's id.
    email: Mark of the address; empty where the message went to none.
    locale: The recipient's, for the page that they see.
    """

    brand: str
    purpose: Purpose
    communication_id: str
    locale: str
    person: str
    email: str = ""


def found_in(text: str) -> tuple[str, ...]:
    """Return what looks like a token in a text, each once; whether it is one only `read` tells."""
    return tuple(dict.fromkeys(_ANYWHERE.findall(text[:_MOST_TEXT])))


def signed(claims: LinkClaims, keyring: Keyring) -> str:
    """Return a token: the key's name, what is claimed, a signature. The same claims always give the same token.

    Why: It says all that unsubscribing needs. It works for years, when ledger and campaign are long gone.
    """
    key = keyring.newest
    words = (claims.brand, claims.purpose, claims.communication_id, claims.locale, claims.person, claims.email)
    payload = _SEPARATOR.join(word.replace(_SEPARATOR, "") for word in words).encode()
    return f"{key.ident}.{_text(payload)}.{_text(_signature(key, payload))}"


def read(token: str, keyring: Keyring) -> LinkClaims | None:
    """Return what a token claims, or None if we did not sign exactly this."""
    if len(token) > LONGEST or not _FORM.fullmatch(token):
        return None
    ident, payload_text, signature_text = token.split(".")
    key = keyring.key(ident)
    payload, signature = _octets(payload_text), _octets(signature_text)
    if key is None or payload is None or signature is None:
        return None
    if not hmac.compare_digest(_signature(key, payload), signature):
        return None
    brand, purpose, communication, locale, person, email = payload.decode().split(_SEPARATOR)
    return LinkClaims(brand, Purpose(purpose), communication, locale, person, email)


def _signature(key: Key, payload: bytes) -> bytes:
    return key.signature(_CONTEXT + payload)[:_SIGNATURE_BYTES]


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _octets(text: str) -> bytes | None:
    """Decode; None unless the text is the one way to write these octets.

    Why: Spare bits at the end would give a token other spellings that are taken as well.
    """
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return octets if _text(octets) == text else None
