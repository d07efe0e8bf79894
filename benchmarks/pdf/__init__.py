"""Documents: how fast beside others, on real months, in several processes, for a long time; and whether they are the same."""
