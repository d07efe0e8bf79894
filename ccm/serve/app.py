"""The app that recipients and providers reach. Every address leads to one function; nothing here asks for a login.

A link's token is all that is needed: it is signed, says what the message was and names nobody. GET changes nothing,
because mail scanners open every link. POST unsubscribes at once (RFC 8058), from a mail program or from the page.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from ccm.ledger.interface import LedgerError
from ccm.ledger.permissions import PermissionStore
from ccm.model.definitions import Purpose
from ccm.model.keyring import Keyring
from ccm.model.tokens import LinkClaims, read
from ccm.run.auditing import Witness
from ccm.serve.choices import Choice, SourceSays, choices, choose, leave
from ccm.serve.guards import BodyTooLarge, Budget, Contained, SecurityHeaders, body_of
from ccm.serve.texts import preferred
from ccm.serve.writing import Pages

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

FORM_BYTES = 16 * 1024
GUESSES_PER_MINUTE = 30  # invalid links of one address
USES_PER_MINUTE = 60  # uses of one link


def log() -> FilteringBoundLogger:
    """Return the log; ids and kinds alone go into it."""
    import structlog

    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


@dataclass
class Service:
    """What the pages work with.

    source_says: What the data source says of a communication's recipient; empty where it cannot be known.
    witness: Notes in the audit log what recipients choose.
    """

    pages: Pages
    store: PermissionStore
    keyring: Keyring
    clock: Callable[[], datetime]
    source_says: SourceSays = lambda communication_id: ()
    witness: Witness = field(default_factory=Witness)
    guesses: Budget = field(default_factory=lambda: Budget(GUESSES_PER_MINUTE))
    uses: Budget = field(default_factory=lambda: Budget(USES_PER_MINUTE))


def make_app(service: Service, hooks: tuple[BaseRoute, ...] = ()) -> Starlette:
    """Return the app.

    Args:
        hooks: Routes of providers' callbacks.
    """
    routes = [
        Route("/u/{token}", unsubscribe, methods=["GET", "POST"]),
        Route("/preferences/{token}", preferences, methods=["GET", "POST"]),
        Route("/b/{brand}/{name}", look, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route("/robots.txt", robots, methods=["GET"]),
        *hooks,
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders), Middleware(Contained, answer=_failed)],
        exception_handlers={BodyTooLarge: _too_large},
    )
    app.state.service = service
    return app


async def unsubscribe(request: Request) -> Response:
    """Ask on GET; on POST write it down, whoever posts: the page's button or a mail program."""
    service: Service = request.app.state.service
    claims = _claims(request)
    if isinstance(claims, Response):
        return claims
    if request.method != "POST":
        return _page(service, "unsubscribe.html", claims, request)
    await body_of(request, FORM_BYTES)
    news = await run_in_threadpool(
        leave, service.store, claims, service.clock(), source="one-click", witness=service.witness
    )
    log().info("unsubscribed", brand=claims.brand, communication_id=claims.communication_id, news=news)
    return _page(service, "unsubscribed.html", claims, request)


async def preferences(request: Request) -> Response:
    """Show what can be chosen and how it stands; on POST write down what was changed."""
    service: Service = request.app.state.service
    claims = _claims(request)
    if isinstance(claims, Response):
        return claims
    saved = request.method == "POST"
    if saved:
        form = parse_qs((await body_of(request, FORM_BYTES)).decode("utf-8", "replace"), max_num_fields=100)
        changed = await run_in_threadpool(_save, service, claims, form)
        log().info("preferences-saved", brand=claims.brand, communication_id=claims.communication_id, changed=changed)
    standing = await run_in_threadpool(_standing, service, claims)
    groups = [
        (str(purpose), [one for one in standing if one.purpose is purpose])
        for purpose in dict.fromkeys(one.purpose for one in standing)
    ]
    return _page(service, "preferences.html", claims, request, groups=groups, saved=saved)


def _standing(service: Service, claims: LinkClaims) -> tuple[Choice, ...]:
    source = service.source_says(claims.communication_id)
    return choices(service.store, claims, service.pages.channels(claims.brand), source, service.clock())


def _save(service: Service, claims: LinkClaims, form: dict[str, list[str]]) -> int:
    offered = _standing(service, claims)
    wanted, shown = set(form.get("wanted", ())), set(form.get("shown", ()))
    if form.get("do") == ["stop_marketing"]:
        marketing = {one.name for one in offered if one.purpose is Purpose.MARKETING}
        wanted, shown = shown - marketing, shown | marketing
    return choose(service.store, claims, offered, wanted, shown, service.clock(), witness=service.witness)


async def look(request: Request) -> Response:
    """Give the style sheet, the logo or a font of a brand."""
    service: Service = request.app.state.service
    file = service.pages.file(request.path_params["brand"], request.path_params["name"])
    if file is None:
        return PlainTextResponse("not found", 404)
    headers = {"Cache-Control": "public, max-age=86400"}
    if file.media_type == "image/svg+xml":  # a drawing opened by itself must run nothing either
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return Response(file.content, media_type=file.media_type, headers=headers)


async def health(request: Request) -> Response:
    """Tell whether the store answers."""
    service: Service = request.app.state.service
    try:
        await run_in_threadpool(service.store.revision)
    except LedgerError:
        return PlainTextResponse("the ledger does not answer", 503)
    return PlainTextResponse("ok")


async def robots(request: Request) -> Response:
    """Keep search engines away."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


def _claims(request: Request) -> LinkClaims | Response:
    """Return what the link says, or the answer to a link that says nothing.

    Why the limits stand here: guessing costs, using a link does not, however many come from one address.
    """
    service: Service = request.app.state.service
    address = request.client.host if request.client else ""
    token = request.path_params["token"]
    claims = read(token, service.keyring)
    if claims is None:
        busy = not service.guesses.spend(address)
        return _notice(service, request, "busy" if busy else "invalid", 429 if busy else 404)
    if not service.uses.spend(token):
        return _notice(service, request, "busy", 429)
    return claims


def _page(service: Service, page: str, claims: LinkClaims, request: Request, **values: object) -> Response:
    token = request.path_params["token"]
    text = service.pages.write(page, brand=claims.brand, locale=claims.locale, token=token, **values)
    return HTMLResponse(text, headers={"Content-Language": claims.locale})


def _notice(service: Service, request: Request, what: str, status: int) -> Response:
    language = preferred(request.headers.get("Accept-Language", ""))
    return HTMLResponse(service.pages.write("message.html", locale=language, what=what), status)


async def _too_large(request: Request, error: Exception) -> Response:
    return PlainTextResponse("too large", 413, headers={"connection": "close"})


def _failed(scope: Scope, error: Exception) -> Response:
    """Say that it did not work; a mail program may try again."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    reason, where = type(error).__name__, f"{Path(place.filename).name}:{place.lineno}"
    log().error("request-failed", reason=reason, where=where)
    text = scope["app"].state.service.pages.write("message.html", locale="en", what="failed")
    return HTMLResponse(text, 503)
