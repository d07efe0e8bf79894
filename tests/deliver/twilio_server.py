"""Twilio on this machine: a server that keeps messages, and Prism, made from Twilio's OpenAPI description."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import httpx2
import pytest
from deliver.node_packages import prism

ACCOUNT = "AC" + "a" * 32
START_SECONDS = 60.0


@dataclass
class TwilioServer:
    """What the server got and what it says.

    refusal: (HTTP status, Twilio's code) for every message; None accepts.
    opted_out: Numbers that every message to is refused with 21610.
    """

    url: str = ""
    messages: list[dict[str, str]] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    posts: int = 0
    refusal: tuple[int, int] | None = None
    opted_out: frozenset[str] = frozenset()
    created: dict[str, object] = field(default_factory=dict)
    account: dict[str, object] = field(default_factory=lambda: {"status": "active"})
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, body: bytes) -> tuple[int, dict[str, object]]:
        """Take a message."""
        with self.lock:
            self.posts += 1
            if self.refusal:
                status, code = self.refusal
                return status, {"code": code, "message": "+12025550123 is bad", "status": status}
            message = dict(parse_qsl(body.decode()))
            if message.get("To") in self.opted_out:
                return 400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}
            self.messages.append(message)
            return 201, {"sid": f"SM{len(self.messages):032d}", "status": "queued", **self.created}


@contextmanager
def twilio_server() -> Iterator[TwilioServer]:
    """Run a server of one account on a free port."""
    state = TwilioServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.users.add(base64.b64decode(self.headers["Authorization"].split()[1]).decode())
            good = self.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
            self.say(*(state.post(body) if good else (404, {"code": 20404})))

        def do_GET(self) -> None:
            good = self.path == f"/2010-04-01/Accounts/{ACCOUNT}.json"
            self.say(*((200, {"sid": ACCOUNT, **state.account}) if good else (404, {"code": 20404})))

        def say(self, status: int, content: dict[str, object]) -> None:
            encoded = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def prism_server(description: Path) -> Iterator[str]:
    """Run Prism over an OpenAPI description; skips where Node is absent, but never in CI."""
    program = _prism()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile("w+") as log:
        command = ["node", str(program), "mock", "-h", "127.0.0.1", "-p", str(port), str(description)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _prism() -> Path:
    """Return Prism's program; installed once, beside the environment."""
    if not (shutil.which("node") and shutil.which("npm")):
        if os.environ.get("CI"):
            pytest.fail("CI must have Node and npm for Prism")
        pytest.skip("Node or npm is absent; Prism needs them")
    return prism()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx2.TransportError):
            httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
            return
        time.sleep(0.1)
    raise AssertionError("Prism did not start")
