"""The twelve faults as a plain adapter over `send_once` tells them: the suite itself is proved by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import httpx2
import pytest

from ccm.deliver.answers import NotTaken, in_doubt, meaning_of
from ccm.deliver.exchange import credentials_refused, send_once
from ccm.deliver.interface import Adapter
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus
from ccm.testing import FaultServer, HttpAnswer, HttpFault, HttpFaultContract, sample_envelope


class PlainAdapter(Adapter):
    """The least that an HTTP adapter is; `again` makes it the mutant that posts a second time."""

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.SMS,))

    def __init__(self, url: str, *, again: bool = False) -> None:
        self.url, self.again = url, again
        self.client = httpx2.Client(timeout=0.5, trust_env=False)

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        return cls(settings["url"])

    def deliver(self, envelope: Envelope) -> Receipt:
        request = self.client.build_request("POST", self.url, content=envelope.rendition.content)
        try:
            response = send_once(self.client, request, "mine")
            if response.status_code in (401, 403, 404):
                raise credentials_refused("mine", str(response.status_code), "check them")
            if response.status_code != 200:
                if self.again:
                    send_once(self.client, request, "mine")
                raise meaning_of(response.status_code, str(response.status_code), response.headers)
            if "id" not in response.json():
                raise in_doubt("no id")
        except NotTaken as answer:
            return answer.receipt(envelope.key, "mine")
        return Receipt(envelope.key, ReceiptStatus.ACCEPTED, "mine", "1")

    def close(self) -> None:
        self.client.close()


class TestFaults(HttpFaultContract):
    channel = Channel.SMS

    def open(self, url: str, folder: Path) -> Adapter:
        return PlainAdapter(url)


def test_a_second_post_is_caught(tmp_path: Path) -> None:
    """The suite counts what reached the server, not what the adapter says."""

    class Doubling(TestFaults):
        def open(self, url: str, folder: Path) -> Adapter:
            return PlainAdapter(url, again=True)

    for name in ("test_busy", "test_error", "test_bad_request"):
        with pytest.raises(AssertionError):
            getattr(Doubling(), name)(tmp_path)


def test_without_a_fault_the_server_accepts() -> None:
    """A fault is what makes the difference, and a preparing request is no hand-over."""
    login = HttpAnswer(200, b'{"token": "t"}')
    with FaultServer(
        None,
        prepares=lambda request: login if request.path == "/login" else None,
        refusal=lambda status: HttpAnswer(status, b'{"id": "1"}'),
    ) as server:
        assert httpx2.post(f"{server.url}/login", trust_env=False).json() == {"token": "t"}
        adapter = PlainAdapter(server.url)
        assert adapter.deliver(sample_envelope(Channel.SMS)).status is ReceiptStatus.ACCEPTED
        adapter.close()
        assert [request.body for request in server.requests] == ["Grüße".encode()]
        assert server.fault is None
        assert len(HttpFault) == 12
