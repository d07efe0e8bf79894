"""Events of Amazon SES in our words."""

from __future__ import annotations

from typing import Any

import pytest
from events.amazon import ses_event

from ccm.events.ses import read_ses
from ccm.model.permissions import NewsKind

PIECE = "p-" + "a" * 26


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("Delivery", {}, NewsKind.DELIVERED),
        ("Bounce", {}, NewsKind.BOUNCED),
        ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}, NewsKind.FAILED),
        ("Bounce", {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}, NewsKind.FAILED),
        ("Complaint", {}, NewsKind.COMPLAINED),
        ("DeliveryDelay", {}, NewsKind.DELAYED),
        ("Open", {}, NewsKind.OTHER),
        ("Send", {}, NewsKind.OTHER),
    ],
)
def test_each_event_in_our_words(name: str, body: dict[str, Any], kind: NewsKind) -> None:
    """The piece comes back in the tag that we gave; the address is known and never shown."""
    (news,) = read_ses(ses_event(name, PIECE, **body))
    assert (news.kind, news.piece_id, news.address, news.proved) == (kind, PIECE, "ann@example.org", True)
    assert "example.org" not in repr(news) + news.event_id + news.detail


def test_notifications_without_tags_are_found_by_the_header() -> None:
    """Feedback notifications of an identity carry the original headers instead."""
    event = ses_event("Bounce", PIECE)
    event["notificationType"] = event.pop("eventType")
    del event["mail"]["tags"]
    event["mail"]["headers"] = [{"name": "Message-ID", "value": f"<{PIECE}@northwind.example>"}]
    assert [news.piece_id for news in read_ses(event)] == [PIECE]
    del event["mail"]["headers"]
    assert [news.piece_id for news in read_ses(event)] == [""]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"eventType": "Bounce"},
        {"eventType": ["Bounce"], "mail": {"messageId": "x"}},
        {"eventType": "Bounce", "mail": "x"},
        {"eventType": "Bounce", "mail": {"messageId": ["x"]}},
        {"hello": "world"},
    ],
)
def test_what_is_no_event_says_nothing(event: dict[str, Any]) -> None:
    """Whatever stands where something else should."""
    assert read_ses(event) == ()


def test_odd_shapes_break_nothing() -> None:
    """Lists where records should be, numbers where texts should be, thousands of recipients."""
    for body in (
        {"bouncedRecipients": "x"},
        {"bouncedRecipients": [1, None, {"emailAddress": 5}]},
        {"bouncedRecipients": [{"emailAddress": f"{n}@example.org"} for n in range(5000)]},
        {"bounceType": None, "timestamp": 7},
    ):
        assert len(read_ses(ses_event("Bounce", PIECE, **body))) <= 100
