"""Batches reach the print shop whole, once and never over something else; a stranger's server gets nothing."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pikepdf
import pytest
from deliver.print_shop.print_pages import NOW, RUN, batch_files, envelope, letter_pdf, press, printer, spooled
from deliver.print_shop.sftp_server import ShopServer

from ccm.deliver.interface import DeliveryError
from ccm.deliver.print_shop.drop import hand_over, open_drop
from ccm.deliver.print_shop.shelf import PrintFault
from ccm.model.records import Envelope

CHUNK = 1 << 18  # bytes
NAMES = [f"{RUN}.b001{ending}" for ending in (".csv", ".json", ".pdf", ".sha256")]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    """A server with an empty folder `in`."""
    server = ShopServer(tmp_path / "shop")
    (server.folder / "in").mkdir()
    yield server
    server.close()


def made(root: Path, settings: dict[str, str], *letters: Envelope) -> Callable[[], tuple[str, ...]]:
    """Make a batch; return what hands it over."""
    adapter = printer(root, settings)
    spooled(adapter, *(letters or (envelope(1), envelope(2))))
    making = press(adapter)
    making.close(RUN, now=NOW)

    def go() -> tuple[str, ...]:
        drop = open_drop("mine", adapter.settings)
        assert drop is not None
        try:
            return hand_over(making.shelf, drop, RUN, now=NOW)
        finally:
            drop.close()

    return go


def ours(root: Path) -> dict[str, bytes]:
    """Return the files of the batch, as they should arrive."""
    return {name: content for name, content in batch_files(root).items() if not name.endswith(".sent.json")}


def theirs(folder: Path) -> dict[str, bytes]:
    """Return what the print shop has."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_batch_arrives_in_a_folder(tmp_path: Path) -> None:
    """Once; a second command has nothing to do."""
    go = made(tmp_path, {"drop": "shop/in"})
    assert go() == (f"{RUN}.b001",)
    assert theirs(tmp_path / "shop" / "in") == ours(tmp_path)
    assert go() == ()


def test_a_batch_arrives_over_sftp(tmp_path: Path, shop: ShopServer) -> None:
    """Under hidden names first, checksums last; the same bytes, nothing left over."""
    go = made(tmp_path, shop.settings(tmp_path / "keys"))
    assert go() == (f"{RUN}.b001",)
    assert theirs(shop.folder / "in") == ours(tmp_path)
    written = list(dict.fromkeys(name for name, _, _ in shop.written))
    assert written == [f".{RUN}.b001{ending}.part" for ending in (".pdf", ".json", ".csv", ".sha256")]
    assert go() == ()
    assert b"127.0.0.1" in batch_files(tmp_path)[f"{RUN}.b001.sent.json"]
    assert b"ccm@" not in batch_files(tmp_path)[f"{RUN}.b001.sent.json"]


def pdf_of(root: Path) -> bytes:
    return ours(root)[f"{RUN}.b001.pdf"]


def large_letter() -> Envelope:
    """Return a letter of a megabyte, so that a cut leaves something."""
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(letter_pdf("x"))) as pdf:
        noise = random.Random(1).randbytes(1_500_000)
        form = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Form, "BBox": pikepdf.Array([0, 0, 1, 1])}
        pdf.pages[0].Resources.XObject = pikepdf.Dictionary(Noise=pdf.make_stream(noise, **form))
        pdf.save(file)
    return envelope(1, content=file.getvalue())


@pytest.mark.parametrize("cut_after", [0, 70_000, 600_000])
def test_a_cut_upload_goes_on(tmp_path: Path, shop: ShopServer, cut_after: int) -> None:
    """Nothing of the name is there after the cut; the same command sends what is missing, and no more."""
    go = made(tmp_path, shop.settings(tmp_path / "keys"), large_letter())
    shop.cut_after = cut_after
    with pytest.raises(DeliveryError) as caught:
        go()
    assert caught.value.retriable
    assert not (shop.folder / "in" / f"{RUN}.b001.pdf").exists()
    part = shop.folder / "in" / f".{RUN}.b001.pdf.part"
    left = part.stat().st_size if part.exists() else 0
    shop.written.clear()
    assert go() == (f"{RUN}.b001",)
    assert theirs(shop.folder / "in") == ours(tmp_path)
    again = [offset for name, offset, _ in shop.written if name.endswith(".pdf.part")]
    assert left - CHUNK < min(again) <= left  # compared by chunks


def test_a_foreign_beginning_is_not_continued(tmp_path: Path, shop: ShopServer) -> None:
    """What lies under the hidden name is compared before it is believed."""
    go = made(tmp_path, shop.settings(tmp_path / "keys"))
    part = shop.folder / "in" / f".{RUN}.b001.pdf.part"
    part.write_bytes(pdf_of(tmp_path)[:300] + b"x" * 200)
    assert go() == (f"{RUN}.b001",)
    assert theirs(shop.folder / "in") == ours(tmp_path)


