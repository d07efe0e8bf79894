"""Arabic letters in two PDFs, compared by their glyphs, because the engine says wrongly what they stand for.

The engine notes for each glyph the text of the first place where it stood: nothing, if the letter before it in the same
cluster took the text (the dots of a letter that is drawn from body and dots), both letters of a ligature, and the letter of
that place, although other letters have the same dots. Ours says each cluster's own text. So where the engine's file has such
a glyph, both files' Arabic fonts are told to name glyphs by their numbers, and what ours says is held against the page.

Source: WeasyPrint 70, draw/text.py, `font.to_unicode`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf

_ENTRY = re.compile(rb"<([0-9a-fA-F]{4})> <([0-9a-fA-F]*)>")
_FIRST, _LAST = "\u0600", "\u06ff"
_WORDS = re.compile(f"[{_FIRST}-{_LAST}]+")
_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_NUMBERED = 0xE000  # private signs from here on name glyphs; fonts of ours have fewer glyphs than there are such signs
_SAID, _UNSAID = b"/ActualText", b"/NotAskedOf"


def by_glyph(ours: bytes, theirs: bytes) -> tuple[bytes, bytes] | None:
    """Return both files with Arabic fonts that name their glyphs; None if the engine's file has not the known fault."""
    with pikepdf.open(io.BytesIO(theirs)) as other:
        if not any(_is_faulty(font) for font in _arabic_fonts(other)):
            return None
        its = _numbered(other)
    with pikepdf.open(io.BytesIO(ours)) as one:
        return _numbered(one), its


def unknown_words(content: bytes, page: Callable[[], str]) -> int:
    """Return how many Arabic words a PDF of ours says that the page has not.

    Args:
        page: Returns the page's markup and its style sheets. Letters of a word are looked up in any order: a file has them
            as they stand from left to right.
    """
    with pikepdf.open(io.BytesIO(content)) as pdf:
        if not any(True for _ in _arabic_fonts(pdf)):
            return 0
        texts = [text for one in pdf.pages for text in _Said(one).texts]
        counters = [str(number).translate(_DIGITS) for number in range(1, len(pdf.pages) + 1)]
    known = {"".join(sorted(word)) for word in (*_WORDS.findall(page()), *counters)}
    found = [word for text in texts for word in _WORDS.findall(text)]
    return sum("".join(sorted(word)) not in known for word in found)


class _Said:
    """Reads what the texts of a page say, glyph by glyph, or as a mark around some glyphs says."""

    def __init__(self, page: Any) -> None:
        self.texts: list[str] = []
        self._font: dict[int, str] = {}
        self._marks: list[bool] = []  # whether the mark says the text of what is inside
        self._read(page, page.Resources)

    def _read(self, content: Any, resources: Any) -> None:
        fonts = {name: _map_of(font) for name, font in resources.get("/Font", {}).items()}
        for one in pikepdf.parse_content_stream(content):
            operands: Any = one.operands
            match str(one.operator):
                case "BDC" | "BMC":
                    self._mark(operands)
                case "BT":
                    self.texts.append("")
                case "EMC":
                    self._marks.pop()
                case "Tf":
                    self._font = fonts[str(operands[0])]
                case "TJ" if not any(self._marks):
                    self._show(operands[0])
                case "Do" if (form := resources.XObject[str(operands[0])]).Subtype == "/Form":
                    self._read(form, form.get("/Resources", resources))

    def _mark(self, operands: Any) -> None:
        properties: Any = operands[1] if len(operands) > 1 else None
        says = isinstance(properties, pikepdf.Dictionary) and "/ActualText" in properties
        self._marks.append(says)
        if says:
            self._say(str(properties["/ActualText"]))

    def _show(self, parts: Any) -> None:
        for part in parts:
            if isinstance(part, pikepdf.String):
                glyphs = bytes(part)
                codes = [int.from_bytes(glyphs[at : at + 2], "big") for at in range(0, len(glyphs), 2)]
                self._say("".join(self._font.get(code, "") for code in codes))

    def _say(self, text: str) -> None:
        self.texts = [*self.texts[:-1], (self.texts or [""])[-1] + text]


def _map_of(font: Any) -> dict[int, str]:
    if "/ToUnicode" not in font:
        return {}
    return {int(glyph, 16): _text(said) for glyph, said in _ENTRY.findall(font.ToUnicode.read_bytes())}


def _numbered(pdf: Any) -> bytes:
    for font in _arabic_fonts(pdf):
        said = font.ToUnicode.read_bytes()
        font.ToUnicode.write(_ENTRY.sub(_by_number, said))
    for stream in pdf.objects:
        if isinstance(stream, pikepdf.Stream) and stream.get("/Subtype") != "/Image" and "/ToUnicode" not in stream:
            content = stream.read_bytes()
            if _SAID in content:
                stream.write(content.replace(_SAID, _UNSAID))
    written = io.BytesIO()
    pdf.save(written)
    return written.getvalue()


def _by_number(entry: re.Match[bytes]) -> bytes:
    number = int(entry[1], 16)
    blank = not _text(entry[2]).strip() and entry[2] != b""
    return entry[0] if blank else b"<%s> <%04x>" % (entry[1], _NUMBERED + number)


def _is_faulty(font: Any) -> bool:
    said = [text for _, text in _ENTRY.findall(font.ToUnicode.read_bytes())]
    return any(len(text) != 4 for text in said)


def _arabic_fonts(pdf: Any) -> Iterator[Any]:
    """Yield the fonts that have an Arabic letter, each once."""
    seen = set()
    for page in pdf.pages:
        for font in page.Resources.get("/Font", {}).values():
            if font.objgen in seen or "/ToUnicode" not in font:
                continue
            seen.add(font.objgen)
            texts = [_text(text) for _, text in _ENTRY.findall(font.ToUnicode.read_bytes())]
            if any(_FIRST <= sign <= _LAST for text in texts for sign in text):
                yield font


def _text(said: bytes) -> str:
    return bytes.fromhex(said.decode("ascii")).decode("utf-16-be")
