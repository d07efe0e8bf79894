"""The fact proof: every variant tells its declared facts, in their places, and nothing that contradicts them."""

from __future__ import annotations

from collections.abc import Iterator

from ccm.check.facts.alike import likeness
from ccm.check.facts.authored import Authored
from ccm.check.facts.beside import lacking, misplaced, must_tell
from ccm.check.facts.known import Known
from ccm.check.facts.precedent import has_precedent, learn_from
from ccm.check.facts.told import proved_parts, untold
from ccm.check.facts.undeclared import undeclared
from ccm.check.texts import Reading
from ccm.model.records import Composed, EmailRendition, Finding

__all__ = ["Authored", "prove", "prove_facts"]


def prove_facts(composed: Composed, authored: Authored | None = None) -> tuple[Finding, ...]:
    """Return what the renditions of a communication fail to tell, tell in the wrong place, or tell undeclared.

    Args:
        authored: What authors wrote; without it only the declared facts are looked for.
    Returns:
        Errors, none of which holds a value: values are personal data.
    """
    known = Known(composed, authored) if authored is not None else None
    readings = (Reading(rendition, composed.communication) for rendition in composed.renditions)
    return tuple(finding for reading in readings for finding in prove(reading, composed, known))


def prove(reading: Reading, composed: Composed, known: Known | None) -> Iterator[Finding]:
    """Prove one rendition, unless one that is alike was proved before."""
    if known is None:
        yield from untold(reading, composed.facts)
        return
    rendition, proved = reading.rendition, known.authored.proved
    channel = rendition.channel.value
    if has_precedent(rendition, known):
        return
    left = likeness(rendition, known) if proved.pays(channel) else None
    if left is not None and proved.holds(left.digest, channel) and left.explained():
        learn_from(rendition, left, known)
        return
    found = tuple(_in_full(reading, composed, known))
    if left is not None and not found and left.settled(must_tell(reading, composed, known.authored.needed)):
        proved.add(left.digest)
    yield from found


def _in_full(reading: Reading, composed: Composed, known: Known) -> Iterator[Finding]:
    yield from untold(reading, composed.facts)
    language = composed.communication.language
    channel = reading.rendition.channel.value
    headline = ("subject", "preheader") if isinstance(reading.rendition, EmailRendition) else ()
    for part in (*proved_parts(reading), *headline):
        yield from lacking(reading, composed, part, known.authored.needed.get((channel, part), ()))
        yield from misplaced(reading, composed, part, known.authored.labels.get((channel, language, part)))
    for part in headline:  # an email repeats both where a screen reader and the inbox find them
        yield from misplaced(reading, composed, "unseen", known.authored.labels.get((channel, language, part)))
    yield from undeclared(reading, composed, known)
