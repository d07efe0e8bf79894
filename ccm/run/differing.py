"""Where two renditions first differ, in words a person can follow; never what stands there."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from ccm.model.definitions import Channel


def first_difference(channel: Channel, kept: bytes, again: bytes) -> str:
    """Return the first place where a piece composed again differs from the kept one; free of personal data."""
    if channel is Channel.EMAIL:
        return _in_email(kept, again)
    if channel is Channel.DOCUMENT:
        return _in_document(kept, again)
    return f"from character {_place(kept.decode(errors='replace'), again.decode(errors='replace'))} on"


def _in_email(kept: bytes, again: bytes) -> str:
    one, other = (email.message_from_bytes(content, policy=email.policy.default) for content in (kept, again))
    assert isinstance(one, EmailMessage)
    assert isinstance(other, EmailMessage)
    for name in dict.fromkeys([*one.keys(), *other.keys()]):
        if one.get_all(name) != other.get_all(name):
            return f"in the header {name}"
    for ours, theirs in zip(one.walk(), other.walk(), strict=False):
        if ours.get_content_type() != theirs.get_content_type():
            return f"in the part {ours.get_content_type()}, which is now {theirs.get_content_type()}"
        if not ours.is_multipart() and ours.get_payload(decode=True) != theirs.get_payload(decode=True):
            return f"in the part {ours.get_content_type()}"
    return f"from byte {_place(kept, again)} on"


def _in_document(kept: bytes, again: bytes) -> str:
    from ccm.check.pdf_text import read_pdf

    try:
        one, other = read_pdf(kept).pages, read_pdf(again).pages
    except ValueError:
        return f"from byte {_place(kept, again)} on"
    if len(one) != len(other):
        return f"{len(one)} pages were sent, and now it has {len(other)}"
    for number, (ours, theirs) in enumerate(zip(one, other, strict=True), 1):
        if ours != theirs:
            return f"in the text of page {number}"
    return f"in its look, from byte {_place(kept, again)} on"


def _place(one: bytes | str, other: bytes | str) -> int:
    """Return the first position that differs, from 1."""
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter) + 1
