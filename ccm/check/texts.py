"""The text that a reader of a rendition sees, made once per rendition and only when a check asks for it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ccm.check.comparable import comparable, plain
from ccm.check.pdf_text import PdfReading, read_pdf
from ccm.model.records import (
    Communication,
    DocumentRendition,
    EmailRendition,
    Rendition,
    SmsRendition,
    SocialRendition,
)

_HIDDEN = re.compile(r"<!--.*?-->|<(style|script|head|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# A preheader that mail clients hide must not vouch for the body.
_UNSEEN = re.compile(r"<(div|span|p)\b[^>]*\bdisplay:\s*none[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_INLINE = re.compile(
    r"</?(?:a|b|i|u|s|em|strong|span|font|small|sub|sup|bdi|bdo|wbr|mark|code|abbr)(?:\s[^>]*)?>", re.IGNORECASE
)
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>")
_DESCRIBED = re.compile(r"""\b(?:alt|title|aria-label)\s*=\s*"([^"]+)\"""", re.IGNORECASE)
_TARGET = re.compile(r"""\bhref\s*=\s*["']([^"']*)["']""", re.IGNORECASE)


def visible_text(source: str) -> str:
    """Return the text of HTML: block elements part words, inline ones do not, hidden parts are left out."""
    shown = _UNSEEN.sub(" ", _HIDDEN.sub(" ", source))
    return html.unescape(_TAG.sub("\n", _INLINE.sub("", shown)))


def hidden_text(source: str) -> str:
    """Return the text that is told and not shown on the page: a preheader in the inbox, descriptions that are read out."""
    found = [_TAG.sub("", _INLINE.sub("", match[0])) for match in _UNSEEN.finditer(_HIDDEN.sub(" ", source))]
    found += (match[1] for match in _DESCRIBED.finditer(source))
    return html.unescape("\n".join(found))


@dataclass(frozen=True)
class Reading:
    """One rendition as a reader sees it.

    communication: Tells which words came from data and not from an author.
    """

    rendition: Rendition
    communication: Communication

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """Visible texts by the name of the part: body for most; subject, html and text for an email."""
        match self.rendition:
            case EmailRendition(subject=subject, preheader=preheader, html=source, text=text):
                return {"subject": subject, "preheader": preheader, "html": visible_text(source), "text": text}
            case SmsRendition(text=text) | SocialRendition(text=text):
                return {"body": text}
            case DocumentRendition():
                return {"body": "\n".join(self._pdf.pages)}

    @cached_property
    def _comparable(self) -> dict[str, str]:
        return {}

    def comparable(self, part: str) -> str:
        """Return a part, or "unseen", in the form in which facts are compared."""
        known = self._comparable.get(part)
        if known is None:
            known = self._comparable[part] = comparable(self.unseen if part == "unseen" else self.parts[part])
        return known

    @cached_property
    def unseen(self) -> str:
        """What an email tells without showing it on the page; see `hidden_text`."""
        return hidden_text(self.rendition.html) if isinstance(self.rendition, EmailRendition) else ""

    def lines(self, part: str) -> tuple[str, ...]:
        """Return the lines of a part that hold anything, comparable each; blocks of HTML are lines."""
        text = plain(self.parts[part])
        if part == "html":
            text += "\n" + plain(self.unseen)
        return tuple(line for line in (" ".join(one.split()) for one in text.split("\n")) if line)

    @cached_property
    def _targets(self) -> tuple[str, ...]:
        match self.rendition:
            case EmailRendition(html=source):
                return tuple(html.unescape(found).strip() for found in _TARGET.findall(source))
            case DocumentRendition():
                return self._pdf.links
        return ()

    @cached_property
    def _pdf(self) -> PdfReading:
        try:
            return read_pdf(self.rendition.content)
        except ValueError:
            return PdfReading((), ())  # an empty body is a finding of its own

    def links(self, part: str) -> tuple[str, ...]:
        """Return the targets that stand in markup: attributes of HTML, annotations of a document."""
        return self._targets if part in ("html", "body") else ()

    @cached_property
    def everything(self) -> str:
        """All parts in one text."""
        return "\n".join(self.parts.values())

    @cached_property
    def data(self) -> str:
        """All texts of the customer's data and the campaign's parameters."""
        return "\n".join((*_texts(self.communication.data), *_texts(self.communication.parameters)))

    def from_data(self, piece: str) -> bool:
        """Tell whether a piece of text stands in the data: a customer may be called `{{ x }}`."""
        return piece in self.data


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _texts(item)
