"""What providers call: checked first, then written down. A callback that is not genuine changes nothing and learns nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ccm.events.sms_words import answer
from ccm.events.sns import LARGEST_BYTES, FetchCertificate, Forged, SnsMessage, genuine
from ccm.events.twilio import answered_by_twilio, form, is_genuine, read_inbound, read_status
from ccm.model.permissions import News, NewsKind
from ccm.run.event_files import event_news
from ccm.run.events import EventDesk
from ccm.run.prepare import Clock
from ccm.serve.app import log
from ccm.serve.guards import body_of

FORM_BYTES = 64 * 1024
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

Confirm = Callable[[str, str], None]  # topic ARN and token of a subscription


@dataclass(frozen=True)
class Callbacks:
    """How callbacks are checked and applied.

    public_url: What providers call, without a path; empty if it is what the request says.
    topics: Amazon SNS topics whose notifications are taken.
    twilio_token: The account's auth token; without it nothing of Twilio is taken.
    titles: What a brand is called, by the number it sends texts from.
    confirm: Confirms a subscription through the API; None tells the operator instead.
    """

    desk: EventDesk
    clock: Clock
    certificate: FetchCertificate
    public_url: str = ""
    topics: tuple[str, ...] = ()
    twilio_token: str = ""
    titles: Mapping[str, str] | None = None
    confirm: Confirm | None = None

    def routes(self) -> tuple[BaseRoute, ...]:
        """Return the addresses that providers call."""
        return (
            Route("/hooks/ses", self.amazon, methods=["POST"]),
            Route("/hooks/sns", self.amazon, methods=["POST"]),
            Route("/hooks/twilio/status", self.twilio_status, methods=["POST"]),
            Route("/hooks/twilio/inbound", self.twilio_inbound, methods=["POST"]),
        )

    # ── Amazon ───────────────────────────────────────────────────────────

    async def amazon(self, request: Request) -> Response:
        """Take a notification of SNS: events of SES or of text messages, or a subscription that waits."""
        body = await body_of(request, LARGEST_BYTES)
        try:
            message = await run_in_threadpool(
                genuine, body, topics=self.topics, certificate=self.certificate, now=self.clock()
            )
        except Forged as problem:
            log().warning("callback-refused", provider="sns", check=str(problem))
            return PlainTextResponse("refused", 403)
        if message.kind == "SubscriptionConfirmation":
            await run_in_threadpool(self._subscribe, message)
        elif message.kind == "Notification":
            await self._apply(event_news(_record(message.message)))
        return PlainTextResponse("ok")

    def _subscribe(self, message: SnsMessage) -> None:
        """Confirm through the API, never by opening an address that the message names."""
        if self.confirm is None:
            log().warning("subscription-waits", topic=message.topic, token=message.token)
            return
        self.confirm(message.topic, message.token)
        log().info("subscription-confirmed", topic=message.topic)

    # ── Twilio ───────────────────────────────────────────────────────────

    async def twilio_status(self, request: Request) -> Response:
        """Take what became of a text message."""
        body = await body_of(request, FORM_BYTES)
        if not self._is_twilio(request, body):
            return PlainTextResponse("refused", 403)
        query = parse_qsl(request.url.query, keep_blank_values=True)
        await self._apply(read_status(query, form(body)))
        return Response(status_code=204)

    async def twilio_inbound(self, request: Request) -> Response:
        """Take an answer: STOP and START count at once and are confirmed once; any other text gets nothing."""
        body = await body_of(request, FORM_BYTES)
        if not self._is_twilio(request, body):
            return PlainTextResponse("refused", 403)
        fields = form(body)
        said = read_inbound(fields)
        before = [await run_in_threadpool(self.desk.has_stopped, one.address, one.sender) for one in said]
        await self._apply(said)
        text = "".join(self._confirmation(one, was) for one, was in zip(said, before, strict=True))
        if not text or answered_by_twilio(fields):
            return Response(_NOTHING, media_type="text/xml")
        reply = f'<?xml version="1.0" encoding="UTF-8"?><Response><Message>{escape(text)}</Message></Response>'
        return Response(reply, media_type="text/xml")

    def _confirmation(self, said: News, had_stopped: bool) -> str:
        """Return the one confirmation that is owed: on leaving and on coming back, not on saying it again."""
        changes = {NewsKind.STOPPED: not had_stopped, NewsKind.STARTED: had_stopped}
        if not changes.get(said.kind, False):
            return ""
        return answer(said.kind, said.detail, (self.titles or {}).get(said.sender, said.sender))

    def _is_twilio(self, request: Request, body: bytes) -> bool:
        signature = request.headers.get("X-Twilio-Signature", "")
        content_type = request.headers.get("Content-Type", "")
        good = is_genuine(self.twilio_token, self._called(request), body, content_type, signature)
        if not good:
            log().warning("callback-refused", provider="twilio", check="signature")
        return good

    def _called(self, request: Request) -> str:
        """Return the address that the provider called, as it wrote it: with the path and query as they came."""
        path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace").partition("?")[0]
        query = request.scope.get("query_string", b"").decode("ascii", "replace")
        base = self.public_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}{path}" + (f"?{query}" if query else "")

    async def _apply(self, news: tuple[News, ...]) -> None:
        if news:
            tally = await run_in_threadpool(self.desk.apply, news)
            kinds = sorted(str(kind) for kind in tally.applied)
            log().info("news", kinds=kinds, moved=tally.moved, suppressed=tally.suppressed, repeated=tally.repeated)


def _record(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
