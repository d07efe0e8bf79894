"""Finding plug-ins by name through Python's entry points. Nothing is loaded before it is asked for."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from ccm.deliver.interface import Adapter
from ccm.diagnostics import suggest

DELIVERY = "ccm.delivery"


class PluginError(Exception):
    """A plug-in is missing, doubled or broken; names the distribution it came from."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


def adapter_names() -> tuple[str, ...]:
    """Return the names of all installed delivery adapters, sorted; loads none."""
    return tuple(sorted({point.name for point in entry_points(group=DELIVERY)}))


def load_adapter(name: str) -> type[Adapter]:
    """Load one delivery adapter.

    Raises:
        PluginError: If there is none of this name, two distributions claim it, it needs an extra that is not
            installed, it fails to load, or it is no `Adapter` with capabilities.
    """
    point = _the_one(name)
    origin = _origin(point)
    try:
        loaded = point.load()
    except ModuleNotFoundError as error:
        raise PluginError(f'delivery adapter "{name}" of {origin} lacks {error.name}', _install_line(point)) from error
    except Exception as error:
        raise PluginError(
            f'delivery adapter "{name}" of {origin} failed to load ({type(error).__name__})',
            f"update {origin} or remove it",
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Adapter) and hasattr(loaded, "capabilities")):
        raise PluginError(
            f'delivery adapter "{name}" of {origin} is no Adapter with capabilities',
            "let its entry point name a subclass of ccm.deliver.interface.Adapter",
        )
    return loaded


def _the_one(name: str) -> EntryPoint:
    found = tuple(entry_points(group=DELIVERY, name=name))
    if not found:
        raise PluginError(f'there is no delivery adapter "{name}"', suggest(name, adapter_names()))
    origins = sorted({_origin(point) for point in found})
    if len({point.value for point in found}) > 1 or len(origins) > 1:
        raise PluginError(
            f'delivery adapter "{name}" comes from {" and ".join(origins)}', "remove one of these distributions"
        )
    return found[0]


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unknown distribution"


def _install_line(point: EntryPoint) -> str:
    extras = "".join(f"[{extra}]" for extra in point.extras[:1]) or f"[{point.name}]"
    return f'install it with: pip install "{_origin(point)}{extras}"'
