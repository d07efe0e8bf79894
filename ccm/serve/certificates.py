"""Fetching the certificates that Amazon SNS signs with; the address was checked before it comes here."""

from __future__ import annotations

import threading
from collections import OrderedDict

LARGEST_BYTES = 64 * 1024
TIMEOUT_SECONDS = 5.0
_KEPT = 16


class Certificates:
    """Fetches each certificate once; follows no redirect and reads no more than a certificate can be long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def __call__(self, address: str) -> bytes:
        """Return a certificate in PEM.

        Raises:
            OSError: If the server does not answer with one.
        """
        with self._lock:  # one at a time: a burst of callbacks asks for the same one
            if address not in self._kept:
                self._kept[address] = fetch(address)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[address]


def fetch(address: str) -> bytes:
    """Fetch a certificate.

    Raises:
        OSError: If the server does not answer with one.
    """
    import httpx2

    parts, size = [], 0
    try:
        with httpx2.stream("GET", address, timeout=TIMEOUT_SECONDS, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise OSError(f"status {answer.status_code}")
            for part in answer.iter_bytes():
                size += len(part)
                if size > LARGEST_BYTES:
                    raise OSError("too long for a certificate")
                parts.append(part)
    except httpx2.HTTPError as problem:
        raise OSError(type(problem).__name__) from None
    return b"".join(parts)
