"""Mastodon's API in this process (PyPI mastodon-mock): stateful, takes at most 500 characters, honours the key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mastodon_mock.testing.server import MockServer

TOKEN = "alice_token"


class MastodonAccount:
    """One account of a running server."""

    def __init__(self, server: MockServer) -> None:
        self._server = server
        self.url = server.base_url
        self.token = TOKEN

    @property
    def posts(self) -> list[Any]:
        """What the account has posted, newest first."""
        client = self._server.client("alice")
        return list(client.account_statuses(client.me().id, limit=40))


@contextmanager
def mastodon_server() -> Iterator[MastodonAccount]:
    """Run an empty server."""
    with MockServer(startup_timeout=120) as server:
        yield MastodonAccount(server)
