"""WeasyPrint, imported without a search for its libraries under the names that they have on other systems.

Why: It asks for each library by its Windows name first, and Python then runs a compiler and a linker to find such a one: half a
second of every command that makes a document.

Source: WeasyPrint 70, text/ffi.py (`_dlopen`); CPython, ctypes/util.py (`find_library`).
"""

from __future__ import annotations

import ctypes.util
import io
import sys
from contextlib import redirect_stdout


def load_layout_engine() -> None:
    """Import WeasyPrint, if nobody has; afterwards an import finds it at once.

    Raises:
        OSError: If Pango, HarfBuzz or fontconfig are not installed; WeasyPrint's words are on standard output then.
    """
    if "weasyprint" in sys.modules:
        return
    if sys.platform.startswith("linux") and _loaded_by_name():
        return
    import weasyprint  # noqa: F401  # once more, with the search


def _loaded_by_name() -> bool:
    """Import it with the libraries that the dynamic linker finds by their own names; tells whether that went well."""
    search = ctypes.util.find_library
    ctypes.util.find_library = lambda name: None
    try:
        with redirect_stdout(io.StringIO()):  # it prints when it finds no library
            import weasyprint  # noqa: F401
    except OSError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
            del sys.modules[name]
        return False
    finally:
        ctypes.util.find_library = search
    return True
