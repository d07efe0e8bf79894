"""Email through Amazon SES, API version 2: the finished message, as it is, to one explicit destination."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ccm.deliver.aws import AwsClient, AwsSettings, Refusal, known_settings, message_id, read_aws, rejected
from ccm.deliver.exchange import Setback
from ccm.deliver.interface import Adapter, DeliveryError
from ccm.deliver.provider_settings import ProviderSettings
from ccm.deliver.smtp import is_wire_address
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, EmailRendition, Envelope, Receipt, ReceiptStatus

_LARGEST_BYTES = 40 * 1024 * 1024  # of the message with its attachments encoded
_TAG_VALUE = re.compile(r"[^A-Za-z0-9_\-.@]")
_TAGS = ("campaign", "occurrence", "run")
_UNUSABLE = {
    "AccountSuspendedException": ("the account is suspended", "write to AWS support"),
    "SendingPausedException": ("sending is paused", "find out why in the SES console, then resume it"),
    "MailFromDomainNotVerifiedException": ("the MAIL FROM domain is not verified", "verify it in the SES console"),
    "NotFoundException": ("a setting names what SES does not have", "correct `configuration_set` and `region`"),
}
_UNVERIFIED = (
    "SES does not know the sender, or in its sandbox the recipient, as verified",
    "verify the sender's domain in the SES console, and ask for production access",
)


@dataclass(frozen=True)
class SesSettings(AwsSettings):
    """What an SES provider may be told.

    configuration_set: Its event destinations tell what became of messages.
    feedback_address: Where bounces go; SES tells them to the sender when empty.
    """

    configuration_set: str = ""
    feedback_address: str = ""


class SesAdapter(Adapter):
    """Hands each message to SES by `SendEmail` with raw content.

    SES takes no key of ours, so it can neither deduplicate nor be asked: an answer that is lost stays unknown until
    an event with the piece's tag tells.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        channels=(Channel.EMAIL,), max_bytes=_LARGEST_BYTES, concurrency=8
    )
    how_to_look_up: ClassVar[str] = (
        "look for an event with the tag piece in the configuration set: SES does not know the piece id otherwise"
    )

    def __init__(self, provider: str, settings: SesSettings) -> None:
        self._provider = provider
        self._settings = settings
        self._aws = AwsClient(provider, "sesv2", settings, judge)

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._settings.connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `SesSettings` lists the settings."""
        given = ProviderSettings(provider, settings, root=root, known=known_settings(SesSettings))
        return cls(
            provider,
            SesSettings(
                **read_aws(given),
                configuration_set=given.optional("configuration_set", ""),
                feedback_address=given.optional("feedback_address", ""),
            ),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        """Hand over one message."""
        if not is_wire_address(envelope.sender):
            raise DeliveryError(
                self._provider, "the sender is not one plain address", "correct the brand's sender", retriable=False
            )
        try:
            answer = self._aws.ask("send_email", **build(envelope, self._settings))
            return Receipt(envelope.key, ReceiptStatus.ACCEPTED, self._provider, message_id(answer), "accepted")
        except Setback as no:
            return no.receipt(envelope.key, self._provider)

    def verify(self) -> None:
        """Ask SES whether this account may send today."""
        account = self._aws.check("get_account")
        if not account.get("SendingEnabled", False):
            raise DeliveryError(
                self._provider, "sending is not enabled", "enable it in the SES console", retriable=False
            )
        quota = account.get("SendQuota", {})
        daily = quota.get("Max24HourSend", -1)
        if 0 <= daily <= quota.get("SentLast24Hours", 0):
            raise DeliveryError(
                self._provider,
                f"the quota of {daily:.0f} messages a day is used up",
                "wait, or raise it",
                retriable=True,
            )

    def close(self) -> None:
        """Give back connections."""
        self._aws.close()


def build(envelope: Envelope, settings: SesSettings) -> dict[str, Any]:
    """Return the arguments of `SendEmail`.

    Raises:
        Setback: REJECTED, if SES can never take this piece.
    Why: Without a destination of its own, SES takes the recipients from the message's headers.
    """
    rendition = envelope.rendition
    if not isinstance(rendition, EmailRendition):
        raise rejected("not an email")
    if not is_wire_address(envelope.address):
        raise rejected("address cannot stand in an SMTP command")
    if not envelope.address.isascii():
        raise rejected("SES does not take local parts outside ASCII")
    if len(rendition.message) > _LARGEST_BYTES:
        raise rejected(f"message is larger than {_LARGEST_BYTES} bytes")
    payload: dict[str, Any] = {
        "FromEmailAddress": envelope.sender,
        "Destination": {"ToAddresses": [envelope.address]},
        "Content": {"Raw": {"Data": rendition.message}},
        "EmailTags": tags(envelope),
    }
    if settings.configuration_set:
        payload["ConfigurationSetName"] = settings.configuration_set
    if settings.feedback_address:
        payload["FeedbackForwardingEmailAddress"] = settings.feedback_address
    return payload


def tags(envelope: Envelope) -> list[dict[str, str]]:
    """Return the tags that come back in every event: piece, campaign, occurrence, run.

    Source: SES API v2, MessageTag: ASCII letters, digits, `_ - . @`, 255 characters at most.
    """
    given = {"piece": envelope.key, **{name: envelope.tags[name] for name in _TAGS if envelope.tags.get(name)}}
    return [{"Name": name, "Value": _TAG_VALUE.sub("_", value)[:255]} for name, value in given.items()]


def judge(refusal: Refusal) -> Exception | None:
    """Tell what SES's own refusals mean."""
    if refusal.code in _UNUSABLE:
        return refusal.unusable(*_UNUSABLE[refusal.code])
    if refusal.code == "MessageRejected" and "not verified" in refusal.message:
        return refusal.unusable(*_UNVERIFIED)
    return None
