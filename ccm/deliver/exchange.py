"""One HTTP request and one answer, with the one question settled that matters: had any byte of the message left?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccm.deliver.answers import in_doubt
from ccm.deliver.interface import DeliveryError

if TYPE_CHECKING:
    import httpx2


def send_once(client: httpx2.Client, request: httpx2.Request, provider: str) -> httpx2.Response:
    """Send a request exactly once and return the answer, read to its end, whatever its status.

    Raises:
        DeliveryError: If the connection did not come about: nothing left.
        NotTaken: UNKNOWN, if it broke later.
    """
    import httpx2

    try:
        return client.send(request, follow_redirects=False)
    except httpx2.PoolTimeout:
        raise DeliveryError(
            provider, "no connection became free", "raise `connections` or `timeout_seconds`", retriable=True
        ) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        raise unreachable(provider, type(error).__name__) from None
    except httpx2.TransportError as error:
        raise in_doubt(f"connection lost ({type(error).__name__})") from None
    except httpx2.DecodingError:
        raise in_doubt("the answer cannot be read") from None


def unreachable(provider: str, reason: str) -> DeliveryError:
    """Return the fault of a service to which no connection came about, TLS included."""
    return DeliveryError(
        provider,
        f"the service cannot be reached ({reason})",
        "check the network, the provider's address and its certificate",
        retriable=True,
    )


def credentials_refused(provider: str, code: str, remedy: str) -> DeliveryError:
    """Return the fault of credentials or rights that the service does not accept."""
    return DeliveryError(provider, f"the service refuses these credentials ({code})", remedy, retriable=False)
