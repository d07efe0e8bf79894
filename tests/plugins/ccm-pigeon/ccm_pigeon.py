"""A delivery adapter as a stranger would write it: text messages, put into one file per pigeon loft.

The loft stands in for a provider's server; a real adapter has an HTTP client in its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus, SmsRendition


class PigeonAdapter(Adapter):
    """Gives each message to a pigeon of the configured loft."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        channels=(Channel.SMS,), max_bytes=1_000, attachments=False, deduplicates=True, looks_up=True, concurrency=2
    )

    def __init__(self, provider: str, loft: Path) -> None:
        self._provider = provider
        self._loft = loft

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `loft` is a folder, relative to the workspace."""
        for name in settings:
            if name != "loft":
                raise DeliveryError(
                    provider, f'setting "{name}" is not known', "pigeons take `loft` alone", retriable=False
                )
        if not settings.get("loft"):
            raise DeliveryError(
                provider, "setting loft is missing", "name a folder, such as loft: pigeons", retriable=False
            )
        return cls(provider, Path(root) / settings["loft"])

    def deliver(self, envelope: Envelope) -> Receipt:
        """Build, post, read the answer."""
        assert isinstance(envelope.rendition, SmsRendition)
        return answer(envelope.key, self._provider, self._post(envelope.key, payload(envelope)))

    def look_up(self, key: str) -> Receipt | None:
        """Ask whether the loft has the message."""
        return answer(key, self._provider, "known") if self._place(key).exists() else None

    def verify(self) -> None:
        """See whether there is a loft; it is made where there is none."""
        try:
            self._loft.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._closed(error) from None

    def _post(self, key: str, content: bytes) -> str:
        self.verify()
        try:
            with self._place(key).open("xb") as file:
                file.write(content)
                os.fsync(file.fileno())
        except FileExistsError:
            return "known"  # the same key a second time: the loft drops it
        except OSError as error:
            raise self._closed(error) from None
        return "airborne"

    def _place(self, key: str) -> Path:
        return self._loft / f"{key}.json"

    def _closed(self, error: OSError) -> DeliveryError:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return DeliveryError(self._provider, f"the loft is closed ({reason})", "open it", retriable=False)


def payload(envelope: Envelope) -> bytes:
    """Build what the provider gets. Pure, so that it is tested without one."""
    assert isinstance(envelope.rendition, SmsRendition)
    words = {"to": envelope.address, "from": envelope.sender, "text": envelope.rendition.text, "id": envelope.key}
    return json.dumps(words, ensure_ascii=False, sort_keys=True).encode()


def answer(key: str, provider: str, word: str) -> Receipt:
    """Translate the provider's word into ours; keep its own beside it."""
    statuses = {
        "airborne": ReceiptStatus.ACCEPTED,
        "known": ReceiptStatus.ACCEPTED,
        "storm": ReceiptStatus.DEFERRED,  # provably not taken, may be tried again
        "no such roof": ReceiptStatus.REJECTED,  # provably not taken, trying again is pointless
    }
    return Receipt(key, statuses.get(word, ReceiptStatus.UNKNOWN), provider, provider_id=key, provider_status=word)
