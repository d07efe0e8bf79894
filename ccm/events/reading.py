"""Reading what others wrote: every value may be missing, of another type, or far too long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST = 200  # characters of a detail

_PIECE = re.compile(r"(?<![a-z0-9-])p-[a-z2-7]{26}(?![a-z0-9])")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._:/-]+")


def text(value: object) -> str:
    """Return a text as it is, and nothing for anything else."""
    return value if isinstance(value, str) else ""


def first_text(value: object) -> str:
    """Return a text, or the first text of a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)) and value:
        return text(value[0])
    return ""


def record(value: object) -> Mapping[str, Any]:
    """Return a record, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def records(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the records of a list, the first hundred."""
    if not isinstance(value, list):
        return ()
    return [one for one in value[:100] if isinstance(one, Mapping)]


def moment(value: object) -> datetime | None:
    """Return an aware time; without an offset it is UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def mail_date(mail: Message) -> datetime | None:
    """Return the date that a mail gives itself, aware; without an offset it is UTC."""
    try:
        found = parsedate_to_datetime(" ".join(str(mail.get("date", "")).split())[:200])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def piece_in(value: str) -> str:
    """Return the only piece id that a text holds; nothing for none or several."""
    found = set(_PIECE.findall(value[:2000]))
    return found.pop() if len(found) == 1 else ""


def word(value: str) -> str:
    """Return a provider's word as letters, digits and simple signs; addresses do not survive."""
    plain = " ".join(_NOT_PLAIN.sub("-", part) for part in value.split() if "@" not in part)
    return plain[:LONGEST]
