"""News written by several processes at once: each event counts once, whoever writes it."""

from __future__ import annotations

import threading
from pathlib import Path

from ccm.ledger.news import NewsStore, Step
from ccm.ledger.permissions import open_permissions
from ccm.model.keyring import Keyring
from ccm.model.permissions import NewsKind, SuppressionEntry, SuppressionReason
from ccm.run.verdicts import summed_up
from ccm.testing.samples import NOON

KEYS = Keyring.of("a secret of some length")
SUBJECT = KEYS.mark("a:ann@example.org")


def step(number: int) -> Step:
    barred = SuppressionEntry(SUBJECT, None, None, SuppressionReason.BOUNCED, NOON, "ses", f"event {number}")
    return Step(f"ses/{number}", NewsKind.FAILED, "", NOON, "x", SUBJECT, lambda failures: [barred])


def test_an_event_that_several_processes_report_counts_once(ledger_url: str, tmp_path: Path) -> None:
    """Four writers of the same forty events at once: each event is new to one of them."""
    open_permissions(ledger_url, tmp_path, KEYS.idents).close()
    new: list[str] = []

    def work() -> None:
        store = open_permissions(ledger_url, tmp_path, KEYS.idents)
        desk = NewsStore(store.database, store, summed_up)
        for number in range(40):
            new.extend(f"{number}" for written in desk.write([step(number)], NOON) if written.new)
        store.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == sorted(str(number) for number in range(40))
    store = open_permissions(ledger_url, tmp_path, KEYS.idents)
    assert len(store.entries([SUBJECT])) == 40
    assert store.revision() == 40
    store.close()
