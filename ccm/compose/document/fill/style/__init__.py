"""Computed styles: learned from the engine once for each structure, read once for what layout wants to know."""
