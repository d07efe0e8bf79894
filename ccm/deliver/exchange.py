"""One HTTP request and what its end proves: an answer, a setback of the piece, or a provider that cannot be used.

What counts is whether the provider can have got the message. Before a connection stands it cannot; afterwards only
its answer tells, and where none comes nobody knows.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from ccm.deliver.interface import DeliveryError
from ccm.model.records import Receipt, ReceiptStatus
from ccm.model.refusals import AddressFault

LARGEST_ANSWER_BYTES = 1_000_000
USER_AGENT = "ccm-engine"

# Raised before a connection stood: no byte of the request can have left.
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_MOVED = frozenset({301, 307, 308})  # the others, 302 and 303, also follow a request that was carried out
_NOT_ALLOWED = frozenset({401, 403, 407})
_NOT_THERE = frozenset({404, 405, 410})
_LATER = frozenset({425, 429})  # RFC 8470, 6585: not carried out, may come again
_NOBODY_KNOWS = 408  # may come from a machine on the way, after the provider took the message
_WORD = re.compile(r"[A-Za-z0-9_.:#-]{1,60}")
_RESETS = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")


class Setback(Exception):
    """A request that did not end well, as far as one piece is concerned.

    text: Status code and the provider's own code word; never its sentences, which may quote the message.
    """

    def __init__(
        self,
        status: ReceiptStatus,
        text: str,
        retry_after_seconds: float | None = None,
        address_fault: AddressFault | None = None,
    ) -> None:
        self.status = status
        self.address_fault = address_fault
        self.text = text
        self.retry_after_seconds = retry_after_seconds
        super().__init__(text)

    def receipt(self, key: str, provider: str) -> Receipt:
        """Return the receipt of the piece."""
        return Receipt(key, self.status, provider, "", self.text, self.retry_after_seconds, self.address_fault)


@dataclass(frozen=True)
class Answer:
    """What a provider answered.

    headers: Names in lower case.
    complete: Whether the whole body came; the status is known either way.
    """

    code: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    def json(self) -> Mapping[str, object]:
        """Return the body's JSON object; empty when it is broken or something else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def word(self, *path: str) -> str:
        """Return a code word from the JSON body, or nothing when it is no plain word."""
        found: object = self.json()
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        text = str(found) if isinstance(found, str | int) else ""
        return text if _WORD.fullmatch(text) else ""

    @property
    def wait_seconds(self) -> float | None:
        """How long the provider asks us to wait; None if it does not say."""
        stated = self.headers.get("retry-after", "").strip()
        if stated.isdigit():
            return float(stated)
        moments = (stated, *(self.headers.get(name, "") for name in _RESETS))
        now = _moment(self.headers.get("date", ""))
        until = next((found for found in map(_moment, moments) if found), None)
        return max(0.0, (until - now).total_seconds()) if until and now else None


Reader = Callable[[Answer], Setback | DeliveryError | None]


