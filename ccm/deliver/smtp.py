"""Email over SMTP. What counts is the moment of the final dot: before it nothing was accepted, after it only the
server knows."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from ccm.deliver.conversation import Aside, ConversingAdapter, Talk
from ccm.deliver.interface import DeliveryError
from ccm.deliver.packages import require_package
from ccm.deliver.smtp_connection import SmtpConnection, SmtpPool
from ccm.deliver.smtp_settings import SmtpSettings, read_settings
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, EmailRendition, Envelope, Receipt, ReceiptStatus
from ccm.model.refusals import AddressFault

Sign = Callable[[bytes], bytes]

_ADDRESS = re.compile(r"[^\s<>\x00-\x20\x7f@]{1,256}@[A-Za-z0-9.\[\]:-]{1,255}")
_DOT_FIRST = re.compile(rb"\n\.")
_ENHANCED = re.compile(rb"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
_QUEUED = re.compile(rb"queued(?: mail)?(?: for delivery)?(?: as|:)? *[<\"]?([A-Za-z0-9][\w.-]{3,99})")
# Of RFC 3463, what speaks of the recipient's address alone: no mailbox, no such domain, no address at all, moved away, and
# a domain that takes no mail (RFC 7505). 5.2.1 and 5.7.1 may pass, and servers say them about much else.
_NO_SUCH_ADDRESS = re.compile(r"5\d\d 5\.1\.(1|2|3|6|10)")
_MAIL_ABOUT_MESSAGE = 552  # at MAIL FROM: larger than the server takes; every other 5xx there is about the sender


class SmtpAdapter(ConversingAdapter):
    """Hands each message to one server over pooled connections.

    SMTP cannot deduplicate or look up: an answer that is lost after the final dot stays unknown.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(channels=(Channel.EMAIL,), concurrency=16)
    how_to_look_up: ClassVar[str] = "search the mail server's log for a Message-ID that begins with the piece id"

    def __init__(
        self, provider: str, pool: SmtpPool, *, return_path: str = "", connections: int = 16, sign: Sign | None = None
    ) -> None:
        """Use a pool.

        Args:
            sign: Returns a message with its DKIM signature; None sends messages as they are.
        """
        self._provider = provider
        self._pool = pool
        self._sign = sign
        self._return_path = return_path
        self._connections = connections

    @property
    def concurrency(self) -> int:
        """As many hand-overs as connections."""
        return self._connections

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        """Make one; `SmtpSettings` lists the settings. Connects at the first message."""
        if settings.get("ca_file"):
            settings = {**settings, "ca_file": str(Path(root) / settings["ca_file"])}
        found = read_settings(provider, settings, root=root)
        sign = _signing(provider, found, root)
        pool = SmtpPool(provider, found)
        return cls(provider, pool, return_path=found.return_path, connections=found.connections, sign=sign)

    def converse(self, envelope: Envelope) -> Talk[Receipt]:
        """Hand over one message."""
        try:
            payload = build(envelope, self._return_path, self._sign)
        except UnfitForSmtp as error:
            return Receipt(envelope.key, ReceiptStatus.REJECTED, self._provider, provider_status=error.reason)
        if not is_wire_address(payload.sender):
            raise DeliveryError(
                self._provider,
                "the sender is not one plain address",
                "correct the brand's sender address or `return_path`",
                retriable=False,
            )
        connection = yield from self._pool.lend()
        try:
            answer = yield from self._post(connection, payload)
        except BaseException:
            connection.drop()
            raise
        finally:
            self._pool.give_back(connection)
        return Receipt(
            envelope.key,
            answer.status,
            self._provider,
            answer.queue_id,
            answer.text,
            address_fault=answer.address_fault,
        )

    def verify(self) -> None:
        """Connect, protect, log in and ask for a sign of life."""
        self._pool.check()

    def close(self) -> None:
        """Take leave on all idle connections."""
        self._pool.close()

    def _post(self, connection: SmtpConnection, payload: Payload) -> Talk[Answer]:
        first = connection.uses == 0
        answer = yield from self._talk(connection, payload)
        if first or not answer.idle_lost:
            return answer
        # The server had hung up on the idle connection before it heard of this message: a new one is safe.
        connection.take_over((yield Aside(self._pool.fresh)))
        return (yield from self._talk(connection, payload))

    def _talk(self, connection: SmtpConnection, payload: Payload) -> Talk[Answer]:
        """Speak MAIL, RCPT, DATA and the message; every way out is an answer, or a fault of the provider."""
        smtp, wire = connection.smtp, connection.wire
        unfit = payload.unfit_for(smtp)
        if unfit:
            return Answer(ReceiptStatus.REJECTED, unfit)
        connection.uses += 1
        commands = payload.commands(smtp)
        together = smtp.has_extn("pipelining")
        heard = False
        try:
            yield from wire.send(b"".join(commands) if together else commands[0])
            code, text = yield from wire.reply()
            heard = True
            if code == 421:
                connection.drop()
                return Answer(ReceiptStatus.DEFERRED, _status(code, text), idle_lost=True)
            if 500 <= code < 600 and code != _MAIL_ABOUT_MESSAGE:
                connection.drop()
                raise self._sender_refused(code, text)
            refused = None if code == 250 else (code, text)
            for command, good in zip(commands[1:], ((250, 251), (354,)), strict=True):
                if refused and not together:
                    break
                if not together:
                    yield from wire.send(command)
                code, text = yield from wire.reply()
                if refused and code == 354:  # the server would take a message for nobody; it gets none
                    connection.drop()
                elif code not in good:
                    refused = refused or (code, text)
        except (OSError, ValueError):
            connection.drop()
            said = "connection lost before the end of the message" if heard else "connection lost before DATA"
            return Answer(ReceiptStatus.DEFERRED, said, idle_lost=not heard)
        return (yield from _refusal(connection, *refused) if refused else _end(connection, payload.body))

    def _sender_refused(self, code: int, text: bytes) -> DeliveryError:
        return DeliveryError(
            self._provider,
            f"the server refuses the sender ({_status(code, text)})",
            "check the brand's sender address, `return_path`, `user` and `password`",
            retriable=False,
        )


