"""A real Bluesky server (npm @atproto/pds) beside the tests; its two ports are fixed, so one at a time."""

from __future__ import annotations

import fcntl
import itertools
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from deliver.node_packages import bluesky_packages, bluesky_tools

URL = "http://localhost:2583"
START_SECONDS = 120.0
_numbers = itertools.count(os.getpid() * 1000)


class BlueskyAccount:
    """One account of the running server."""

    password = "pass-word"

    def __init__(self) -> None:
        self.url = URL
        number = next(_numbers)
        self.handle = f"brand{number}.test"
        wanted = {"handle": self.handle, "email": f"b{number}@example.org", "password": self.password}
        answer = httpx2.post(f"{URL}/xrpc/com.atproto.server.createAccount", json=wanted, timeout=30)
        assert answer.status_code == 200, answer.text
        self.did = answer.json()["did"]

    @property
    def posts(self) -> list[Any]:
        """What the account has posted."""
        query = {"repo": self.did, "collection": "app.bsky.feed.post", "limit": "100"}
        answer = httpx2.get(f"{URL}/xrpc/com.atproto.repo.listRecords", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["records"])

    def blob(self, cid: str) -> bytes:
        """Return the bytes of an uploaded picture."""
        answer = httpx2.get(f"{URL}/xrpc/com.atproto.sync.getBlob", params={"did": self.did, "cid": cid})
        assert answer.status_code == 200, answer.text
        return answer.content


@contextmanager
def bluesky_server(folder: Path) -> Iterator[None]:
    """Run an empty server; skips where its tools are absent, but never in CI."""
    tools = _tools()
    packages = bluesky_packages(tools)
    with (packages / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other test processes use the same ports
        environment = {**os.environ, "NODE_PATH": str(packages / "node_modules")}
        with (folder / "pds.log").open("w") as log:
            process = subprocess.Popen(
                ["node", str(tools / "server.js"), str(folder / "pds")],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=packages,
                env=environment,
            )
        try:
            _wait_for(process, folder / "pds.log")
            yield
        finally:
            process.terminate()
            process.wait(30)


def _tools() -> Path:
    tools = bluesky_tools()
    if tools is not None:
        return tools
    if os.environ.get("CI"):
        pytest.fail("CI must have Node and the Bluesky server (set CCM_SHARED_TOOLS)")
    pytest.skip("the Bluesky server or Node is absent (set CCM_SHARED_TOOLS)")


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{URL}/xrpc/_health").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"the Bluesky server did not start: {log.read_text()[-500:]}")
