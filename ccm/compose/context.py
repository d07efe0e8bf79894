"""What templates see beside the customer's data: brand, message, locale, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from markupsafe import Markup

from ccm.compose.formats.locale_formats import Formats
from ccm.compose.printing import Lines, Printable, StaticText, Voice
from ccm.model.definitions import BrandDefinition, Channel, Purpose
from ccm.model.records import Communication, PlannedPiece
from ccm.model.workspace import Brand, Token


class TokenGroup(dict[str, Any], Printable):
    """Design tokens by name, nested and by whole path; a group that is itself a token prints its value."""

    value: str | None = None
    shown: ClassVar[frozenset[str]] = frozenset()

    def printed(self) -> str:
        """Return the token's CSS text."""
        if self.value is None:
            from ccm.compose.failure import FormatRefused

            raise FormatRefused("unprintable-value", "a group of tokens is printed", "name one token of the group")
        return self.value


def token_tree(tokens: Mapping[str, Token]) -> TokenGroup:
    """Return tokens so that both `tokens.color.text` and `tokens["color.text"]` find them."""
    root = TokenGroup()
    for path, token in sorted(tokens.items()):
        group, names = root, path.split(".")
        for name in names[:-1]:
            inner = group.get(name)
            if not isinstance(inner, TokenGroup):
                deeper = TokenGroup()
                deeper.value = inner
                inner = group[name] = deeper
            group = inner
        group[names[-1]] = _css(token.value)
    root.update({path: _css(token.value) for path, token in tokens.items() if "." in path})
    return root


def _css(value: str) -> Markup:
    """Return CSS text that may stand in an attribute in double quotes and in a style sheet."""
    quoted = value.replace('"', "'")
    return Markup.escape(quoted) if any(sign in quoted for sign in "<>&") else Markup(quoted)  # noqa: S704  # authored, no markup in it


class BrandView:
    """The parts of a brand that templates see; made once per language."""

    def __init__(self, brand: Brand) -> None:
        self._definition = brand.definition
        self.tokens = token_tree(brand.tokens)
        self._made: dict[tuple[str, Channel], dict[str, Any]] = {}

    def of(self, language: str, channel: Channel) -> dict[str, Any]:
        """Return `brand` for texts in one language on one channel."""
        made = self._made.get((language, channel))
        if made is None:
            made = self._made[language, channel] = self._make(language, channel)
        return made

    def _make(self, language: str, channel: Channel) -> dict[str, Any]:
        definition = self._definition
        sender = getattr(definition.senders, "email" if channel is Channel.DOCUMENT else channel.value, None)
        return {
            "name": StaticText(definition.brand),
            "title": StaticText(definition.title),
            "links": {name: StaticText(link) for name, link in definition.links.items()},
            "contact": {name: StaticText(text) for name, text in definition.contact.items()},
            "address": Lines(StaticText(line) for line in definition.address),
            "legal": Lines(StaticText(line) for line in legal_lines(definition, language)),
            "sender": _texts(sender.model_dump() if sender is not None else {}),
            "logo": {"alt": StaticText(definition.logo.alt), "width_mm": definition.logo.width_mm},
            "tokens": self.tokens,
        }


def _texts(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: StaticText(value) if isinstance(value, str) else value for name, value in record.items()}


def legal_lines(definition: BrandDefinition, language: str) -> tuple[str, ...]:
    """Return the imprint of a language: exact locale, then same language, then the first one given."""
    legal = definition.legal
    if language in legal:
        return legal[language]
    speech = language.partition("-")[0]
    for tag, lines in legal.items():
        if tag.partition("-")[0] == speech:
            return lines
    return next(iter(legal.values()), ())


def locale_view(voice: Voice) -> dict[str, str]:
    """Return `locale`: the language of the texts and where the recipient is."""
    formats = voice.formats
    return {
        "tag": StaticText(voice.language),
        "language": StaticText(formats.text.language),
        "territory": StaticText(formats.data.territory or formats.text.territory or ""),
        "direction": StaticText(voice.direction),
    }


def message_view(
    communication: Communication, piece: PlannedPiece, unsubscribe: str, formats: Formats
) -> dict[str, Any]:
    """Return `message`: what this one message is; its date is the recipient's own."""
    first, last = communication.period or (None, None)
    issued_on: date = communication.issued_at.astimezone(formats.zone).date()
    return {
        "piece_id": piece.piece_id,
        "communication_id": communication.communication_id,
        "campaign": communication.campaign,
        "occurrence": communication.occurrence,
        "issued_on": issued_on,
        "period_start": first,
        "period_end": last,
        "unsubscribe_url": unsubscribe,
        "purpose": StaticText(communication.purpose.value),
    }


def unsubscribe_url(definition: BrandDefinition, communication: Communication) -> str:
    """Return the recipient's own address for unsubscribing; empty where there is none to give.

    Why: The token is signed, so that nobody can take somebody else off the list. A preview has none and shows the
        communication's id in its place: that link looks the same and leads nowhere.
    """
    pattern = definition.senders.email.unsubscribe_url
    if pattern is None or communication.purpose is not Purpose.MARKETING:
        return ""
    return pattern.replace("{token}", communication.unsubscribe_token or communication.communication_id)
