"""The phase: every rule over every rendition of one communication."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ccm.check.facts import prove
from ccm.check.facts.known import Known
from ccm.check.limits import limits
from ccm.check.links import links
from ccm.check.parts import faulty_attachments, missing_parts, missing_renditions
from ccm.check.permission import permission
from ccm.check.rules import CheckRules
from ccm.check.texts import Reading
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
    found = list(missing_renditions(composed))
    known = Known(composed, rules.authored) if rules.authored is not None else None
    for rendition in composed.renditions:
        reading = Reading(rendition, composed.communication)
        for rule in _RULES:
            found += rule(reading, composed, rules)
        found += prove(reading, composed, known)
    found += faulty_attachments(composed, found, rules)
    said = {(finding.code, finding.piece_id) for finding in composed.findings}
    return tuple(finding for finding in dict.fromkeys(found) if (finding.code, finding.piece_id) not in said)
