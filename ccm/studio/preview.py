"""The preview page: one customer's message as every channel shows it."""

from __future__ import annotations

import base64
import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pypdfium2

from ccm.model.definitions import Channel
from ccm.model.records import (
    DocumentRendition,
    EmailRendition,
    FactValue,
    Finding,
    SmsRendition,
    SocialRendition,
)
from ccm.run import Preview
from ccm.run.workers import Made
from ccm.studio.page import write_page

PAGE_SCALE = 1.6  # 72 dpi × 1.6: sharp at the width it is shown, a page in about 50 ms


@dataclass(frozen=True)
class EmailView:
    """What the page shows of an email; html has its inline images as data: addresses."""

    subject: str
    sender: str
    recipient: str
    preheader: str
    html: str
    text: str
    size_bytes: int
    attachments: tuple[str, ...]


@dataclass(frozen=True)
class DocumentView:
    """What the page shows of a PDF: picture files beside the page."""

    title: str
    filename: str
    pictures: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True)
class SocialView:
    """What the page shows of a post."""

    network: str
    text: str
    length: int
    limit: int
    card: str
    alt: str


@dataclass(frozen=True)
class FactView:
    """One fact and the channels that have to tell it."""

    name: str
    kind: str
    text: str
    channels: tuple[str, ...]


def write_preview(preview: Preview, folder: Path) -> Path:
    """Write the page and the files it shows into a folder; earlier files of ours are replaced.

    Returns:
        The path of index.html.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        if old.suffix in (".png", ".eml", ".pdf", ".txt", ".html"):
            old.unlink()
    made = [item for item in (preview.made, *preview.broadcasts) if item is not None]
    renditions = [item for one in made for item in one.composed.renditions]
    first = preview.made.composed if preview.made else None
    return write_page(
        "preview.html",
        folder / "index.html",
        campaign=preview.prepared.campaign,
        brand=preview.prepared.brand.definition.title,
        template=preview.prepared.template.definition,
        release=str(preview.prepared.release),
        communication=first.communication if first else None,
        exclusion=preview.exclusion,
        emails=[_email(item, folder) for item in renditions if isinstance(item, EmailRendition)],
        messages=[_sms(item, folder) for item in renditions if isinstance(item, SmsRendition)],
        documents=[_document(item, folder) for item in renditions if isinstance(item, DocumentRendition)],
        posts=[_social(item, folder) for item in renditions if isinstance(item, SocialRendition)],
        facts=[_fact(item) for item in first.facts] if first else [],
        findings=_findings(made),
        left_out=first.communication.exclusions if first else (),
    )


def _findings(made: list[Made]) -> list[Finding]:
    return [item for one in made for item in one.findings]


def _fact(fact: FactValue) -> FactView:
    return FactView(fact.name, str(fact.kind), fact.text, tuple(str(item) for item in fact.channels))


def _email(rendition: EmailRendition, folder: Path) -> EmailView:
    (folder / "email.eml").write_bytes(rendition.message)
    (folder / "email.txt").write_text(rendition.text, encoding="utf-8")
    message = email.message_from_bytes(rendition.message, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    html = rendition.html
    for part in message.walk():
        content_id = part.get("Content-ID", "").strip("<>")
        if content_id:
            data = base64.b64encode(part.get_payload(decode=True) or b"").decode()  # type: ignore[arg-type]
            html = html.replace(f"cid:{content_id}", f"data:{part.get_content_type()};base64,{data}")
    (folder / "email.html").write_text(html, encoding="utf-8")
    attachments = tuple(part.get_filename() or "unnamed" for part in message.iter_attachments() if part.get_filename())
    return EmailView(
        rendition.subject,
        str(message["From"]),
        str(message["To"]),
        rendition.preheader,
        html,
        rendition.text,
        len(rendition.message),
        attachments,
    )


def _sms(rendition: SmsRendition, folder: Path) -> SmsRendition:
    (folder / "sms.txt").write_text(rendition.text, encoding="utf-8")
    return rendition


def _document(rendition: DocumentRendition, folder: Path) -> DocumentView:
    (folder / "document.pdf").write_bytes(rendition.content)
    pictures = []
    document = pypdfium2.PdfDocument(rendition.content)
    try:
        for number, page in enumerate(document, 1):
            name = f"document-{number}.png"
            page.render(scale=PAGE_SCALE).to_pil().save(folder / name, compress_level=1)
            pictures.append(name)
    finally:
        document.close()
    return DocumentView(rendition.title, rendition.filename, tuple(pictures), len(rendition.content))


def _social(rendition: SocialRendition, folder: Path) -> SocialView:
    network = Channel(rendition.channel).value
    (folder / f"social.{network}.txt").write_text(rendition.text, encoding="utf-8")
    card, alt = "", ""
    if rendition.card is not None:
        card, alt = f"card.{network}.png", rendition.card.alt
        (folder / card).write_bytes(rendition.card.content)
    return SocialView(network, rendition.text, rendition.length, rendition.limit, card, alt)
