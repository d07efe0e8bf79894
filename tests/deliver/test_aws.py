"""The ways a call to Amazon can end, where only the place of the break decides whether a message may have gone."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme
from deliver.aws_servers import aws_environment

from ccm.deliver.aws import AwsClient, AwsSettings, Refusal, common_reading
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import DeliveryError
from ccm.model.records import ReceiptStatus

__all__ = ["aws_environment"]
pytestmark = pytest.mark.usefixtures("aws_environment")

MESSAGE = {
    "FromEmailAddress": "post@northwind.example",
    "Destination": {"ToAddresses": ["ann@example.org"]},
    "Content": {"Raw": {"Data": b"x"}},
}


@contextmanager
def listener(serve: object) -> Iterator[str]:
    """Run `serve(client)` for each connection."""
    over = threading.Event()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                with client, suppress(OSError):
                    serve(client, over)  # type: ignore[operator]

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def told(url: str) -> Exception:
    """Send one message and return what is raised."""
    client = AwsClient("mine", "sesv2", AwsSettings(endpoint_url=url, timeout_seconds=0.5))
    try:
        with pytest.raises((DeliveryError, Setback)) as caught:
            client.ask("send_email", **MESSAGE)
        return caught.value
    finally:
        client.close()


def test_an_untrusted_certificate_gets_no_message() -> None:
    """The handshake ends it: a fault of the provider, nothing in doubt."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def serve(client: socket.socket, _: threading.Event) -> None:
        with context.wrap_socket(client, server_side=True) as secure:
            secure.recv(10)

    with listener(serve) as url:
        assert isinstance(told(url), DeliveryError)


def test_a_handshake_that_stalls_or_breaks_off_leaves_no_doubt() -> None:
    """botocore calls it a read timeout and a lost connection, as it does after a message; the place tells them apart."""
    with listener(lambda client, over: over.wait(5)) as url:
        assert isinstance(told(url), DeliveryError)
    with listener(lambda client, over: client.recv(10)) as url:
        assert isinstance(told(url), DeliveryError)


def test_a_break_after_the_handshake_is_in_doubt(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS that ends without its goodbye once the request has gone is the same class of error, and unknown."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(f"{tmp_path}/ca.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", f"{tmp_path}/ca.pem")

    def serve(client: socket.socket, _: threading.Event) -> None:
        secure = context.wrap_socket(client, server_side=True)
        secure.recv(65_536)
        socket.socket.close(secure)

    with listener(serve) as url:
        answer = told(url)
    assert isinstance(answer, Setback)
    assert answer.status is ReceiptStatus.UNKNOWN


def test_what_the_model_does_not_allow_is_never_sent() -> None:
    """It is about this message alone."""
    client = AwsClient("mine", "sesv2", AwsSettings(endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(Setback) as caught:
        client.ask("send_email", Content={"Raw": {"Data": 5}})
    client.close()
    assert caught.value.status is ReceiptStatus.REJECTED


def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named when the provider is opened."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(DeliveryError, match="region"):
        AwsClient("mine", "sns", AwsSettings())


def test_a_code_that_is_no_word_is_not_repeated() -> None:
    """Whatever stands in a code's place may quote an address."""
    client = AwsClient("mine", "sns", AwsSettings())
    response = {"Error": {"Code": "ann@example.org is bad"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    error = client._refused(response)
    client.close()
    assert isinstance(error, Setback)
    assert error.text == "400"


@pytest.mark.parametrize(
    ("code", "status", "headers", "wait"),
    [
        ("Throttling", 400, {}, None),
        ("ThrottledException", 429, {"Retry-After": "3"}, 3),
        ("SlowDown", 503, {"retry-after": "9"}, 9),
    ],
)
def test_busy_is_deferred(code: str, status: int, headers: dict[str, str], wait: float | None) -> None:
    """By code even under another status; the wait is taken over."""
    error = common_reading(Refusal("mine", code, status, "", {}, headers))
    assert isinstance(error, Setback)
    assert (error.status, error.retry_after_seconds) == (ReceiptStatus.DEFERRED, wait)
