"""The phase: every rule over every rendition of one communication."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass

from ccm.check.facts import prove
from ccm.check.facts.known import Known
from ccm.check.limits import limits
from ccm.check.links import links
from ccm.check.parts import faulty_attachments, missing_parts, missing_renditions
from ccm.check.permission import permission
from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
from ccm.check.totals import Told, amounts_told
from ccm.check.wording import wording
from ccm.model.records import Composed, Finding

_RULES: tuple[Callable[[Reading, Composed, CheckRules], Iterator[Finding]], ...] = (
    missing_parts,
    limits,
    links,
    wording,
    permission,
)


def check(composed: Composed, rules: CheckRules) -> tuple[Finding, ...]:
    """Return what is wrong with the renditions of one communication.

    What composing found itself is not said twice.
    """
    return inspect(composed, rules).findings


@dataclass(frozen=True)
class Inspected:
    """What checking saw in one communication.

    told: The amounts of summed-up facts in each rendition, by piece id; see `totals.balance`.
    """

    findings: tuple[Finding, ...]
    told: Mapping[str, Told]


def inspect(composed: Composed, rules: CheckRules, totals: Set[str] = frozenset()) -> Inspected:
    """Check the renditions of one communication, and read the amounts of summed-up facts out of them on the way.

    Args:
        totals: Names of these facts.
    """
    found = list(missing_renditions(composed))
    told: dict[str, Told] = {}
    known = Known(composed, rules.authored) if rules.authored is not None else None
    for rendition in composed.renditions:
        reading = Reading(rendition, composed.communication)
        for rule in _RULES:
            found += rule(reading, composed, rules)
        found += prove(reading, composed, known)
        if totals:
            told[rendition.piece_id] = amounts_told(reading, composed.facts, totals)
    found += faulty_attachments(composed, found, rules)
    said = {(finding.code, finding.piece_id) for finding in composed.findings}
    findings = tuple(finding for finding in dict.fromkeys(found) if (finding.code, finding.piece_id) not in said)
    return Inspected(findings, told)
