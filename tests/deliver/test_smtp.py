"""SMTP against real servers: what arrives, how it is protected, and what every fault is called."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import trustme

from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.smtp import SmtpAdapter
from ccm.deliver.smtp_settings import TlsMode, read_settings
from ccm.model.definitions import Channel
from ccm.model.records import EmailRendition, ReceiptStatus
from ccm.testing import AdapterContract, sample_envelope
from tests.deliver.smtp_server import (
    DATA,
    DOT,
    EHLO,
    GREETING,
    HANG_UP,
    MAIL,
    RCPT,
    STALL,
    BrokenServer,
    Mailbox,
    authenticator,
    mail_server,
)

ACCEPTED, REJECTED, DEFERRED, UNKNOWN = (
    ReceiptStatus.ACCEPTED,
    ReceiptStatus.REJECTED,
    ReceiptStatus.DEFERRED,
    ReceiptStatus.UNKNOWN,
)


def adapter_for(port: int, **settings: str) -> SmtpAdapter:
    given = {"host": "127.0.0.1", "port": str(port), "tls": "none", "timeout_seconds": "5"} | settings
    return SmtpAdapter.from_settings("mine", given, root="/")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[int]:
    with mail_server(mailbox) as port:
        yield port


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class TestSmtpContract(AdapterContract):
    @pytest.fixture(autouse=True)
    def _serve(self, mailbox: Mailbox, server: int) -> None:
        self.mailbox, self.port = mailbox, server

    def open(self, folder: Path) -> Adapter:
        return adapter_for(self.port)

    def received(self, folder: Path) -> int:
        return len(self.mailbox.messages)

    def broken(self, folder: Path) -> Adapter:
        return adapter_for(1)


def test_the_message_arrives_byte_for_byte(mailbox: Mailbox, server: int) -> None:
    """Lines that begin with dots, and the envelope apart from the headers, arrive as they were given."""
    envelope = replace(sample_envelope(), address="someone.else@example.org")
    adapter = adapter_for(server, return_path="bounce@northwind.example")
    receipt = adapter.deliver(envelope)
    adapter.close()
    ((sender, recipients, content),) = mailbox.messages
    assert (sender, recipients) == ("bounce@northwind.example", ["someone.else@example.org"])
    assert content == envelope.rendition.content
    assert message_from_bytes(content, policy=policy.default)["To"] == "ann@example.org"
    assert (receipt.status, receipt.provider_id, receipt.provider_status) == (ACCEPTED, "Q1001", "250 2.0.0")


def test_connections_are_used_again_up_to_the_limit(mailbox: Mailbox, server: int) -> None:
    """Ten messages at three a connection need four connections."""
    adapter = adapter_for(server, messages_per_connection="3")
    for n in range(10):
        assert adapter.deliver(sample_envelope(key=f"p-{n}")).status is ACCEPTED
    adapter.close()
    assert len(mailbox.messages) == 10
    assert len(mailbox.sessions) == 4


def test_a_refusal_leaves_the_connection_usable(mailbox: Mailbox, server: int) -> None:
    """After a refused recipient the next message goes over the same connection."""
    adapter = adapter_for(server)
    adapter.deliver(sample_envelope(key="p-1"))
    mailbox.rcpt = "550 5.1.1 no such user ann@example.org"
    receipt = adapter.deliver(sample_envelope(key="p-2"))
    mailbox.rcpt = ""
    adapter.deliver(sample_envelope(key="p-3"))
    adapter.close()
    assert (receipt.status, receipt.provider_status) == (REJECTED, "550 5.1.1")
    assert len(mailbox.sessions) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # implicit TLS is below aiosmtpd
@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_tls_and_login(
    mode: TlsMode, mailbox: Mailbox, tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path
) -> None:
    """Both TLS modes check the certificate and log in; a wrong password and a strange authority are named."""
    options: dict[str, object] = {"authenticator": authenticator, "auth_required": True, "auth_require_tls": True}
    if mode is TlsMode.STARTTLS:
        options |= {"tls_context": tls, "require_starttls": True}
    else:
        options |= {"implicit": tls, "auth_require_tls": False}
    with mail_server(mailbox, **options) as port:
        settings = {"tls": mode, "user": "ccm", "password": "secret", "ca_file": str(tmp_path / "ca.pem")}
        adapter = adapter_for(port, **settings)
        adapter.verify()
        assert adapter.deliver(sample_envelope()).status is ACCEPTED
        adapter.close()
        with pytest.raises(DeliveryError, match="password") as wrong:
            adapter_for(port, **settings | {"password": "guess"}).deliver(sample_envelope())
        with pytest.raises(DeliveryError, match="not trusted") as strange:
            adapter_for(port, tls=mode).verify()
    assert not wrong.value.retriable
    assert not strange.value.retriable
    assert "guess" not in str(wrong.value)


def test_tls_is_never_given_up(server: int) -> None:
    """A server that does not offer STARTTLS gets no message and no password."""
    with pytest.raises(DeliveryError, match="does not offer") as caught:
        adapter_for(server, tls="starttls").deliver(sample_envelope())
    assert not caught.value.retriable


# step, fault, class of the answer (None: the provider as a whole), retriable, messages that the server has taken
FAULTS = [
    (GREETING, "421 busy", None, True, 0),
    (GREETING, "554 go away", None, False, 0),
    (GREETING, HANG_UP, None, True, 0),
    (GREETING, STALL, None, True, 0),
    (EHLO, HANG_UP, None, True, 0),
    (EHLO, STALL, None, True, 0),
    (MAIL, "451 4.3.0 later", DEFERRED, True, 0),
    (MAIL, "421 4.3.2 closing", DEFERRED, True, 0),
    (MAIL, "550 5.7.1 not you", None, False, 0),
    (MAIL, "552 5.3.4 too big", REJECTED, False, 0),
    (MAIL, HANG_UP, DEFERRED, True, 0),
    (MAIL, STALL, DEFERRED, True, 0),
    (RCPT, "450 4.2.1 later", DEFERRED, True, 0),
    (RCPT, "421 4.3.2 closing", DEFERRED, True, 0),
    (RCPT, "550 5.1.1 unknown", REJECTED, False, 0),
    (RCPT, HANG_UP, DEFERRED, True, 0),
    (RCPT, STALL, DEFERRED, True, 0),
    (DATA, "451 4.3.0 later", DEFERRED, True, 0),
    (DATA, "421 4.3.2 closing", DEFERRED, True, 0),
    (DATA, "554 5.5.1 no", REJECTED, False, 0),
    (DATA, HANG_UP, DEFERRED, True, 0),
    (DATA, STALL, DEFERRED, True, 0),
    (DOT, "451 4.3.0 later", DEFERRED, True, 1),
    (DOT, "421 4.3.2 closing", DEFERRED, True, 1),
    (DOT, "554 5.7.1 spam", REJECTED, False, 1),
    (DOT, "nonsense", UNKNOWN, False, 1),
    (DOT, HANG_UP, UNKNOWN, False, 1),
    (DOT, STALL, UNKNOWN, False, 1),
]


@pytest.mark.parametrize(("step", "fault", "expected", "retriable", "dots"), FAULTS)
def test_every_fault_has_its_class(
    step: str, fault: str, expected: ReceiptStatus | None, retriable: bool, dots: int
) -> None:
    """Before the final dot nothing was accepted; after it a lost answer is unknown and nothing is sent again."""
    with BrokenServer(step, fault) as broken:
        adapter = adapter_for(broken.port, timeout_seconds="0.4")
        if expected is None:
            with pytest.raises(DeliveryError) as caught:
                adapter.deliver(sample_envelope())
            assert caught.value.retriable is retriable
            assert "example" not in str(caught.value)
        else:
            receipt = adapter.deliver(sample_envelope())
            assert receipt.status is expected
            assert "example" not in receipt.provider_status
        adapter.close()
        assert broken.dots == dots
        assert broken.connections == 1


def test_an_idle_connection_that_the_server_closed_costs_nothing() -> None:
    """A connection that died while it was idle is replaced before the message is mentioned."""
    with BrokenServer(MAIL, HANG_UP, times=0) as server:
        adapter = adapter_for(server.port)
        assert adapter.deliver(sample_envelope(key="p-1")).status is ACCEPTED
        server.times = 1
        assert adapter.deliver(sample_envelope(key="p-2")).status is ACCEPTED
        adapter.close()
        assert (server.dots, server.connections) == (2, 2)


def test_no_more_connections_than_allowed() -> None:
    """Twelve threads share two connections."""
    with BrokenServer("", "") as server:
        adapter = adapter_for(server.port, connections="2")
        receipts = []

        def work(number: int) -> None:
            for n in range(4):
                receipts.append(adapter.deliver(sample_envelope(key=f"p-{number}-{n}")))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        adapter.close()
        assert {receipt.status for receipt in receipts} == {ACCEPTED}
        assert (server.dots, server.connections) == (48, 2)


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org>\r\nRCPT TO:<eve@evil.example",
        "ann@example.org\nDATA",
        "ann@example.org,eve@evil.example",
        "ann@example.org> SIZE=1",
        "ann@bücher.example",
        "ann",
        "",
    ],
)
def test_an_address_is_one_address_or_nothing_is_sent(address: str, mailbox: Mailbox, server: int) -> None:
    """No address becomes a second command or a second recipient."""
    adapter = adapter_for(server)
    assert adapter.deliver(replace(sample_envelope(), address=address)).status is REJECTED
    with pytest.raises(DeliveryError, match="sender"):
        adapter.deliver(replace(sample_envelope(), sender=address))
    adapter.close()
    assert mailbox.messages == []


def test_smtputf8_only_where_it_is_offered(mailbox: Mailbox) -> None:
    """A local part outside ASCII goes with SMTPUTF8, and is refused where the server cannot."""
    envelope = replace(sample_envelope(), address="jürgen@example.org")
    with mail_server(mailbox, enable_SMTPUTF8=False) as port:
        adapter = adapter_for(port)
        assert adapter.deliver(envelope).provider_status == "server does not offer SMTPUTF8"
        adapter.close()
    with mail_server(mailbox, enable_SMTPUTF8=True) as port:
        adapter = adapter_for(port)
        assert adapter.deliver(envelope).status is ACCEPTED
        assert adapter.deliver(sample_envelope()).status is ACCEPTED
        adapter.close()
    assert ["SMTPUTF8" in options for options in mailbox.options] == [True, False]


def test_a_message_larger_than_the_server_takes_is_refused_before_sending(mailbox: Mailbox) -> None:
    """The advertised SIZE is respected."""
    with mail_server(mailbox, data_size_limit=1000) as port:
        adapter = adapter_for(port)
        rendition = sample_envelope().rendition
        assert isinstance(rendition, EmailRendition)
        large = replace(rendition, message=rendition.message + b"x" * 70 + b"\r\n" * 500)
        receipt = adapter.deliver(replace(sample_envelope(), rendition=large))
        adapter.close()
    assert (receipt.status, receipt.provider_status) == (REJECTED, "message is larger than the server's 1000 bytes")
    assert mailbox.messages == []


def test_only_emails_go_by_smtp(server: int) -> None:
    """Another kind of rendition is refused for good."""
    adapter = adapter_for(server)
    sms = replace(sample_envelope(Channel.SMS), address="ann@example.org", sender="post@northwind.example")
    assert adapter.deliver(sms).status is REJECTED
    adapter.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "host"),
        ({"host": "h", "prot": "25"}, "port"),
        ({"host": "h", "tls": "startls"}, "starttls"),
        ({"host": "h", "port": "mail"}, "port"),
        ({"host": "h", "port": "70000"}, "port"),
        ({"host": "h", "timeout_seconds": "0"}, "timeout_seconds"),
        ({"host": "h", "user": "u"}, "password"),
        ({"host": "smtp.example", "user": "u", "password": "p-secret", "tls": "none"}, "unprotected"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    """Every wrong setting is named with a remedy, and no value of it."""
    with pytest.raises(DeliveryError, match=named) as caught:
        read_settings("mine", settings)
    assert not caught.value.retriable
    assert "p-secret" not in str(caught.value)


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    """Without its line end; a file that is not there is named."""
    (tmp_path / "smtp").write_text("p-secret\n")
    given = {"host": "localhost", "user": "u", "password_file": "smtp"}
    assert read_settings("mine", given, root=str(tmp_path)).password == "p-secret"
    with pytest.raises(DeliveryError, match="password_file"):
        read_settings("mine", given | {"password_file": "none"}, root=str(tmp_path))


def test_passwords_do_not_print() -> None:
    """A settings record in a log or traceback shows no password."""
    settings = read_settings("mine", {"host": "localhost", "user": "u", "password": "p-secret"})
    assert "p-secret" not in repr(settings)


def test_a_missing_authority_file_is_named(tmp_path: Path) -> None:
    """ca_file must be readable."""
    with pytest.raises(DeliveryError, match="ca_file"):
        SmtpAdapter.from_settings("mine", {"host": "h", "ca_file": "none.pem"}, root=str(tmp_path))
