"""Facets in UTF-8 bytes, and record keys that follow from the piece."""

from __future__ import annotations

import pytest

from ccm.deliver.bluesky_text import facets, marks, record_key


def shown(text: str) -> list[tuple[str, str, str]]:
    """Return kind, the marked stretch, and the value of each mark."""
    return [(mark.kind, text.encode()[mark.start : mark.end].decode(), mark.value) for mark in marks(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", []),
        ("https://a.example", [("link", "https://a.example", "https://a.example")]),
        ("see https://a.example/x?y=1&z=2#top.", [("link", "https://a.example/x?y=1&z=2#top", "https://a.example/x?y=1&z=2#top")]),
        ("(https://a.example/x)", [("link", "https://a.example/x", "https://a.example/x")]),
        ("https://a.example/x_(y)", [("link", "https://a.example/x_(y)", "https://a.example/x_(y)")]),
        ("Grüße 👋🏽 https://a.example/ö!", [("link", "https://a.example/ö", "https://a.example/ö")]),
        ("mail@a.example and xhttps://a.example", []),
        ("@ann.bsky.social, hello", [("mention", "@ann.bsky.social", "ann.bsky.social")]),
        ("@ann hello @b.example.", [("mention", "@b.example", "b.example")]),
        ("#Save now, #Größe! #日本語 #2026 #a1", [("tag", "#Save", "Save"), ("tag", "#Größe", "Größe"), ("tag", "#日本語", "日本語"), ("tag", "#a1", "a1")]),
        ("C#sharp and #" + "x" * 65, []),
        ("https://a.example/#tag", [("link", "https://a.example/#tag", "https://a.example/#tag")]),
        ("line\n#two\nhttps://a.example\n", [("tag", "#two", "two"), ("link", "https://a.example", "https://a.example")]),
    ],
)  # fmt: skip
def test_what_is_marked(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Links without the full stop behind them, mentions of whole handles, hashtags that are no numbers."""
    assert shown(text) == expected


def test_an_unknown_handle_stays_text() -> None:
    """A mention needs the account's own id; without one it is no mention."""
    text = "@known.example @gone.example"
    (facet,) = facets(text, {"known.example": "did:plc:k"})
    assert facet == {
        "index": {"byteStart": 0, "byteEnd": 14},
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:k"}],
    }


def test_record_keys_are_stable_and_different() -> None:
    """The same piece has the same key for ever (a changed one would post twice); pieces do not share one."""
    assert record_key("p-abcdefghijklmnopqrstuvwxyz") == record_key("p-abcdefghijklmnopqrstuvwxyz")
    assert record_key("p-sample") == "3jpuvg6eu7dwl"
    keys = {record_key(f"p-{number}") for number in range(20_000)}
    assert len(keys) == 20_000
    assert all(len(key) == 13 and set(key) <= set("234567abcdefghijklmnopqrstuvwxyz") for key in keys)
    assert all("3jl7442uk2222" <= key < "3khuwc44c2222" for key in keys)  # moments of the year 2023
