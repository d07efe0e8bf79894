"""The twelve faults, proved on the least HTTP adapter there is, and on mutants of it that must be caught."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import httpx2
import pytest

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus
from ccm.testing import FaultServer, HttpAnswer, HttpFault, HttpFaultContract, sample_envelope

STATUSES = {400: ReceiptStatus.REJECTED, 429: ReceiptStatus.DEFERRED}


class PlainAdapter(Adapter):
    """Posts the text and reads an id.

    again: Mutant: posts a second time when the answer is not good.
    believing: Mutant: takes every 200 for accepted.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.SMS,))

    def __init__(self, url: str, *, again: bool = False, believing: bool = False) -> None:
        self.url, self.again, self.believing = url, again, believing
        self.client = httpx2.Client(timeout=0.5, trust_env=False)

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        return cls(settings["url"])

    def deliver(self, envelope: Envelope) -> Receipt:
        status, wait = self.post(envelope.rendition.content)
        if status is not ReceiptStatus.ACCEPTED and self.again:
            self.post(envelope.rendition.content)
        return Receipt(envelope.key, status, "mine", retry_after_seconds=wait)

    def post(self, content: bytes) -> tuple[ReceiptStatus, float | None]:
        try:
            response = self.client.post(self.url, content=content)
        except httpx2.ConnectError:
            raise DeliveryError("mine", "no connection", "wait", retriable=True) from None
        except httpx2.TransportError:
            return (ReceiptStatus.ACCEPTED if self.believing else ReceiptStatus.UNKNOWN), None
        if response.status_code == 403:
            raise DeliveryError("mine", "refused", "correct the token", retriable=False)
        if response.status_code != 200:
            wait = float(response.headers.get("Retry-After", 0)) or None
            return STATUSES.get(response.status_code, ReceiptStatus.UNKNOWN), wait
        return (ReceiptStatus.ACCEPTED if self.believing or "id" in response.json() else ReceiptStatus.UNKNOWN), None

    def close(self) -> None:
        self.client.close()


class TestFaults(HttpFaultContract):
    channel = Channel.SMS

    def open(self, url: str, folder: Path) -> Adapter:
        return PlainAdapter(url)


@pytest.mark.parametrize(
    ("mutation", "caught"),
    [
        ("again", ("test_busy", "test_error", "test_bad_request", "test_stall", "test_reset_after_the_body")),
        ("believing", ("test_answer_without_an_id", "test_truncated_answer", "test_reset_before_the_body")),
    ],
)
def test_mutants_are_caught(mutation: str, caught: tuple[str, ...], tmp_path: Path) -> None:
    """The suite counts what reached the server, and believes no adapter."""

    class Mutant(TestFaults):
        def open(self, url: str, folder: Path) -> Adapter:
            return PlainAdapter(url, **{mutation: True})

    for name in caught:
        with pytest.raises(AssertionError):
            getattr(Mutant(), name)(tmp_path)


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
    assert len(HttpFault) == 12
