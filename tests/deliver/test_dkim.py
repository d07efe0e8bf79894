"""DKIM, checked by dkimpy as a receiver would: it holds, it covers what readers act on, and a change breaks it."""

from __future__ import annotations

import base64
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import Relaxed

from ccm.deliver.dkim import canonical_body, covered, open_signer
from ccm.deliver.interface import DeliveryError
from ccm.deliver.smtp import SmtpAdapter
from ccm.model.records import EmailRendition, ReceiptStatus
from ccm.testing import sample_envelope
from tests.deliver.smtp_server import Mailbox, mail_server

MESSAGE = (
    b'From: "Northwind Bank" <post@northwind.example>\r\nTo: <ann@example.org>\r\n'
    b"Subject: =?utf-8?b?SWhyIEtvbnRvYXVzenVn?=\r\n =?utf-8?b?IGlzdCBkYQ==?=\r\n"
    b"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\nMessage-ID: <p-1@northwind.example>\r\n"
    b"List-Unsubscribe: <https://messages.example.com/u/" + b"abcdefghij" * 12 + b">\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b".Gr\xc3\xbc\xc3\x9fe,  two  blanks \r\n..two dots\r\n\r\nend\t\r\n\r\n\r\n"
)
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
DNS = b"v=DKIM1; k=rsa; p=" + base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


def in_dns(name: bytes, timeout: int = 5) -> bytes:
    assert name == b"ccm._domainkey.northwind.example."
    return DNS


def holds(message: bytes) -> bool:
    """Verify as a receiver does."""
    return bool(dkim.verify(message, dnsfunc=in_dns))


def sign(message: bytes = MESSAGE) -> bytes:
    return open_signer("mine", domain="Northwind.example", selector="ccm", key=PEM).sign(message)


def test_the_signature_holds() -> None:
    """And the message itself is untouched; no line of the signature is longer than 78 characters."""
    signed = sign()
    assert signed.endswith(b"\r\n" + MESSAGE)
    assert holds(signed)
    assert all(len(line) <= 78 for line in signed[: -len(MESSAGE)].splitlines())
    assert sign() == signed


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",  # no body
        MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n\r\n\r\n",  # empty lines alone
        MESSAGE.replace(b"Subject:", b"SUBJECT:  x\r\n\t"),  # folded by a tab
        MESSAGE + b"long " * 3000 + b"\r\n",
        MESSAGE.replace(b"=?utf-8?b?SWhyIEtvbnRvYXVzenVn?=\r\n =?utf-8?b?IGlzdCBkYQ==?=", "Grüße".encode()),  # SMTPUTF8
    ],
)  # fmt: skip
def test_it_holds_for_every_shape_of_message(message: bytes) -> None:
    """Whatever relaxed canonical form has rules for."""
    assert holds(sign(message))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"two dots", b"two Dots"),
        (b"Northwind Bank", b"Eve"),
        (b"<ann@example.org>", b"<eve@evil.example>"),
        (b"SWhyIEtvbnRvYXVzenVn", b"SWhyIEtvbnRvYXVzenVm"),
        (b"08:00:00", b"09:00:00"),
        (b"<p-1@", b"<p-2@"),
        (b"https://messages", b"https://evil"),
        (b"One-Click", b"Two-Click"),
        (b"charset=utf-8", b"charset=utf-7"),
        (b"Encoding: 8bit", b"Encoding: 7bit"),
    ],
)
def test_every_change_breaks_it(old: bytes, new: bytes) -> None:
    """What readers see, and what their programs act on."""
    assert MESSAGE.count(old) == 1
    assert not holds(sign().replace(old, new))


@pytest.mark.parametrize(
    "header",
    [
        b"From: Eve <eve@evil.example>", b"To: eve@evil.example", b"Cc: eve@evil.example", b"Subject: other",
        b"Reply-To: eve@evil.example", b"List-Unsubscribe: <https://evil.example>",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"Date: Mon, 23 Nov 2026 08:00:00 +0000",
        b"Message-ID: <x@evil.example>", b"MIME-Version: 1.0", b"Content-Type: text/html",
    ],
)  # fmt: skip
def test_nobody_can_add_a_header(header: bytes) -> None:
    """Above or below: some readers show the first, some the last."""
    signed = sign()
    assert not holds(header + b"\r\n" + signed)
    assert not holds(signed.replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n\r\n", 1))


def test_relays_may_do_what_relays_do() -> None:
    """Received lines, other ends of blank lines and folding leave it whole."""
    signed = sign().replace(b"blanks \r\n", b"blanks\r\n").replace(b"To: <", b"To:\r\n  <")
    assert holds(b"Received: from a by b; Sun, 22 Nov 2026 08:00:01 +0000\r\nReturn-Path: <x@y.example>\r\n" + signed)


def test_one_click_headers_are_covered() -> None:
    """Mailbox providers ignore them otherwise (RFC 8058)."""
    value = sign().partition(b"h=")[2].partition(b";")[0].replace(b"\r\n ", b"")
    names = Counter(value.split(b":"))
    assert names[b"list-unsubscribe"] == names[b"list-unsubscribe-post"] == names[b"from"] == names[b"to"] == 2
    assert names[b"subject"] == names[b"date"] == names[b"message-id"] == names[b"content-type"] == 2
    assert names[b"cc"] == 1  # absent, and stays so
    assert b"references" not in covered(Counter())


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"\r\n\r\n", b"a", b"a\r\n", b"a b\r\n\r\n", b"a  b\r\n", b"a \r\n", b"\t"]
)
def test_the_short_way_gives_the_same_form(body: bytes) -> None:
    """As dkimpy's, whether or not there are blanks."""
    assert canonical_body(body) == Relaxed.canonicalize_body(body)


