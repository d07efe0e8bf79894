"""Text messages through AWS End User Messaging (in the API: pinpoint-sms-voice-v2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ccm.deliver.aws import AwsClient, AwsSettings, Refusal, in_doubt, known_settings, message_id, read_aws, rejected
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter
from ccm.deliver.phone import OPTED_OUT, is_phone_number, sender_id
from ccm.deliver.provider_settings import ProviderSettings
from ccm.deliver.sns import MESSAGE_TYPES
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt, ReceiptStatus, SmsRendition
from ccm.model.refusals import AddressFault

_TAGS = ("campaign", "occurrence", "run")
_CONTEXT_LENGTH = 800

# Reasons of ValidationException and ConflictException that are about the number, not about what the settings name.
_ABOUT_NUMBER = frozenset({
    "COUNTRY_NOT_ENABLED", "DESTINATION_COUNTRY_BLOCKED", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
    "INTERNATIONAL_SENDING_NOT_SUPPORTED", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", "MAXIMUM_SIZE_EXCEEDED",
    "PRICE_OVER_THRESHOLD", "SENDER_ID_NOT_SUPPORTED", "SENDER_ID_REQUIRES_REGISTRATION",
})  # fmt: skip
_ABOUT_MESSAGE = frozenset({"DestinationPhoneNumber", "MessageBody"})  # fields that belong to one piece
_SETTINGS = "correct `origination_identity`, `configuration_set`, `protect_configuration` or the brand's sms sender"


@dataclass(frozen=True)
class EndUserMessagingSettings(AwsSettings):
    """What an End User Messaging provider may be told.

    origination_identity: Phone number, sender or pool, by id or ARN; the brand's sender when empty.
    configuration_set: Its event destinations tell what became of texts.
    protect_configuration: Countries that may be written to; the account's when empty.
    message_type: transactional or promotional.
    time_to_live_seconds: How long it is tried; AWS takes 3 days when 0.
    """

    origination_identity: str = ""
    configuration_set: str = ""
    protect_configuration: str = ""
    message_type: str = "transactional"
    time_to_live_seconds: int = 0


class EndUserMessagingAdapter(Adapter):
    """Sends each text by `SendTextMessage`, with the piece in its context.

    The service takes no key of ours and cannot be asked by one: an answer that is lost stays unknown until an event
    with the piece's context tells.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.SMS,), attachments=False, concurrency=8)
    how_to_look_up: ClassVar[str] = (
        "look for an event with the piece in its context in the configuration set's destination"
    )

    def __init__(self, provider: str, settings: EndUserMessagingSettings) -> None:
        self._provider = provider
        self._settings = settings
        self._aws = AwsClient(provider, "pinpoint-sms-voice-v2", settings, judge)

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._settings.connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `EndUserMessagingSettings` lists the settings."""
        given = ProviderSettings(provider, settings, root=root, known=known_settings(EndUserMessagingSettings))
        live = "time_to_live_seconds"
        return cls(
            provider,
            EndUserMessagingSettings(
                **read_aws(given),
                origination_identity=given.optional("origination_identity", ""),
                configuration_set=given.optional("configuration_set", ""),
                protect_configuration=given.optional("protect_configuration", ""),
                message_type=given.choice("message_type", "transactional", MESSAGE_TYPES),
                time_to_live_seconds=given.count(live, 1, largest=259_200) if given.optional(live, "") else 0,
            ),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        """Hand over one text."""
        origin = self._settings.origination_identity or envelope.sender
        if origin and origin == envelope.sender and not is_phone_number(origin):
            origin = sender_id(self._provider, origin)
        try:
            answer = self._aws.ask("send_text_message", **build(envelope, origin, self._settings))
            return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, message_id(answer), "accepted")
        except Setback as setback:
            return setback.receipt(envelope.key, self._provider)

    def verify(self) -> None:
        """Ask for the account's attributes."""
        self._aws.check("describe_account_attributes")

    def close(self) -> None:
        """Give back connections."""
        self._aws.close()


def build(envelope: Envelope, origin: str, settings: EndUserMessagingSettings) -> dict[str, Any]:
    """Return the arguments of `SendTextMessage`.

    Raises:
        Setback: REJECTED, if it is no text or no number.
    """
    rendition = envelope.rendition
    if not isinstance(rendition, SmsRendition):
        raise rejected("not a text message")
    if not is_phone_number(envelope.address):
        raise rejected("address is no E.164 number")
    context = {"piece": envelope.key, **{name: envelope.tags[name] for name in _TAGS if envelope.tags.get(name)}}
    optional = {
        "OriginationIdentity": origin,
        "ConfigurationSetName": settings.configuration_set,
        "ProtectConfigurationId": settings.protect_configuration,
        "TimeToLive": settings.time_to_live_seconds,
    }
    return {
        "DestinationPhoneNumber": envelope.address,
        "MessageBody": rendition.text,
        "MessageType": settings.message_type.upper(),
        "Context": {name: value[:_CONTEXT_LENGTH] for name, value in context.items()},
        **{name: value for name, value in optional.items() if value},
    }


def judge(refusal: Refusal) -> Exception | None:
    """Tell what the service's own refusals mean: by its reason, and by the fields that it names."""
    reason = str(refusal.details.get("Reason", ""))
    match refusal.code:
        case "ConflictException" if reason == "DESTINATION_PHONE_NUMBER_OPTED_OUT":
            return rejected(f"{refusal.code} {OPTED_OUT}", AddressFault.OPTED_OUT)
        case "ConflictException" | "ValidationException" if reason in _ABOUT_NUMBER:
            return rejected(reason)
        case "ValidationException":
            return _invalid(refusal, reason)
        case "ConflictException" | "ResourceNotFoundException":
            return refusal.unusable("the service cannot send from what the settings name", _SETTINGS)
        case "ServiceQuotaExceededException":
            return refusal.unusable("a limit of the account is reached", "raise its spending limit, or wait")
        case "InternalServerException":
            return in_doubt(refusal.code)
    return None


def _invalid(refusal: Refusal, reason: str) -> Exception:
    """Tell whether what is invalid belongs to this piece or to every one."""
    named = {str(item.get("Name", "")) for item in refusal.details.get("Fields", ())}
    if named and not named & _ABOUT_MESSAGE:
        return refusal.unusable("the service does not take what the settings say", _SETTINGS)
    return rejected(reason or refusal.code)
