"""Emails: capture and fill, or the full path; then subject, text part and the message itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from jinja2 import Template as Compiled

from ccm.compose.email import headers, markup
from ccm.compose.email.capture import FillPlan, Pattern, Sentinels, is_harmless, link_faults, plan_filling
from ccm.compose.email.images import ImageShelf
from ccm.compose.email.mime import InlineImage, assemble, encoded_page, filled_page_part, header_names, page_part
from ccm.compose.email.text_part import derive_text
from ccm.compose.engine import render
from ccm.compose.failure import ComposeFailure
from ccm.compose.printing import Rendering, Voice
from ccm.model.definitions import BrandDefinition, Purpose
from ccm.model.records import Attachment, Communication, EmailRendition, PlannedPiece

MAX_PATTERNS = 256


@dataclass(frozen=True)
class _Pattern:
    """Everything that is the same for all customers with one structure.

    encoded: The pieces of the page as they travel; empty where the whole page is encoded for each customer.
    text: The derived text part, tidy but for its values.
    """

    plan: FillPlan
    encoded: tuple[bytes, ...]
    subject: Pattern
    preheader: Pattern
    text: Pattern | None
    images: tuple[InlineImage, ...]


@dataclass(frozen=True)
class _Body:
    """One customer's email before it becomes a message."""

    subject: str
    preheader: str
    html: str
    text: str
    images: tuple[InlineImage, ...]
    link_faults: int
    slow: str
    part: Sequence[bytes]
    outline: tuple[str, ...] = ()
    fillings: tuple[str, ...] = ()
    text_outline: tuple[str, ...] = ()
    text_fillings: tuple[str, ...] = ()


class EmailComposer:
    """Makes the emails of one template in one brand.

    Args:
        page: The compiled email.mjml or email.html.
        text: The compiled email.txt; None derives the text part from the HTML.
        maker: Compiles MJML and inlines CSS.
        always_full: Why no email of this template can be filled; empty if they can.
    """

    def __init__(
        self,
        page: Compiled,
        text: Compiled | None,
        maker: markup.PageMaker,
        sentinels: Sentinels,
        images: ImageShelf,
        brand: BrandDefinition,
        always_full: str = "",
    ) -> None:
        self._page = page
        self._text = text
        self._maker = maker
        self._sentinels = sentinels
        self._images = images
        self._brand = brand
        self._always_full = always_full
        self._patterns: OrderedDict[tuple[str, int, int], list[tuple[str, _Pattern]]] = OrderedDict()
        self._kept = 0
        self._from = _Sender(brand)

    def compose(
        self,
        communication: Communication,
        piece: PlannedPiece,
        variables: Mapping[str, Any],
        voice: Voice,
        unsubscribe_url: str,
        attachments: Sequence[Attachment] = (),
    ) -> tuple[EmailRendition, str]:
        """Make one email.

        Args:
            variables: What the template sees.
            unsubscribe_url: The recipient's own; empty if there is none.
        Returns:
            The rendition, and why it was not filled (empty if it was).
        Raises:
            ComposeFailure: If the template or the data does not allow it.
        """
        body = self._body(variables, voice)
        if body.link_faults:
            raise ComposeFailure(
                "unsafe-link",
                f"{body.link_faults} link(s) are not https, mailto or tel",
                "write https links; for images use asset() or an https address",
            )
        if not body.subject:
            raise ComposeFailure(
                "missing-subject", "the email has no subject", "put an <mj-title> (or <title>) into its head"
            )
        head = self._from.head(communication, piece, body.subject, unsubscribe_url)
        message = assemble(head, body.text, body.part, body.images, attachments, piece.piece_id)
        names = header_names(message)
        if len(set(names)) != len(names):
            raise ComposeFailure("header-twice", "the message has a header twice", "report this: it must not happen")
        rendition = EmailRendition(
            piece.piece_id,
            body.subject,
            body.preheader,
            body.html,
            body.text,
            message,
            outline=body.outline,
            fillings=body.fillings,
            text_outline=body.text_outline,
            text_fillings=body.text_fillings,
        )
        return rendition, body.slow

    def _body(self, variables: Mapping[str, Any], voice: Voice) -> _Body:
        slots: list[str] = []
        captured = render(self._page, variables, Rendering(voice, "<br/>", slots, self._sentinels.marks))
        pattern = self._pattern(captured, voice, len(slots))
        text = self._plain_text(variables, voice)
        text_outline: tuple[str, ...] = ()
        text_fillings: tuple[str, ...] = ()
        if text is None and pattern.text is not None:
            lines = [markup.one_line(value) for value in slots]
            text_outline, text_fillings = pattern.text.pieces, tuple(lines[slot] for slot in pattern.text.slots)
            text = pattern.text.filled(lines)
        slow = self._always_full or pattern.plan.reason
        if slow:
            if not all(is_harmless(slots[slot]) for slot in pattern.plan.unplaced if slot < len(slots)):
                raise ComposeFailure(
                    "unsafe-value",
                    "a value with quotes, brackets or semicolons is printed into a style, a script or a tag",
                    "print customers' values as text or as links only",
                )
            return self._in_full(variables, voice, text, slow)
        escaped = pattern.plan.escaped(slots)
        html = pattern.plan.filled(escaped)
        return _Body(
            markup.one_line(pattern.subject.filled(slots)),
            markup.one_line(pattern.preheader.filled(slots)),
            html,
            text or "",
            pattern.images,
            pattern.plan.link_faults(slots),
            "",
            filled_page_part(pattern.encoded, escaped) if pattern.encoded else page_part(html),
            pattern.plan.page.pieces,
            tuple(escaped),
            text_outline,
            text_fillings,
        )

    def _in_full(self, variables: Mapping[str, Any], voice: Voice, text: str | None, slow: str) -> _Body:
        """Make the email with its values in place from the start: the oracle of filling."""
        source = render(self._page, variables, Rendering(voice, "<br/>"))
        html = self._finish(source, voice)
        return _Body(
            markup.one_line(markup.title_of(source)),
            markup.one_line(markup.preheader_of(source)),
            html,
            derive_text(html) if text is None else text,
            self._images.used_in(html),
            link_faults(html),
            slow,
            page_part(html),
        )

    def _plain_text(self, variables: Mapping[str, Any], voice: Voice) -> str | None:
        if self._text is None:
            return None
        return render(self._text, variables, Rendering(voice)).strip() + "\n"

    def _pattern(self, captured: str, voice: Voice, slot_count: int) -> _Pattern:
        # Compared, not hashed: a page has 30,000 signs, and what was met is nearly always equal or of another length.
        key = (voice.language, slot_count, len(captured))
        for text, known in self._patterns.get(key, ()):
            if text == captured:
                self._patterns.move_to_end(key)
                return known
        made = self._make_pattern(captured, voice, slot_count)
        self._patterns.setdefault(key, []).insert(0, (captured, made))
        self._patterns.move_to_end(key)
        self._kept += 1
        while self._kept > MAX_PATTERNS:
            oldest = next(iter(self._patterns))
            self._patterns[oldest].pop()
            self._kept -= 1
            if not self._patterns[oldest]:
                del self._patterns[oldest]
        return made

    def _make_pattern(self, captured: str, voice: Voice, slot_count: int) -> _Pattern:
        html = self._finish(captured, voice)
        plan = plan_filling(html, self._sentinels, slot_count)
        derives = self._text is None and not plan.lost and not self._always_full
        return _Pattern(
            plan,
            encoded_page(plan.page.pieces),
            Pattern.of(markup.title_of(captured), self._sentinels),
            Pattern.of(markup.preheader_of(captured), self._sentinels),
            Pattern.of(derive_text(html), self._sentinels) if derives else None,
            self._images.used_in(html),
        )

    def _finish(self, source: str, voice: Voice) -> str:
        return self._maker.finish(source, language=voice.language, direction=voice.direction)


