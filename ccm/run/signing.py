"""The key that signs manifests: from the environment, or from a file that only its owner may read. Ed25519."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ccm.diagnostics import Diagnostic, Location
from ccm.durable_file import create_once
from ccm.run.contents import ConfigurationFault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VARIABLE = "CCM_MANIFEST_KEY"
FILE = Path(".ccm") / "keys" / "manifest.key"
_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAKE = "make one with: ccm manifest key"


@dataclass(frozen=True)
class PublicKey:
    """What proves a signature.

    text: 32 bytes in base64.
    """

    text: str

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that people compare."""
        return hashlib.sha256(base64.b64decode(self.text)).hexdigest()[:16]

    def proves(self, signature: str, message: bytes) -> bool:
        """Tell whether this key signed a message."""
        from cryptography.exceptions import InvalidSignature

        try:
            _public(self.text).verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True


class SigningKey:
    """Signs, and says with which key."""

    def __init__(self, secret: Ed25519PrivateKey) -> None:
        self._secret = secret

    @property
    def public(self) -> PublicKey:
        """The key that proves its signatures."""
        return PublicKey(base64.b64encode(self._secret.public_key().public_bytes_raw()).decode())

    def sign(self, message: bytes) -> str:
        """Return a signature in base64."""
        return base64.b64encode(self._secret.sign(message)).decode()


def signing_key(root: str | Path, environ: Mapping[str, str] = os.environ, *, make: bool = False) -> SigningKey | None:
    """Return the key that signs manifests, or None.

    Args:
        root: Absolute folder of the workspace.
        environ: `CCM_MANIFEST_KEY` holds a PEM text, or 32 bytes in base64. Without it the file
            `.ccm/keys/manifest.key` of the workspace counts.
        make: Draw a key into the file if there is none. Never by itself: whoever reads manifests must be given
            the public key by another way, so a key that nobody knows of proves nothing.
    Raises:
        ConfigurationFault: If the key is malformed, or others may read its file.
    """
    if environ.get(VARIABLE, "").strip():
        return SigningKey(_secret(environ[VARIABLE], VARIABLE))
    path = Path(root) / FILE
    try:
        if not path.exists():
            if not make:
                return None
            _make(path)
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise _fault("other users may read the key of manifests", f"chmod 600 {FILE}", str(FILE))
        return SigningKey(_secret(path.read_text(encoding="utf-8"), str(FILE)))
    except OSError as error:
        message = f"the key of manifests cannot be used ({error.strerror})"
        raise _fault(message, f"give this user the folder, or set {VARIABLE}", str(FILE)) from None


def public_key(text: str) -> PublicKey:
    """Read a public key: a PEM text, or 32 bytes in base64.

    Raises:
        ConfigurationFault: If it is neither.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        if "BEGIN" in text:
            key = load_pem_public_key(text.strip().encode())
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError("another kind of key")
            return PublicKey(base64.b64encode(key.public_bytes_raw()).decode())
        return PublicKey(base64.b64encode(_public(text.strip()).public_bytes_raw()).decode())
    except (ValueError, binascii.Error):
        remedy = "give what `ccm manifest key` prints, as text or as a file"
        raise _fault("this is no public key of Ed25519", remedy, "--public-key") from None


def _public(text: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))


def _secret(text: str, place: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if "BEGIN" not in text:
            return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
        key = load_pem_private_key(text.strip().encode(), None)
    except (ValueError, TypeError, binascii.Error):
        raise _fault("the key of manifests is no key of Ed25519", _MAKE, place) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _fault("the key of manifests is no key of Ed25519", _MAKE, place)
    return key


def _make(path: Path) -> None:
    """Draw a key. Another process may be faster: the file that is there first counts."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    before = os.umask(0o077)
    try:
        create_once(path, content)
    finally:
        os.umask(before)


def _fault(message: str, remedy: str, place: str) -> ConfigurationFault:
    return ConfigurationFault((Diagnostic("manifest-key-unusable", message, remedy, Location(place)),))
