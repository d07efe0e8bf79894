"""Placing what was laid out on pages, and drawing it with its tags."""