@lru_cache(maxsize=64)
def _dated(moment: datetime, offset: timedelta | None) -> str:
    """Return the time of a header; most messages of a run carry the same."""
    return format_datetime(moment)


class _Sender:
    """The headers that a brand's emails have in common."""

    def __init__(self, brand: BrandDefinition) -> None:
        sender = brand.senders.email
        self._brand = brand
        self._address = headers.address(sender.address)
        self._lines = f"From: {headers.mailbox(sender.name, self._address)}\r\n"
        if sender.reply_to:
            self._lines += f"Reply-To: {headers.address(sender.reply_to)}\r\n"
        self._domain = self._address.rpartition("@")[2]

    def head(self, communication: Communication, piece: PlannedPiece, subject: str, unsubscribe_url: str) -> str:
        """Return the header lines of one message."""
        purpose, issued_at = communication.purpose, communication.issued_at
        return (
            f"{self._lines}To: {headers.address(piece.address)}\r\n{headers.text_header('Subject', subject)}"
            f"Date: {_dated(issued_at, issued_at.utcoffset())}\r\nMessage-ID: <{piece.piece_id}@{self._domain}>\r\n"
            f"Content-Language: {communication.language}\r\nAuto-Submitted: auto-generated\r\n"
            f"Feedback-ID: {communication.campaign}:{headers.word(communication.occurrence)}:{purpose.value}:"
            f"{self._brand.brand}\r\n"
            f"{self._unsubscribing(communication, unsubscribe_url)}"
        )

    def _unsubscribing(self, communication: Communication, url: str) -> str:
        if communication.purpose is not Purpose.MARKETING:
            return ""
        mailto, token = self._brand.senders.email.unsubscribe_mailto, communication.unsubscribe_token
        subject = f"?subject=unsubscribe%20{token}" if token else ""  # whoever writes proves that the mail came to them
        links = [link for link in (url, f"mailto:{mailto}{subject}" if mailto else "") if link]
        if not links:
            raise ComposeFailure(
                "missing-unsubscribe",
                "a marketing email has no way to unsubscribe",
                "give senders.email.unsubscribe_url in brand.yaml",
            )
        one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if url else ""
        return headers.link_list("List-Unsubscribe", links) + one_click
