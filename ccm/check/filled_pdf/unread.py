"""Why a file is left to the general reader."""

from __future__ import annotations


class Unread(Exception):
    """Something in the file that is not known for sure; its words name the thing and quote nothing of the text."""
