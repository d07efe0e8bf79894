"""Callbacks over a real socket: genuine ones count once, forged ones change nothing and are told nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from events.amazon import CERTIFICATE, NOW, TOPIC, certificate, notification, ses_event, subscription
from events.test_sns_events import FORGERIES, TRICKS
from serve.served import serving
from serve.test_app import sample

from ccm.ledger.news import NewsStore
from ccm.ledger.permissions import PermissionStore, open_permissions
from ccm.model.keyring import Keyring
from ccm.model.permissions import in_force
from ccm.run.events import EventDesk
from ccm.run.permitted import address_subject
from ccm.run.verdicts import summed_up
from ccm.serve.app import Service, make_app
from ccm.serve.hooks import Callbacks
from ccm.serve.writing import Pages

KEYS = Keyring.of("a secret of some length")
TOKEN = "12345678901234567890123456789012"
PUBLIC = "https://mail.example.com"
PIECE = "p-" + "a" * 26
OURS = "+12025550199"


class Provider:
    """What calls the hooks, and what it finds out."""

    def __init__(self, client: httpx2.Client, store: PermissionStore) -> None:
        self.client = client
        self.store = store
        self.fetched: list[str] = []
        self.confirmed: list[tuple[str, str]] = []

    def amazon(self, message: object) -> httpx2.Response:
        return self.client.post("/hooks/ses", content=json.dumps(message), headers={"content-type": "text/plain"})

    def twilio(
        self, path: str, fields: dict[str, str], signature: str | None = None, **headers: str
    ) -> httpx2.Response:
        from twilio.request_validator import RequestValidator

        signed = RequestValidator(TOKEN).compute_signature(PUBLIC + path, fields) if signature is None else signature
        given = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signed} | headers
        return self.client.post(path, content=urlencode(fields), headers=given)

    def reasons(self, address: str) -> list[str]:
        return [str(one.reason) for one in in_force(self.store.entries([address_subject(KEYS, address)]))]


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    store = open_permissions("sqlite:///ledger.db", tmp_path, KEYS.idents)
    desk = EventDesk(
        NewsStore(store.database, store, summed_up),
        store,
        KEYS,
        clock=lambda: NOW,
        brands={"12025550199": "northwind-bank"},
    )
    made: list[Provider] = []

    def fetch(address: str) -> bytes:
        made[0].fetched.append(address)
        return certificate()

    callbacks = Callbacks(
        desk,
        lambda: NOW,
        fetch,
        PUBLIC,
        (TOPIC,),
        TOKEN,
        {OURS: "Northwind Bank"},
        lambda topic, token: made[0].confirmed.append((topic, token)),
    )
    service = Service(Pages(sample()), store, KEYS, lambda: NOW)
    with serving(make_app(service, callbacks.routes())) as client:
        made.append(Provider(client, store))
        yield made[0]
    store.close()


def test_a_genuine_bounce_bars_the_address_once(provider: Provider) -> None:
    """SNS sends again what it is not sure about."""
    message = notification(ses_event("Bounce", PIECE))
    assert [provider.amazon(message).status_code for _ in range(3)] == [200, 200, 200]
    assert provider.reasons("ann@example.org") == ["bounced-hard"]
    assert provider.store.revision() == 1
    again = notification(ses_event("Bounce", PIECE), message_id="m-7")  # the same event in another envelope
    assert provider.amazon(again).status_code == 200
    assert provider.store.revision() == 1
    assert set(provider.fetched) == {CERTIFICATE}


def test_forged_notifications_change_nothing(provider: Provider) -> None:
    """Every forgery, and every trick with the certificate's address; nothing is fetched from elsewhere."""
    event = ses_event("Bounce", PIECE)
    for version in ("1", "2"):
        for name, change in FORGERIES.items():
            if name == "signature of another version" and version == "1":
                continue
            assert provider.amazon(change(notification(event, version=version))).status_code == 403, name
    for address in TRICKS:
        assert provider.amazon(notification(event, SigningCertURL=address)).status_code == 403, address
    assert set(provider.fetched) <= {CERTIFICATE}
    assert provider.store.revision() == 0


def test_a_subscription_is_confirmed_through_the_api(provider: Provider) -> None:
    """Never by opening what the message names; a forged one is not confirmed."""
    assert provider.amazon(subscription()).status_code == 200
    assert provider.confirmed == [(TOPIC, "token-1")]
    provider.amazon(subscription() | {"Token": "evil"})
    provider.amazon(subscription(TopicArn=TOPIC + "-2"))
    assert provider.confirmed == [(TOPIC, "token-1")]


