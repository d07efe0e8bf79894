"""Delivery reports and complaints as mail servers write them."""

from __future__ import annotations

PIECE = "p-" + "a" * 26


def original(piece: str = PIECE, domain: str = "northwind.example") -> str:
    return (
        f"From: Northwind Bank <post@northwind.example>\r\nTo: ann@example.org\r\nSubject: Your statement\r\n"
        f"Message-ID: <{piece}@{domain}>\r\nMIME-Version: 1.0\r\n\r\nHello\r\n"
    )


def delivery_report(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    address: str = "ann@example.org",
    message: str | None = None,
    kind: str = "message/rfc822",
    head: str = "",
    more: str = "",
    ident: str = "<dsn-1@mx.example.org>",
    to: str = "bounces@northwind.example",
) -> bytes:
    """Return a report as RFC 3464 describes it, in Postfix's manner."""
    return (
        f"Return-Path: <>\r\nDate: Mon, 2 Nov 2026 12:00:00 +0000\r\nFrom: MAILER-DAEMON@mx.example.org\r\n"
        f"Message-ID: {ident}\r\n{head}"
        f"Subject: Undelivered Mail Returned to Sender\r\nTo: {to}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nI'm sorry.\r\n\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.org\r\nX-Postfix-Queue-ID: 4F00\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 <{address}>: Recipient address rejected\r\n{more}\r\n"
        f"--B\r\nContent-Type: {kind}\r\n\r\n{original() if message is None else message}\r\n--B--\r\n"
    ).encode()


def complaint(
    *,
    kind: str = "abuse",
    address: str = "ann@example.org",
    message: str | None = None,
    ident: str = "<fbl-1@isp.example>",
) -> bytes:
    """Return a report as RFC 5965 describes it."""
    rcpt = f"Original-Rcpt-To: <{address}>\r\n" if address else ""
    return (
        f"From: <feedback@isp.example>\r\nDate: Mon, 2 Nov 2026 13:00:00 +0000\r\nMessage-ID: {ident}\r\n"
        "Subject: FW: Your statement\r\nTo: <abuse@northwind.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n\r\n"
        "--B\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n{rcpt}"
        "Arrival-Date: Mon, 2 Nov 2026 12:30:00 +0000\r\n\r\n"
        f"--B\r\nContent-Type: message/rfc822\r\n\r\n{original() if message is None else message}\r\n--B--\r\n"
    ).encode()
