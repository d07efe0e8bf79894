"""Documents whose delivery is the archive copy."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from ccm.deliver.archived import ArchivedAdapter
from ccm.model.definitions import Channel
from ccm.testing import sample_envelope


def test_the_receipt_names_the_archived_bytes(tmp_path: Path) -> None:
    """The provider's id is the address in the archive; without a folder nothing is written."""
    envelope = sample_envelope(Channel.DOCUMENT)
    receipt = ArchivedAdapter.from_settings("archive", {}, root=str(tmp_path)).deliver(envelope)
    assert receipt.provider_id == hashlib.sha256(envelope.rendition.content).hexdigest()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gets_a_copy_by_run(tmp_path: Path) -> None:
    """People find the documents of one run together; a strange run name does not leave the folder."""
    adapter = ArchivedAdapter.from_settings("archive", {"folder": "documents"}, root=str(tmp_path))
    adapter.deliver(sample_envelope(Channel.DOCUMENT, "p-1"))
    adapter.deliver(replace(sample_envelope(Channel.DOCUMENT, "p-2"), tags={"run": "../../elsewhere"}))
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pdf"))
    assert found == ["documents/october-statement.2026-10/p-1.pdf", "documents/p-2.pdf"]
