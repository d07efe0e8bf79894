"""What stands before every page: a limit of the body, a limit of guesses, headers that keep browsers from more."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
}


class BodyTooLarge(Exception):
    """A request brought more than it may."""


class SecurityHeaders:
    """Adds the headers to every answer; pages are not kept by anybody on the way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and complete the headers of what comes back."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, completed)


class Contained:
    """Answers whatever goes wrong inside.

    Why not the server's own handling: it writes tracebacks, and an exception's text may hold what a person typed.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Scope, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer an exception unless an answer has begun."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            answer = self._answer(scope, error)
            if not begun:
                await answer(scope, receive, send)


async def body_of(request: Request, limit_bytes: int) -> bytes:
    """Read a body.

    Raises:
        BodyTooLarge: As soon as it is longer than the limit; the rest is not read.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit_bytes:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)


class Budget:
    """So many events a minute for each key; a bounded number of keys is remembered, the busiest ones.

    Why only invalid links count: mail providers send the one-click requests of thousands of people from few addresses.
    """

    def __init__(self, per_minute: int, *, keys: int = 10_000, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._keys = keys
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was

    def spend(self, key: str) -> bool:
        """Take one; False when nothing is left."""
        now = self._monotonic()
        with self._lock:
            left, then = self._left.pop(key, (float(self._per_minute), now))
            left = min(self._per_minute, left + (now - then) * self._per_minute / 60)
            granted = left >= 1
            self._left[key] = (left - 1 if granted else left, now)
            while len(self._left) > self._keys:
                self._left.popitem(last=False)
        return granted
