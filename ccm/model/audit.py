"""The words of the audit log."""

from __future__ import annotations

from enum import StrEnum


class AuditAction(StrEnum):
    """What was done."""

    RUN_STARTED = "run-started"  # an execution took up a run
    RUN_ENDED = "run-ended"  # it closed the run, or left it open for what is held
    RUN_STOPPED = "run-stopped"  # it ended before its end
    RESENT_UNKNOWN = "resent-unknown"  # an operator ordered pieces of unknown outcome to be sent again
    ADOPTED = "adopted"  # an operator went on with an older copy of the ledger
    RELEASED = "released"  # a release was made
    APPROVED = "approved"  # production runs may use it
    RETIRED = "retired"  # they may no more
    EXPORTED = "exported"  # somebody read a piece out of the archive
    THINNED = "thinned"  # PDFs of a run were given up
    ERASED = "erased"  # a customer was erased
    EXPIRED = "expired"  # pieces past their retention were deleted
    SUPPRESSED = "suppressed"  # suppressions were entered
    SUPPRESSION_LIFTED = "suppression-lifted"  # suppressions were taken back
    OPTED_OUT = "opted-out"  # a recipient left: by link, page, mail or STOP, or by complaining
    OPTED_IN = "opted-in"  # a recipient came back
    BARRED = "barred"  # a provider or mail server said that addresses do not work
    RUN_PAUSED = "run-paused"  # an operator let a run begin no further hand-over
    RUN_RESUMED = "run-resumed"  # an operator let it go on
    RUN_CANCELLED = "run-cancelled"  # an operator ended it for good
    REPRINTED = "reprinted"  # envelopes were ordered to be printed again
    CONSENT_ENTERED = "consent-entered"  # an operator entered what a customer said
