"""What checking needs to know beside the composed communication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ccm.check.facts.authored import Authored
from ccm.model.definitions import CampaignDefinition, Channel, Purpose, TemplateDefinition
from ccm.model.workspace import Brand

# Gmail shows the first 102 KB of a message's HTML and a link to the rest, which hides legal lines and the
# unsubscribe link. Source: https://www.caniemail.com/ and Google's own support pages.
CLIPPED_BYTES = 102_400

# Most receivers refuse messages above 10 MB after base64; providers say more precisely what they take.
MAX_EMAIL_BYTES = 10_000_000


@dataclass(frozen=True)
class CheckRules:
    """The limits and promises that output is held against. Picklable.

    purpose: Marketing needs a way to unsubscribe.
    sms_segments: Most segments of one text message.
    avoid: Words that no rendition may contain, by locale tag.
    attaches: The email of a communication carries its document.
    max_email_bytes: Largest whole message.
    largest: Most bytes that the channel's provider takes, where it says so.
    authored: What authors wrote, for the fact proof; without it only declared facts are looked for.
    slot: Regular expression of the placeholders that composing fills; none may be left.
    """

    purpose: Purpose = Purpose.TRANSACTIONAL
    sms_segments: int = 3
    avoid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attaches: bool = True
    max_email_bytes: int = MAX_EMAIL_BYTES
    largest: Mapping[Channel, int] = field(default_factory=dict)
    authored: Authored | None = None
    slot: str = r"Zq\d+sX\d+"

    @classmethod
    def for_campaign(cls, campaign: CampaignDefinition, template: TemplateDefinition, brand: Brand) -> CheckRules:
        """Take the rules from what was authored; the campaign's limits override the template's."""
        marketing = Purpose.MARKETING in (campaign.purpose, template.purpose)
        return cls(
            purpose=Purpose.MARKETING if marketing else campaign.purpose,
            sms_segments=campaign.limits.sms_segments or template.sms.max_segments,
            avoid=dict(brand.definition.avoid),
            attaches=template.document.attach_to_email and Channel.DOCUMENT in template.channels.all,
        )

    def words_to_avoid(self, language: str) -> tuple[str, ...]:
        """Return the words of a language: those under its own tag, under its language, and under that language's other tags.

        Why: A word that a brand avoids in de-DE must not slip into de-CH because nobody repeated the list.
        """
        base = language.partition("-")[0]
        lists = [words for tag, words in self.avoid.items() if tag.partition("-")[0] == base]
        return tuple(dict.fromkeys(word for words in lists for word in words))
