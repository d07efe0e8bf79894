"""A `requests` session that sends through an `Exchange`, for client libraries built on requests.

Why: Such a library knows its API, but not what a failed request proves. Here every request is sent once, without
redirects and with a time limit, and ends in the same words as everywhere else.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter

from ccm.deliver.exchange import Exchange, Reader


def exchange_session(
    exchange: Exchange, reader: Reader | None = None, *, moved: tuple[str, str] | None = None
) -> requests.Session:
    """Return a session whose requests raise `Setback` or `DeliveryError` for everything but a good answer.

    Args:
        reader: See `Exchange.call`.
        moved: Address that the library has built in, and the one to be used in its place.
    """
    session = _Session(moved)
    transport = _Transport(exchange, reader)
    session.mount("https://", transport)
    session.mount("http://", transport)
    return session


class _Session(requests.Session):
    """Changes the address before the request is signed: OAuth 1.0a signs the address too."""

    def __init__(self, moved: tuple[str, str] | None) -> None:
        super().__init__()
        self._moved = moved

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        if self._moved and isinstance(url, str) and url.startswith(self._moved[0]):
            url = self._moved[1] + url.removeprefix(self._moved[0])
        return super().request(method, url, *args, **kwargs)


class _Transport(BaseAdapter):
    def __init__(self, exchange: Exchange, reader: Reader | None) -> None:
        super().__init__()
        self._exchange = exchange
        self._reader = reader

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            raise TypeError("only whole bodies are sent, no streams")
        answer = self._exchange.call(
            request.method or "GET",
            request.url or "",
            headers=_headers(request.headers),
            content=body,
            reader=self._reader,
        )
        response = requests.Response()
        response.status_code = answer.code
        response.headers.update(answer.headers)
        response.encoding = "utf-8"
        response.raw = io.BytesIO(answer.body)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        self._exchange.close()


def _headers(given: Mapping[str, str | bytes]) -> dict[str, str]:
    """Return the headers but for those that describe the connection, which is ours."""
    own = {"content-length", "connection", "accept-encoding", "host", "transfer-encoding"}
    plain = {name: _text(value) for name, value in given.items()}
    return {name: value for name, value in plain.items() if name.lower() not in own}


def _text(value: str | bytes) -> str:
    """Return a header as text; the library that signs gives bytes."""
    return value.decode() if isinstance(value, bytes) else value
