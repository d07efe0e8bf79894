"""DOOR: pages for people: the preview of one customer, the report of a run. Static HTML, opened from disk."""
