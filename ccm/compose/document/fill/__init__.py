"""Filling documents: our own layout of what it knows, with the layout engine's styles; the engine is the oracle."""
