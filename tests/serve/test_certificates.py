"""Fetching certificates: once, without following anybody, and no more than a certificate can be long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serve.served import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ccm.serve.certificates import LARGEST_BYTES, Certificates, fetch

asked: list[str] = []


async def good(request: Request) -> Response:
    asked.append("good")
    return PlainTextResponse("-----BEGIN CERTIFICATE-----")


async def elsewhere(request: Request) -> Response:
    return RedirectResponse("/good")


async def endless(request: Request) -> Response:
    return PlainTextResponse("x" * (LARGEST_BYTES + 1))


@pytest.fixture
def server() -> Iterator[str]:
    asked.clear()
    app = Starlette(routes=[Route("/good", good), Route("/elsewhere", elsewhere), Route("/endless", endless)])
    with serving(app) as client:
        yield str(client.base_url).rstrip("/")


def test_a_certificate_is_fetched_once(server: str) -> None:
    """A burst of callbacks costs one request."""
    certificates = Certificates()
    assert {certificates(f"{server}/good") for _ in range(5)} == {b"-----BEGIN CERTIFICATE-----"}
    assert asked == ["good"]


@pytest.mark.parametrize("path", ["/elsewhere", "/endless", "/nothing"])
def test_anything_else_is_refused(server: str, path: str) -> None:
    """Redirects are not followed, long answers are not read, errors are errors."""
    with pytest.raises(OSError, match=r"status|too long"):
        fetch(server + path)
    assert asked == []


def test_a_server_that_is_not_there_is_an_error() -> None:
    """Named by its kind alone."""
    with pytest.raises(OSError, match="ConnectError"):
        fetch("http://127.0.0.1:9/x.pem")
