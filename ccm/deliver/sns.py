"""Text messages through Amazon SNS: published straight to a telephone number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ccm.deliver.aws import AwsClient, AwsSettings, Refusal, known_settings, message_id, read_aws, rejected
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter
from ccm.deliver.phone import OPTED_OUT, is_phone_number, sender_id
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus, SmsRendition
from ccm.model.refusals import AddressFault

MESSAGE_TYPES = ("transactional", "promotional")
_PRICE = re.compile(r"\d{1,3}(\.\d{1,5})?")
_OUTAGES = {"OptInRequired": "sign the account up for SNS", "SubscriptionRequired": "sign the account up for SNS"}


@dataclass(frozen=True)
class SnsSettings(AwsSettings):
    """What an SNS provider may be told.

    message_type: transactional (delivered reliably) or promotional (delivered cheaply).
    max_price: Most that one segment may cost, in US dollars; the account's limit when empty.
    """

    message_type: str = "transactional"
    max_price: str = ""


class SnsAdapter(Adapter):
    """Publishes each text to one number.

    SNS takes no key of ours for texts and does not tell per message what became of them: an answer that is lost stays
    unknown. End User Messaging, its successor, does tell.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.SMS,), attachments=False, concurrency=8)
    how_to_look_up: ClassVar[str] = "ask the recipient: SNS does not know the piece id"

    def __init__(self, provider: str, settings: SnsSettings) -> None:
        self._provider = provider
        self._settings = settings
        self._aws = AwsClient(provider, "sns", settings, judge)

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._settings.connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `SnsSettings` lists the settings."""
        given = ProviderSettings(provider, settings, root=root, known=known_settings(SnsSettings))
        price = given.optional("max_price", "")
        if price and not _PRICE.fullmatch(price):
            raise given.wrong("setting max_price is no amount in US dollars", "such as max_price: 0.05")
        kind = given.choice("message_type", "transactional", MESSAGE_TYPES)
        return cls(provider, SnsSettings(**read_aws(given), message_type=kind, max_price=price))

    def deliver(self, envelope: Envelope) -> Receipt:
        """Hand over one text."""
        sender = origin(self._provider, envelope.sender)
        try:
            answer = self._aws.ask("publish", **build(envelope, sender, self._settings))
            return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, message_id(answer), "accepted")
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)

    def verify(self) -> None:
        """Ask for the account's text message settings."""
        self._aws.check("get_sms_attributes")

    def close(self) -> None:
        """Give back connections."""
        self._aws.close()


def build(envelope: Envelope, sender: Mapping[str, str], settings: SnsSettings) -> dict[str, Any]:
    """Return the arguments of `Publish`.

    Raises:
        Setback: REJECTED, if it is no text or no number.
    """
    rendition = envelope.rendition
    if not isinstance(rendition, SmsRendition):
        raise rejected("not a text message")
    if not is_phone_number(envelope.address):
        raise rejected("address is no E.164 number")
    given = {"AWS.SNS.SMS.SMSType": settings.message_type.capitalize(), **sender}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in given.items()}
    if settings.max_price:
        attributes["AWS.SNS.SMS.MaxPrice"] = {"DataType": "Number", "StringValue": settings.max_price}
    return {"PhoneNumber": envelope.address, "Message": rendition.text, "MessageAttributes": attributes}


def origin(provider: str, sender: str) -> dict[str, str]:
    """Return the attribute that names the sender: a number, or a word that phones show.

    Raises:
        DeliveryError: If the brand's sender is neither.
    """
    if is_phone_number(sender):
        return {"AWS.MM.SMS.OriginationNumber": sender}
    return {"AWS.SNS.SMS.SenderID": sender_id(provider, sender)} if sender else {}


def judge(refusal: Refusal) -> Exception | None:
    """Tell what SNS's own refusals mean."""
    if refusal.code in _OUTAGES:
        return refusal.unusable("the account cannot use SNS", _OUTAGES[refusal.code])
    if refusal.code in ("OptedOut", "OptedOutException") or "opted out" in refusal.message.lower():
        return rejected(f"{refusal.code} {OPTED_OUT}", AddressFault.OPTED_OUT)
    return None
