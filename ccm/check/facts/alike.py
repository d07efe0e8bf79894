"""What was proved for one customer holds for another whose message is the same but for the values.

The output is read as it is, and every value in it is looked up for what it tells: a fact or a printed field of this customer
is told by its name, everything else must follow from this customer's data by itself, wherever it stands. What is left, the
fixed words and the places of facts and fields, is compared with what was left of messages proved before. A value that is a
cent off, another's name, or two facts that changed places leave something else, and the whole proof is made. Nothing is taken
over from a proof that leaned on one customer's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ccm.check.facts.frame import is_woven, page_frame, text_frame
from ccm.check.facts.known import Known
from ccm.check.facts.marks import Marks
from ccm.check.facts.meaning import Meanings, meanings_for
from ccm.check.facts.runs import Run
from ccm.check.facts.woven import Woven
from ccm.model.records import EmailRendition, Rendition, SmsRendition

Counts: TypeAlias = Mapping[str, int]  # how often a part must tell what has this name


class Likeness:
    """One rendition with its own values put out of it.

    digest: Hash of all that is left.
    """

    def __init__(self, rendition: Rendition, known: Known, parts: Sequence[tuple[str, Woven | Run]]) -> None:
        self._known = known
        self._parts = parts
        communication = known.communication
        self.parts = tuple(part for _, part in parts)
        left = [rendition.channel.value, communication.language, communication.locale, *known.own.names]
        for name, part in parts:
            left.append(name)
            left += part.left
        self.digest = hash(tuple(left))  # 64 bits, of another seed in each process

    def explained(self) -> bool:
        """Tell whether every value that is no fact and no printed field follows from the customer's data."""
        return all(part.explained(self._known) for _, part in self._parts)

    def settled(self, wanted: Mapping[str, Counts]) -> bool:
        """Tell whether a proof of this message holds for all that are alike.

        Args:
            wanted: What each part must tell, and how often: that must stand in the places of values.
        """
        for name, part in self._parts:
            counts = part.counts()
            if any(counts[one] < count for one, count in wanted.get(name, {}).items()):
                return False
        return all(part.settled(self._known) for _, part in self._parts)


def likeness(rendition: Rendition, known: Known) -> Likeness | None:
    """Put a rendition's own values out of it; None where that cannot be done."""
    if not isinstance(rendition, (EmailRendition, SmsRendition)):
        return None
    communication, proved, marks = known.communication, known.authored.proved, known.marks
    meanings = meanings_for(communication.language, communication.locale)

    def run(text: str) -> Run:
        return Run(text, marks, meanings, proved.ways)

    match rendition:
        case EmailRendition(subject=subject, preheader=preheader, text=text):
            page = _page(rendition, marks, meanings)
            if page is None:
                return None
            plain = _plain(rendition, marks, meanings) or run(text)
            parts = [("html", page), ("text", plain), ("subject", run(subject)), ("preheader", run(preheader))]
            return Likeness(rendition, known, parts)
        case SmsRendition(text=text):
            return Likeness(rendition, known, [("body", run(text))])
    return None


def _page(email: EmailRendition, marks: Marks, meanings: Meanings) -> Woven | None:
    if not email.fillings or not is_woven(email.html, email.outline, email.fillings):
        return None
    frame = page_frame(email.outline)
    if frame is None or any("'" in email.fillings[slot] for slot in frame.attributes):
        return None
    return Woven(frame, email.fillings, marks, meanings, escaped=True)


def _plain(email: EmailRendition, marks: Marks, meanings: Meanings) -> Woven | None:
    if not email.text_outline or not is_woven(email.text, email.text_outline, email.text_fillings):
        return None
    frame = text_frame(email.text_outline)
    return Woven(frame, email.text_fillings, marks, meanings, escaped=False) if frame else None
