"""The manifest of a run: every piece that was made, everybody who got nothing, and sums that prove nobody was lost.

JSON lines, written as they are read from the ledger, so that memory does not grow with the run:

    {"manifest": "ccm-run-manifest 1", "run": …, "release": …, "public_key": …}
    {"piece": …, "recipient": …, "channel": …, "state": …, "pages": …, "bytes": …, "sha256": …, "release": …}
    {"exception": …, "recipient": …, "outcome": …, "reason": …}
    {"sums": {"recipients": …, "pieces": …, "totals": …}}
    {"seal": …, "signature": …}

The seal is the SHA-256 of all lines before the last one; `signed_message` says what is signed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from ccm import __version__
from ccm.ledger.control import ControlTotal, ControlTotals
from ccm.ledger.decisions import BROADCAST
from ccm.ledger.interface import Ledger
from ccm.ledger.sql import open_ledger
from ccm.ledger.transitions import TAKEN
from ccm.model.records import Outcome, OutcomeKind, PieceRecord, RunRecord, RunTally
from ccm.model.workspace import Workspace
from ccm.run.signing import SigningKey

FORMAT = "ccm-run-manifest 1"
UNSIGNED = "there is no key; make one with: ccm manifest key"


class ManifestFault(Exception):
    """No manifest can be made; free of personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


@dataclass
class Sums:
    """What is counted while lines are written, and counted again while they are read."""

    recipients: int = 0
    accepted: int = 0
    exceptions: Counter[tuple[str, str]] = field(default_factory=Counter)
    posts: Counter[str] = field(default_factory=Counter)
    pieces: Counter[tuple[str, str]] = field(default_factory=Counter)
    pages: int = 0
    segments: int = 0
    size_bytes: int = 0

    def add_piece(self, line: Mapping[str, object]) -> None:
        """Count a line of a piece; pages, segments and bytes of those that a provider took."""
        self.pieces[str(line["channel"]), str(line["state"])] += 1
        if line["state"] in TAKEN:
            self.pages += _count(line["pages"])
            self.segments += _count(line["segments"])
            self.size_bytes += _count(line["bytes"])

    def add_outcome(self, recipient: str, outcome: str, reason: str) -> None:
        """Count the last word on somebody; posts address nobody and are counted apart."""
        if recipient.startswith(BROADCAST):
            self.posts[outcome] += 1
            return
        self.recipients += 1
        if outcome == OutcomeKind.ACCEPTED:
            self.accepted += 1
        else:
            self.exceptions[outcome, reason] += 1

    def as_json(self) -> dict[str, object]:
        """Return the counts as the manifest holds them."""
        exceptions: dict[str, dict[str, int]] = {}
        for (outcome, reason), count in sorted(self.exceptions.items()):
            exceptions.setdefault(outcome, {})[reason] = count
        pieces: dict[str, dict[str, int]] = {}
        for (channel, state), count in sorted(self.pieces.items()):
            pieces.setdefault(channel, {})[state] = count
        return {
            "out": self.accepted,
            "exceptions": exceptions,
            "posts": dict(sorted(self.posts.items())),
            "pieces": pieces,
            "pages": self.pages,
            "segments": self.segments,
            "bytes": self.size_bytes,
        }


@dataclass(frozen=True)
class Written:
    """What a manifest came to.

    key: Fingerprint of the key that signed it; empty for none.
    """

    run_id: str
    lines: int
    seal: str
    key: str
    sums: Mapping[str, object]

    @property
    def balanced(self) -> bool:
        """Whether in = out + exceptions, for recipients and for every control total."""
        return bool(self.sums["balanced"])


def signed_message(seal: str) -> bytes:
    """Return what is signed: the format and the seal, so that a signature fits no other kind of file."""
    return f"{FORMAT}\n{seal}\n".encode()


