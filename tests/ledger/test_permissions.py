"""The permission store: what is written is found again, in order, by marks alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccm.ledger.interface import LedgerError
from ccm.ledger.permissions import PermissionStore, give_up_secret, open_permissions
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, SuppressionEntry, SuppressionReason, in_force
from ccm.testing.samples import NOON

KEYS = Keyring.of("a secret of some length")
NEWER = Keyring.of("another secret, newer", "a secret of some length")


@pytest.fixture
def store(ledger_url: str, tmp_path: Path) -> Iterator[PermissionStore]:
    opened = open_permissions(ledger_url, tmp_path, KEYS.idents)
    yield opened
    opened.close()


def barred(
    text: str, *, lifted: bool = False, reason: SuppressionReason = SuppressionReason.MANUAL
) -> SuppressionEntry:
    return SuppressionEntry(KEYS.mark(text), None, None, reason, NOON, "test", lifted=lifted)


def agreed(text: str, *, granted: bool = True) -> ConsentEntry:
    return ConsentEntry(KEYS.mark(text), Purpose.MARKETING, Channel.EMAIL, granted, NOON, "test", "form 7", "bank")


def test_entries_come_back_as_they_were_written(store: PermissionStore) -> None:
    """Consents and suppressions of a subject, in the order of writing; nobody else's."""
    mine = [agreed("a"), barred("a"), agreed("a", granted=False), barred("a", lifted=True)]
    for entry in mine:
        store.record([entry, barred("b")])
    assert store.entries([KEYS.mark("a")]) == tuple(mine)
    assert in_force(store.entries([KEYS.mark("a")])) == ()
    assert in_force(store.entries([KEYS.mark("b")])) == (barred("b"),)


def test_the_last_entry_of_a_kind_counts_and_kinds_stand_apart() -> None:
    """Lifting a STOP does not lift a complaint."""
    stop, complaint = SuppressionReason.STOP_REPLY, SuppressionReason.COMPLAINED
    entries = [barred("a", reason=stop), barred("a", reason=complaint), barred("a", reason=stop, lifted=True)]
    assert in_force(entries) == (barred("a", reason=complaint),)
    assert in_force([*entries, barred("a", reason=stop)]) == (barred("a", reason=stop), barred("a", reason=complaint))


def test_another_process_sees_changes_by_the_revision(store: PermissionStore, ledger_url: str, tmp_path: Path) -> None:
    """One look tells whether something changed, and only what changed is read."""
    other = open_permissions(ledger_url, tmp_path, KEYS.idents)
    store.record([barred("a")])
    before = other.revision()
    store.record([barred("b"), agreed("c")])
    assert other.revision() == before + 1
    assert other.changes(before) == (before + 1, (agreed("c"), barred("b")))
    assert other.changes(before + 1) == (before + 1, ())
    other.close()


def test_writers_at_once_lose_nothing(store: PermissionStore) -> None:
    """Every change has a revision of its own, whoever writes at the same time."""
    threads = [
        threading.Thread(target=lambda n=n: [store.record([barred(f"{n}-{i}")]) for i in range(10)]) for n in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.revision() == 40
    assert len(set(store.subjects())) == 40


def test_nothing_readable_is_stored(store: PermissionStore, ledger_url: str, tmp_path: Path) -> None:
    """The database holds no address and no id."""
    store.record([barred("a:canary@example.com"), agreed("p:C-CANARY")])
    store.close()
    assert ledger_url.startswith("postgres") or list(tmp_path.iterdir())
    for path in tmp_path.iterdir():
        assert b"canary" not in path.read_bytes().lower()


def test_a_lost_secret_stops_everything(store: PermissionStore, ledger_url: str, tmp_path: Path) -> None:
    """Without the secret nobody on the list would be recognised, so nothing opens; with it as an older one all is well."""
    open_permissions(ledger_url, tmp_path, Keyring.of("an unrelated secret!").idents).close()  # nothing is written yet
    store.record([barred("a")])
    with pytest.raises(LedgerError, match="another secret"):
        open_permissions(ledger_url, tmp_path, Keyring.of("an unrelated secret!").idents)
    renewed = open_permissions(ledger_url, tmp_path, NEWER.idents)
    assert in_force(renewed.entries(NEWER.marks("a"))) == (barred("a"),)
    renewed.close()


def test_a_secret_that_is_lost_for_good_can_be_given_up(
    store: PermissionStore, ledger_url: str, tmp_path: Path
) -> None:
    """What was marked under it goes, and nothing else; the store opens again."""
    other = Keyring.of("an unrelated secret!")
    store.note_run("r.1", "bank", Purpose.MARKETING, KEYS.newest.ident)
    store.record([barred("a"), agreed("b")])
    with pytest.raises(LedgerError, match=KEYS.newest.ident):
        open_permissions(ledger_url, tmp_path, other.idents)
    assert give_up_secret(ledger_url, tmp_path, KEYS.newest.ident) == 2
    opened = open_permissions(ledger_url, tmp_path, other.idents)
    assert list(opened.subjects()) == []
    opened.close()


def test_forgetting_keeps_people_barred(store: PermissionStore) -> None:
    """Consents and evidence go; the suppression stays."""
    erased = SuppressionEntry(KEYS.mark("a"), None, None, SuppressionReason.ERASED, NOON, "erase", "case 9")
    store.record([agreed("a"), agreed("b"), erased])
    assert store.forget([KEYS.mark("a")]) == 1
    (left,) = store.entries([KEYS.mark("a")])
    assert isinstance(left, SuppressionEntry)
    assert left.evidence == ""
    assert store.entries([KEYS.mark("b")]) == (agreed("b"),)


def test_counts_tell_no_subject(store: PermissionStore) -> None:
    """How many stand for which reason; lifted ones are not counted."""
    store.record([barred("a"), barred("b"), barred("c"), barred("c", lifted=True)])
    assert store.counts() == {("manual", "", "", ""): 2}


def test_a_long_import_is_written_in_batches(store: PermissionStore) -> None:
    """Five thousand entries arrive, each with the time it was given."""
    entries = [
        SuppressionEntry(KEYS.mark(str(n)), None, None, SuppressionReason.MANUAL, NOON + timedelta(seconds=n), "import")
        for n in range(5000)
    ]
    assert store.record(iter(entries)) == 5000
    assert store.entries([KEYS.mark("4999")]) == (entries[4999],)
