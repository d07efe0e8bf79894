"""SMTP connections: opened with TLS and login, kept and used again, shared by conversations and threads."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from dataclasses import dataclass

from ccm.deliver.conversation import Aside, Talk, carried_out
from ccm.deliver.interface import DeliveryError
from ccm.deliver.smtp_settings import SmtpSettings, TlsMode
from ccm.deliver.smtp_wire import Wire

_IDLE_SECONDS = 20.0  # servers commonly hang up on idle clients after 30 seconds or more
_CHECK = "check `host`, `port` and `tls` of the provider, and the network"


@dataclass
class SmtpConnection:
    """One open connection.

    uses: Messages handed over so far.
    """

    smtp: smtplib.SMTP
    wire: Wire
    uses: int = 0
    idle_since: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it was not dropped."""
        return self.smtp.sock is not None

    @property
    def is_stale(self) -> bool:
        """Whether the server may have hung up by now because nothing was said."""
        return time.monotonic() - self.idle_since > _IDLE_SECONDS

    def take_over(self, fresh: SmtpConnection) -> None:
        """Go on with another connection, in place of one that was dropped."""
        self.smtp, self.wire, self.uses = fresh.smtp, fresh.wire, 0

    def drop(self) -> None:
        """Close without a word; for connections that are out of step."""
        self.smtp.close()

    def leave(self) -> None:
        """Say QUIT and close; the answer does not matter."""
        with contextlib.suppress(OSError, ValueError):
            carried_out(self.wire.ask(b"QUIT\r\n"))
        self.smtp.close()


class SmtpPool:
    """Connections to one server, opened when needed, at most `connections` at once."""

    def __init__(self, provider: str, settings: SmtpSettings) -> None:
        self._provider = provider
        self._settings = settings
        self._context = _tls_context(provider, settings)
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._free = settings.connections  # that may be lent
        self._idle: list[SmtpConnection] = []  # open, and not lent

    def lend(self) -> Talk[SmtpConnection]:
        """Lend a connection, which must be given back whatever happens.

        Raises:
            DeliveryError: If none can be opened.
        """
        while not self._taken_place():
            yield Aside(self._wait_for_room)
        try:
            while (connection := self._take()) is not None:
                if connection.uses < self._settings.messages_per_connection and not connection.is_stale:
                    return connection
                yield Aside(connection.leave)
            opened: SmtpConnection = yield Aside(self._open)
            return opened
        except BaseException:
            self._give_place()
            raise

    def give_back(self, connection: SmtpConnection) -> None:
        """Take a connection back; one that was dropped meanwhile is not kept."""
        if connection.is_open:
            connection.idle_since = time.monotonic()
            with self._lock:
                self._idle.append(connection)
        self._give_place()

    def fresh(self) -> SmtpConnection:
        """Open a connection in place of one that the server had closed while it was idle."""
        return self._open()

    def check(self) -> None:
        """Connect, log in and ask for a sign of life.

        Raises:
            DeliveryError: If the server cannot be used.
        """
        connection = self._open()
        try:
            code, _ = carried_out(connection.wire.ask(b"NOOP\r\n"))
        except (OSError, ValueError) as error:
            connection.drop()
            raise self._unreachable(error) from None
        connection.leave()
        if code != 250:
            raise self._refused("NOOP", code)

    def close(self) -> None:
        """Take leave of the server on every idle connection."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.leave()

    def _taken_place(self) -> bool:
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True

    def _give_place(self) -> None:
        with self._lock:
            self._free += 1
            self._room.notify()

    def _wait_for_room(self) -> None:
        with self._lock:
            while not self._free:
                self._room.wait()

    def _take(self) -> SmtpConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _open(self) -> SmtpConnection:
        try:
            smtp = self._connect()
        except ssl.SSLCertVerificationError:
            raise DeliveryError(
                self._provider,
                "the server's certificate is not trusted",
                "correct `host`, or set `ca_file` for a private authority",
                retriable=False,
            ) from None
        except smtplib.SMTPResponseException as error:
            raise self._refused("the greeting", error.smtp_code) from None
        except (OSError, smtplib.SMTPException) as error:
            raise self._unreachable(error) from None
        try:
            self._protect_and_log_in(smtp)
        except BaseException:
            smtp.close()
            raise
        # The final dot travels in a packet of its own; without this it would wait for the server's delayed ACK.
        assert smtp.sock is not None
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SmtpConnection(smtp, Wire(smtp))

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.tls is TlsMode.IMPLICIT:
            return smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_seconds, context=self._context
            )
        return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)

    def _protect_and_log_in(self, smtp: smtplib.SMTP) -> None:
        settings = self._settings
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.tls is TlsMode.STARTTLS:
                smtp.starttls(context=self._context)
                smtp.ehlo()
            if settings.user:
                smtp.login(settings.user, settings.password)
        except ssl.SSLCertVerificationError:
            raise DeliveryError(
                self._provider,
                "the server's certificate is not trusted",
                "correct `host`, or set `ca_file` for a private authority",
                retriable=False,
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise DeliveryError(
                self._provider,
                "the server does not offer the TLS or login that is configured",
                "correct `tls`, `user` and `port`",
                retriable=False,
            ) from None
        except smtplib.SMTPResponseException as error:
            raise self._refused("login or TLS", error.smtp_code) from None
        except (OSError, smtplib.SMTPException) as error:
            raise self._unreachable(error) from None

    def _refused(self, step: str, code: int) -> DeliveryError:
        remedy = "check `user` and `password`" if code in (530, 534, 535, 538) else _CHECK
        return DeliveryError(
            self._provider, f"the server answered {step} with {code}", remedy, retriable=not 500 <= code < 600
        )

    def _unreachable(self, error: Exception) -> DeliveryError:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return DeliveryError(self._provider, f"the server cannot be reached ({reason})", _CHECK, retriable=True)


def _tls_context(provider: str, settings: SmtpSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError:
        raise DeliveryError(
            provider, "setting ca_file names no readable PEM file", "correct its path", retriable=False
        ) from None
