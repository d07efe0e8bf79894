"""Copies of pieces that our own adapters keep, when a customer is erased or retention ends: what goes, and what others have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ccm.deliver.interface import Adapter, DeliveryError, Forgotten
from ccm.ledger.erasing import PersonalPiece
from ccm.model.records import PieceState
from ccm.model.workspace import Workspace
from ccm.plugins import PluginError, load_adapter
from ccm.run.prepare import open_adapters

SENT = frozenset(str(state) for state in PieceState if state.is_final and state is not PieceState.HELD)


@dataclass(frozen=True)
class Copies:
    """What became of the copies of some pieces.

    removed: Pieces by provider of which every copy, or one, is gone.
    left: Pieces by provider and by where a copy stays that somebody must ask for.
    failed: Providers that could not be asked now, each with why and what to do.
    given: Pieces by provider that keeps copies of its own and takes no order to forget them.
    unasked: Names of the providers of `failed`.
    """

    removed: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[tuple[str, str], int] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    given: Mapping[str, int] = field(default_factory=dict)
    unasked: frozenset[str] = frozenset()

    def with_more(self, other: Copies) -> Copies:
        """Return the sums of both."""
        return Copies(
            Counter(self.removed) + Counter(other.removed),
            Counter(self.left) + Counter(other.left),
            tuple(dict.fromkeys((*self.failed, *other.failed))),
            Counter(self.given) + Counter(other.given),
            self.unasked | other.unasked,
        )


class Forgetter:
    """Asks the providers of a workspace to forget pieces; opens each once, and only those that can."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opened: dict[str, Adapter | str | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for adapter in self._opened.values():
            if isinstance(adapter, Adapter):
                adapter.close()

    def forget(self, pieces: Sequence[PersonalPiece]) -> Copies:
        """Have copies of pieces removed, whatever state they are in: a lost answer may have left one."""
        removed, given, left, failed = Counter[str](), Counter[str](), Counter[tuple[str, str]](), dict[str, str]()
        for provider in sorted({piece.provider for piece in pieces}):
            mine = [piece for piece in pieces if piece.provider == provider]
            told = self._asked(provider, [piece.piece_id for piece in mine])
            if isinstance(told, str):
                failed[provider] = told
                continue
            removed[provider] += len(told.removed)
            left.update((provider, where) for where in told.left.values())
            kept = [one for one in mine if one.state in SENT and one.piece_id not in told.removed | told.left.keys()]
            if not self._forgets(provider):
                given[provider] += len(kept)
        return Copies(+removed, left, tuple(failed.values()), +given, frozenset(failed))

    def _asked(self, provider: str, pieces: Sequence[str]) -> Forgotten | str:
        adapter = self._adapter(provider)
        if not isinstance(adapter, Adapter):
            return Forgotten() if adapter is None else adapter
        try:
            return adapter.forget(pieces)
        except DeliveryError as error:
            return f"{error.message}; {error.remedy}"

    def _forgets(self, provider: str) -> bool:
        return self._adapter(provider) is not None

    def _adapter(self, provider: str) -> Adapter | str | None:
        """Return the open adapter, None for one that forgets nothing, or why it cannot be opened."""
        if provider not in self._opened:
            self._opened[provider] = self._open(provider)
        return self._opened[provider]

    def _open(self, provider: str) -> Adapter | str | None:
        configured = self._workspace.definition.providers.get(provider)
        if configured is None:
            return None
        try:
            if load_adapter(configured.adapter).forget is Adapter.forget:
                return None
            return open_adapters(self._workspace, {provider})[provider]
        except DeliveryError as error:
            return f"{error.message}; {error.remedy}"
        except PluginError as error:
            return f"{provider}: {error}"
