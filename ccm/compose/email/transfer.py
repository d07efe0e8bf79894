"""Transfer encodings of a message's parts: base64 for files, quoted-printable for pages that are filled.

Why quoted-printable for pages: each piece of text can be encoded by itself. What all customers share is encoded once,
and what a customer adds is a few short texts; base64 would have to be made anew for every message, and is a quarter larger.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp

LINE = 76  # characters, without the line end (RFC 2045 section 6.7)

_CUTS = [slice(at, at + LINE) for at in range(0, LINE * 2048, LINE)]  # ready for parts of up to 116 KB
_UNSAFE = re.compile(rb"[^\t -<>-~]|[\t ]\Z")
_FITTING = re.compile(rb".{1,75}(?<!=)(?<!=.)")  # never cuts an =XX in two


def base64_lines(content: bytes) -> bytes:
    """Return base64 in lines of 76 characters, each ended by CRLF."""
    text = b2a_base64(content, newline=False)
    count = -(-len(text) // LINE)
    cuts = _CUTS[:count] if count <= len(_CUTS) else [slice(at, at + LINE) for at in range(0, len(text), LINE)]
    return b"\r\n".join(map(text.__getitem__, cuts)) + b"\r\n"


def quoted_printable(text: str) -> bytes:
    """Return a piece of text, encoded so that it may follow any other piece: it begins and ends at the edge of a line.

    A line break of the text becomes CRLF; every other line end is a soft one, which decoding takes away.
    """
    if not text:
        return b""
    octets = text.encode()
    if len(octets) < LINE:
        quoted = b2a_qp(octets)
        # One line that the standard library leaves whole; a dot that stands alone it would hide.
        if len(quoted) < LINE and b"\n" not in quoted and b"\r" not in quoted and not quoted.startswith(b"=2E"):
            return quoted + b"=\r\n"
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode().split(b"\n")
    encoded = b"\r\n".join(b"=\r\n".join(_FITTING.findall(_UNSAFE.sub(_escaped, line))) for line in lines)
    return encoded + b"=\r\n" if lines[-1] else encoded


def _escaped(octet: re.Match[bytes]) -> bytes:
    return b"=%02X" % octet[0][0]
