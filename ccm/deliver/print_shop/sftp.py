"""SFTP: the host key must be known beforehand, the key comes from a file, a cut upload goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from ccm.deliver.packages import require_package
from ccm.deliver.print_shop.drop import occupied, refused
from ccm.deliver.print_shop.settings import PrintSettings

if TYPE_CHECKING:
    from paramiko import PKey, SFTPClient, SSHClient

_CHUNK = 1 << 18  # bytes; what a cut may cost
_LOG = "ccm.sftp"  # paramiko's own lines may quote names and addresses: they go nowhere


class SftpDrop:
    """A folder of the print shop's server."""

    def __init__(self, provider: str, settings: PrintSettings) -> None:
        """Log in.

        Raises:
            DeliveryError: If a setting is missing, the server's key is not the known one, or it lets us not in.
        """
        require_package(provider, "paramiko", "ccm-engine[print]")
        self._provider = provider
        parts = urlsplit(settings.drop)
        self._folder = unquote(parts.path) or "/"
        self.place = f"sftp://{parts.hostname}{self._folder}"
        self._client = _client(provider, settings)
        try:
            with self._faults():
                self._sftp = self._log_in(parts, _key(provider, settings), settings.timeout_seconds)
        except BaseException:
            self._client.close()
            raise

    def _log_in(self, parts: SplitResult, key: PKey, timeout_seconds: float) -> SFTPClient:
        self._client.connect(
            parts.hostname or "",
            port=parts.port or 22,
            username=unquote(parts.username or ""),
            pkey=key,
            timeout=timeout_seconds,
            banner_timeout=timeout_seconds,
            auth_timeout=timeout_seconds,
            allow_agent=False,
            look_for_keys=False,
        )
        sftp: SFTPClient = self._client.open_sftp()
        sftp.get_channel().settimeout(timeout_seconds)
        return sftp

    def put(self, path: Path) -> None:
        """Upload under a hidden name, look at the whole of it, then rename; SFTP's rename replaces nothing."""
        target, part = f"{self._folder.rstrip('/')}/{path.name}", f"{self._folder.rstrip('/')}/.{path.name}.part"
        content = path.read_bytes()
        with self._faults():
            if self._size(target) is not None:
                if self._sha256(target) != hashlib.sha256(content).hexdigest():
                    raise occupied(path.name)
                return
            self._upload(part, content)
            try:
                self._sftp.rename(part, target)
            except OSError:
                if self._size(target) is None:
                    raise
                raise occupied(path.name) from None

    def check(self) -> None:
        """See whether the folder is there."""
        with self._faults():
            mode = self._sftp.stat(self._folder).st_mode
        if mode is not None and not stat.S_ISDIR(mode):
            raise refused(self._provider, "the print shop's folder is a file", "correct drop in ccm.yaml")

    def close(self) -> None:
        """Log out."""
        self._client.close()

    def _upload(self, part: str, content: bytes) -> None:
        """Write what is missing of a file; what a cut left is kept if it is really its beginning.

        Raises:
            OSError: If the server has something else in the end.
        """
        start = self._agreed(part, content)
        with self._sftp.open(part, "r+b" if start else "wb") as file:
            file.set_pipelined(True)
            file.seek(start)
            for position in range(start, len(content), _CHUNK):
                file.write(content[position : position + _CHUNK])
        if self._size(part) != len(content):
            self._sftp.remove(part)
            raise OSError("the server has another length than was sent")

    def _agreed(self, part: str, content: bytes) -> int:
        """Return how many bytes of an earlier upload are there and right."""
        size = self._size(part) or 0
        if not 0 < size <= len(content):
            return 0
        right = 0
        with self._sftp.open(part, "rb") as file:
            file.prefetch(size)
            while right < size:
                chunk = file.read(min(_CHUNK, size - right))
                if not chunk or chunk != content[right : right + len(chunk)]:
                    break
                right += len(chunk)
        return right

    def _size(self, path: str) -> int | None:
        try:
            size: int | None = self._sftp.stat(path).st_size
        except FileNotFoundError:
            return None
        return size

    def _sha256(self, path: str) -> str:
        digest = hashlib.sha256()
        with self._sftp.open(path, "rb") as file:
            file.prefetch()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Say in our words what went wrong with the server."""
        import paramiko

        try:
            yield
        except paramiko.BadHostKeyException:
            raise refused(
                self._provider,
                "the server shows another host key than the known one",
                "ask the print shop for its new key before you change known_hosts: somebody may be in between",
            ) from None
        except paramiko.AuthenticationException:
            raise refused(self._provider, "the server does not accept our key", "send it the public key") from None
        except paramiko.SSHException as error:
            if "not found in known_hosts" in str(error):
                remedy = "ask the print shop for its host key and put the line into known_hosts"
                raise refused(self._provider, "the server's host key is not known", remedy) from None
            raise self._lost(error) from None
        except (OSError, EOFError) as error:
            raise self._lost(error) from None

    def _lost(self, error: Exception) -> Exception:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        message = f"the print shop's server could not be used ({reason})"
        return refused(self._provider, message, "give the command again; it goes on where it stopped", retriable=True)


def _client(provider: str, settings: PrintSettings) -> SSHClient:
    """Return a client that trusts the hosts of one file and no other."""
    import paramiko

    log = logging.getLogger(_LOG)
    if not log.handlers:
        log.addHandler(logging.NullHandler())
        log.propagate = False
    client = paramiko.SSHClient()
    client.set_log_channel(_LOG)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.load_host_keys(settings.known_hosts)
    except (OSError, paramiko.SSHException):
        remedy = "make it with the line that the print shop gives you: host ssh-ed25519 AAAA…"
        raise refused(provider, "setting known_hosts names no readable file of host keys", remedy) from None
    return client


def _key(provider: str, settings: PrintSettings) -> PKey:
    import paramiko

    try:
        password = settings.key_passphrase.encode() or None
        return paramiko.PKey.from_path(settings.key_file, password=password)
    # A key that is protected and should not be, or the other way round, is a TypeError of cryptography.
    except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
        remedy = "name an OpenSSH private key; key_passphrase where it has one"
        raise refused(provider, "setting key_file names no key that can be used", remedy) from None
