"""Composing sent pieces again and comparing them byte for byte with what was archived and noted in the ledger."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from ccm.ledger.kept import KeptPieces
from ccm.model.records import PieceRecord
from ccm.model.workspace import Workspace
from ccm.run.comparison import Verified, Verifier
from ccm.run.contents import workspace_store
from ccm.run.replaying import Replayer
from ccm.run.vault import open_vault
from ccm.run.workers import WorkerDied

_BATCH = 8  # communications handed to a process at once
_AHEAD = 4  # batches waiting for each process

_verifiers: list[Verifier] = []  # the verifier of a process


class UnknownTarget(LookupError):
    """Neither a run nor a piece of the ledger is called that."""


def kept_pieces(workspace: Workspace) -> KeptPieces:
    """Open what the workspace's ledger knows about kept pieces."""
    return KeptPieces.open(workspace.definition.ledger, workspace.root)


def verify(workspace: Workspace, target: str, *, workers: int = 1) -> Iterator[Verified]:
    """Verify one piece, or every composed piece of a run.

    Args:
        target: Piece id or run id.
        workers: Composing processes; 1 composes in this one.
    Yields:
        One result for each piece; memory does not grow with their number.
    Raises:
        UnknownTarget: If the ledger knows no such run or piece.
        VaultLocked: If the master key is missing or wrong.
        WorkerDied: If a composing process was killed.
    """
    kept = kept_pieces(workspace)
    try:
        piece = None if kept.has_run(target) else kept.piece(target)
        if piece is None and not kept.has_run(target):
            raise UnknownTarget(target)
        groups = _groups([piece] if piece else kept.of_run(target))
        yield from _in_this_process(workspace, groups) if workers <= 1 else _in_several(workspace, groups, workers)
    finally:
        kept.close()


def open_verifier(workspace: Workspace) -> Verifier:
    """Return what verifies this workspace's pieces; reads nothing of the working folder but ccm.yaml."""
    return Verifier(open_vault(workspace), Replayer(workspace_store(workspace)))


def _groups(pieces: Iterable[PieceRecord]) -> Iterator[tuple[PieceRecord, ...]]:
    """Put together what is composed together."""
    for _, group in itertools.groupby(pieces, lambda one: (one.communication_id, one.snapshot)):
        yield tuple(group)


def _in_this_process(workspace: Workspace, groups: Iterable[tuple[PieceRecord, ...]]) -> Iterator[Verified]:
    verifier = open_verifier(workspace)
    try:
        for group in groups:
            yield from verifier.verify(group)
    finally:
        verifier.close()


def _begin(workspace: Workspace) -> None:
    """Set up a process; Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _verifiers.append(open_verifier(workspace))


def _verify_all(groups: tuple[tuple[PieceRecord, ...], ...]) -> tuple[Verified, ...]:
    return tuple(result for group in groups for result in _verifiers[0].verify(group))


def _in_several(workspace: Workspace, groups: Iterator[tuple[PieceRecord, ...]], workers: int) -> Iterator[Verified]:
    open_vault(workspace).close()  # a missing key is told once and before any process begins
    bare = _bare(workspace)
    # spawn, not fork: the parent may run threads, and a forked lock that one of them holds never opens.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (bare,))
    waiting: deque[Future[tuple[Verified, ...]]] = deque()
    try:
        while True:
            while len(waiting) < workers * _AHEAD and (batch := tuple(itertools.islice(groups, _BATCH))):
                waiting.append(pool.submit(_verify_all, batch))
            if not waiting:
                return
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WorkerDied from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _bare(workspace: Workspace) -> Workspace:
    """Return the workspace without what was authored: verifying reads releases, and this travels to every process."""
    from dataclasses import replace

    from ccm.model.workspace import ContentLibrary

    return replace(
        workspace, brands={}, templates={}, fragments={}, campaigns={}, sources={}, library=ContentLibrary({})
    )