def write_manifest(
    workspace: Workspace, run_id: str, write: Callable[[bytes], object], *, now: datetime, key: SigningKey | None
) -> Written:
    """Write the manifest of a run, line by line.

    Args:
        write: Takes one line with its end.
        now: Aware; the manifest carries it.
        key: Signs; without one the manifest says that it is not signed.
    Raises:
        ManifestFault: If there is no such run, or a process is executing it.
        LedgerError: If the ledger cannot be read.
    """
    with ExitStack() as opened:
        ledger = opened.enter_context(closing(open_ledger(workspace.definition.ledger, workspace.root)))
        control = opened.enter_context(closing(ControlTotals.open(workspace.definition.ledger, workspace.root)))
        run = _run(ledger, run_id)
        sealing = _Sealing(write)
        sealing.line(_head(run, now, key))
        sums = _bodies(ledger, run_id, sealing)
        told = _sums(ledger.tally(run_id), sums, control.of_run(run_id))
        sealing.line({"sums": told})
        seal = sealing.seal
        end: dict[str, object] = {"seal": seal, "lines": sealing.lines}
        end |= {"signature": key.sign(signed_message(seal))} if key else {"signature": None, "unsigned": UNSIGNED}
        write(orjson.dumps(end) + b"\n")
        return Written(run_id, sealing.lines + 1, seal, key.public.fingerprint if key else "", told)


class _Sealing:
    """Writes lines and keeps the hash of all of them."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._hash = hashlib.sha256()
        self.lines = 0

    def line(self, record: Mapping[str, object]) -> None:
        content = orjson.dumps(record) + b"\n"
        self._hash.update(content)
        self.lines += 1
        self._write(content)

    @property
    def seal(self) -> str:
        """SHA-256 of the lines so far, in hex."""
        return self._hash.hexdigest()


def _run(ledger: Ledger, run_id: str) -> RunRecord:
    from ccm.diagnostics import suggest

    runs = {run.run_id: run for run in ledger.runs()}
    if run_id not in runs:
        raise ManifestFault(
            f"there is no run {run_id[:80]!a}", suggest(run_id, runs) if runs else "list them with: ccm status"
        )
    if runs[run_id].owner:
        raise ManifestFault(f"{run_id} is being executed", "wait for it, or see how far it is with: ccm status")
    return runs[run_id]


def _head(run: RunRecord, now: datetime, key: SigningKey | None) -> dict[str, object]:
    return {
        "manifest": FORMAT,
        "run": run.run_id,
        "campaign": run.campaign,
        "occurrence": run.occurrence,
        "release": run.release,
        "state": run.state,
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at) if run.finished_at else None,
        "made_at": _moment(now),
        "made_by": f"ccm {__version__}",
        "public_key": key.public.text if key else None,
    }


def _bodies(ledger: Ledger, run_id: str, sealing: _Sealing) -> Sums:
    sums = Sums()
    for piece in ledger.pieces(run_id):
        line = _piece(piece)
        sums.add_piece(line)
        sealing.line(line)
    for outcome in ledger.outcomes(run_id):
        sums.add_outcome(outcome.recipient_id, str(outcome.kind), outcome.reason)
        if outcome.kind is not OutcomeKind.ACCEPTED:
            sealing.line(_exception(outcome))
    return sums


def _piece(piece: PieceRecord) -> dict[str, object]:
    return {
        "piece": piece.piece_id,
        "recipient": piece.recipient_id,
        "channel": str(piece.channel),
        "state": str(piece.state),
        "provider": piece.provider,
        "pages": piece.pages,
        "segments": piece.segments,
        "bytes": piece.size_bytes,
        "sha256": piece.sha256,
        "release": piece.release,
    }


def _exception(outcome: Outcome) -> dict[str, object]:
    return {
        "exception": outcome.communication_id,
        "recipient": outcome.recipient_id,
        "outcome": str(outcome.kind),
        "reason": outcome.reason,
    }


def _sums(tally: RunTally, sums: Sums, totals: Sequence[ControlTotal]) -> dict[str, object]:
    """Hold what was written against what the ledger counted when it read the source, and against the run's report."""
    addressed = tally.read - tally.outside_segment
    out = {(one.fact, one.channel, one.currency): one.out for one in totals if one.out}
    reported = {key: amount for key, amount in tally.totals.items() if amount}
    return {
        "read": tally.read,
        "outside_segment": tally.outside_segment,
        "in": addressed,
        **sums.as_json(),
        "undecided": tally.undecided,
        "orphan_rows": {one.table: one.rows for one in tally.orphans},
        "totals": [_total(one) for one in totals],
        "balanced": addressed == sums.recipients
        and not tally.undecided
        and out == reported
        and all(one.balanced for one in totals),
    }


def _total(one: ControlTotal) -> dict[str, object]:
    return {
        "fact": one.fact,
        "channel": str(one.channel),
        "currency": one.currency,
        "in": f"{one.taken_in:f}",
        "out": f"{one.out:f}",
        "exceptions": {str(state): f"{amount:f}" for state, amount in one.exceptions.items()},
        "balanced": one.balanced,
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
