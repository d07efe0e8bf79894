"""Text messages through Twilio, from the brand's sender or a messaging service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self
from urllib.parse import quote

from ccm.deliver.exchange import Answer, Exchange, Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.packages import require_package
from ccm.deliver.phone import OPTED_OUT, is_phone_number
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus, SmsRendition
from ccm.model.refusals import AddressFault

_REMEDY = "check `account_sid` and `auth_token`, or `api_key_sid` and `api_key_secret`"
_SENDER = "correct the brand's sms sender or `messaging_service`"

# Twilio's codes, by what they are about. 21606 and 21612 are about one pair of sender and destination, so they are
# left to their status. Source: https://www.twilio.com/docs/api/errors
_BUSY = frozenset({"14107", "20429", "21611", "63038"})  # too many requests, a full queue, a daily limit
_OPTED_OUT = frozenset({"21610"})
_NO_NUMBER = frozenset({"21211", "21214", "21614"})  # no such number, or one that takes no texts
_CREDENTIALS = frozenset({"10001", "20003", "20005", "30002"})  # login, or an account that is not active
_SENDERS = frozenset({"21212", "21603", "21609", "21659", "21660", "21661", "21701", "21703", "21705"})


@dataclass(frozen=True)
class TwilioSettings:
    """What a Twilio provider may be told.

    auth_token: Of the account; or api_key_sid with api_key_secret. Each also as a file: auth_token_file, api_key_secret_file.
    messaging_service: Chooses the sender; the brand's sender when empty.
    status_callback: Address of `ccm serve` that Twilio tells what became of texts; gets `piece=<piece id>`.
    endpoint_url: For another edge or a test server.
    timeout_seconds: For connecting, and again for the answer.
    connections: Largest number open at once.
    """

    account_sid: str
    auth_token: str = field(default="", repr=False)
    auth_token_file: str = ""
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    api_key_secret_file: str = ""
    messaging_service: str = ""
    status_callback: str = ""
    endpoint_url: str = ""
    timeout_seconds: float = 30.0
    connections: int = 8


class TwilioAdapter(Adapter):
    """Creates one message for each piece.

    Twilio takes no key of ours, and its list of messages cannot be asked by one: an answer that is lost stays unknown
    until a status callback names the piece.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.SMS,), attachments=False, concurrency=8)
    how_to_look_up: ClassVar[str] = (
        "look for a status callback with the piece id, or in Twilio's message log by number and time"
    )

    def __init__(self, provider: str, settings: TwilioSettings) -> None:
        require_package(provider, "twilio", "twilio")
        from ccm.deliver.twilio_client import open_client

        self._provider = provider
        self._settings = settings
        self._exchange = Exchange(
            provider, timeout_seconds=settings.timeout_seconds, connections=settings.connections, remedy=_REMEDY
        )
        self._client = open_client(
            self._exchange,
            self._read,
            address=settings.endpoint_url,
            user=settings.api_key_sid or settings.account_sid,
            secret=settings.api_key_secret or settings.auth_token,
            account_sid=settings.account_sid,
        )

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._settings.connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `TwilioSettings` lists the settings."""
        return cls(provider, read_settings(provider, settings, root=root))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Hand over one text."""
        try:
            payload = build(envelope, self._settings)
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)
        if "from_" in payload and not payload["from_"]:
            raise DeliveryError(self._provider, "the brand has no sms sender", _SENDER, retriable=False)
        try:
            message = self._client.messages.create(**payload)
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)
        return read(envelope.key, self._provider, message)

    def verify(self) -> None:
        """Fetch the account; with an API key, which may not, ask for one message of its list."""
        try:
            if self._settings.api_key_sid:
                self._client.messages.list(limit=1, page_size=1)
                return
            status = self._client.api.v2010.accounts(self._settings.account_sid).fetch().status
        except Setback as setback:
            raise DeliveryError(
                self._provider, f"Twilio does not answer ({setback.text})", "try again later", retriable=True
            ) from None
        if status not in ("active", None):
            raise DeliveryError(
                self._provider, f"the account is {status}", "reactivate it in Twilio's console", retriable=False
            )

    def close(self) -> None:
        """Give back connections."""
        self._exchange.close()

    def _read(self, answer: Answer) -> Setback | DeliveryError | None:
        """Tell what Twilio's own codes mean; None leaves it to the HTTP status."""
        code = answer.word("code")
        if answer.code >= 500:
            return None
        if code in _BUSY:
            return Setback(ReceiptStatus.DEFERRED, code, answer.wait_seconds)
        if code in _OPTED_OUT:
            opted_out = AddressFault.OPTED_OUT
            return Setback(ReceiptStatus.REJECTED, f"{code} {OPTED_OUT}", address_fault=opted_out)
        if code in _NO_NUMBER:
            text = f"{answer.code} {code}"
            return Setback(ReceiptStatus.REJECTED, text, address_fault=AddressFault.NO_SUCH_ADDRESS)
        if code in _CREDENTIALS:
            return self._exchange.fault(f"Twilio refuses the account ({code})", _REMEDY)
        if code in _SENDERS:
            return self._exchange.fault(f"Twilio refuses the sender or callback ({code})", _SENDER)
        return self._exchange.judge(answer, code)


