"""Reads documents that filling made, faster than a general reader; whatever it does not know for sure it leaves alone."""

from ccm.check.filled_pdf.reader import FilledReading, read_filled
from ccm.check.filled_pdf.unread import Unread

__all__ = ["FilledReading", "Unread", "read_filled"]