class UnfitForSmtp(Exception):
    """This piece can never be sent by SMTP."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Payload:
    """One message, ready for the wire.

    body: Dot-stuffed, ends in CRLF, without the final dot.
    """

    sender: str
    recipient: str
    body: bytes
    needs_utf8: bool

    def unfit_for(self, smtp: smtplib.SMTP) -> str:
        """Return why this server cannot take the message; empty if it can."""
        limit = smtp.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(self.body):
            return f"message is larger than the server's {limit} bytes"
        if self.needs_utf8 and not smtp.has_extn("smtputf8"):
            return "server does not offer SMTPUTF8"
        if not self.body.isascii() and not smtp.has_extn("8bitmime"):
            return "server does not offer 8BITMIME"
        return ""

    def commands(self, smtp: smtplib.SMTP) -> tuple[bytes, bytes, bytes]:
        """Return what is said before the message."""
        options = f" SIZE={len(self.body)}" if smtp.has_extn("size") else ""
        if not self.body.isascii():
            options += " BODY=8BITMIME"
        if self.needs_utf8:
            options += " SMTPUTF8"
        mail, to = f"MAIL FROM:<{self.sender}>{options}\r\n", f"RCPT TO:<{self.recipient}>\r\n"
        return mail.encode(), to.encode(), b"DATA\r\n"


@dataclass(frozen=True)
class Answer:
    """What became of a message.

    text: Code and enhanced status alone: the server's words may repeat the address.
    idle_lost: The connection was found dead before the server heard of the message.
    """

    status: ReceiptStatus
    text: str
    queue_id: str = ""
    idle_lost: bool = False

    @property
    def address_fault(self) -> AddressFault | None:
        """What a refusal says about the recipient's address."""
        refused = self.status is ReceiptStatus.REJECTED and _NO_SUCH_ADDRESS.fullmatch(self.text)
        return AddressFault.NO_SUCH_ADDRESS if refused else None


