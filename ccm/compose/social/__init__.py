"""Posts: every network with its own count and rules."""
