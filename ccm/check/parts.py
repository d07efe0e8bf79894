"""Nothing is missing: every planned rendition, its subject and body, its attached document, its pages."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
from ccm.diagnostics import Severity
from ccm.model.records import (
    Composed,
    DocumentRendition,
    EmailRendition,
    Finding,
    SmsRendition,
    SocialRendition,
)

_LINE = 57  # bytes in one line of base64 in a message


def missing_renditions(composed: Composed) -> Iterator[Finding]:
    """Find planned pieces that were not composed, unless composing said why."""
    made = {rendition.piece_id for rendition in composed.renditions}
    said = {finding.piece_id for finding in composed.findings if finding.severity is Severity.ERROR}
    for piece in composed.communication.pieces:
        if piece.piece_id not in made | said:
            message = f"the {piece.channel} was planned and not composed"
            remedy = f"give the template a variant for {piece.channel}, or take the channel out of the campaign"
            yield Finding("rendition-missing", message, remedy, piece.piece_id, piece.channel)


def missing_parts(reading: Reading, composed: Composed, rules: CheckRules) -> Iterator[Finding]:
    """Find empty subjects, bodies and files, and an email that lost its document."""
    rendition = reading.rendition

    def finding(code: str, message: str, remedy: str) -> Finding:
        return Finding(code, message, remedy, rendition.piece_id, rendition.channel)

    match rendition:
        case EmailRendition():
            for name, remedy in (
                ("subject", "set <mj-title> or <title>"),
                ("html", "write the body"),
                ("text", "write email.txt"),
            ):
                if not reading.parts[name].strip():
                    code = "empty-subject" if name == "subject" else "empty-body"
                    yield finding(code, f"the email has no {name}", remedy)
            if rules.attaches and not _carries_document(rendition, composed):
                message = "the email does not carry the document of the same communication"
                yield finding("attachment-missing", message, "attach it, or set document.attach_to_email to false")
        case SmsRendition(text=text) | SocialRendition(text=text, card=None):
            if not text.strip():
                yield finding("empty-body", f"the {rendition.channel} has no text", "write the variant's text")
        case DocumentRendition(content=content, pages=pages):
            if pages < 1 or not content.startswith(b"%PDF-"):
                yield finding("empty-body", "the document has no pages", "write the body of document.html")
            elif not reading.parts["body"].strip():
                message = "no text can be read from the document: it is empty, damaged or a picture"
                yield finding("empty-body", message, "write the body of document.html as text")
            elif reading.document.doubt:
                message = f"two readers of the document differ in {reading.document.doubt}"
                yield finding("readers-differ", message, "report it with the document: one of the readers is wrong")


def faulty_attachments(composed: Composed, found: Sequence[Finding], rules: CheckRules) -> Iterator[Finding]:
    """Find an email that carries a document which must not go out.

    Why: A document that is only optional is held by itself; inside its email it would reach the customer all the same.
    """
    errors = {one.piece_id for one in (*composed.findings, *found) if one.severity is Severity.ERROR}
    optional = {piece.piece_id for piece in composed.communication.pieces if not piece.required}
    kept_back = [
        one for one in composed.renditions if isinstance(one, DocumentRendition) and one.piece_id in errors & optional
    ]
    for email in composed.renditions if rules.attaches and kept_back else ():
        if isinstance(email, EmailRendition):
            message = "the email carries a document that must not go out"
            remedy = "mend the document; its own findings say what is wrong"
            yield Finding("attachment-faulty", message, remedy, email.piece_id, email.channel)


def _carries_document(email: EmailRendition, composed: Composed) -> bool:
    """Tell whether the message holds the document's bytes: one line of base64 from its middle."""
    for rendition in composed.renditions:
        if isinstance(rendition, DocumentRendition):
            start = len(rendition.content) // _LINE // 2 * _LINE
            return base64.b64encode(rendition.content[start : start + _LINE]) in email.message
    return True
