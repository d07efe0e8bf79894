"""Promise T14: a page cannot read a file or reach the network, whatever it tries."""

from __future__ import annotations

import base64
import http.server
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import STYLE, brand, codes, compose, composer, font_files, page, template

from ccm.compose.document.card import CardRenderer
from ccm.model.workspace import ContentLibrary

CANARY = "CANARY-7f3a9c51"


class CanaryServer:
    """A web server that writes down every request, and a file that nobody may read."""

    def __init__(self, file: Path) -> None:
        self.hits: list[str] = []
        hits = self.hits

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(CANARY.encode())

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web = f"http://127.0.0.1:{self.server.server_port}"
        self.file = file.as_uri()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CanaryServer]:
    file = tmp_path_factory.mktemp("canary") / "secret.txt"
    file.write_text(CANARY, "utf-8")
    server = CanaryServer(file)
    yield server
    server.server.shutdown()
    server.server.server_close()


SVG_NESTED = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def data_svg(inner: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(SVG_NESTED.format(inner).encode()).decode()


# Each takes the address of a thing that must stay out of reach.
ATTACKS = {
    "image": '<img src="{}">',
    "image-set": '<img srcset="{} 2x" src="{}">',
    "object": '<object data="{}"></object>',
    "embed": '<embed src="{}">',
    "iframe": '<iframe src="{}"></iframe><img src="{}">',
    "input": '<input type=image src="{}"><img src="{}">',
    "background": '<p style="background: url({})">x</p>',
    "border-image": '<p style="border: 3px solid; border-image: url({}) 3">x</p>',
    "list-image": '<ul><li style="list-style-image: url({})">x</ul>',
    "content": "<style>p::before {{ content: url({}) }}</style><p>x</p>",
    "style-element": "<style>@import url({});</style>",
    "font-face": "<style>@font-face {{ font-family: q; src: url({}) }} p {{ font-family: q }}</style><p>x</p>",
    "page-background": "<style>@page {{ background: url({}) }}</style><p>x</p>",
    "color-profile": '<style>@color-profile --q {{ src: url({}) }}</style><p style="color: color(--q 1 0 0)">x</p>',
    "stylesheet-link": '<link rel=stylesheet href="{}">',
    "attachment-link": '<link rel=attachment href="{}">',
    "attachment-anchor": '<a rel=attachment href="{}">x</a>',
    "svg-image": SVG_NESTED.format('<image href="{}" width="9" height="9"/>'),
    "svg-xlink": SVG_NESTED.format('<image xlink:href="{}" width="9" height="9"/>'),
    "svg-use": SVG_NESTED.format('<use href="{}#a"/><image href="{}" width="9" height="9"/>'),
    "svg-style": SVG_NESTED.format('<style>@import url({});</style><rect width="9" height="9"/>'),
    "svg-font": SVG_NESTED.format("<style>@font-face {{ font-family: q; src: url({}) }}</style><text y='9'>x</text>"),
    "meta-refresh": '<meta http-equiv=refresh content="0;url={}"><img src="{}">',
    "base": '<base href="{}/"><img src="x.png">',
}


def inflated(content: bytes) -> bytes:
    """The file with every stream unpacked."""
    parts = [content]
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            parts.append(zlib.decompress(packed))
        except zlib.error:
            parts.append(packed)
    return b"\n".join(parts)


@pytest.mark.parametrize("target", ["web", "file"])
@pytest.mark.parametrize("attack", list(ATTACKS))
def test_no_attack_reaches_server_or_file(canary: CanaryServer, attack: str, target: str) -> None:
    """0 hits on the server, 0 bytes of the file; what was tried holds the piece."""
    address = getattr(canary, target)
    made, findings = compose(
        composer(), page(ATTACKS[attack].replace("{}", address).replace("{{", "{").replace("}}", "}"))
    )
    assert canary.hits == []
    if made is not None:
        assert CANARY.encode() not in inflated(made.content)
    assert made is None or attack in INERT, codes(findings)


# The engine never asks for these, so nothing is refused.
INERT = {"svg-style", "svg-font", "svg-use"}


@pytest.mark.parametrize(
    "address",
    [
        "FILE:///etc/passwd",
        " file:///etc/passwd",
        "\tfile:///etc/passwd",
        "fi\nle:///etc/passwd",
        "file:/etc/passwd",
        "file:etc/passwd",
        "//127.0.0.1/x.png",
        "ftp://127.0.0.1/x.png",
        "https://127.0.0.1/x.png",
        "gopher://127.0.0.1/",
        "jar:file:///etc/passwd",
        "ccm:/etc/passwd",
        "ccm:///etc/passwd",
        "ccm:../../../../etc/passwd",
        "ccm:%2e%2e/%2e%2e/etc/passwd",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "..\\..\\etc\\passwd",
        "data:text/html,<script>1</script>",
        "data:application/pdf;base64,AAAA",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
    ],
)
def test_no_spelling_of_an_address_gets_out(address: str) -> None:
    """Case, spaces, escapes, traversal and nesting: the piece is held, no file content is inside."""
    for body in (f'<img src="{address}" alt="x">', f'<link rel=attachment href="{address}"><p>x'):
        made, findings = compose(composer(), page(body))
        assert made is None
        assert codes(findings) & {"denied-address", "missing-file", "broken-image"}


@pytest.mark.parametrize("inner", ["file:///etc/passwd", "http://127.0.0.1:9/x", "ccm:../../etc/passwd"])
def test_inline_images_cannot_reach_out(inner: str) -> None:
    """A picture in a data: address gets no further than the page itself."""
    address = data_svg(f'<image href="{inner}" width="9" height="9"/>')
    made, findings = compose(composer(), page(f'<img src="{address}" alt="x">'))
    assert made is None
    assert codes(findings) & {"denied-address", "missing-file"}


def test_library_svg_cannot_reach_out_either(canary: CanaryServer) -> None:
    """A brand's own SVG with a foreign picture inside is refused; the engine would swallow that error."""
    svg = SVG_NESTED.format(f'<image href="{canary.web}/in-svg" width="9" height="9"/>').encode()
    made, findings = compose(composer(files={"templates/letter/x.svg": svg}), page('<img src="x.svg" alt="x">'))
    assert made is None
    assert "denied-address" in codes(findings)
    assert canary.hits == []


def test_external_entities_of_svg_are_not_read(canary: CanaryServer) -> None:
    """XML entities pull no file into a picture."""
    svg = (
        f'<!DOCTYPE svg [<!ENTITY e SYSTEM "{canary.file}">]>'
        '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text y="20">&e;</text></svg>'
    ).encode()
    made, _ = compose(composer(files={"templates/letter/x.svg": svg}), page('<img src="x.svg" alt="x">'))
    assert made is None or CANARY.encode() not in inflated(made.content)


def test_author_css_cannot_reach_out(canary: CanaryServer) -> None:
    """document.css goes through the same door, and its refusal holds every piece."""
    for rule in (f"@import url({canary.web}/css);", f"p {{ background: url({canary.file}) }}"):
        made, findings = compose(composer(style=rule + STYLE), page("<p>x</p>"))
        assert made is None
        assert "denied-address" in codes(findings)
    assert canary.hits == []


def test_cards_use_the_same_door(canary: CanaryServer) -> None:
    """A social card reaches no server either."""
    cards = CardRenderer(template(), brand(), ContentLibrary(font_files()))
    content, problems = cards.render_card(page(f'<img src="{canary.web}/card">'), language="en", direction="ltr")
    assert content == b""
    assert "denied-address" in {problem.code for problem in problems}
    assert canary.hits == []


def test_the_canary_server_is_alive(canary: CanaryServer) -> None:
    """A guard that saw nothing proves nothing."""
    import urllib.request

    before = len(canary.hits)
    with urllib.request.urlopen(f"{canary.web}/alive") as answer:
        assert answer.read() == CANARY.encode()
    assert canary.hits[before:] == ["/alive"]
    canary.hits.clear()
