"""Messages that were proved, kept as a way to read others of the same structure.

A precedent says which place told which fact or field, where in the data every other value came from, and what was left beside
them. A message that is read by it is read in full: its own bytes, its own values, each looked up in its own customer's data. If
anything differs, it is no precedent for that message, and the message is proved as if there were none.
"""

from __future__ import annotations

from collections.abc import Hashable

from ccm.check.facts.alike import Likeness
from ccm.check.facts.known import Known
from ccm.check.facts.meaning import meanings_for
from ccm.check.facts.phrase import Phrase
from ccm.check.facts.places import NotLearnt, Places
from ccm.check.facts.runs import Run
from ccm.check.facts.torn import Torn, torn
from ccm.check.facts.woven import Woven
from ccm.model.records import EmailRendition, Rendition, SmsRendition

_MOST = 4096  # structures remembered for one template, brand and process
_MOST_EACH = 8  # precedents of one structure
_LESSONS = 16  # after so many that did not help, a precedent learns no more


class _Parts:
    """One message taken apart: parts made of shared pieces, and others."""

    def __init__(self, rendition: Rendition) -> None:
        self.woven: tuple[Torn, ...] = ()
        self.texts: tuple[str, ...] = ()
        match rendition:
            case EmailRendition():
                page = torn(rendition.html, rendition.outline, rendition.fillings)
                plain = torn(rendition.text, rendition.text_outline, rendition.text_fillings) if page else None
                self.woven = (page, plain) if page and plain else ()
                self.texts = (rendition.subject, rendition.preheader) if self.woven else ()
            case SmsRendition():
                self.texts = (rendition.text,)


class Precedent:
    """One message that was proved.

    digest: What it had in common with those that are alike.
    """

    def __init__(self, left: Likeness, parts: _Parts, known: Known) -> None:
        self.digest = left.digest
        self.helped = self.lessons = 0
        own = known.own
        self._places = [Places(part, own) for part in left.parts if isinstance(part, Woven)]
        runs = [part for part in left.parts if isinstance(part, Run)]
        if len(self._places) != len(parts.woven) or len(runs) != len(parts.texts):
            raise NotLearnt
        self._phrases = [Phrase(part, text, own) for part, text in zip(runs, parts.texts, strict=True)]

    def learn(self, left: Likeness, parts: _Parts, known: Known) -> None:
        """Take up what another message shows that is alike."""
        self.lessons += 1
        communication = known.communication
        meanings = meanings_for(communication.language, communication.locale)
        woven = [part for part in left.parts if isinstance(part, Woven)]
        runs = [part for part in left.parts if isinstance(part, Run)]
        for places, part, one in zip(self._places, woven, parts.woven, strict=True):
            places.learn(part, one, meanings, known)
        for phrase, run, text in zip(self._phrases, runs, parts.texts, strict=True):
            phrase.learn(run, text, known.own, meanings, known)

    def holds(self, parts: _Parts, known: Known) -> bool:
        """Tell whether a message of this structure says the same, with its own customer's values."""
        own, communication = known.own, known.communication
        meanings = meanings_for(communication.language, communication.locale)
        for phrase, text in zip(self._phrases, parts.texts, strict=True):
            if not phrase.hold(text, own, meanings, known):
                return False
        for places, one in zip(self._places, parts.woven, strict=True):
            if not places.hold(one, own, meanings, known):
                return False
        self.helped += 1
        return True


def has_precedent(rendition: Rendition, known: Known) -> bool:
    """Tell whether a message is read by a precedent, and all of it is right."""
    found = known.authored.proved.precedents.get(_structure(rendition, known))
    parts = _Parts(rendition) if found else None
    if not found or not parts or not parts.texts:
        return False
    for number, precedent in enumerate(found):
        if precedent.holds(parts, known):
            if number:
                found.insert(0, found.pop(number))
            return True
    return False


def learn_from(rendition: Rendition, left: Likeness, known: Known) -> None:
    """Learn from a message that was proved."""
    parts, precedents = _Parts(rendition), known.authored.proved.precedents
    if not parts.texts:
        return
    if len(precedents) >= _MOST:
        precedents.clear()
    found = precedents.setdefault(_structure(rendition, known), [])
    precedent = next((one for one in found if one.digest == left.digest), None)
    try:
        if precedent is None:
            precedent = Precedent(left, parts, known)
            found.insert(0, precedent)
            del found[_MOST_EACH:]
        if precedent.lessons <= _LESSONS + precedent.helped:
            precedent.learn(left, parts, known)
    except NotLearnt:
        return


def _structure(rendition: Rendition, known: Known) -> Hashable:
    """Return what messages must share before their values are looked at."""
    one = known.communication
    tags = (one.language, one.locale, known.own.names)
    match rendition:
        case EmailRendition(outline=outline, text_outline=text_outline):
            return outline, text_outline, tags
    return rendition.channel.value, tags
