"""Texts: shaped as the engine shapes them, joined from known parts, and broken where it breaks them."""
