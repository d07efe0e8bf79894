"""Content streams: the operators that draw a page, each piece of what is read in a mark of its own.

Source: ISO 32000-1, 9.4 (text) and 14.6 (marked content); text is shown as WeasyPrint 70 shows it (draw/text.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ccm.compose.document.fill import kernel
from ccm.compose.document.fill.display import Area, Areas, Color, Page, Picture, Shape, Stripe, StripeKind, Text
from ccm.compose.document.fill.run import UNITS, Run, operator
from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.fill.text.showing import glyphs_shown
from ccm.compose.document.fill.unfillable import Unfillable

SCALE = 0.75  # points in a CSS pixel
_MOST_FORMS = 5_000


@dataclass(slots=True)
class Used:
    """What the pages of one file need.

    glyphs: By face, beside those that every subset has.
    states: Names of graphics states, beside those that every file has.
    """

    glyphs: dict[int, set[int]] = field(default_factory=dict)
    states: set[bytes] = field(default_factory=set)
    kinds: set[StripeKind] = field(default_factory=set)


class Contents:
    """Writes the content of pages in the fonts of one brand; remembers how numbers and table rows are written."""

    def __init__(self, fonts: Sequence[FontFile]) -> None:
        self._fonts = fonts
        self._forms: dict[tuple[StripeKind, Color | None], tuple[bytes, Color | None]] = {}

    def page(self, page: Page, used: Used) -> tuple[bytes, int]:
        """Return the operators of a page and how many marks it has; what is marked learns its mark.

        Raises:
            Unfillable: If a colour or glyph needs more than this.
        """
        parts = [b"1 0 0 -1 0 %b cm\nq\n.75 0 0 .75 0 0 cm" % decimal(page.height * SCALE)]
        if page.areas:
            self._areas(page.areas, parts)
        ink: Color | None = None
        mark = 0
        for item in page.marked:
            item.mark = mark
            if type(item) is Stripe:
                ink = self._stripe(item, ink, used, parts)
                mark += len(item.runs)
            else:
                parts.append(b"/%b<</MCID %d>>BDC" % (b"Figure" if type(item) is Picture else b"Span", mark))
                ink = self._item(item, ink, used, parts.append)  # type: ignore[arg-type]  # stripes are gone
                parts.append(b"EMC")
                mark += 1
        if page.beside:
            parts.append(b"/Artifact BMC")
            for one in page.beside:
                ink = self._item(one, ink, used, parts.append)
            parts.append(b"EMC")
        parts.append(b"Q")
        return b"\n".join(parts), mark

    def _areas(self, areas: Sequence[Area | Areas | Shape], parts: list[bytes]) -> None:
        parts.append(b"/Artifact BMC")
        ink = None
        for area in areas:
            if area.color != ink:
                ink = area.color
                parts.append(_color(ink))
            if type(area) is Areas:
                parts.append(kernel.show_areas(area.places))
            elif type(area) is Shape:
                parts.append(b"q\n1 0 0 1 %.3f %.3f cm\n%b\nQ" % (area.x, area.y, area.operators))
            elif type(area) is Area:
                parts.append(b"%.3f %.3f %.3f %.3f re f" % (area.x, area.y, area.width, area.height))
        parts.append(b"EMC")

    def _item(self, item: Text | Picture, ink: Color | None, used: Used, add: Callable[[bytes], None]) -> Color | None:
        """Add the operators of one item; returns the colour that is set now."""
        if type(item) is Picture:
            add(b"q\n1 0 0 1 %.3f %.3f cm" % (item.dx, item.dy))
            add(item.drawing.operators)
            used.states |= item.drawing.states
            add(b"Q")
            return ink
        assert type(item) is Text
        run = item.run
        if item.color != ink:
            add(_color(item.color))
        if run.parts:
            add(b"BT\n1 0 0 -1 %.3f %.3f Tm\n%b\nET" % (item.x, item.y, self._in_parts(run, used)))
            return item.color
        shown = run.shown or self._shown(run)
        glyphs = used.glyphs.setdefault(run.face, set())
        if run.rare:
            glyphs |= run.rare
        add(b"BT\n1 0 0 -1 %.3f %.3f Tm\n%b\n%b\nET" % (item.x, item.y, _font(run.face, run.size), shown))
        return item.color

    def _stripe(self, stripe: Stripe, ink: Color | None, used: Used, parts: list[bytes]) -> Color | None:
        """Add the operators of table rows; returns the colour that is set now."""
        forms = []
        for kind in stripe.kinds:
            if kind not in used.kinds:
                used.kinds.add(kind)
                for face, _, _ in kind.faces:
                    used.glyphs.setdefault(face, set())
            form, ink = self._forms.get((kind, ink)) or self._form(kind, ink)
            forms.append(form)
        if stripe.runs:
            shown, rare = kernel.show_rows(forms, stripe.mark, stripe.across, stripe.down, stripe.runs, self._shown)
            for run in rare:
                used.glyphs[run.face] |= run.rare
            parts.append(shown)
        return ink

    def _form(self, kind: StripeKind, ink: Color | None) -> tuple[bytes, Color | None]:
        """Return the operators of a kind of row without its values, and the colour that is set afterwards."""
        if len(self._forms) >= _MOST_FORMS:
            self._forms.clear()
        made = self._forms[kind, ink] = _form(kind, ink)
        return made

    def _said(self, run: Run) -> dict[int, tuple[int, bytes]]:
        """Return what must be said of glyphs that alone would be read as another text: by the first, where they end."""
        found = {}
        at = 0
        for count, text in run.clusters:
            glyphs = run.parts[at : at + count]
            own = "".join([self._fonts[glyph.face].text([glyph.number]) for glyph in glyphs])
            if sorted(own) != sorted(text.replace("\u00a0", " ")):
                found[at] = (at + count, b"/Span<</ActualText<feff%b>>>BDC" % text.encode("utf-16-be").hex().encode())
            at += count
        return found

    def _in_parts(self, run: Run, used: Used) -> bytes:
        """Return the operators that show a run as Pango placed it, in the engine's own form."""
        if not run.shown:
            run.shown = b"\n".join(self._placed(run))
        for glyph in run.parts:
            used.glyphs.setdefault(glyph.face, set())
            used.glyphs[glyph.face] |= self._fonts[glyph.face].rare((glyph.number,))
        return run.shown

    def _placed(self, run: Run) -> Iterator[bytes]:
        size = int(run.size * UNITS) / UNITS
        face = -1
        string = ""
        said = self._said(run)
        end = -1
        for at, glyph in enumerate(run.parts):
            if glyph.face != face or at in said or at == end:
                if string:
                    yield _closed(string)
                string = "" if glyph.opens or not string else "<"
                if at == end:
                    yield b"EMC"
                if glyph.face != face:
                    face = glyph.face
                    yield _font(face, run.size)
                if at in said:
                    end, mark = said[at]
                    yield mark
            if glyph.opens:
                string += "<"
            offset = glyph.across / size
            if glyph.rise:
                if string not in ("", "<"):
                    yield _closed(string)
                moved = f"{-offset:.6g}" if offset else ""
                yield b"%.6g Ts\n[%b<%04x>]TJ\n0 Ts" % (-glyph.rise, moved.encode("ascii"), glyph.number)
                string = "<"
            else:
                string += (f">{-offset:.6g}<" if offset else "") + f"{glyph.number:04x}"
            kerning = self._fonts[face].width(glyph.number) + offset - glyph.advance * 1000 / UNITS / size
            if kerning:
                string += f">{int(kerning)}<"
            if at + 1 == len(run.parts) or run.parts[at + 1].opens:
                string = string[:-1] if string.endswith("<") else string + ">"
        if string:
            yield _closed(string)
        if end == len(run.parts):
            yield b"EMC"

    def _shown(self, run: Run) -> bytes:
        """Return the operator that shows a run; the run remembers it."""
        shown, run.rare = glyphs_shown(run, self._fonts[run.face])
        run.shown = operator(shown)
        return run.shown


