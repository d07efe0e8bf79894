"""The innermost loops of filling: in C where they were compiled, else in Python; both give the same to the last bit.

Why: A statement has hundreds of texts in its tables, and a dozen small steps of Python for each of them are half of all time.
What is compiled is `_kernel.c`, for the stable interface of Python, when the package is built and there is a compiler.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ccm.compose.document.fill import kernel_in_python

COMPILED: Any
try:
    COMPILED = import_module("ccm.compose.document.fill._kernel")
except ImportError:
    COMPILED = None

if TYPE_CHECKING:
    _LOOPS = kernel_in_python
else:
    _LOOPS = COMPILED or kernel_in_python

narrowest = _LOOPS.narrowest
place_row = _LOOPS.place_row
place_rows = _LOOPS.place_rows
read_rows = _LOOPS.read_rows
show_areas = _LOOPS.show_areas
show_rows = _LOOPS.show_rows
widest = _LOOPS.widest