def build(envelope: Envelope, settings: TwilioSettings) -> dict[str, Any]:
    """Return the arguments of `messages.create`.

    Raises:
        Setback: REJECTED, if it is no text or no number.
    """
    rendition = envelope.rendition
    if not isinstance(rendition, SmsRendition):
        raise Setback(ReceiptStatus.REJECTED, "not a text message")
    if not is_phone_number(envelope.address):
        raise Setback(ReceiptStatus.REJECTED, "address is no E.164 number")
    payload: dict[str, Any] = {"to": envelope.address, "body": rendition.text}
    if settings.messaging_service:
        payload["messaging_service_sid"] = settings.messaging_service
    else:
        payload["from_"] = envelope.sender
    if settings.status_callback:
        payload["status_callback"] = callback(settings.status_callback, envelope.key)
    return payload


def callback(address: str, key: str) -> str:
    """Return the address that Twilio calls about one piece.

    Why: It names the piece even when this process dies before it has stored Twilio's id.
    """
    return f"{address}{'&' if '?' in address else '?'}piece={quote(key, safe='')}"


def read(key: str, provider: str, message: Any) -> Receipt:
    """Return the receipt of a message that Twilio made."""
    if not message.sid:
        return Receipt(key, ReceiptStatus.UNKNOWN, provider, provider_status="the answer names no message")
    status = str(message.status or "accepted")
    if status in ("failed", "undelivered"):
        return Receipt(
            key, ReceiptStatus.REJECTED, provider, message.sid, f"{message.error_code or ''} {status}".strip()
        )
    return Receipt(key, ReceiptStatus.ACCEPTED, provider, message.sid, status)


def read_settings(provider: str, settings: Mapping[str, str], *, root: str) -> TwilioSettings:
    """Type the settings.

    Raises:
        DeliveryError: If one is missing, unknown or wrong; names it, never its value.
    """
    given = ProviderSettings(
        provider, settings, root=root, known=frozenset(item.name for item in fields(TwilioSettings))
    )
    account_sid = given.required("account_sid", "${TWILIO_ACCOUNT_SID}")
    if not account_sid.startswith("AC"):
        raise given.wrong("setting account_sid is no account's", "copy it from Twilio's console; it begins with AC")
    api_key_sid = given.optional("api_key_sid", "")
    return TwilioSettings(
        account_sid=account_sid,
        auth_token="" if api_key_sid else given.secret("auth_token"),
        api_key_sid=api_key_sid,
        api_key_secret=given.secret("api_key_secret") if api_key_sid else "",
        messaging_service=given.optional("messaging_service", ""),
        status_callback=given.address("status_callback") if given.optional("status_callback", "") else "",
        endpoint_url=given.address("endpoint_url") if given.optional("endpoint_url", "") else "",
        timeout_seconds=given.seconds("timeout_seconds", 30.0),
        connections=given.count("connections", 8, largest=200),
    )
