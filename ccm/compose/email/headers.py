"""Header lines of a message, built from structured parts: no value can become a header of its own."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import lru_cache

import idna

from ccm.compose.failure import ComposeFailure

MAX_LINE = 76
_PLAIN = re.compile(r"[ -~]*")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]+")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+")
_LINK = re.compile(r"[!#-;=?-~]+")  # printable ASCII without blank, quote and angle brackets
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_WORD = re.compile(r"[^A-Za-z0-9._-]+")
_CHUNK = 42  # bytes of UTF-8 in one encoded word, so that a line stays below 76 characters


def address(text: str) -> str:
    """Return one addr-spec, its domain in ASCII.

    Raises:
        ComposeFailure: If it is not exactly one address that every server takes.
    """
    local, at, domain = text.rpartition("@")
    if not at or not _ATOM.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local or len(text) > 254:
        raise _bad_address()
    return f"{local}@{_ascii_domain(domain)}"


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    if _DOMAIN.fullmatch(domain):
        return domain
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise _bad_address() from None
    if not _DOMAIN.fullmatch(domain):
        raise _bad_address()
    return domain


def _bad_address() -> ComposeFailure:
    return ComposeFailure(
        "unusable-address", "the address of the email is not one plain address", "correct it in the source"
    )


def mailbox(name: str, addr_spec: str) -> str:
    """Return a display name with its address."""
    if not name:
        return addr_spec
    if not _is_plain(name):
        return f"{encoded(name)}\r\n <{addr_spec}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{addr_spec}>'


def text_header(name: str, text: str) -> str:
    """Return a header of free text, such as Subject: folded, and encoded unless it is plain ASCII.

    Why: Text that looks like an encoded word would be decoded by the reader into something else, a line
        break or a header among it; it is encoded itself and so stays what it is.
    """
    if not _is_plain(text):
        return f"{name}: {encoded(text)}\r\n"
    lines, line = [], f"{name}:"
    for word in text.split(" "):
        if len(line) + 1 + len(word) > MAX_LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += " " + word
    return "\r\n".join([*lines, line]) + "\r\n"


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and "=?" not in text
        and "  " not in text
        and text == text.strip()
        and all(len(word) < 60 for word in text.split(" "))
    )


def encoded(text: str) -> str:
    """Return text as encoded words, folded; controls become blanks.

    Source: RFC 2047 section 2 (75 characters a word) and 5 (no character is split).
    """
    text = _CONTROLS.sub(" ", text)
    words: list[str] = []
    chunk = b""
    for sign in text:
        octets = sign.encode("utf-8", "ignore")
        if len(chunk) + len(octets) > _CHUNK:
            words.append(_word(chunk))
            chunk = b""
        chunk += octets
    words.append(_word(chunk))
    return "\r\n ".join(words)


def _word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="


def word(text: str) -> str:
    """Return text as one word of a header: letters, digits, dots, dashes; whatever else becomes a dash."""
    return _NOT_WORD.sub("-", text)[:64]


def link_list(name: str, links: Sequence[str]) -> str:
    """Return a header of addresses in angle brackets, one a line, never encoded.

    Raises:
        ComposeFailure: If an address holds what could end the brackets or the line.
    Why: Encoded or folded inside, one-click unsubscribing does not work (RFC 8058).
    """
    for link in links:
        if not _LINK.fullmatch(link) or len(link) > 900:
            raise ComposeFailure(
                "unusable-link", f"an address of the header {name} is not plain ASCII", "correct it in brand.yaml"
            )
    return f"{name}: " + ",\r\n ".join(f"<{link}>" for link in links) + "\r\n"


def file_name(parameter: str, name: str) -> str:
    """Return a file name as a header parameter, in the plain form or that of RFC 2231."""
    if _PLAIN.fullmatch(name) and '"' not in name and "\\" not in name:
        return f'{parameter}="{name}"'
    safe = "".join(
        chr(octet) if chr(octet).isascii() and (chr(octet).isalnum() or chr(octet) in "-._") else f"%{octet:02X}"
        for octet in name.encode()
    )
    return f"{parameter}*=utf-8''{safe}"


_UNSAFE_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u2028\u2029]')


def safe_file_name(text: str, fallback: str) -> str:
    """Return a name that every system can store: no path, no control, at most 120 characters."""
    name = _UNSAFE_IN_NAMES.sub("-", " ".join(text.split())).strip(" .-")
    if len(name) > 120:
        stem, dot, ending = name.rpartition(".")
        name = (stem[: 119 - len(ending)] + dot + ending) if 0 < len(ending) <= 8 else name[:120]
    return name or fallback
