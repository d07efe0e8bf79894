"""The outbox folder: what people find there."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from ccm.deliver.interface import DeliveryError
from ccm.deliver.outbox import OutboxAdapter, main_name
from ccm.model.definitions import Channel
from ccm.model.records import ReceiptStatus
from ccm.testing import sample_envelope
from tests.ledger.test_sql import on_a_small_disk


@pytest.fixture
def outbox(tmp_path: Path) -> OutboxAdapter:
    return OutboxAdapter.from_settings("outbox", {}, root=str(tmp_path))


@pytest.mark.parametrize(
    ("channel", "names"),
    [
        (Channel.EMAIL, {"p-1.eml", "p-1.json"}),
        (Channel.SMS, {"p-1.txt", "p-1.json"}),
        (Channel.DOCUMENT, {"p-1.pdf", "p-1.json"}),
        (Channel.MASTODON, {"p-1.txt", "p-1.json", "p-1.png"}),
    ],
)
def test_each_channel_gets_files_that_open(
    channel: Channel, names: set[str], outbox: OutboxAdapter, tmp_path: Path
) -> None:
    """The content as it was composed, and beside it the envelope as JSON; nothing else is left."""
    envelope = sample_envelope(channel, "p-1")
    receipt = outbox.deliver(envelope)
    folder = tmp_path / "outbox" / channel
    assert {path.name for path in folder.iterdir()} == names
    assert (tmp_path / "outbox" / receipt.provider_id).read_bytes() == envelope.rendition.content
    details = json.loads((folder / "p-1.json").read_text())
    assert (details["piece"], details["address"]) == ("p-1", envelope.address)


def test_an_email_opens_in_a_mail_program(outbox: OutboxAdapter, tmp_path: Path) -> None:
    """The .eml file is the message itself."""
    outbox.deliver(sample_envelope(key="p-1"))
    message = message_from_bytes((tmp_path / "outbox/email/p-1.eml").read_bytes(), policy=policy.default)
    assert message["Subject"] == "Statement"


def test_the_first_one_stays(outbox: OutboxAdapter, tmp_path: Path) -> None:
    """A second hand-over under the same key changes no file and says that the piece is known."""
    first = sample_envelope(Channel.SMS, "p-1")
    outbox.deliver(first)
    other = replace(first, rendition=sample_envelope(Channel.EMAIL).rendition)
    assert outbox.deliver(other).provider_status == "known"
    assert (tmp_path / "outbox/sms/p-1.txt").read_bytes() == first.rendition.content


def test_threads_with_the_same_key_make_one_piece(outbox: OutboxAdapter, tmp_path: Path) -> None:
    """Eight hand-overs at once: one is written, all are accepted, no temporary file stays."""
    receipts = []
    work = threading.Barrier(8)

    def deliver() -> None:
        work.wait()
        receipts.append(outbox.deliver(sample_envelope(key="p-1")))

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [receipt.status for receipt in receipts] == [ReceiptStatus.ACCEPTED] * 8
    assert [receipt.provider_status for receipt in receipts].count("written") == 1
    assert {path.name for path in (tmp_path / "outbox/email").iterdir()} == {"p-1.eml", "p-1.json"}


def test_a_piece_without_its_main_file_was_not_accepted(outbox: OutboxAdapter, tmp_path: Path) -> None:
    """A process that died between the two files leaves nothing that counts; the next hand-over completes it."""
    outbox.deliver(sample_envelope(key="p-1"))
    (tmp_path / "outbox/email/p-1.eml").unlink()
    assert outbox.look_up("p-1") is None
    assert outbox.deliver(sample_envelope(key="p-1")).provider_status == "written"


@pytest.mark.parametrize("key", ["../p", "a/b", "", ".hidden", "p\n", "ü", "p" * 200])
def test_a_key_cannot_leave_the_folder(key: str, outbox: OutboxAdapter) -> None:
    """Keys are ids; anything else is a fault of ours."""
    with pytest.raises(ValueError, match="piece id"):
        main_name(key, Channel.EMAIL)
    assert outbox.look_up(key) is None


FULL = """
    import sys
    from pathlib import Path
    from ccm.deliver.interface import DeliveryError
    from ccm.deliver.outbox import OutboxAdapter
    from ccm.model.definitions import Channel
    from ccm.model.records import DocumentRendition
    from dataclasses import replace
    from ccm.testing import sample_envelope

    root = Path(sys.argv[1])
    outbox = OutboxAdapter.from_settings("outbox", {}, root=str(root))
    pdf = DocumentRendition("p", "a.pdf", "A", 1, b"x" * 300_000)
    taken = []
    try:
        for n in range(20):
            outbox.deliver(replace(sample_envelope(Channel.DOCUMENT, f"p-{n}"), rendition=pdf))
            taken.append(n)
    except DeliveryError as error:
        assert not error.retriable
        print(error)
    files = sorted((root / "outbox/document").glob("*.pdf"))
    assert len(files) == len(taken) > 0
    assert all(path.stat().st_size == 300_000 for path in files)
    assert not list(root.rglob("*.tmp"))
    assert outbox.look_up(f"p-{len(taken)}") is None
    (root / "ballast").unlink()
    assert outbox.deliver(replace(sample_envelope(Channel.DOCUMENT, f"p-{len(taken)}"), rendition=pdf))
"""


def test_a_full_disk_stops_the_provider_and_leaves_no_half_file(tmp_path: Path) -> None:
    """The error says so; what was not written whole was not accepted and can be handed over again."""
    assert "No space left" in on_a_small_disk(tmp_path, FULL)


def test_a_blocked_folder_is_found_by_verify(tmp_path: Path) -> None:
    """`ccm doctor` learns it before anything is sent."""
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(DeliveryError, match="could not be written"):
        OutboxAdapter.from_settings("outbox", {}, root=str(tmp_path)).verify()
