"""Fakes, sample records and contract suites, for us and for plug-in authors. Stable: it is public API."""

from ccm.ledger.memory import MemoryLedger
from ccm.testing.adapter_contract import AdapterContract
from ccm.testing.adapters import (
    DyingAdapter,
    FlakyAdapter,
    LostAnswerAdapter,
    RecordingAdapter,
    RejectingAdapter,
    SlowAdapter,
)
from ccm.testing.archive import MemoryArchive
from ccm.testing.archive_contract import ArchiveContract
from ccm.testing.clock import FixedClock
from ccm.testing.fault_server import FaultServer, HttpAnswer, HttpFault, HttpRequest
from ccm.testing.http_fault_contract import HttpFaultContract
from ccm.testing.ledger_contract import LedgerContract
from ccm.testing.samples import sample_decision, sample_envelope, sample_rendition, sample_run

__all__ = [
    "AdapterContract",
    "ArchiveContract",
    "DyingAdapter",
    "FaultServer",
    "FixedClock",
    "FlakyAdapter",
    "HttpAnswer",
    "HttpFault",
    "HttpFaultContract",
    "HttpRequest",
    "LedgerContract",
    "LostAnswerAdapter",
    "MemoryArchive",
    "MemoryLedger",
    "RecordingAdapter",
    "RejectingAdapter",
    "SlowAdapter",
    "sample_decision",
    "sample_envelope",
    "sample_rendition",
    "sample_run",
]
