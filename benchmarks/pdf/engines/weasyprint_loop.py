"""WeasyPrint as everybody begins: a new style sheet, font configuration and page for every document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from benchmarks.pdf.engines.html_pages import HtmlPages
from benchmarks.pdf.engines.values import lines_of


class Engine:
    """The plain loop; options go to `write_pdf`."""

    def __init__(self, folder: Path, **options: str) -> None:
        self._pages = HtmlPages(folder)
        self._lines = lines_of(folder)
        self._options = options

    def make(self, start: int, count: int) -> Iterator[bytes]:
        """Make some documents."""
        for line in self._lines[start : start + count]:
            fonts = FontConfiguration()
            sheet = CSS(string=self._pages.css, font_config=fonts)
            page = HTML(string=self._pages.page(line))
            yield page.write_pdf(stylesheets=[sheet], font_config=fonts, **self._options)
