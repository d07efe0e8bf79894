"""Speaking to Amazon's services: one request for each call, and every way it can end told apart."""

from __future__ import annotations

import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ccm.deliver.exchange import Answer, Setback
from ccm.deliver.interface import DeliveryError
from ccm.deliver.provider_settings import ProviderSettings
from ccm.model.records import ReceiptStatus
from ccm.model.refusals import AddressFault

_BUSY = frozenset({
    "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete", "RequestLimitExceeded",
    "RequestThrottled", "RequestThrottledException", "SlowDown", "Throttled", "ThrottledException", "Throttling",
    "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
_CREDENTIALS = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthFailure", "AuthorizationError", "ExpiredToken",
    "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSecurity",
    "InvalidSignatureException", "MissingAuthenticationToken", "OptInRequired", "RequestExpired",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip
_NOT_HEARD = frozenset({"408", "RequestTimeout", "RequestTimeoutException"})
_CHECK = "check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID or the machine's role), `region` and `profile`"
_CODE = re.compile(r"[\w.:-]{1,80}")


@dataclass(frozen=True)
class AwsSettings:
    """How to reach a service; credentials come from AWS's own chain and from nowhere else.

    region, profile: The environment's when empty.
    endpoint_url: For a test server or a private endpoint.
    timeout_seconds: For connecting, and again for every answer.
    connections: Largest number open at once.
    """

    region: str = ""
    profile: str = ""
    endpoint_url: str = ""
    timeout_seconds: float = 30.0
    connections: int = 8


def known_settings(kind: type[AwsSettings]) -> frozenset[str]:
    """Return the names of the settings that a record has."""
    return frozenset(item.name for item in fields(kind))


def read_aws(given: ProviderSettings) -> dict[str, Any]:
    """Return the values of `AwsSettings`, typed and checked.

    Raises:
        DeliveryError: If one is wrong; names it, never its value.
    """
    return {
        "region": given.optional("region", ""),
        "profile": given.optional("profile", ""),
        "endpoint_url": given.address("endpoint_url") if given.optional("endpoint_url", "") else "",
        "timeout_seconds": given.seconds("timeout_seconds", 30.0),
        "connections": given.count("connections", 8, largest=200),
    }


@dataclass(frozen=True)
class Refusal:
    """An answer that is no success.

    code: The service's word for it; the HTTP status when there is none.
    message: Its sentence: may quote addresses, so it is read and never passed on.
    details: The answer's other fields.
    """

    provider: str
    code: str
    status: int
    message: str
    details: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def unusable(self, message: str, remedy: str) -> DeliveryError:
        """Return a fault of the provider as a whole."""
        return DeliveryError(self.provider, f"{message} ({self.code})", remedy, retriable=False)

    def deferred(self) -> Setback:
        """Return that nothing was accepted and the same may be tried again, after Retry-After if there is one."""
        wait = Answer(self.status, {name.lower(): value for name, value in self.headers.items()}, b"").wait_seconds
        return Setback(ReceiptStatus.DEFERRED, self.code, wait)


Judge = Callable[[Refusal], Exception | None]


class AwsClient:
    """A boto3 client that asks once."""

    def __init__(self, provider: str, service: str, settings: AwsSettings, judge: Judge | None = None) -> None:
        """Make the client; nothing is asked yet.

        Args:
            judge: What this service's own refusals mean; None from it leaves the common reading.
        Raises:
            DeliveryError: If region, profile or address cannot be used.
        Why: boto3's own retries send a message up to three times when answers are lost.
        """
        self._provider = provider
        self._judge = judge
        self._client = _client(provider, service, settings)
        self._wire = threading.local()
        self._client.meta.events.register_first(f"before-send.{service}", self._mark_sent)
        # At DEBUG botocore logs whole requests, addresses and texts included.
        log = logging.getLogger("botocore")
        log.setLevel(max(log.level, logging.INFO))

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation, such as "send_email", and return its answer.

        Raises:
            DeliveryError: If the service as a whole cannot be used.
            Setback: If it said no, or not whether.
        """
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
        from botocore.parsers import ResponseParserError

        self._wire.sent = False
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except ClientError as error:
            raise self._refused(error.response) from None
        except ParamValidationError:
            raise rejected("the service's model does not allow this message") from None
        except ResponseParserError:
            raise in_doubt("the answer cannot be read") from None
        except BotoCoreError as error:
            raise self._broken(error) from None
        return answer

    def check(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation that only looks, and return its answer.

        Raises:
            DeliveryError: If it gives none, for whatever reason.
        """
        try:
            return self.ask(operation, **arguments)
        except Setback as setback:
            raise DeliveryError(
                self._provider, f"the service does not answer ({setback.text})", "try again later", retriable=True
            ) from None

    def presigned(self, operation: str, arguments: Mapping[str, str], seconds: int) -> str:
        """Return an address that allows one operation for some time; computed here, nothing is asked."""
        from botocore.exceptions import BotoCoreError

        try:
            return str(self._client.generate_presigned_url(operation, Params=dict(arguments), ExpiresIn=seconds))
        except BotoCoreError as error:
            raise _unfit(self._provider, error) from None

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _mark_sent(self, **_: Any) -> None:
        self._wire.sent = True

    def _broken(self, error: Exception) -> Exception:
        from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

        if not self._wire.sent:
            return _unfit(self._provider, error)
        if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)):
            return self._unreachable(type(error).__name__)
        if _in_handshake(error):
            return self._unreachable("TLS")
        return in_doubt(f"connection lost ({type(error).__name__})")

    def _unreachable(self, reason: str) -> DeliveryError:
        return DeliveryError(
            self._provider,
            f"the service cannot be reached ({reason})",
            "check the network, `region` and `endpoint_url`",
            retriable=True,
        )

    def _refused(self, response: Mapping[str, Any]) -> Exception:
        about, fault = response.get("ResponseMetadata", {}), response.get("Error", {})
        status = int(about.get("HTTPStatusCode", 0))
        code = str(fault.get("Code", ""))
        refusal = Refusal(
            self._provider,
            code if _CODE.fullmatch(code) else str(status),
            status,
            str(fault.get("Message", "")),
            {**response, **fault},
            about.get("HTTPHeaders", {}),
        )
        return (self._judge(refusal) if self._judge else None) or common_reading(refusal)


