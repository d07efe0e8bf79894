"""Composing and checking, in this process or in several. What goes in and comes out is picklable."""

from __future__ import annotations

import gc
import itertools
import pickle
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ccm.archive.vault import write_snapshot
from ccm.archive.vault.snapshot import digests_of
from ccm.check import Authored, CheckRules, inspect
from ccm.check.document_text import is_read_twice
from ccm.check.totals import Told
from ccm.compose import Composer
from ccm.compose.document.compared import is_compared
from ccm.compose.failure import NO_MEMORY
from ccm.diagnostics import Severity
from ccm.model.definitions import Channel
from ccm.model.records import (
    Communication,
    Composed,
    Exclusion,
    ExclusionReason,
    FactValue,
    Finding,
    PlannedPiece,
    ReleaseRef,
    Rendition,
)
from ccm.model.workspace import Brand, ContentLibrary, Fragment, Template
from ccm.release import Content
from ccm.run.collecting import collect_rarely
from ccm.run.forking import Spent
from ccm.run.limits import ComposeLimits, Exceeded, OverTime, bound_memory, bounded_time
from ccm.run.pool import Pool, WorkerDied
from ccm.run.prepare import Prepared, with_limits

__all__ = ["Made", "Maker", "MakerParts", "Makers", "Window", "WorkerDied", "Workers"]


@dataclass(frozen=True)
class Made:
    """A composed communication with everything that composing and checking found.

    told: The amounts that checking read out of each rendition, by piece id.
    snapshot: Of the communication, with its digests; None where nobody made it yet.
    exceeded: The limit that composing it exceeded, be it for an alternative that failed: what it left behind may cost others.
    """

    composed: Composed
    findings: tuple[Finding, ...]
    told: Mapping[str, Told] = field(default_factory=dict)
    snapshot: tuple[bytes, str] | None = None
    exceeded: Exceeded | None = None

    def failure(self, piece_id: str) -> Finding | None:
        """Return the first error of a piece, if it has one."""
        errors = (item for item in self.findings if item.piece_id == piece_id and item.severity is Severity.ERROR)
        return next(errors, None)

    def blocking_failure(self) -> str | None:
        """Return why nothing of this communication may go out: a word, or None."""
        for piece in self.composed.communication.pieces:
            if piece.required and self.rendition(piece.piece_id) is None:
                return str(ExclusionReason.COMPOSE_FAILED)
            if piece.required and self.failure(piece.piece_id) is not None:
                return str(ExclusionReason.CHECK_FAILED)
        return None

    def rendition(self, piece_id: str) -> Rendition | None:
        """Return a piece's rendition, if it could be made."""
        return next((item for item in self.composed.renditions if item.piece_id == piece_id), None)


@dataclass(frozen=True)
class Window:
    """What is worked on, written and sent together: some communications, and who was left out beside them."""

    communications: tuple[Communication, ...]
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True)
class MakerParts:
    """All that composing and checking need; goes to the worker processes once.

    others: The same for releases that only some recipients get, because their messages carry another date.
    """

    template: Template
    brand: Brand
    fragments: Mapping[str, Fragment]
    library: ContentLibrary
    rules: CheckRules
    others: Mapping[ReleaseRef, MakerParts] = field(default_factory=dict)
    limits: ComposeLimits = field(default_factory=ComposeLimits)

    @classmethod
    def of(cls, prepared: Prepared) -> MakerParts:
        """Take the parts of a prepared campaign."""
        workspace, contents = prepared.workspace, prepared.released.contents if prepared.released else {}
        others = {ref: cls._frozen(prepared, one) for ref, one in contents.items() if ref != prepared.release}
        authored = prepared.campaign.limits
        limits = ComposeLimits(authored.compose_seconds, authored.compose_memory_mb)
        own = (prepared.template, prepared.brand, workspace.fragments, workspace.library, prepared.rules)
        return cls(*own, others, limits)

    @classmethod
    def _frozen(cls, prepared: Prepared, content: Content) -> MakerParts:
        template = with_limits(content.template, prepared.campaign)
        rules = CheckRules.for_campaign(prepared.campaign, template.definition, content.brand)
        rules = replace(rules, largest=prepared.rules.largest)
        authored = prepared.campaign.limits
        limits = ComposeLimits(authored.compose_seconds, authored.compose_memory_mb)
        return cls(template, content.brand, content.fragments, content.library, rules, limits=limits)


