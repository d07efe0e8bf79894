"""Canaries: ten thousand customers with a mark of their own, and nobody gets another's mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ccm.check import Authored, check
from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, EmailRendition, PlannedPiece, communication_id, piece_id
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare

ROOT = Path(__file__).resolve().parent.parent.parent
COUNT, EMAILS = 10_000, 1_000  # every tenth gets an email too
MARK = re.compile(r"canary(\d{6})", re.IGNORECASE)


def marked(number: int, model: Communication) -> Communication:
    """Return a communication whose name, code and link carry the mark of one customer."""
    mark = f"CANARY{number:06d}"
    identity = communication_id("canaries", "once", mark)
    channels = (Channel.EMAIL, Channel.SMS) if number % (COUNT // EMAILS) == 0 else (Channel.SMS,)
    pieces = tuple(
        PlannedPiece(piece_id(identity, one), one, f"{mark}@example.org", True, "outbox") for one in channels
    )
    data = {
        "customer": {"id": mark, "name": f"Ana {mark}"},
        "offer": {"code": mark, "link": f"https://www.juniper.example/o/{mark.lower()}"},
    }
    return replace(model, communication_id=identity, recipient_id=mark, pieces=pieces, data=data)


def prepared() -> tuple[Prepared, list[Communication]]:
    """Return the sample's offer and one planned communication of each language."""
    workspace, _ = load_workspace(ROOT)
    assert workspace is not None
    ready = prepare(workspace, "winter-offer", now=datetime(2026, 11, 6, 12, tzinfo=UTC), ignore_schedule=True)
    found = plan(load_recipients(workspace, ready.campaign, period=ready.period), ready.brief)
    by_language = {one.language: one for one in found if isinstance(one, Communication)}
    assert {"ar-EG", "ja-JP", "en-GB"} <= set(by_language)
    return ready, list(by_language.values())


def texts(rendition: object) -> Iterator[str]:
    """Yield everything a rendition tells, its headers among it."""
    if isinstance(rendition, EmailRendition):
        yield from (rendition.subject, rendition.preheader, rendition.html, rendition.text)
        yield rendition.message[: rendition.message.index(b"\r\n\r\n")].decode()
    else:
        yield rendition.text  # type: ignore[attr-defined]


def test_nobody_gets_another_mark() -> None:
    """Every rendition tells its own customer's mark and no other; what is crossed on purpose is found."""
    ready, models = prepared()
    workspace = ready.workspace
    composer = Composer(ready.template, ready.brand, workspace.fragments, workspace.library)
    seen, crossed, last = 0, 0, None
    for number in range(COUNT):
        composed = composer.compose(marked(number, models[number % len(models)]))
        for rendition in composed.renditions:
            marks = {int(mark) for text in texts(rendition) for mark in MARK.findall(text)}
            seen += number in marks
            crossed += bool(marks - {number})
        last = composed
    assert (seen, crossed) == (COUNT + EMAILS, 0)
    assert last is not None
    authored = Authored.of(ready.template, ready.brand, workspace.fragments, workspace.library)
    theirs = composer.compose(marked(1, last.communication))
    rules = replace(ready.rules, authored=authored)
    assert not [one for one in check(last, rules) if one.code == "fact-missing"]
    swapped = replace(last, renditions=theirs.renditions)
    assert {"fact-missing", "undeclared-statement"} <= {one.code for one in check(swapped, rules)}
