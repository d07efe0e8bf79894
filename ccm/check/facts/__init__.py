"""The fact proof: every variant tells its declared facts, and nothing else that would contradict them."""

from ccm.check.comparable import comparable, stands_in
from ccm.check.facts.told import untold
from ccm.check.texts import Reading
from ccm.model.records import Composed, Finding

__all__ = ["comparable", "prove_facts", "stands_in", "untold"]


def prove_facts(composed: Composed) -> tuple[Finding, ...]:
    """Return an error for every rendition that does not tell a fact it must tell; nothing when all do."""
    readings = (Reading(rendition, composed.communication) for rendition in composed.renditions)
    return tuple(finding for reading in readings for finding in untold(reading, composed.facts))