class Maker:
    """Composes and checks one communication after the other."""

    def __init__(self, parts: MakerParts) -> None:
        self._composer = Composer(parts.template, parts.brand, parts.fragments, parts.library)
        authored = Authored.of(parts.template, parts.brand, parts.fragments, parts.library)
        self._rules = replace(parts.rules, authored=authored)
        self._attaches = parts.template.definition.document.attach_to_email
        self._totals = frozenset(name for name, fact in parts.template.definition.facts.items() if fact.total)
        self._limits = parts.limits

    def make(self, communication: Communication) -> Made:
        """Compose every channel and check the result; fall back on the alternatives that the plan allows."""
        made = self._once(communication)
        exceeded = made.exceeded
        while communication.alternatives and made.blocking_failure() is not None:
            if made.exceeded:
                gc.collect()  # half a page
            communication = next_alternative(communication)
            made = self._once(communication)
            exceeded = exceeded or made.exceeded
        return replace(made, exceeded=exceeded) if exceeded else made

    def _once(self, communication: Communication) -> Made:
        """Compose and check once; what breaks in a way that nobody foresaw holds this recipient and no other.

        Why only the exception's type is kept: its words may quote the customer's data.
        """
        try:
            with bounded_time(self._limits):
                composed = self._composer.compose(communication)
                seen = inspect(composed, self._rules, self._totals)
                made = Made(composed, (*composed.findings, *seen.findings), seen.told)
        except OverTime:
            return replace(over_limit(communication, self._limits, Exceeded.TIME), exceeded=Exceeded.TIME)
        except NO_MEMORY:
            return replace(over_limit(communication, self._limits, Exceeded.MEMORY), exceeded=Exceeded.MEMORY)
        except Exception as error:
            findings = tuple(_broken(piece, error) for piece in communication.pieces)
            return Made(Composed(communication, (), (), findings), findings)
        return with_attachment(made) if self._attaches else made


def over_limit(communication: Communication, limits: ComposeLimits, what: str) -> Made:
    """Hold a communication that took more than it may; it costs nobody else anything."""
    findings = tuple(
        Finding(
            "composing-over-limit",
            f"composing {what}; the limits are {limits.told()}",
            "divide the document, or raise limits.compose_seconds or limits.compose_memory_mb of the campaign",
            piece.piece_id,
            piece.channel,
        )
        for piece in communication.pieces
    )
    return Made(Composed(communication, (), (), findings), findings)


def _broken(piece: PlannedPiece, error: Exception) -> Finding:
    return Finding(
        "composing-broke",
        f"composing or checking broke with {type(error).__name__}",
        "preview this customer, and report it with the template if the reason is not in the data",
        piece.piece_id,
        piece.channel,
    )


def with_attachment(made: Made) -> Made:
    """Hold an email whose document could not be made: it would say "attached" and be wrong.

    One that was made and broke a rule is told by the check.
    """
    pieces = {piece.channel: piece for piece in made.composed.communication.pieces}
    email, document = pieces.get(Channel.EMAIL), pieces.get(Channel.DOCUMENT)
    if email is None or document is None:
        return made
    if made.rendition(document.piece_id) is not None:
        return made
    finding = Finding(
        "attachment-held",
        "the document that the email carries could not be made",
        "mend what is said about the document; the email waits for it",
        email.piece_id,
        Channel.EMAIL,
    )
    return replace(made, findings=(*made.findings, finding))


def snapshot_of(communication: Communication) -> tuple[bytes, str]:
    """Return what the archive keeps of a communication's data, and the digests that tell whether it was exchanged."""
    snapshot = write_snapshot(communication)
    return snapshot, digests_of(snapshot)


class Makers:
    """One maker for each release that a run's messages are made from; nearly always it is one."""

    def __init__(self, parts: MakerParts) -> None:
        self._first = Maker(parts)
        self._others = {release: Maker(other) for release, other in parts.others.items()}

    def make(self, communication: Communication) -> Made:
        """Compose and check with the communication's own release."""
        return self._others.get(communication.release, self._first).make(communication)


def next_alternative(communication: Communication) -> Communication:
    """Return the communication with its required piece replaced by the first alternative (policy FIRST)."""
    optional = tuple(piece for piece in communication.pieces if not piece.required)
    first, *rest = communication.alternatives
    return replace(communication, pieces=(first, *optional), alternatives=tuple(rest))


GROUP = 8  # communications that a composing process makes before it answers: small, so that all have work to the end

_makers: list[Makers] = []  # the makers of a composing process
_limits: list[ComposeLimits] = []


def _begin(pickled_parts: str) -> None:
    """Set up a composing process from a file of pickled parts.

    Its temporary files go beside that file, and away with it, however the process ends.
    """
    tempfile.tempdir = str(Path(pickled_parts).parent)
    parts: MakerParts = pickle.loads(Path(pickled_parts).read_bytes())  # noqa: S301 - our own, from the parent
    _makers.append(Makers(parts))
    _limits.append(parts.limits)
    collect_rarely()
    bound_memory(parts.limits)


def _copied() -> None:
    """Set up a copy of a composing process: what it has now is its memory at rest."""
    bound_memory(_limits[0])


