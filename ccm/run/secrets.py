"""The installation's secrets: from the environment, or from a file that is made at the first use."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from ccm.diagnostics import Diagnostic, Location
from ccm.model.keyring import SHORTEST, Keyring
from ccm.run.contents import ConfigurationFault

VARIABLE = "CCM_SECRET"
FILE = ".ccm/secret"

_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_keyring(root: str | Path, environ: Mapping[str, str] = os.environ) -> Keyring:
    """Return the secrets that sign links and mark addresses.

    Args:
        root: Absolute folder of the workspace.
        environ: `CCM_SECRET` holds one or more secrets, the newest first, separated by blanks or commas. Without it
            the file `.ccm/secret` of the workspace counts, one secret a line; it is made when it is absent.
    Raises:
        ConfigurationFault: If a secret is too short, or the file cannot be used or may be read by others.
    """
    given = environ.get(VARIABLE, "")
    if given.strip():
        return _keyring(re.split(r"[\s,]+", given.strip()), VARIABLE)
    path = Path(root) / FILE
    try:
        lines = _read_or_make(path)
    except OSError as error:
        message = f"the file of secrets cannot be used ({error.strerror})"
        raise _fault(message, f"give this user the folder, or set {VARIABLE}", FILE) from None
    return _keyring(lines, FILE)


def _read_or_make(path: Path) -> list[str]:
    """Read the file; make it first if there is none. Of several processes at once, one makes it and all read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        raise _fault("other users may read the secrets", f"chmod 600 {FILE}", FILE)
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all, readable by this user alone from the first moment."""
    beside = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:  # another process was faster; its secret counts
        return
    except OSError:  # a file system without links
        if not path.exists():
            beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


def _keyring(given: list[str], place: str) -> Keyring:
    try:
        return Keyring.of(*given)
    except ValueError:
        message = f"there is no secret, or one is shorter than {SHORTEST} characters"
        remedy = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        raise _fault(message, remedy, place) from None


def _fault(message: str, remedy: str, place: str) -> ConfigurationFault:
    return ConfigurationFault((Diagnostic("secret-unusable", message, remedy, Location(place)),))
