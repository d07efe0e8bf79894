"""Twilio's own client over our exchange: each request leaves once, and its end is told apart. Imports twilio: lazy."""

from __future__ import annotations

import base64
import logging
from typing import Any
from urllib.parse import urlencode

from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from ccm.deliver.exchange import Answer, Exchange, Reader, unreadable

HOST = "https://api.twilio.com"


class ExchangeClient(HttpClient):  # type: ignore[misc]  # twilio has no types
    """What the Twilio client sends its requests with. Writes no log: Twilio's own writes addresses.

    Why: Twilio's default neither tells what left from what did not, nor takes another address.
    """

    def __init__(self, exchange: Exchange, reader: Reader, address: str) -> None:
        super().__init__(logging.getLogger("ccm.deliver.twilio"), is_async=False)
        self._exchange = exchange
        self._reader = reader
        self._address = address or HOST

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send a request once and return a good answer.

        Raises:
            Setback: If it ended in any other way.
            DeliveryError: If Twilio cannot be used.
        """
        place = self._address + uri.removeprefix(HOST)
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        content = urlencode(data or {}, doseq=True).encode()
        named = dict(headers or {})
        if auth:
            named["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        answer = self._exchange.call(method, place + query, headers=named, content=content, reader=self._reader)
        return Response(answer.code, _whole(answer), dict(answer.headers))


def open_client(exchange: Exchange, reader: Reader, *, address: str, user: str, secret: str, account_sid: str) -> Any:
    """Return a Twilio client of one account.

    Args:
        user, secret: Account SID and token, or an API key and its secret.
    """
    return Client(user, secret, account_sid, http_client=ExchangeClient(exchange, reader, address))


def _whole(answer: Answer) -> str:
    """Return the body as text, or raise that it is in doubt: the client would trip over it."""
    if not answer.complete or not answer.json():
        raise unreadable(answer)
    return answer.body.decode("utf-8", "replace")
