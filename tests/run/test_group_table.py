"""Together, written out: every outcome of four channels under every policy."""

from __future__ import annotations

import pytest
from run.messages import BRAND, communication, made

from ccm.model.definitions import Channel
from ccm.run.deciding import decide
from ccm.run.sending import Sender
from ccm.run.workers import Made, Maker
from ccm.testing import FixedClock, MemoryLedger, RecordingAdapter, sample_run
from ccm.testing.samples import RUN_ID

CHANNELS = {"e": Channel.EMAIL, "d": Channel.DOCUMENT, "s": Channel.SMS, "m": Channel.MASTODON}

# Which channels could be made; then, by policy, which are handed over, and the recipient's outcome.
# all: e, d, s and m are required. required+optional: e and d are required, s and m optional. first: e, else d, else s, else m.
TABLE = """
good   all              required+optional  first
edsm   edsm accepted    edsm accepted      e accepted
-dsm   - held           - held             d accepted
e-sm   - held           - held             e accepted
--sm   - held           - held             s accepted
ed-m   - held           edm accepted       e accepted
-d-m   - held           - held             d accepted
e--m   - held           - held             e accepted
---m   - held           - held             m accepted
eds-   - held           eds accepted       e accepted
-ds-   - held           - held             d accepted
e-s-   - held           - held             e accepted
--s-   - held           - held             s accepted
ed--   - held           ed accepted        e accepted
-d--   - held           - held             d accepted
e---   - held           - held             e accepted
----   - held           - held             - held
"""
CELLS = [
    (good, policy, "".join(channels).replace("-", ""), outcome)
    for good, *cells in (line.split() for line in TABLE.strip().splitlines()[1:])
    for policy, channels, outcome in zip(("all", "required+optional", "first"), cells[0::2], cells[1::2], strict=True)
]


class Scripted(Maker):
    """Composes as a row says."""

    def __init__(self, failures: dict[Channel, str]) -> None:  # needs no template
        self._failures = failures

    def _once(self, one: object) -> Made:
        return made(one, self._failures)  # type: ignore[arg-type]


def test_the_table_is_whole() -> None:
    """Sixteen outcomes of four channels, three policies: 48 different cells."""
    assert len({(good, policy) for good, policy, _, _ in CELLS}) == 48


@pytest.mark.parametrize(("good", "policy", "handed_over", "outcome"), CELLS)
def test_a_cell(good: str, policy: str, handed_over: str, outcome: str) -> None:
    """What is handed over is what the table says, from deciding to the providers."""
    e, d, s, m = CHANNELS.values()
    required, optional, others = {
        "all": ((e, d, s, m), (), ()),
        "required+optional": ((e, d), (s, m), ()),
        "first": ((e,), (), (d, s, m)),
    }[policy]
    failures = {channel: "compose" for letter, channel in CHANNELS.items() if letter not in good}
    result = Scripted(failures).make(communication("C-1", required, optional, others))
    ledger, clock = MemoryLedger(), FixedClock()
    ledger.claim_run(sample_run(), owner="me", now=clock(), lease_seconds=60)
    decision, job = decide(result, {}, BRAND)
    ledger.save(RUN_ID, [decision], owner="me", now=clock())
    adapters = {channel.value: RecordingAdapter() for channel in CHANNELS.values()}
    sender = Sender(ledger, adapters, run_id=RUN_ID, owner="me", clock=clock)
    sender.send([job] if job else [])
    sender.close()
    got = "".join(letter for letter, channel in CHANNELS.items() if adapters[channel.value].delivered)
    assert (got, dict(ledger.tally(RUN_ID).outcomes)) == (handed_over, {outcome: 1})
