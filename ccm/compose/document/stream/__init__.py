"""One PDF of thousands of filled documents: fonts, colour profile and pictures once, tags and bookmarks kept."""

from ccm.compose.document.stream.filled_file import NotFilled
from ccm.compose.document.stream.writing import Placed, PrintStream, StreamAbout

__all__ = ["NotFilled", "Placed", "PrintStream", "StreamAbout"]
