"""The innermost loops of filling: in C where they were compiled, else in Python; both give the same to the last bit.

Why: A statement has hundreds of texts in its tables, and a dozen small steps of Python for each of them are half of all time.
What is compiled is `_kernel.c`, for the stable interface of Python, when the package is built and there is a compiler.
"""

from __future__ import annotations

from types import ModuleType

from ccm.compose.document.fill import kernel_in_python

COMPILED: ModuleType | None
try:
    from ccm.compose.document.fill import _kernel
except ImportError:
    COMPILED = None
    narrowest = kernel_in_python.narrowest
    place_row = kernel_in_python.place_row
    place_rows = kernel_in_python.place_rows
    read_rows = kernel_in_python.read_rows
    show_areas = kernel_in_python.show_areas
    show_rows = kernel_in_python.show_rows
    widest = kernel_in_python.widest
else:
    COMPILED = _kernel
    narrowest = _kernel.narrowest
    place_row = _kernel.place_row
    place_rows = _kernel.place_rows
    read_rows = _kernel.read_rows
    show_areas = _kernel.show_areas
    show_rows = _kernel.show_rows
    widest = _kernel.widest
