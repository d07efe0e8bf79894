"""The fault suite: runs are killed, starved, cut off, restored and fenced, and nobody may be lost or reached twice."""
