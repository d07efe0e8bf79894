"""DELIVER: hands envelopes to providers, one file per provider. `interface.py` is all a plug-in needs."""
