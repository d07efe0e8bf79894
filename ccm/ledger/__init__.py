"""LEDGER: the memory of every piece. Refuses to know the same piece twice or to let a state move back."""
