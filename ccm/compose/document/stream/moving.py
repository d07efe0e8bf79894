"""One document's objects under other numbers: references, places in the parent tree, and the names of header cells."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Header cells are named within their file; strings are what people read, and a reference in them is none.
_MOVED = re.compile(
    rb"(\d+) 0 R|/(StructParents?) (\d+)|/ID\(([^()]*)\)|/Headers\[([^\[\]]*)\]|/K\[(\d+)\]|(\((?:\\.|[^\\()])*\))",
    re.DOTALL,
)
_NAMES = re.compile(rb"\(")
_OWNERS = re.compile(rb"(\d+)(\[[^\]]*\]| \d+ 0 R)")


class Mover:
    """Rewrites the bodies of one document. Numbers are as wide as they may become, see `numbered`.

    Args:
        numbers: Old number to new one.
        first_key: Where the document's keys begin in the parent tree.
        name: Stands before the names of header cells, which must be unique in a file.
    """

    def __init__(self, numbers: Mapping[int, int], first_key: int, name: bytes) -> None:
        self._references = {b"%d" % old: b"%7d 0 R" % new for old, new in numbers.items()}
        self._first_key = first_key
        self._name = name

    def moved(self, body: bytes) -> bytes:
        """Return a body with everything in it moved.

        Raises:
            KeyError: If it refers to an object that does not move along.
        """
        return _MOVED.sub(self._one, body)

    def owners(self, tree: bytes) -> tuple[list[bytes], int]:
        """Return the entries of a document's parent tree, moved, and how many keys it takes."""
        entries, most = [], 0
        nums = tree[tree.index(b"/Nums[") + 6 : tree.rindex(b"]")]
        for key, owners in _OWNERS.findall(nums):
            entries.append(b"%d%b" % (int(key) + self._first_key, self.moved(owners)))
            most = max(most, int(key) + 1)
        return entries, most

    def _one(self, match: re.Match[bytes]) -> bytes:
        kind = match.lastindex
        if kind == 1:
            return self._references[match[1]]
        if kind == 3:
            return b"/%b %d" % (match[2], int(match[3]) + self._first_key)
        if kind == 4:
            return b"/ID(%b%b)" % (self._name, match[4])
        if kind == 5:
            return b"/Headers[%b]" % _NAMES.sub(b"(" + self._name, match[5])
        if kind == 6:
            return b"/K[%4d]" % int(match[6])
        return match[7]