def common_reading(refusal: Refusal) -> Exception:
    """Return what a refusal means in every service of Amazon's."""
    code, status = refusal.code, refusal.status
    if code in _BUSY or status == 429:
        return refusal.deferred()
    if code in _CREDENTIALS or status in (401, 403):
        return refusal.unusable("the service refuses these credentials", _CHECK)
    if status == 404:
        return refusal.unusable("the service does not know what the settings name", "check names, `region` and address")
    if 400 <= status < 500 and code not in _NOT_HEARD:
        return rejected(code)
    return in_doubt(code)


def rejected(text: str, address_fault: AddressFault | None = None) -> Setback:
    """Return a refusal for good."""
    return Setback(ReceiptStatus.REJECTED, text, address_fault=address_fault)


def in_doubt(text: str) -> Setback:
    """Return a lost answer: bytes left, and only the service knows what became of them."""
    return Setback(ReceiptStatus.UNKNOWN, text)


def message_id(answer: Mapping[str, Any]) -> str:
    """Return the id in an answer.

    Raises:
        Setback: UNKNOWN, if there is none: it may not have been the service that answered.
    """
    found = answer.get("MessageId")
    if not isinstance(found, str) or not found:
        raise in_doubt("the answer names no message")
    return found


def _client(provider: str, service: str, settings: AwsSettings) -> Any:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=settings.timeout_seconds,
        read_timeout=settings.timeout_seconds,
        max_pool_connections=settings.connections,
    )
    try:
        session = boto3.Session(profile_name=settings.profile or None, region_name=settings.region or None)
        return session.client(service, config=config, endpoint_url=settings.endpoint_url or None)
    except (BotoCoreError, ValueError) as error:
        raise _unfit(provider, error) from None


def _unfit(provider: str, error: Exception) -> DeliveryError:
    """Return a fault found before anything left: credentials, region, profile."""
    return DeliveryError(provider, f"AWS cannot be used ({type(error).__name__})", _CHECK, retriable=False)


def _in_handshake(error: BaseException) -> bool:
    """Tell whether an error came out of the TLS handshake, before which no request travels.

    Why: botocore gives the same class to a handshake that failed and to a connection that broke afterwards.
    """
    return any(
        isinstance(cause, (ssl.SSLError, OSError)) and "do_handshake" in _functions(cause) for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _functions(error: BaseException) -> Iterator[str]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_name
        trace = trace.tb_next
