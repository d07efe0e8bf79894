"""Social posts: every network's own count, its links, hashtags and cards."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ccm.compose.social.networks import NETWORKS, graphemes, mastodon_length, x_length
from ccm.compose.social.posts import compose_social
from ccm.diagnostics import Severity
from ccm.model.definitions import Channel
from ccm.model.records import Attachment, PlannedPiece

FAMILY = "👨‍👩‍👧"  # one grapheme, 18 bytes


def piece(channel: Channel) -> PlannedPiece:
    return PlannedPiece("p-1", channel, "@brand", True, "outbox")


def codes(channel: Channel, text: str, card: Attachment | None = None) -> list[str]:
    return [finding.code for finding in compose_social(text, piece(channel), "en", card)[1]]


def test_every_network_has_rules() -> None:
    """No social channel is without limits."""
    assert set(NETWORKS) == {channel for channel in Channel if channel.is_social}


@pytest.mark.data
def test_x_counts_as_its_conformance_suite(shared_data: Path) -> None:
    """The weighted length equals the published vectors.

    The first group is written for the configuration before emoji counted as one; its two emoji cases differ from today's rules.
    """
    tests = yaml.safe_load((shared_data / "vectors/twitter_text/validate.yml").read_text())["tests"]
    rows = tests["WeightedTweetsWithDiscountedEmojiCounterTest"] + tests["UnicodeDirectionalMarkerCounterTest"]
    older = [row for row in tests["WeightedTweetsCounterTest"] if "unicode" not in row["description"].lower()]
    assert len(rows) == 24
    assert len(older) >= 12
    for row in rows + older:
        assert x_length(row["text"]) == row["expected"]["weightedLength"], row["description"]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hello", 5),
        ("see https://example.com/" + "a" * 200, 4 + 23),
        ("@ana@mastodon.example hi", 4 + 3),
        ("@ana hi", 7),
        (FAMILY * 3, 3),
        ("mail a@b.example", 16),
    ],
)
def test_mastodon_counts(text: str, length: int) -> None:
    """An address counts 23, a mention without its server, a family of three one."""
    assert mastodon_length(text) == length


@pytest.mark.data
def test_graphemes_equal_unicode(shared_data: Path) -> None:
    """Cluster counts equal GraphemeBreakTest, every line but one.

    The vectors are of Unicode 15; since then U+2701 is no pictograph any more and does not join.
    """
    lines = (shared_data / "vectors/unicode/GraphemeBreakTest.txt").read_text().splitlines()
    rows = [line.partition("#")[0].strip() for line in lines]
    checked = 0
    for row in filter(None, rows):
        parts = row.strip("÷ ").split("÷")
        text = "".join(chr(int(code, 16)) for part in parts for code in part.replace("×", " ").split())
        if "\u2701" in text:
            continue
        assert graphemes(text) == len(parts), row
        checked += 1
    assert checked > 590


@pytest.mark.parametrize(
    ("channel", "unit", "limit"),
    [
        (Channel.X, "a", 280),
        (Channel.X, "字", 140),
        (Channel.X, FAMILY, 140),
        (Channel.BLUESKY, "a", 300),
        (Channel.BLUESKY, FAMILY, 166),  # 167 × 18 bytes pass 3,000
        (Channel.MASTODON, "a", 500),
        (Channel.LINKEDIN, "a", 3_000),
        (Channel.FACEBOOK, "a", 63_206),
    ],
)
def test_limits(channel: Channel, unit: str, limit: int) -> None:
    """The last length that fits passes, one more does not."""
    assert codes(channel, unit * limit) == []
    assert codes(channel, unit * (limit + 1)) == ["social-too-long"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Read https://example.com/a", []),
        ("Read http://example.com", ["link-insecure"]),
        ("Read HTTP://example.com and ftp://x.example", ["link-insecure", "link-insecure"]),
        ("#Savings and #Zins2026", []),
        ("#black-friday", ["hashtag-broken"]),
        ("we are #1 since 2020", []),
        ("#20261121", ["hashtag-broken"]),
        ("page https://example.com/#a-b", []),
        ("#Savings.", []),
    ],
)
def test_links_and_hashtags(text: str, expected: list[str]) -> None:
    """Links go over https; hashtags that a network would cut are named."""
    assert codes(Channel.MASTODON, text) == expected


def test_card_needs_alt_text() -> None:
    """A picture without alt text is not posted."""
    bare = Attachment("card.png", "image/png", b"x")
    assert codes(Channel.BLUESKY, "hello", bare) == ["card-without-alt"]
    assert codes(Channel.BLUESKY, "hello", Attachment("card.png", "image/png", b"x", "A red door")) == []


def test_post_is_tidied_and_counted() -> None:
    """Text keeps its paragraphs; the rendition carries length and limit in the network's unit."""
    post, findings = compose_social(" Hi \r\n\r\n\r\n there\x00 e\u0301 \n", piece(Channel.X), "en-GB", None)
    assert post is not None
    assert (post.text, post.length, post.limit, post.language) == ("Hi\n\n there é", 12, 280, "en-GB")
    assert not findings


def test_empty_post() -> None:
    """Nothing to say is an error."""
    post, (finding,) = compose_social(" \n", piece(Channel.X), "en", None)
    assert post is None
    assert (finding.code, finding.severity) == ("empty-body", Severity.ERROR)
