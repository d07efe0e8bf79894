"""The engine lock: versions of everything that decides how a message looks."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from babel.core import get_cldr_version

from ccm import __version__

# Distributions that turn templates and data into bytes; what only reads or sends is not among them.
_PACKAGES = (
    "babel",
    "css-inline",
    "fonttools",
    "inscriptis",
    "isal",
    "jinja2",
    "mjml-python",
    "pillow",
    "pydyf",
    "segno",
    "uharfbuzz",
    "weasyprint",
    "zxing-cpp",
)
_PANGO = ("libpango-1.0.so.0", "libpango-1.0.dylib", "libpango-1.0-0.dll")
_HARFBUZZ = ("libharfbuzz.so.0", "libharfbuzz.dylib", "libharfbuzz-0.dll")


@lru_cache(maxsize=1)
def engine_lock() -> Mapping[str, str]:
    """Return name and version of every part of this machine's engine; empty where a part is missing."""
    lock = {name: _package(name) for name in _PACKAGES}
    lock["ccm"] = __version__
    lock["cldr"] = str(get_cldr_version())
    lock["harfbuzz"] = _library(_HARFBUZZ, "hb_version_string")
    lock["pango"] = _library(_PANGO, "pango_version_string")
    lock["python"] = ".".join(platform.python_version_tuple()[:2])
    return dict(sorted(lock.items()))


def engine_differences(locked: Mapping[str, str]) -> tuple[str, ...]:
    """Return what differs between a release's engine and this machine's, one sentence part each."""
    here = engine_lock()
    return tuple(
        f"{name} {locked.get(name) or 'none'} → {here.get(name) or 'none'}"
        for name in sorted({*locked, *here})
        if locked.get(name, "") != here.get(name, "")
    )


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _library(names: tuple[str, ...], function: str) -> str:
    """Ask a shared library for its version.

    Why not WeasyPrint: importing it takes longer than a whole text message run.
    """
    for name in names:
        try:
            call = getattr(ctypes.CDLL(name), function)
        except (OSError, AttributeError):
            continue
        call.restype = ctypes.c_char_p
        return bytes(call()).decode()
    return ""
