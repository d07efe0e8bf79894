"""Replay: a run of all channels verified after everything changed, and seeded alterations that must each be named."""
