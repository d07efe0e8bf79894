"""One post per locale, with a piece for each network."""

from __future__ import annotations

from ccm.model.definitions import Channel
from ccm.model.records import Communication, Exclusion, ExclusionReason, communication_id
from ccm.plan import plan_broadcasts
from tests.plan.conftest import brief_of, campaign

CHANNELS = {"together": ["email"], "broadcast": ["mastodon", "bluesky"]}


def test_one_per_locale() -> None:
    """Locales of the campaign, the template's if it names none; accounts from the brand; no customer data."""
    posts = list(plan_broadcasts(brief_of(campaign(channels=CHANNELS))))
    assert [post.recipient_id for post in posts] == ["broadcast:en-US", "broadcast:de-DE", "broadcast:en-GB"]
    named = list(plan_broadcasts(brief_of(campaign(channels=CHANNELS, locales=["de-AT", "de-AT"]))))
    (post,) = named
    assert isinstance(post, Communication)
    assert (post.language, post.locale, post.data, post.is_broadcast) == ("de-DE", "de-AT", {}, True)
    assert post.communication_id == communication_id("offer", "2026-10", "broadcast:de-AT")
    assert [(piece.channel, piece.address) for piece in post.pieces] == [
        (Channel.MASTODON, "@bank@m.example"),
        (Channel.BLUESKY, ""),
    ]


def test_none_without_networks() -> None:
    """A campaign without broadcast channels posts nothing."""
    assert list(plan_broadcasts(brief_of(campaign()))) == []


def test_waits_for_its_time() -> None:
    """A post before its time is an exclusion that says when; a recipient's zone means UTC; quiet hours do not count."""
    waiting = list(plan_broadcasts(brief_of(campaign(channels=CHANNELS, schedule={"at": "2026-11-02T12:01"}))))
    assert all(isinstance(post, Exclusion) and post.reason is ExclusionReason.NOT_DUE for post in waiting)
    due = campaign(channels=CHANNELS, schedule={"at": "2026-11-02T12:00", "quiet": "11:00-13:00"})
    assert all(isinstance(post, Communication) for post in plan_broadcasts(brief_of(due)))
