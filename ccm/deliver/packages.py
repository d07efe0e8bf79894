"""Packages that only some providers need: imported when one is opened, and named with their install line if missing."""

from __future__ import annotations

import importlib

from ccm.deliver.interface import DeliveryError


def require_package(provider: str, module: str, install: str) -> None:
    """Import a package.

    Args:
        install: What pip is given, such as "ccm-engine[print]".
    Raises:
        DeliveryError: If it, or a part of it, is not installed; names the line that installs it.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise DeliveryError(
            provider, f"the package {error.name} is not installed", f'run: pip install "{install}"', retriable=False
        ) from None
