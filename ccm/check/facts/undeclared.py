"""Nothing is said that nobody declared: every amount, share, date, code and address follows from something known."""

from __future__ import annotations

from collections.abc import Iterator

from ccm.check.facts.known import Known
from ccm.check.facts.rows import unexplained
from ccm.check.facts.statements import Said, Statement, statements
from ccm.check.facts.told import place
from ccm.check.texts import Reading
from ccm.diagnostics import Location
from ccm.model.records import Composed, DocumentRendition, EmailRendition, Finding

_REMEDIES = {
    Said.LINK: "print a link of the data, a fact or the brand, or write the address into the variant",
    Said.CODE: "print a field, a fact or a constant of the brand",
}
_REMEDY = "declare it: as a fact, a campaign parameter, a field that is derived, or a constant of the brand"


def undeclared(reading: Reading, composed: Composed, known: Known) -> Iterator[Finding]:
    """Find statements of one rendition that nothing explains; each kind once per part."""
    rendition = reading.rendition
    for part in reading.parts:
        shown: set[tuple[Said, str]] = set()
        for statement in _said(reading, composed, part, known):
            if known.explains(statement) or (
                isinstance(rendition, DocumentRendition) and known.explains_pieces(statement, reading.comparable(part))
            ):
                continue
            written = known.written_in(statement)
            if (statement.said, written) in shown:
                continue
            shown.add((statement.said, written))
            yield _finding(reading, part, statement, written)


def _said(reading: Reading, composed: Composed, part: str, known: Known) -> Iterator[Statement]:
    """Yield what a part tells; of a document only what its cells do not explain by themselves."""
    language, locale = composed.communication.language, composed.communication.locale
    in_document = isinstance(reading.rendition, DocumentRendition)
    for line in unexplained(reading.document.rows, known) if in_document else reading.lines(part):
        yield from statements(line, language, locale)
    for target in reading.links(part):
        if not target.startswith(("#", "cid:")):
            address = target.removeprefix("mailto:").removeprefix("tel:").removeprefix("sms:")
            yield Statement(Said.LINK, address if "@" in address and "://" not in address else target, (target,))


def _finding(reading: Reading, part: str, statement: Statement, written: str) -> Finding:
    rendition = reading.rendition
    what = f"{_ARTICLE.get(statement.said, 'a')} {statement.said}"
    where = place(reading, part) if isinstance(rendition, EmailRendition) else str(rendition.channel)
    if written:
        message = f"the {where} tells {what} that is written out in {written} and declared nowhere"
        return Finding(
            "undeclared-statement", message, _REMEDY, rendition.piece_id, rendition.channel, location=Location(written)
        )
    message = f"the {where} tells {what} that no fact, field, parameter or constant of the brand explains"
    remedy = _REMEDIES.get(statement.said, _REMEDY)
    return Finding("undeclared-statement", message, remedy, rendition.piece_id, rendition.channel)


_ARTICLE = {Said.AMOUNT: "an"}