def test_text_messages_through_amazon(provider: Provider) -> None:
    """Events of End User Messaging and answers, wrapped by SNS."""
    gone = {
        "eventType": "TEXT_INVALID",
        "messageId": "t-1",
        "destinationPhoneNumber": "+12025550123",
        "context": {"piece": PIECE},
        "eventTimestamp": 1793620800000,
    }
    stop = {
        "inboundMessageId": "i-1",
        "originationNumber": "+12025550124",
        "messageBody": "Stopp",
        "destinationNumber": OURS,
    }
    assert provider.amazon(notification(gone)).status_code == 200
    assert provider.amazon(notification(stop)).status_code == 200
    assert provider.reasons("+12025550123") == ["bounced-hard"]
    assert provider.reasons("+12025550124") == ["stop-reply"]


STATUS = f"/hooks/twilio/status?piece={PIECE}"
FAILED = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30005", "To": "+12025550123", "From": OURS}


def test_a_status_of_twilio_counts_behind_a_proxy(provider: Provider) -> None:
    """Twilio signed the public address, and not the one that the proxy calls."""
    assert provider.twilio(STATUS, FAILED).status_code == 204
    assert provider.twilio(STATUS, FAILED).status_code == 204
    assert provider.reasons("+12025550123") == ["bounced-hard"]
    assert provider.store.revision() == 1


def test_forged_callbacks_of_twilio_change_nothing(provider: Provider) -> None:
    """Another signature, fields, piece, path, hosts in headers that nobody asked for."""
    from twilio.request_validator import RequestValidator

    good = RequestValidator(TOKEN).compute_signature(PUBLIC + STATUS, FAILED)
    other = {**FAILED, "To": "+12025550177"}
    tries = [
        ("/hooks/twilio/status", FAILED, good, {}),
        (STATUS.replace("a" * 26, "b" * 26), FAILED, good, {}),
        (STATUS + "&x=1", FAILED, good, {}),
        (STATUS, other, good, {}),
        (STATUS, {**FAILED, "Extra": "1"}, good, {}),
        (STATUS, FAILED, "", {}),
        (STATUS, FAILED, good[::-1], {}),
        (STATUS, FAILED, RequestValidator("0" * 32).compute_signature(PUBLIC + STATUS, FAILED), {}),
        (STATUS, FAILED, RequestValidator("").compute_signature(PUBLIC + STATUS, FAILED), {}),
        ("/hooks/twilio/inbound?piece=" + PIECE, FAILED, good, {}),
        (STATUS, FAILED, good, {"content-type": "application/json"}),
        (STATUS, FAILED, good, {"content-type": "multipart/form-data; boundary=x"}),
        (STATUS, other, good, {"host": "mail.example.com"}),
        (STATUS, other, good, {"x-forwarded-host": "mail.example.com", "x-forwarded-proto": "https"}),
        (STATUS, other, good, {"x-original-url": PUBLIC + STATUS}),
    ]
    for path, fields, signature, headers in tries:
        assert provider.twilio(path, fields, signature, **headers).status_code == 403, (path, headers)
    assert provider.store.revision() == 0


def answer(provider: Provider, word: str, sid: str, **more: str) -> str:
    fields = {"MessageSid": sid, "From": "+12025550123", "To": OURS, "Body": word, **more}
    reply = provider.twilio("/hooks/twilio/inbound", fields)
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/xml")
    found = re.search("<Message>(.*)</Message>", reply.text)
    return found[1] if found else ""


def test_leaving_by_text_is_confirmed_once(provider: Provider) -> None:
    """In the language of the word; saying it again, asking, and other texts get nothing."""
    assert answer(provider, "Wann gilt das?", "SM1") == ""
    assert provider.store.revision() == 0
    assert answer(provider, "Stopp", "SM2").startswith("Northwind Bank: Sie sind abgemeldet")
    assert provider.reasons("+12025550123") == ["stop-reply"]
    assert answer(provider, "Stopp", "SM2") == ""  # delivered twice
    assert answer(provider, "STOP", "SM3") == ""  # said twice
    assert answer(provider, "HELP", "SM4") == ""
    assert answer(provider, "START", "SM5").startswith("Northwind Bank: You get text messages again")
    assert provider.reasons("+12025550123") == []
    assert answer(provider, "START", "SM6") == ""
    assert answer(provider, "STOP", "SM7", OptOutType="STOP") == ""  # Twilio says it
    assert provider.reasons("+12025550123") == ["stop-reply"]


def test_bodies_without_end_are_cut_off(provider: Provider) -> None:
    """More than a provider ever sends is not read."""
    for path in ("/hooks/ses", "/hooks/twilio/inbound"):
        assert provider.client.post(path, content=b"x" * 1_000_000).status_code == 413