def build(envelope: Envelope, return_path: str = "", sign: Sign | None = None) -> Payload:
    """Make a message ready for the wire: signed, then dot-stuffed.

    Raises:
        UnfitForSmtp: If it is no email, or an address cannot stand in an SMTP command.
    """
    rendition = envelope.rendition
    if not isinstance(rendition, EmailRendition):
        raise UnfitForSmtp("not an email")
    if not is_wire_address(envelope.address):
        raise UnfitForSmtp("address cannot stand in an SMTP command")
    sender, recipient = return_path or envelope.sender, envelope.address
    message = rendition.message if rendition.message.endswith(b"\r\n") else rendition.message + b"\r\n"
    header = message[: message.find(b"\r\n\r\n")]
    needs_utf8 = not (sender.isascii() and recipient.isascii() and header.isascii())
    body = sign(message) if sign else message
    if _DOT_FIRST.search(body):  # which is found out in half the time that replacing nothing takes
        body = body.replace(b"\n.", b"\n..")
    if body.startswith(b"."):
        body = b"." + body
    return Payload(sender, recipient, body, needs_utf8)


def _signing(provider: str, settings: SmtpSettings, root: str) -> Sign | None:
    if not settings.dkim_key_file:
        return None
    require_package(provider, "dkim", "dkimpy")
    from ccm.deliver.dkim import open_signer

    try:
        key = (Path(root) / settings.dkim_key_file).read_bytes()
    except OSError:
        raise DeliveryError(
            provider, "setting dkim_key_file names no readable file", "correct its path", retriable=False
        ) from None
    return open_signer(provider, domain=settings.dkim_domain, selector=settings.dkim_selector, key=key).sign


def is_wire_address(address: str) -> bool:
    """Tell whether an address is exactly one, with its domain in ASCII.

    Why: A line break or a second address in it would become a second command.
    """
    return _ADDRESS.fullmatch(address) is not None


def _end(connection: SmtpConnection, body: bytes) -> Talk[Answer]:
    """Send the message with its final dot and read the answer; from the dot on only the server knows."""
    try:
        if not (yield from connection.wire.send_message(body)):
            connection.drop()
            return Answer(ReceiptStatus.DEFERRED, "connection lost before the end of the message")
        code, text = yield from connection.wire.reply()
    except (OSError, ValueError):
        connection.drop()
        return Answer(ReceiptStatus.UNKNOWN, "connection lost after the end of the message")
    if 200 <= code < 300:
        queued = _QUEUED.search(text)
        return Answer(ReceiptStatus.ACCEPTED, _status(code, text), queued[1].decode() if queued else "")
    if 400 <= code < 600:
        return (yield from _refusal(connection, code, text))
    connection.drop()
    return Answer(ReceiptStatus.UNKNOWN, "server's answer to the message is not understood")


def _refusal(connection: SmtpConnection, code: int, text: bytes) -> Talk[Answer]:
    """Read a refusal and bring the connection back in step."""
    status = ReceiptStatus.REJECTED if 500 <= code < 600 else ReceiptStatus.DEFERRED
    try:
        if code == 421:
            connection.drop()
        elif connection.is_open:
            answer, _ = yield from connection.wire.ask(b"RSET\r\n")
            if answer != 250:
                connection.drop()
    except (OSError, ValueError):
        connection.drop()
    return Answer(status, _status(code, text))


def _status(code: int, text: bytes) -> str:
    enhanced = _ENHANCED.match(text)
    return f"{code} {enhanced[1].decode()}" if enhanced else str(code)
