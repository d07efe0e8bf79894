"""EVENTS: what providers and recipients say after a hand-over, checked and read into records."""