def _closed(string: str) -> bytes:
    """Return the operator that shows glyphs and moves, whose last string may still be open."""
    if string.endswith("<"):
        string = string[:-1]
    elif not string.endswith(">") and string.rfind("<") > string.rfind(">"):
        string += ">"
    return b"[%b]TJ" % string.encode("ascii")


def _form(kind: StripeKind, ink: Color | None) -> tuple[bytes, Color | None]:
    """Return the operators of a kind of row without its values, and the colour that is set afterwards."""
    form = b""
    for face, size, color in kind.faces:
        form += b"/Span<</MCID %d>>BDC\n"
        if color != ink:
            form += _color(color) + b"\n"
            ink = color
        form += b"BT\n1 0 0 -1 %.3f %.3f Tm\n" + _font(face, size) + b"\n%b\nET\nEMC\n"
    return form, ink


def _font(face: int, size: float) -> bytes:
    return b"/F%d %.6g Tf" % (face, int(size * UNITS) / UNITS)


def decimal(value: float) -> bytes:
    """Return a number without needless decimals."""
    return (b"%.6f" % value).rstrip(b"0").rstrip(b".")


def _color(ink: Color) -> bytes:
    if ink[3] != 1:
        raise Unfillable("a colour that is not opaque")
    return b"%.6g %.6g %.6g rg" % ink[:3]
