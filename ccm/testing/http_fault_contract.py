"""What every adapter that speaks HTTP must make of twelve faults. Subclass in your tests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import Receipt, ReceiptStatus
from ccm.testing.adapter_contract import assert_free_of_personal_data
from ccm.testing.fault_server import FaultServer, HttpAnswer, HttpFault, HttpRequest
from ccm.testing.samples import sample_envelope

_QUOTING = b'{"message": "cannot send to ann@example.org or +12025550123", "code": "Told"}'


class HttpFaultContract(ABC):
    """Twelve faults, one test each: exactly one request, and the right answer.

    Whoever is asked twice sends twice. What is proved not to have been accepted is a fault of the provider, deferred
    or rejected; everything else is unknown.
    """

    channel: Channel

    @abstractmethod
    def open(self, url: str, folder: Path) -> Adapter:
        """Return an adapter named `mine` whose provider is at this address; it waits 2 seconds at most."""

    def prepares(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the good answer to a request that hands over nothing (a login, an upload); None for one that does."""
        return None

    def refusal(self, status: int) -> HttpAnswer:
        """Return the provider's own answer with a status; let it quote an address, as providers do."""
        return HttpAnswer(status, _QUOTING)

    def test_refused_connection(self, tmp_path: Path) -> None:
        """Nothing left: the provider is down, which may pass."""
        self._unusable(HttpFault.REFUSED, tmp_path, requests=0, retriable=True)

    def test_no_tls(self, tmp_path: Path) -> None:
        """Nothing left: no message goes where the encryption fails."""
        self._unusable(HttpFault.TLS, tmp_path, requests=0)

    def test_reset_before_the_body(self, tmp_path: Path) -> None:
        """Bytes left; how far they came, this side cannot know."""
        self._in_doubt(HttpFault.RESET_BEFORE_BODY, tmp_path)

    def test_reset_after_the_body(self, tmp_path: Path) -> None:
        """The provider may have accepted it."""
        self._in_doubt(HttpFault.RESET_AFTER_BODY, tmp_path)

    def test_stall(self, tmp_path: Path) -> None:
        """The same when no answer comes in time."""
        self._in_doubt(HttpFault.STALL, tmp_path)

    def test_bad_request(self, tmp_path: Path) -> None:
        """400 is about this piece and for good."""
        receipt = self._receipt(HttpFault.BAD_REQUEST, tmp_path)
        assert receipt.status is ReceiptStatus.REJECTED

    def test_forbidden(self, tmp_path: Path) -> None:
        """403 is about the credentials: the next piece would fare alike, and waiting does not help."""
        self._unusable(HttpFault.FORBIDDEN, tmp_path, requests=1, retriable=False)

    def test_busy(self, tmp_path: Path) -> None:
        """429 was not accepted; the provider says when to come again."""
        receipt = self._receipt(HttpFault.BUSY, tmp_path)
        assert (receipt.status, receipt.retry_after_seconds) == (ReceiptStatus.DEFERRED, 7)

    def test_error(self, tmp_path: Path) -> None:
        """500 does not say whether the message was accepted first."""
        self._in_doubt(HttpFault.ERROR, tmp_path)

    def test_unavailable(self, tmp_path: Path) -> None:
        """Nor does 503, which any machine on the way may give."""
        self._in_doubt(HttpFault.UNAVAILABLE, tmp_path)

    def test_truncated_answer(self, tmp_path: Path) -> None:
        """200, but the answer broke off."""
        self._in_doubt(HttpFault.TRUNCATED, tmp_path)

    def test_answer_without_an_id(self, tmp_path: Path) -> None:
        """200 from something that names nothing accepted: it may not have been the provider."""
        self._in_doubt(HttpFault.NO_ID, tmp_path)

    def _in_doubt(self, fault: HttpFault, folder: Path) -> None:
        receipt = self._receipt(fault, folder)
        assert receipt.status is ReceiptStatus.UNKNOWN, receipt.provider_status

    def _receipt(self, fault: HttpFault, folder: Path) -> Receipt:
        told, count = self._told(fault, folder)
        assert isinstance(told, Receipt), told
        assert (told.key, told.provider, count) == ("p-sample", "mine", 1)
        assert_free_of_personal_data(told)
        return told

    def _unusable(self, fault: HttpFault, folder: Path, *, requests: int, retriable: bool | None = None) -> None:
        told, count = self._told(fault, folder)
        assert isinstance(told, DeliveryError), told
        assert (told.provider, count) == ("mine", requests)
        assert told.remedy
        assert retriable is None or told.retriable is retriable
        assert_free_of_personal_data(Receipt("", ReceiptStatus.UNKNOWN, "", str(told)))

    def _told(self, fault: HttpFault, folder: Path) -> tuple[Receipt | DeliveryError, int]:
        """Hand over one piece and return what the adapter says of it, with the number of hand-overs."""
        with FaultServer(fault, prepares=self.prepares, refusal=self.refusal) as server:
            adapter = self.open(server.url, folder)
            try:
                return adapter.deliver(sample_envelope(self.channel)), len(server.requests)
            except DeliveryError as error:
                return error, len(server.requests)
            finally:
                adapter.close()
