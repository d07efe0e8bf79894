"""What each social network counts, and how long a post may be."""

from __future__ import annotations

import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from types import ModuleType

import regex

from ccm.model.definitions import Channel

_CLUSTER = regex.compile(r"\X")
_LINK = re.compile(r"https?://[^\s<>\"'\u3000-\u303f\uff00-\uff0f]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w/])(@\w+(?:[.-]\w+)*)@[\w.-]+\w")
_SHORTENED = "x" * 23  # X and Mastodon count every address as 23 characters


@dataclass(frozen=True)
class NetworkRules:
    """How one network counts.

    limit: In the unit of `length`.
    max_bytes: UTF-8 bytes, where the network has such a limit as well.
    unit: What the length counts, for people.
    """

    limit: int
    unit: str
    length: Callable[[str], int]
    max_bytes: int | None = None


def graphemes(text: str) -> int:
    """Return the number of user-perceived characters (Unicode extended grapheme clusters)."""
    return len(_CLUSTER.findall(text))


def utf16_units(text: str) -> int:
    """Return the number of 16-bit units, as JavaScript and Java count characters."""
    return len(text) + sum(character > "\uffff" for character in text)


def mastodon_length(text: str) -> int:
    """Return Mastodon's count: graphemes, an address as 23, a mention without its server.

    Source: Mastodon, app/validators/status_length_validator.rb.
    """
    return graphemes(_MENTION.sub(r"\1", _LINK.sub(_SHORTENED, text)))


def x_length(text: str) -> int:
    """Return X's weighted length: addresses 23, emoji and CJK 2, most other characters 1.

    Source: twitter-text, configuration version 3.
    """
    return int(_twitter_text().parse_tweet(unicodedata.normalize("NFC", text)).weightedLength)


NETWORKS: Mapping[Channel, NetworkRules] = {
    Channel.X: NetworkRules(280, "weighted characters", x_length),
    Channel.BLUESKY: NetworkRules(300, "graphemes", graphemes, max_bytes=3_000),
    Channel.MASTODON: NetworkRules(500, "characters", mastodon_length),
    Channel.FACEBOOK: NetworkRules(63_206, "characters", utf16_units),
    Channel.LINKEDIN: NetworkRules(3_000, "characters", utf16_units),
}

_importing = threading.Lock()


@cache
def _twitter_text() -> ModuleType:
    """Return the parser of X's own rules.

    Why: Its 3.0.0 reads one data file through pkg_resources, which setuptools has dropped; while it is imported a
        stand-in reads that file through importlib.
    """
    with _importing:
        if "twitter_text" in sys.modules or "pkg_resources" in sys.modules:
            return import_module("twitter_text")
        stand_in = ModuleType("pkg_resources")
        stand_in.__dict__["resource_string"] = _resource
        sys.modules["pkg_resources"] = stand_in
        try:
            return import_module("twitter_text")
        finally:
            del sys.modules["pkg_resources"]


def _resource(module: str, name: str) -> bytes:
    return resources.files(module.rpartition(".")[0]).joinpath(name).read_bytes()