@dataclass(frozen=True)
class _Answer:
    """What a process answers for one communication, without what the parent has and without what only checking needs.

    other: The communication as it was made, if that is another than was given: an alternative.
    found: By composing. findings: By composing and checking.
    Why: Pickling fifty rows of typed values there and back takes as long as laying them out.
    """

    other: Communication | None
    facts: tuple[FactValue, ...]
    renditions: tuple[Rendition, ...]
    found: tuple[Finding, ...]
    slow_paths: Mapping[Channel, str]
    taught: Mapping[Channel, str]
    findings: tuple[Finding, ...]
    told: Mapping[str, Told]
    snapshot: tuple[bytes, str] | None

    @classmethod
    def of(cls, given: Communication, made: Made) -> _Answer:
        """Take what the parent does not have."""
        one = made.composed
        other = None if one.communication is given else one.communication
        parts = (one.facts, one.renditions, one.findings, one.slow_paths, one.taught)
        snapshot = snapshot_of(one.communication) if one.renditions else None
        return cls(other, *parts, made.findings, made.told, snapshot)

    def made(self, given: Communication) -> Made:
        """Return what was made, in the parent."""
        communication = given if self.other is None else self.other
        composed = Composed(communication, self.facts, self.renditions, self.found, self.slow_paths, taught=self.taught)
        return Made(composed, self.findings, self.told, self.snapshot)


def _make_all(communications: tuple[Communication, ...]) -> tuple[_Answer, ...] | Spent[_Answer]:
    """Make communications until one exceeds a limit.

    Why none is made afterwards: What is left of a page that was never finished would be in their way: memory, in circles and
        in pieces, and what is remembered by halves.
    """
    answers = []
    for item in communications:
        made = _makers[0].make(item)
        answers.append(_Answer.of(item, made))
        if made.exceeded:
            return Spent(tuple(answers), unsure=made.exceeded is Exceeded.MEMORY)
    return tuple(answers)


def _learned(answers: tuple[_Answer, ...]) -> bool:
    """Tell whether a group was composed without a page that had to be learned first."""
    return bool(answers) and not any(one.taught for one in answers)


def _killed(communication: Communication, limits: ComposeLimits) -> _Answer:
    what = "killed the composing process, or had to be killed with it"
    return _Answer.of(communication, over_limit(communication, limits, what))


def is_apart(communication: Communication, parts: MakerParts) -> bool:
    """Tell whether a communication's document is laid out by the layout engine to be compared, or read by both readers.

    Why apart: One of a few hundred is. Both load much that filling has no use for, and a page's boxes leave holes in memory
        that is full of what is remembered: a process that did it kept 8 MB more from then on.
    """
    rules = parts.others.get(communication.release, parts).template.definition.document
    pieces = (one.piece_id for one in communication.pieces if rules.fill and one.channel is Channel.DOCUMENT)
    return any(is_compared(one, rules.compared) or is_read_twice(one) for one in pieces)


class Workers:
    """Makes windows in order, ahead of the caller by a bounded number of communications."""

    def __init__(self, parts: MakerParts, processes: int) -> None:
        self._parts = parts
        self._local = Makers(parts) if processes <= 1 else None
        self._pool: Pool[Communication, _Answer] | None = None
        self._folder: TemporaryDirectory[str] | None = None
        if processes > 1:
            # A file, not an argument: the pipe to a new process holds 64 kB, and Python waits for ever on a
            # process that is killed before it has read more than that.
            self._folder = TemporaryDirectory(prefix="ccm-")
            file = Path(self._folder.name) / "parts"
            file.write_bytes(pickle.dumps(parts))
            killed = partial(_killed, limits=parts.limits)
            seconds = parts.limits.hard_seconds
            apart = partial(is_apart, parts=parts)
            self._pool = Pool(processes, _begin, (str(file),), _make_all, killed, seconds, _copied, _learned, apart)

    def make(self, windows: Iterable[Window]) -> Iterator[tuple[Window, tuple[Made, ...]]]:
        """Yield each window with its results, in order.

        Raises:
            WorkerDied: If composing processes are killed whatever they make.
        """
        if self._pool is None:
            for window in windows:
                yield window, tuple(map(self._made_here, window.communications))
            return
        begun: deque[tuple[Window, int]] = deque()

        def groups() -> Iterator[tuple[Communication, ...]]:
            for window in windows:
                divided = _divided(window.communications)
                begun.append((window, len(divided)))
                yield from divided

        results = self._pool.results(groups())
        for first in results:
            window, count = begun.popleft()
            answers = itertools.chain(first, *itertools.islice(results, count - 1))
            yield window, tuple(one.made(given) for one, given in zip(answers, window.communications, strict=True))

    def _made_here(self, communication: Communication) -> Made:
        """Make a communication in this process; whoever makes the next begins anew if this one exceeded a limit."""
        assert self._local is not None
        made = self._local.make(communication)
        if made.exceeded:
            self._local = Makers(self._parts)
            gc.collect()
        return made

    def close(self) -> None:
        """Stop the composing processes; what they were at is dropped."""
        if self._pool is not None:
            self._pool.close()
        if self._folder is not None:
            self._folder.cleanup()


def _divided(communications: tuple[Communication, ...]) -> list[tuple[Communication, ...]]:
    """Divide a window into groups; an empty one is one empty group, so that its turn comes."""
    return [communications[start : start + GROUP] for start in range(0, max(1, len(communications)), GROUP)]
