"""The records every phase speaks: authored definitions, the loaded workspace, what flows through a run."""
