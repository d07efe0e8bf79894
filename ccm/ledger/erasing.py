"""How an erased customer stands in the ledger."""

from __future__ import annotations

ERASED = "erased:"  # what the recipient id of an erased customer begins with; a keyed hash follows
