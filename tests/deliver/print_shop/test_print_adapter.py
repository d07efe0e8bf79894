"""Print keeps the contract of adapters; its spool takes a document whole, once, with its address, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from deliver.print_shop.print_pages import NOW, RUN, envelope, letter_pdf, press, printer, spooled

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.print_shop.adapter import PrintAdapter
from ccm.deliver.print_shop.spool import SpoolFault, sealed, unsealed
from ccm.model.records import ReceiptStatus
from ccm.testing import AdapterContract


class TestPrint(AdapterContract):
    def open(self, folder: Path) -> Adapter:
        return PrintAdapter.from_settings("mine", {}, root=str(folder))

    def received(self, folder: Path) -> int:
        return len(list((folder / "print" / "spool").glob("*/*.json")))

    def broken(self, folder: Path) -> Adapter:
        (folder / "file").write_text("in the way")
        return PrintAdapter.from_settings("mine", {"folder": "file/print"}, root=str(folder))


@pytest.mark.parametrize("postal", [None, "empty"])
def test_a_letter_without_an_address_is_refused(tmp_path: Path, postal: str | None) -> None:
    """For good, and without a trace in the spool."""
    one = envelope(1)
    assert one.postal is not None
    receipt = printer(tmp_path).deliver(replace(one, postal=replace(one.postal, lines=()) if postal else None))
    assert (receipt.status, receipt.provider_status) == (ReceiptStatus.REJECTED, "no postal address")
    assert not (tmp_path / "print" / "spool").exists()


def test_the_note_tells_all_that_batches_need(tmp_path: Path) -> None:
    """Address, pages, hash, release, campaign; and it reads back as it was."""
    adapter = printer(tmp_path)
    one = envelope(1, 3)
    spooled(adapter, one)
    (piece,) = adapter.spool.pieces(RUN)
    assert not isinstance(piece, SpoolFault)
    assert (piece.piece_id, piece.pages, piece.release, piece.locale, piece.campaign) == (
        one.key, 3, "notice@1.0.0+abc", "de-DE", "notice"
    )  # fmt: skip
    assert piece.postal == one.postal
    assert adapter.spool.content(piece) == one.rendition.content


def test_a_half_written_piece_is_not_accepted_and_written_anew(tmp_path: Path) -> None:
    """A process died between the document and its note; the document may be another one by now."""
    adapter = printer(tmp_path)
    folder = tmp_path / "print" / "spool" / RUN
    folder.mkdir(parents=True)
    one = envelope(1)
    (folder / f"{one.key}.pdf").write_bytes(letter_pdf("older"))
    assert adapter.look_up(one.key) is None
    assert list(adapter.spool.pieces(RUN)) == []
    spooled(adapter, one)
    assert press(adapter).close(RUN, now=NOW).exceptions == ()


@pytest.mark.parametrize("key", ["../p-1", "a/b", "", ".hidden", "p\n1", "p" * 200, "C:\\x"])
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    """Ids of ours are letters and digits; another one is a mistake of the program."""
    with pytest.raises(ValueError, match="a piece id is"):
        printer(tmp_path).deliver(envelope(key, content=b"x"))
    with pytest.raises(ValueError, match="a run is"):
        printer(tmp_path).deliver(envelope(1, run=key or "/"))
    assert printer(tmp_path).look_up(key) is None


def test_hostile_and_strange_files_are_named_and_harm_nobody(tmp_path: Path) -> None:
    """Names with line breaks, links out of the folder, notes of other pieces, notes that are no notes."""
    adapter = printer(tmp_path)
    spooled(adapter, envelope("p-good"), envelope("p-linked"), envelope("p-other"), envelope("p-cut"))
    folder = tmp_path / "print" / "spool" / RUN
    (tmp_path / "secret.pdf").write_bytes(letter_pdf("secret"))
    (folder / "p-linked.pdf").unlink()
    (folder / "p-linked.pdf").symlink_to(tmp_path / "secret.pdf")
    (folder / "p-copy.json").write_bytes((folder / "p-other.json").read_bytes())
    (folder / "p-cut.json").write_bytes((folder / "p-cut.json").read_bytes()[:-20])
    (folder / "p-list.json").write_bytes(b"[1]")
    (folder / "evil\n\x1b[31m.json").write_bytes(b"{}")
    (folder / "évil.pdf").write_bytes(b"x")
    (folder / ".p-1.tmp").write_bytes(b"x")
    closed = press(adapter).close(RUN, now=NOW)
    found = {one.piece_id: one.reason for one in closed.exceptions}
    assert found == {
        "p-linked": "altered-document",
        "p-copy": "altered-note",
        "p-cut": "altered-note",
        "p-list": "altered-note",
        "file 'evil\\n\\x1b[31m.json'": "unknown-file",
        "file '\\xe9vil.pdf'": "unknown-file",
    }
    assert closed.made == (f"{RUN}.b001",)


def test_one_changed_byte_is_named(tmp_path: Path) -> None:
    """Of the document or of any place of its note."""
    adapter = printer(tmp_path)
    one = envelope("p-x")
    spooled(adapter, one)
    folder = tmp_path / "print" / "spool" / RUN
    for name, reason in (("p-x.pdf", "altered-document"), ("p-x.json", "altered-note")):
        whole = (folder / name).read_bytes()
        for place in range(3, len(whole) - 3, max(1, len(whole) // 40)):
            changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            (folder / name).write_bytes(changed)
            (fault,) = press(adapter).close(RUN, now=NOW).exceptions
            assert (fault.piece_id, fault.reason) == ("p-x", reason), place
        (folder / name).write_bytes(whole)
    assert press(adapter).close(RUN, now=NOW).exceptions == ()


def test_seals() -> None:
    """What is sealed reads back; what was changed does not."""
    assert unsealed(sealed({"a": ["ä", 1]})) == {"a": ["ä", 1]}
    for broken in (b"{}", b"[]", sealed({"a": 1}).replace(b"1", b"2", 1)):
        with pytest.raises(ValueError, match="seal"):
            unsealed(broken)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"folders": "x"}, 'setting "folders" is not known'),
        ({"marks": "qr"}, "setting marks is wrong"),
        ({"mark_x_mm": "205"}, "beyond the edge"),
        ({"mark_x_mm": "0"}, "beyond the edge"),
        ({"mark_y_mm": "x"}, "mark_y_mm"),
        ({"householding": "maybe"}, "householding"),
        ({"max_sheets": "61"}, "max_flat_sheets is below"),
        ({"drop": "ftp://a@b/c"}, "drop is no address"),
        ({"drop": "sftp://host/in"}, "drop is no address"),
        ({"drop": "sftp://a:hunter2@host/in"}, "drop is no address"),
        ({"drop": "sftp://a@host/in"}, "key_file is missing"),
        ({"drop": "sftp://a@host/in", "key_file": "k"}, "known_hosts is missing"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    """Before anything is composed; a password never stands in the message."""
    with pytest.raises(DeliveryError, match=words) as caught:
        printer(tmp_path, settings)
    assert "hunter2" not in str(caught.value)
    assert caught.value.remedy


def test_a_missing_extra_names_its_install_line(tmp_path: Path) -> None:
    """When the provider is checked, in a Python that has no pikepdf."""
    script = """
        import sys
        sys.modules["pikepdf"] = None
        from ccm.deliver.print_shop.adapter import PrintAdapter
        PrintAdapter.from_settings("mine", {}, root=sys.argv[1]).verify()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert 'pip install "ccm-engine[print]"' in done.stderr
