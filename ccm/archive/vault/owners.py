"""Whose key a communication is kept under."""

from __future__ import annotations

WORKSPACE = "workspace:"  # broadcasts address nobody in particular; a customer's id may hold a colon, never this prefix
_BROADCAST = "broadcast:"


def owner_of(recipient_id: str) -> str:
    """Return the customer's id, or the workspace for a broadcast."""
    return WORKSPACE if recipient_id.startswith(_BROADCAST) else recipient_id