@pytest.mark.parametrize("way", ["folder", "sftp"])
def test_nothing_is_overwritten(tmp_path: Path, shop: ShopServer, way: str) -> None:
    """A name that another file has stops the command; the same file is fine."""
    drop = {"drop": str(shop.folder / "in")} if way == "folder" else shop.settings(tmp_path / "keys")
    go = made(tmp_path, drop)
    taken = shop.folder / "in" / f"{RUN}.b001.json"
    taken.write_bytes(b"theirs")
    with pytest.raises(PrintFault, match="another file called"):
        go()
    assert taken.read_bytes() == b"theirs"
    assert not (shop.folder / "in" / f"{RUN}.b001.sha256").exists()
    taken.write_bytes(ours(tmp_path)[taken.name])
    assert go() == (f"{RUN}.b001",)
    assert theirs(shop.folder / "in").keys() >= set(NAMES)


def other_host_key(shop: ShopServer, settings: dict[str, str]) -> None:
    key = paramiko.ECDSAKey.generate()
    Path(settings["known_hosts"]).write_text(f"[127.0.0.1]:{shop.port} {key.get_name()} {key.get_base64()}\n")


def no_host_key(shop: ShopServer, settings: dict[str, str]) -> None:
    Path(settings["known_hosts"]).write_text("")


def no_known_hosts(shop: ShopServer, settings: dict[str, str]) -> None:
    Path(settings["known_hosts"]).unlink()


def other_key(shop: ShopServer, settings: dict[str, str]) -> None:
    Path(settings["key_file"]).unlink()
    paramiko.RSAKey.generate(2048).write_private_key_file(settings["key_file"])


def no_key(shop: ShopServer, settings: dict[str, str]) -> None:
    Path(settings["key_file"]).write_text("none")


def no_folder(shop: ShopServer, settings: dict[str, str]) -> None:
    settings["drop"] = settings["drop"].replace("/in", "/elsewhere")


def no_server(shop: ShopServer, settings: dict[str, str]) -> None:
    shop.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (other_host_key, "another host key"),
        (no_host_key, "host key is not known"),
        (no_known_hosts, "known_hosts names no readable file"),
        (other_key, "does not accept our key"),
        (no_key, "key_file names no key"),
        (no_folder, "could not be used"),
        (no_server, "could not be used"),
    ],
)
def test_who_is_not_trusted_gets_nothing(
    tmp_path: Path, shop: ShopServer, spoil: Callable[[ShopServer, dict[str, str]], None], words: str
) -> None:
    """Said with a remedy by `ccm doctor` too; nothing is sent, and the messages name no secret."""
    settings = shop.settings(tmp_path / "keys")
    go = made(tmp_path, settings)
    spoil(shop, settings)
    with pytest.raises(DeliveryError, match=words) as caught:
        printer(tmp_path, settings).verify()
    assert caught.value.remedy
    if spoil is not no_folder:
        with pytest.raises(DeliveryError, match=words):
            go()
    assert shop.written == []
    assert list((shop.folder / "in").iterdir()) == []


def test_doctor_finds_a_working_server_fine(tmp_path: Path, shop: ShopServer) -> None:
    """It logs in, looks and sends nothing; a key with a passphrase is opened."""
    settings = shop.settings(tmp_path / "keys")
    printer(tmp_path, settings).verify()
    Path(settings["key_file"]).unlink()
    shop.client_key.write_private_key_file(settings["key_file"], password="open sesame")
    printer(tmp_path, settings | {"key_passphrase": "open sesame"}).verify()
    assert (shop.logins, shop.written) == (2, [])
    with pytest.raises(DeliveryError, match="key_file names no key"):
        printer(tmp_path, settings).verify()


def test_an_altered_batch_is_not_handed_over(tmp_path: Path) -> None:
    """The file is named; the remedy works: removed, the batch is made anew from its closing, to the same bytes."""
    go = made(tmp_path, {"drop": "shop/in"})
    before = ours(tmp_path)
    path = tmp_path / "print" / "batches" / RUN / f"{RUN}.b001.pdf"
    path.write_bytes(before[path.name] + b" ")
    with pytest.raises(PrintFault, match=r"b001\.pdf"):
        go()
    assert not (tmp_path / "shop").exists()
    for name in before:
        (path.parent / name).unlink()
    press(printer(tmp_path)).close(RUN, now=NOW)
    assert ours(tmp_path) == before
    assert go() == (f"{RUN}.b001",)
