"""The layout engine is imported without a search for libraries, and with one where they have other names."""

from __future__ import annotations

import subprocess
import sys

NO_PROCESS = """
import sys
def forbid(event, arguments):
    if event == "subprocess.Popen":
        raise SystemExit(f"runs {arguments[0]}")
sys.addaudithook(forbid)
"""
OTHER_NAMES = """
import cffi.api
direct = cffi.api.FFI.dlopen
def other(self, name, flags=0):
    if name.endswith(".so.0") or ".so." in name:
        raise OSError("no library of this name")
    return direct(self, name, flags)
cffi.api.FFI.dlopen = other
"""
LOAD = """
import ctypes.util
search = ctypes.util.find_library
from ccm.layout_engine import load_layout_engine
load_layout_engine()
assert ctypes.util.find_library is search
import weasyprint
print(len(weasyprint.HTML(string="<p>Hello").write_pdf()) > 1000)
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


def test_no_compiler_is_asked_where_libraries_have_their_own_names() -> None:
    """On Linux the dynamic linker finds them; nothing else is run."""
    if sys.platform.startswith("linux"):
        assert python(NO_PROCESS + LOAD) == "True\n"


def test_libraries_of_other_names_are_searched_for() -> None:
    """Where the first way fails, WeasyPrint is imported as ever, and nothing is said of the first failure."""
    assert python(OTHER_NAMES + LOAD) == "True\n"
