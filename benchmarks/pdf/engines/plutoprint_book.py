"""PlutoPrint, tuned: its fonts come from fontconfig, because every @font-face is read anew for every document."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import plutoprint

from benchmarks.pdf.engines.html_pages import HtmlPages
from benchmarks.pdf.engines.values import lines_of

_FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class Engine:
    """The same page as WeasyPrint gets."""

    def __init__(self, folder: Path) -> None:
        settings = folder / "fontconfig"
        settings.mkdir(exist_ok=True)
        text = _FONTCONFIG.format(fonts=folder / "brands/north-bank/fonts", cache=settings / "cache")
        (settings / "fonts.conf").write_text(text, encoding="utf-8")
        plutoprint.plutobook_set_fontconfig_path(str(settings))  # the folder of fonts.conf
        pages = HtmlPages(folder)
        self._lines = lines_of(folder)
        self._page = lambda line: pages.page(line).replace(
            "</head>", f"<style>{pages.css_without_faces}</style></head>"
        )

    def make(self, start: int, count: int) -> Iterator[bytes]:
        """Make some documents."""
        for line in self._lines[start : start + count]:
            book = plutoprint.Book(plutoprint.PAGE_SIZE_A4)
            book.load_html(self._page(line))  # type: ignore[no-untyped-call]
            stream = BytesIO()
            book.write_to_pdf_stream(stream)
            yield stream.getvalue()