def test_what_arrives_by_smtp_verifies(tmp_path: Path) -> None:
    """Signed before dots are doubled: the receiver sees the message that was signed. With SMTPUTF8 too."""
    (tmp_path / "dkim.pem").write_bytes(PEM)
    mailbox = Mailbox()
    settings = {
        "host": "127.0.0.1", "tls": "none", "timeout_seconds": "5", "dkim_domain": "northwind.example",
        "dkim_selector": "ccm", "dkim_key_file": "dkim.pem",
    }  # fmt: skip
    rendition = sample_envelope().rendition
    assert isinstance(rendition, EmailRendition)
    plain = replace(sample_envelope(), rendition=replace(rendition, message=MESSAGE))
    foreign = replace(plain, address="jürgen@example.org")
    with mail_server(mailbox, enable_SMTPUTF8=True, decode_data=False) as port:
        adapter = SmtpAdapter.from_settings("mine", settings | {"port": str(port)}, root=str(tmp_path))
        receipts = [adapter.deliver(plain), adapter.deliver(foreign)]
        adapter.close()
    assert {receipt.status for receipt in receipts} == {ReceiptStatus.ACCEPTED}
    assert [holds(message) for _, _, message in mailbox.messages] == [True, True]
    assert ["SMTPUTF8" in options for options in mailbox.options] == [False, True]


@pytest.fixture
def pems() -> dict[str, bytes]:
    small = rsa.generate_private_key(65537, 1024)
    other = ed25519.Ed25519PrivateKey.generate()
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"none": b"no key", "ed25519": other.private_bytes(*form), "rsa-1024": small.private_bytes(*form)}


def test_keys_that_receivers_would_not_take_are_refused(pems: dict[str, bytes]) -> None:
    """When the provider is opened, in words; a key is never repeated."""
    for name in ("none", "ed25519"):
        with pytest.raises(DeliveryError, match="dkim_key_file") as caught:
            open_signer("mine", domain="northwind.example", selector="ccm", key=pems[name])
        assert "PRIVATE" not in str(caught.value)
    open_signer("mine", domain="northwind.example", selector="ccm", key=pems["rsa-1024"])


@pytest.mark.parametrize(
    ("domain", "selector"), [("", "ccm"), ("a b.example", "ccm"), ("a.example", "x;y"), ("a.example\r\n", "c")]
)
def test_names_that_cannot_stand_in_dns_are_refused(domain: str, selector: str) -> None:
    """They would become tags of the signature."""
    with pytest.raises(DeliveryError, match="dkim_"):
        open_signer("mine", domain=domain, selector=selector, key=PEM)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"dkim_domain": "northwind.example"}, "dkim_selector"),
        ({"dkim_domain": "n.example", "dkim_selector": "ccm", "dkim_key_file": "none.pem"}, "dkim_key_file"),
    ],
)
def test_half_a_configuration_is_refused(settings: dict[str, str], named: str, tmp_path: Path) -> None:
    """Rather than sending unsigned what should be signed."""
    with pytest.raises(DeliveryError, match=named):
        SmtpAdapter.from_settings("mine", {"host": "localhost"} | settings, root=str(tmp_path))


def test_a_key_made_by_openssl_works(tmp_path: Path) -> None:
    """As the page of providers says."""
    try:
        made = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
    except FileNotFoundError:
        pytest.skip("openssl is absent")
    assert open_signer("mine", domain="northwind.example", selector="ccm", key=made).sign(MESSAGE)


def test_signing_costs_little() -> None:
    """A few milliseconds at most for a message of 100 kB."""
    signer = open_signer("mine", domain="northwind.example", selector="ccm", key=PEM)
    large = MESSAGE + (b"QUJD" * 19 + b"\r\n") * 1300
    signer.sign(large)
    start = time.process_time()
    for _ in range(20):
        signer.sign(large)
    assert (time.process_time() - start) / 20 < 0.03
