"""What every delivery adapter must do. Subclass in your tests; make the adapter and count what its provider has."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.records import Capabilities, Receipt, ReceiptStatus
from ccm.testing.expect import refused
from ccm.testing.samples import sample_envelope


class AdapterContract(ABC):
    """The promises of `Adapter`, one test each. Needs pytest for its `tmp_path`."""

    @abstractmethod
    def open(self, folder: Path) -> Adapter:
        """Return an adapter whose provider works and has got nothing so far; its provider name is `mine`."""

    @abstractmethod
    def received(self, folder: Path) -> int:
        """Return how many pieces the provider has."""

    def broken(self, folder: Path) -> Adapter | None:
        """Return an adapter whose provider cannot be used as a whole, or None if that cannot happen."""
        return None

    def refusing(self, folder: Path) -> Adapter | None:
        """Return an adapter whose provider refuses every piece for good, or None if that cannot be had in a test."""
        return None

    def silent(self, folder: Path) -> Adapter | None:
        """Return an adapter whose provider takes the bytes and never answers, or None if that cannot be had in a test."""
        return None

    def test_capabilities_are_class_data(self, tmp_path: Path) -> None:
        """Planning compares them before any adapter is opened."""
        adapter = self.open(tmp_path)
        capabilities = type(adapter).capabilities
        assert isinstance(capabilities, Capabilities)
        assert capabilities.channels
        assert capabilities.concurrency >= 1
        adapter.close()

    def test_accepts_every_channel_it_names(self, tmp_path: Path) -> None:
        """One piece of each channel is accepted, under its key and our name for the provider."""
        adapter = self.open(tmp_path)
        channels = adapter.capabilities.channels
        for channel in channels:
            receipt = adapter.deliver(sample_envelope(channel, f"p-{channel}"))
            assert (receipt.key, receipt.status, receipt.provider) == (f"p-{channel}", ReceiptStatus.ACCEPTED, "mine")
            assert_free_of_personal_data(receipt)
        adapter.close()
        assert self.received(tmp_path) == len(channels)

    def test_a_batch_answers_for_every_piece(self, tmp_path: Path) -> None:
        """`deliver_many` gives one receipt for each envelope, in order."""
        adapter = self.open(tmp_path)
        channel = adapter.capabilities.channels[0]
        envelopes = [sample_envelope(channel, f"p-{n}") for n in range(5)]
        assert [receipt.key for receipt in adapter.deliver_many(envelopes)] == [f"p-{n}" for n in range(5)]
        adapter.close()
        assert self.received(tmp_path) == 5

    def test_threads_may_deliver_at_once(self, tmp_path: Path) -> None:
        """As many threads as `concurrency` says deliver without losing or doubling a piece."""
        adapter = self.open(tmp_path)
        channel, threads_count = adapter.capabilities.channels[0], adapter.capabilities.concurrency
        receipts: list[Receipt] = []

        def work(number: int) -> None:
            for n in range(5):
                receipts.append(adapter.deliver(sample_envelope(channel, f"p-{number}-{n}")))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(threads_count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        adapter.close()
        assert {receipt.status for receipt in receipts} == {ReceiptStatus.ACCEPTED}
        assert len({receipt.key for receipt in receipts}) == self.received(tmp_path) == threads_count * 5

    def test_a_second_hand_over_is_dropped_where_promised(self, tmp_path: Path) -> None:
        """An adapter that says it deduplicates keeps the first and accepts the second."""
        adapter = self.open(tmp_path)
        if not adapter.capabilities.deduplicates:
            adapter.close()
            return
        envelope = sample_envelope(adapter.capabilities.channels[0], "p-same")
        first, second = (
            adapter.deliver(envelope),
            adapter.deliver(replace(envelope, tags={**envelope.tags, "again": "yes"})),
        )
        adapter.close()
        assert first.status is second.status is ReceiptStatus.ACCEPTED
        assert self.received(tmp_path) <= 1

    def test_look_up_tells_what_was_accepted(self, tmp_path: Path) -> None:
        """An adapter that says it looks up knows delivered pieces, and none that it never saw."""
        adapter = self.open(tmp_path)
        adapter.deliver(sample_envelope(adapter.capabilities.channels[0], "p-known"))
        found, missing = adapter.look_up("p-known"), adapter.look_up("p-never")
        adapter.close()
        assert missing is None or missing.status is not ReceiptStatus.ACCEPTED
        if adapter.capabilities.looks_up:
            assert found is not None
            assert (found.key, found.status) == ("p-known", ReceiptStatus.ACCEPTED)

    def test_forgetting_takes_away_what_it_says(self, tmp_path: Path) -> None:
        """Of an erased customer's piece every copy in reach goes, others stay; asking twice and in vain is harmless."""
        adapter = self.open(tmp_path)
        channel = adapter.capabilities.channels[0]
        for key in ("p-erased", "p-stays"):
            adapter.deliver(sample_envelope(channel, key))
        before = self.received(tmp_path)
        told = adapter.forget(["p-erased", "p-never"])
        after, again = self.received(tmp_path), adapter.forget(["p-erased", "p-never"])
        found = adapter.look_up("p-stays")
        adapter.close()
        assert told.removed | told.left.keys() <= {"p-erased"}
        assert after == before - len(told.removed)
        assert not again.removed
        assert found is None or found.status is ReceiptStatus.ACCEPTED
        assert not _PERSONAL.search(" ".join(told.left.values()))

    def test_verify_sends_nothing(self, tmp_path: Path) -> None:
        """A working provider passes without getting a piece."""
        adapter = self.open(tmp_path)
        adapter.verify()
        adapter.close()
        assert self.received(tmp_path) == 0

    def test_an_unusable_provider_is_an_error_with_a_remedy(self, tmp_path: Path) -> None:
        """Faults of the provider as a whole are raised, not blamed on one piece."""
        adapter = self.broken(tmp_path)
        if adapter is None:
            return
        with refused(DeliveryError):
            adapter.verify()
        with refused(DeliveryError) as caught:
            adapter.deliver(sample_envelope(adapter.capabilities.channels[0]))
        adapter.close()
        assert caught.error.remedy
        assert caught.error.provider == "mine"
        assert not _PERSONAL.search(str(caught.error))

    def test_a_refusal_is_final_and_says_nothing_private(self, tmp_path: Path) -> None:
        """The piece is REJECTED with the provider's word; nothing is raised, so that the others go on."""
        adapter = self.refusing(tmp_path)
        if adapter is None:
            return
        receipt = adapter.deliver(sample_envelope(adapter.capabilities.channels[0], "p-refused"))
        adapter.close()
        assert (receipt.key, receipt.status) == ("p-refused", ReceiptStatus.REJECTED)
        assert receipt.provider_status
        assert_free_of_personal_data(receipt)

    def test_a_lost_answer_is_never_taken_for_a_refusal(self, tmp_path: Path) -> None:
        """Bytes left and no answer came: UNKNOWN. Only where a second hand-over is dropped may it be tried again."""
        adapter = self.silent(tmp_path)
        if adapter is None:
            return
        receipt = adapter.deliver(sample_envelope(adapter.capabilities.channels[0], "p-lost"))
        adapter.close()
        again = adapter.capabilities.deduplicates and receipt.status is ReceiptStatus.DEFERRED
        assert receipt.status is ReceiptStatus.UNKNOWN or again

    def test_a_person_is_told_how_to_look_up_what_the_adapter_cannot(self, tmp_path: Path) -> None:
        """One clause beside the piece's id in the list of what is unknown; not a sentence with a full stop."""
        adapter = self.open(tmp_path)
        adapter.close()
        assert adapter.how_to_look_up
        assert "\n" not in adapter.how_to_look_up
        assert not adapter.how_to_look_up.endswith(".")

    def test_opening_alone_leaves_nothing_behind(self, tmp_path: Path) -> None:
        """A run opens its adapters before it knows whether it has anything to send; closing is then all."""
        self.open(tmp_path).close()
        assert self.received(tmp_path) == 0

    def test_unknown_settings_are_refused(self, tmp_path: Path) -> None:
        """A misspelt setting is named, so that it does not silently stay without effect."""
        kind = type(self.open(tmp_path))
        with refused(DeliveryError) as caught:
            kind.from_settings("mine", {"no_such_setting": "x"}, root=str(tmp_path))
        assert "no_such_setting" in str(caught.error)
        assert not caught.error.retriable


_PERSONAL = re.compile(r"ann@example\.org|\+12025550123|Grüße|Musterweg")


def assert_free_of_personal_data(receipt: Receipt) -> None:
    """Fail if a receipt repeats the sample's address or text."""
    assert not _PERSONAL.search(f"{receipt.provider_id} {receipt.provider_status}")
