"""A communication with everything right, to be broken in one place at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from ccm.check import CheckRules
from ccm.model.definitions import Channel, FactKind, Purpose
from ccm.model.records import (
    Attachment,
    Communication,
    Composed,
    DocumentRendition,
    EmailRendition,
    FactValue,
    PlannedPiece,
    ReleaseRef,
    SmsRendition,
    SocialRendition,
)
from ccm.model.values import Money

LEAVE = "https://bank.example/leave/abc"
BALANCE = "€1,234.50"
DUE = "30 November 2026"
LINK = "https://bank.example/pay/X7?a=1&b=2"

HTML = f"""<!DOCTYPE html><html lang="en"><head><title>Your statement</title><style>p {{ color: red }}</style></head>
<body><div style="display:none">Balance {BALANCE}</div><!--[if mso]><table><tr><td><![endif]-->
<p>Dear <b>Ana</b> Silva, your balance is <b>€1,</b>234.50, due on 30&nbsp;November 2026.</p>
<p><img src="cid:logo" alt="Bank"><a href="https://bank.example/pay/X7?a=1&amp;b=2">Pay</a> code SAVE10</p>
<p><a href="{LEAVE}">Unsubscribe</a> <a href="#top">Up</a> <a href="mailto:help@bank.example">Mail</a></p></body></html>"""
TEXT = f"Dear Ana Silva, your balance is {BALANCE}, due on 30 November\n2026. Pay: {LINK} code SAVE10\n{LEAVE}\n"
SMS = f"Bank: {BALANCE} due {DUE}. Code SAVE10 {LINK} Reply STOP"


def message(html: str, text: str, subject: str, pdf: bytes, *, headers: bool = True) -> bytes:
    """Serialise an email as composing does."""
    mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
    mail["Subject"] = subject
    if headers:
        mail["List-Unsubscribe"] = f"<{LEAVE}>, <mailto:leave@bank.example>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="statement.pdf")
    return mail.as_bytes()


@pytest.fixture(scope="session")
def pdf() -> bytes:
    """A real PDF that tells every fact; the balance breaks over two lines."""
    from weasyprint import HTML as Page

    style = "<style>@page { size: 90mm 120mm } p { width: 60mm }</style>"
    body = f"<p>Dear Ana Silva, balance {BALANCE}, due on 30 November 2026.</p><p>Code SAVE10, <a href='{LINK.replace('&', '&amp;')}'>pay</a></p>"
    content = Page(string=f"<html lang='en'><title>Statement</title>{style}{body}</html>").write_pdf()
    assert isinstance(content, bytes)
    return content


@pytest.fixture(scope="session")
def rules() -> CheckRules:
    """Marketing rules: the strictest."""
    return CheckRules(purpose=Purpose.MARKETING, sms_segments=3, avoid={"en-GB": ("guaranteed", "risk-free")})


@pytest.fixture(scope="session")
def good(pdf: bytes) -> Composed:
    """A communication on every channel in which nothing is wrong."""
    channels = (Channel.EMAIL, Channel.DOCUMENT, Channel.SMS, Channel.MASTODON)
    pieces = tuple(PlannedPiece(f"p-{channel}", channel, "", True, "outbox") for channel in channels)
    communication = Communication(
        communication_id="c-1",
        run_id="offer.2026-10",
        campaign="offer",
        occurrence="2026-10",
        recipient_id="C-1",
        language="en-US",
        locale="en-US",
        zone="UTC",
        purpose=Purpose.MARKETING,
        release=ReleaseRef("offer", "1.0.0", "0" * 64),
        pieces=pieces,
        data={"customer": {"name": "Ana Silva", "notes": ("x",)}},
        parameters={},
        issued_at=datetime(2026, 11, 2, tzinfo=UTC),
    )
    facts = (
        FactValue("balance", FactKind.MONEY, Money(Decimal("1234.50"), "EUR"), BALANCE, ()),
        FactValue("due", FactKind.DATE, None, "30\u00a0November 2026", channels[:3]),
        FactValue("code", FactKind.CODE, "SAVE10", "SAVE10", channels[:3]),
        FactValue("link", FactKind.LINK, LINK, LINK, channels[:3]),
    )
    post = f"Balance {BALANCE} #Savings https://bank.example"
    card = Attachment("card.png", "image/png", b"x", "A red door")
    renditions = (
        EmailRendition("p-email", "Your statement", "Hello", HTML, TEXT, message(HTML, TEXT, "Your statement", pdf)),
        DocumentRendition("p-document", "statement.pdf", "Statement", 1, pdf),
        SmsRendition("p-sms", SMS, "gsm7", (SMS,)),
        SocialRendition("p-mastodon", Channel.MASTODON, post, len(post), 500, "en", card),
    )
    return Composed(communication, facts, renditions)


def changed(composed: Composed, channel: Channel, **fields: object) -> Composed:
    """Return the communication with one rendition changed."""
    parts = (replace(one, **fields) if one.channel is channel else one for one in composed.renditions)  # type: ignore[arg-type]
    return replace(composed, renditions=tuple(parts))
