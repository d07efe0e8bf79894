"""Events of AWS End User Messaging in our words."""

from __future__ import annotations

from typing import Any

import pytest

from ccm.events.text_messages import read_text_event
from ccm.model.permissions import NewsKind

PIECE = "p-" + "a" * 26


def event(name: str, **more: Any) -> dict[str, Any]:
    return {
        "eventType": name,
        "messageId": "t-1",
        "destinationPhoneNumber": "+12025550123",
        "context": {"piece": PIECE},
        "eventTimestamp": 1793620800000,
    } | more


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TEXT_DELIVERED", NewsKind.DELIVERED),
        ("TEXT_SUCCESSFUL", NewsKind.OTHER),  # the carrier took it; nobody knows whether it arrived
        ("TEXT_QUEUED", NewsKind.OTHER),
        ("TEXT_INVALID", NewsKind.BOUNCED),
        ("TEXT_UNREACHABLE", NewsKind.FAILED),
        ("TEXT_CARRIER_BLOCKED", NewsKind.FAILED),
    ],
)
def test_each_event_in_our_words(name: str, kind: NewsKind) -> None:
    """The piece comes back in the context that we gave."""
    (news,) = read_text_event(event(name))
    assert (news.kind, news.piece_id, news.address) == (kind, PIECE, "+12025550123")
    assert news.at is not None
    assert "2025550123" not in repr(news) + news.event_id


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"eventType": "VOICE_ANSWERED", "messageId": "t"},
        {"eventType": 5},
        {"inboundMessageId": "i", "messageBody": "Hi"},
    ],
)
def test_what_is_no_event_says_nothing(given: dict[str, Any]) -> None:
    """Other services, other types, other texts."""
    assert read_text_event(given) == ()


def test_odd_times_are_no_times() -> None:
    """Milliseconds that are none do not break an event."""
    for odd in ("soon", None, -1, 10**18, True):
        assert read_text_event(event("TEXT_DELIVERED", eventTimestamp=odd))[0].at is None
