"""ccm as it is where nothing was compiled: the innermost loops of filling in Python."""

from __future__ import annotations

import sys

sys.modules["ccm.compose.document.fill._kernel"] = None  # type: ignore[assignment]  # so that importing it fails

from benchmarks.pdf.engines.filled import Engine  # noqa: E402  # imports what that line is about

__all__ = ["Engine"]
