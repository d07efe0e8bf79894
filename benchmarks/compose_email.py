"""Emails composed per second on one core: the sample offer, with its MIME message.

python -m benchmarks.compose_email [CAMPAIGN] [COUNT]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ccm.compose import Composer
from ccm.load import load_recipients, load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, EmailRendition, communication_id, piece_id
from ccm.plan import plan
from ccm.run.prepare import Prepared, prepare

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def planned_emails(campaign: str) -> tuple[Prepared, list[Communication]]:
    """Return the campaign's communications, cut down to their emails."""
    workspace, diagnostics = load_workspace(ROOT)
    assert workspace is not None, diagnostics
    prepared = prepare(workspace, campaign, now=NOW, ignore_schedule=True)
    found = load_recipients(workspace, prepared.campaign, period=prepared.period)
    planned = [item for item in plan(found, prepared.brief) if isinstance(item, Communication)]
    emails = [
        replace(item, pieces=tuple(one for one in item.pieces if one.channel is Channel.EMAIL)) for item in planned
    ]
    return prepared, [item for item in emails if item.pieces]


def tiled(communications: list[Communication], count: int) -> list[Communication]:
    """Return `count` communications, each with ids of its own."""
    many = []
    for number in range(count):
        one = communications[number % len(communications)]
        identity = communication_id(one.campaign, one.occurrence, f"{one.recipient_id}/{number}")
        piece = replace(one.pieces[0], piece_id=piece_id(identity, Channel.EMAIL))
        many.append(replace(one, communication_id=identity, pieces=(piece,)))
    return many


def measure(campaign: str = "winter-offer", count: int = 3000) -> Mapping[str, object]:
    """Compose `count` emails after a warm-up that sees every structure once; seconds are of this process."""
    prepared, communications = planned_emails(campaign)
    workspace = prepared.workspace
    composer = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)
    started = time.process_time()
    for communication in communications:
        composer.compose(communication)
    warm_up = time.process_time() - started
    many = tiled(communications, count)
    size = slow = 0
    started = time.process_time()
    for communication in many:
        composed = composer.compose(communication)
        slow += bool(composed.slow_paths)
        size += sum(len(one.message) for one in composed.renditions if isinstance(one, EmailRendition))
    seconds = time.process_time() - started
    return {
        "campaign": campaign,
        "emails": count,
        "locales": len({one.locale for one in communications}),
        "emails_per_second": round(count / seconds),
        "message_bytes": size // count,
        "warm_up_seconds": round(warm_up, 2),
        "slow_paths": slow,
    }


if __name__ == "__main__":
    campaign, count = [*sys.argv[1:3], *["winter-offer", "3000"][len(sys.argv) - 1 :]]
    print(json.dumps(measure(campaign, int(count)), indent=2))