class Exchange:
    """Sends requests to one provider, each once: no retry, no redirect, TLS verified, a time limit on every step."""

    def __init__(
        self, provider: str, *, timeout_seconds: float, ca_file: str = "", connections: int = 1, remedy: str
    ) -> None:
        self._provider = provider
        self._timeout = timeout_seconds
        self._remedy = remedy
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx2.Client(
            timeout=timeout_seconds,
            limits=limits,
            verify=_tls_context(provider, ca_file),
            follow_redirects=False,
            headers={"user-agent": USER_AGENT, "accept": "application/json"},
        )

    def call(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        reader: Reader | None = None,
    ) -> Answer:
        """Send one request and return a good answer (2xx).

        Args:
            reader: The provider's own meaning of an answer that is not good; asked first, None leaves it to the
                general rules.
        Raises:
            Setback: What the end means for the piece.
            DeliveryError: If the provider as a whole cannot be used; nothing was accepted then.
        """
        answer = self.send(method, address, headers=headers, content=content)
        if 200 <= answer.code < 300:
            return answer
        own = reader(answer) if reader else None
        raise own or self.judge(answer)

    def send(
        self, method: str, address: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Send one request and return its answer, whatever that is.

        Raises:
            Setback: UNKNOWN, when no answer came.
            DeliveryError: If no connection could be made.
        """
        try:
            with self._client.stream(method, address, headers=headers, content=content or None) as response:
                body, complete = self._body(response)
                lowered = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, lowered, body, complete)
        except _NEVER_LEFT as error:
            raise self._unreachable(error) from None
        except httpx2.HTTPError as error:
            raise Setback(ReceiptStatus.UNKNOWN, f"no answer ({type(error).__name__})") from None

    def judge(self, answer: Answer, word: str = "") -> Setback | DeliveryError:
        """Return what an answer other than 2xx means where the provider says nothing special."""
        code, text = answer.code, f"{answer.code} {word}".strip()
        if code in _NOT_ALLOWED:
            return self.fault(f"the provider refuses the credentials ({text})", self._remedy)
        if code in _NOT_THERE or code in _MOVED:
            return self.fault(f"the provider has nothing at the address ({text})", "correct the provider's address")
        if code in _LATER:
            return Setback(ReceiptStatus.DEFERRED, text, answer.wait_seconds)
        if 400 <= code < 500 and code != _NOBODY_KNOWS:
            return Setback(ReceiptStatus.REJECTED, text)
        return Setback(ReceiptStatus.UNKNOWN, text)

    def fault(self, message: str, remedy: str) -> DeliveryError:
        """Return a fault of the provider as a whole that waiting does not mend."""
        return DeliveryError(self._provider, message, remedy, retriable=False)

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _body(self, response: httpx2.Response) -> tuple[bytes, bool]:
        """Read the body as far as it comes; the answer's status is known already."""
        body, deadline = bytearray(), time.monotonic() + self._timeout
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES or time.monotonic() > deadline:
                    return bytes(body), False
        except httpx2.HTTPError:
            return bytes(body), False
        return bytes(body), True

    def _unreachable(self, error: Exception) -> DeliveryError:
        causes = tuple(_causes(error))
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            remedy = "correct the address, or set `ca_file` for a private authority"
            return self.fault("the server's certificate is not trusted", remedy)
        reason = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
        message = f"the server cannot be reached ({reason or type(error).__name__})"
        return DeliveryError(self._provider, message, "check the provider's address and the network", retriable=True)


@contextlib.contextmanager
def nothing_posted() -> Iterator[None]:
    """Mark steps before the post itself, such as a log-in or a picture: whatever is lost here, nothing was posted."""
    try:
        yield
    except Setback as setback:
        if setback.status is not ReceiptStatus.UNKNOWN:
            raise
        raise Setback(ReceiptStatus.DEFERRED, f"before the post: {setback.text}") from None


def unreadable(answer: Answer) -> Setback:
    """Return the setback of a 2xx answer that lacks the id: most likely accepted, but not proved."""
    return Setback(ReceiptStatus.UNKNOWN, f"{answer.code} without an id")


def text_of(answer: Answer, *path: str) -> str:
    """Return a text from the JSON body of a good answer.

    Raises:
        Setback: UNKNOWN, when it is not there.
    """
    found: object = answer.json()
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, str) and found:
        return found
    raise unreadable(answer)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _moment(text: str) -> datetime | None:
    """Read an HTTP date, an ISO 8601 date or seconds since 1970."""
    readers: tuple[Callable[[str], datetime], ...] = (
        lambda given: datetime.fromtimestamp(int(given), UTC),
        datetime.fromisoformat,
        parsedate_to_datetime,
    )
    for read in readers:
        with contextlib.suppress(ValueError, OverflowError, OSError, TypeError):
            found = read(text)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _tls_context(provider: str, ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError:
        raise DeliveryError(
            provider, "setting ca_file names no readable PEM file", "correct its path", retriable=False
        ) from None
