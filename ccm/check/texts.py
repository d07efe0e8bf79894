"""The text that a reader of a rendition sees, made once per rendition and only when a check asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ccm.check.document_text import DocumentReading, read_document
from ccm.check.once import once
from ccm.check.shape import PageReading, lines_of, read_page
from ccm.model.records import (
    Communication,
    DocumentRendition,
    EmailRendition,
    Rendition,
    SmsRendition,
    SocialRendition,
)


@dataclass(frozen=True)
class Reading:
    """One rendition as a reader sees it.

    communication: Tells which words came from data and not from an author.
    """

    rendition: Rendition
    communication: Communication

    @once
    def parts(self) -> Mapping[str, str]:
        """Visible texts by the name of the part: body for most; subject, html and text for an email."""
        match self.rendition:
            case EmailRendition(subject=subject, preheader=preheader, text=text):
                return {"subject": subject, "preheader": preheader, "html": self._page.visible, "text": text}
            case SmsRendition(text=text) | SocialRendition(text=text):
                return {"body": text}
            case DocumentRendition():
                return {"body": self.document.text}

    @once
    def _comparable(self) -> dict[str, str]:
        return {}

    def comparable(self, part: str) -> str:
        """Return a part, or "unseen", in the form in which facts are compared."""
        known = self._comparable.get(part)
        if known is None:
            known = self._comparable[part] = " ".join(self._lines(part))
        return known

    def _lines(self, part: str) -> tuple[str, ...]:
        if isinstance(self.rendition, EmailRendition) and part in ("html", "unseen"):
            return self._page.visible_lines if part == "html" else self._page.unseen_lines
        if isinstance(self.rendition, DocumentRendition) and part == "body":
            return self.document.lines
        return lines_of(self.parts[part]) if part in self.parts else ()

    def lines(self, part: str) -> tuple[str, ...]:
        """Return the lines of a part, comparable each; of HTML those that may tell something, hidden ones too."""
        return self._page.telling if part == "html" else self._lines(part)

    @once
    def _page(self) -> PageReading:
        assert isinstance(self.rendition, EmailRendition)
        return read_page(self.rendition.html, self.rendition.outline)

    @once
    def _targets(self) -> tuple[str, ...]:
        if isinstance(self.rendition, EmailRendition):
            return self._page.targets
        return self.document.links if isinstance(self.rendition, DocumentRendition) else ()

    @once
    def document(self) -> DocumentReading:
        """What a document says."""
        assert isinstance(self.rendition, DocumentRendition)
        return read_document(self.rendition.content, self.rendition.piece_id)

    def links(self, part: str) -> tuple[str, ...]:
        """Return the targets that stand in markup: attributes of HTML, annotations of a document."""
        return self._targets if part in ("html", "body") else ()

    @once
    def everything(self) -> str:
        """All parts in one text."""
        return "\n".join(self.parts.values())

    @once
    def data(self) -> str:
        """All texts of the customer's data and the campaign's parameters."""
        return "\n".join((*texts_in(self.communication.data), *texts_in(self.communication.parameters)))

    def from_data(self, piece: str) -> bool:
        """Tell whether a piece of text stands in the data: a customer may be called `{{ x }}`."""
        return piece in self.data


def texts_in(value: object) -> Iterator[str]:
    """Yield every text below a value: of mappings and sequences, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from texts_in(item)
