"""Mistakes put into a simulated history; the promises must notice each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.faults.simulation.history import Chaos

NO_WINDOW = 10_000


def forgetful(chaos: Chaos) -> None:
    """Neither intents nor marks are written."""
    chaos.world.store.forgetful = True


def unfenced(chaos: Chaos) -> None:
    """A process that lost the run may still write."""
    chaos.world.store.fenced = False


def no_window(chaos: Chaos) -> None:
    """All intents are written at once."""
    chaos.window_used = NO_WINDOW


def believes_in_deduplication(chaos: Chaos) -> None:
    """A provider that cannot deduplicate says that it can."""
    for provider in chaos.world.providers.values():
        if provider.kind == "plain":
            provider.capabilities = provider.capabilities.__class__(provider.capabilities.channels, deduplicates=True)  # type: ignore[misc]


def deaf_to_opt_outs(chaos: Chaos) -> None:
    """Permission is asked when a recipient is read and never again."""
    chaos.deaf = True


def shrugs_off_doubt(chaos: Chaos) -> None:
    """A piece that may have arrived and does not go again is called held."""
    chaos.shrugs = True


MUTANTS: dict[str, Callable[[Chaos], None]] = {
    "forgetful": forgetful,
    "unfenced": unfenced,
    "no-window": no_window,
    "believes-in-deduplication": believes_in_deduplication,
    "deaf-to-opt-outs": deaf_to_opt_outs,
    "shrugs-off-doubt": shrugs_off_doubt,
}
