"""Steps that bring an older ledger up to date; run by themselves when it is opened."""
