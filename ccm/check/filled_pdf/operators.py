"""Operators of a page: texts, what places them, and what says nothing.

Colours, lines and areas say nothing. Texts that stand straight and unscaled in width are known, with the few operators that
place them; everything else leaves the file to the general reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ccm.check.filled_pdf.faces import Faces
from ccm.check.filled_pdf.placed import UNMOVED, Form, Frame, Item, Matrix, product
from ccm.check.filled_pdf.unread import Unread

_N = rb"-?[0-9.]++"
_OPERANDS = rb"(?:[0-9.-][0-9. -]*+(?<= ))?"  # of painting: how many there are says nothing
_PAINT = rb"(?:re f|rg|RG|re|m|l|c|v|y|h|f\*?|S|s|B\*?|b\*?|n|W\*?|w|J|j|M|i|g|G|k|K)"
# A match is one of: a text as most stand there, with the marks around it (place, font and string); any number of painting
# operators (nothing); another operator (its operands and itself); something that is none.
TOKENS = re.compile(
    rb"BT\n1 0 0 -1 (" + _N + rb") (" + _N + rb") Tm\n(/F[0-9]++ " + _N + rb" Tf\n\[[^\]()]*+\]TJ)\nET\n"
    rb"(?:EMC\n)?(?:/Span<</MCID [0-9]++>>BDC\n)?(?:" + _N + rb" " + _N + rb" " + _N + rb" rg\n)?"
    rb"|(?:" + _OPERANDS + _PAINT + rb"\n)++"
    rb"|((?:[+-]?[\d.]+\s+|/[^\s/<>\[\]()]+\s*|<<[^<>()]*>>\s*|<[0-9A-Fa-f\s]*>\s*"
    rb"|\[(?:[^\]()\\]|\((?:[^()\\]|\\.)*\))*\]\s*|\((?:[^()\\]|\\.)*\)\s*)*)([A-Za-z]+\*?)(?=[\s/\[(<]|\Z)"
    rb"|(\S)",
    re.DOTALL,
)
SILENT = frozenset(b"re f f* F rg RG g G k K m l c v y h S s B B* b b* n W W* w J j M d i ri gs EMC BMC MP".split())
_MARK = re.compile(rb"/\w+\s*<<\s*/MCID \d+\s*>>\s*")


class State:
    """What operators set, within one stream.

    Args:
        ctm: As the stream begins.
        form: The form that the stream belongs to.
        show: Takes up a text.
        set_form: Takes up a form that an operator names, set by a matrix.
    """

    def __init__(
        self,
        faces: Faces,
        ctm: Matrix,
        form: Form | None,
        show: Callable[[Item], None],
        set_form: Callable[[str, Matrix], None],
    ) -> None:
        self._faces, self._form, self._show_item, self._set_form = faces, form, show, set_form
        self._upwards = form.upwards if form else 1
        self._ctm = ctm
        self._saved: list[tuple[Matrix, bytes, float, float]] = []
        self._font, self._size, self._leading = b"", 0.0, 0.0
        self._line = self._text = UNMOVED

    def frame(self) -> Frame:
        """Return how texts are set that stand upright when they are turned over."""
        a, b, c, d, e, f = self._ctm
        if b or c or a != -d * self._upwards or a <= 0:
            raise Unread("a page that is turned")
        return Frame(a, e, d, f, self._form)

    def set_font(self, phrase: bytes) -> None:
        """Take over the font that a whole text set for itself."""
        name, size, *_ = phrase.split(maxsplit=2)
        self._font, self._size = name[1:], float(size)

    def end(self) -> None:
        """Check that the stream leaves nothing open."""
        if self._saved:
            raise Unread("a state that is never restored")

    def operate(self, operator: bytes, operands: bytes) -> None:
        """Do what one operator says."""
        match operator:
            case b"q":
                self._saved.append((self._ctm, self._font, self._size, self._leading))
            case b"Q":
                if not self._saved:
                    raise Unread("a state that was never saved")
                self._ctm, self._font, self._size, self._leading = self._saved.pop()
            case b"cm":
                self._ctm = product(_numbers(operands, 6), self._ctm)
            case b"BT":
                self._line = self._text = UNMOVED
            case b"ET":
                pass
            case b"Tm":
                a, b, c, d, e, f = _numbers(operands, 6)
                self._line = self._text = (a, b, c, d, e, f)
            case b"Td" | b"TD":
                x, y = _numbers(operands, 2)
                if operator == b"TD":
                    self._leading = -y
                self._line = self._text = product((1, 0, 0, 1, x, y), self._line)
            case b"TL":
                (self._leading,) = _numbers(operands, 1)
            case b"T*":
                self._line = self._text = product((1, 0, 0, 1, 0, -self._leading), self._line)
            case b"Tf":
                name, size = operands.split()
                self._font, self._size = name.removeprefix(b"/"), float(size)
            case b"Tc" | b"Tw":
                if _numbers(operands, 1) != (0.0,):
                    raise Unread("letters set apart")
            case b"TJ" | b"Tj":
                self._show(operands.strip())
            case b"BDC":
                if not _MARK.fullmatch(operands):
                    raise Unread("a mark with more than its number")
            case b"Do":
                self._set_form(operands.strip()[1:].decode("latin1"), self._ctm)
            case _:
                raise Unread("an operator that is not known")

    def _show(self, operand: bytes) -> None:
        shown = self._faces.shown(self._font, self._size, operand[1:-1] if operand[:1] == b"[" else operand)
        a, b, c, d, e, f = product(self._text, self._ctm)
        if b or c or abs(a - d * self._upwards) > 1e-9 or a <= 0:
            raise Unread("a text that is turned")
        self._show_item((shown, shown.start, 0.0, Frame(a, e, d, f, self._form)))
        self._text = product((1, 0, 0, 1, shown.advance, 0), self._text)


def _numbers(operands: bytes, count: int) -> tuple[float, ...]:
    try:
        found = tuple(map(float, operands.split()))
    except ValueError:
        raise Unread("an operand that is no number") from None
    if len(found) != count:
        raise Unread("another number of operands")
    return found
