"""The peer for documents: the loop that anybody writes first, over the same HTML, CSS and fonts."""

from __future__ import annotations

from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from ccm.compose import Composer
from ccm.compose.document.fetcher import LibraryFetcher
from ccm.compose.document.stylesheet import brand_stylesheet
from ccm.model.definitions import Channel
from ccm.model.records import Communication
from ccm.model.workspace import VariantPart
from ccm.run.prepare import Prepared


class PlainLoop:
    """Renders a communication's page and lays it out with `HTML(...).write_pdf()` and nothing else; untagged, as by default."""

    def __init__(self, prepared: Prepared) -> None:
        style = prepared.template.variants[Channel.DOCUMENT, VariantPart.STYLE].source
        self._css = brand_stylesheet(prepared.brand) + style
        self._fetcher = LibraryFetcher(prepared.workspace.library, (prepared.template.root, prepared.brand.root))
        workspace = prepared.workspace
        self._composer = Composer(prepared.template, prepared.brand, workspace.fragments, workspace.library)
        self._composer.__dict__["_document_composer"] = _Pages()  # takes the place of what would lay the page out

    def html(self, communication: Communication) -> str:
        """Return the page of a communication's document."""
        try:
            self._composer.compose(communication)
        except _Rendered as page:
            return page.html
        raise RuntimeError("the page could not be rendered")

    def markup(self, communication: Communication) -> str:
        """Return everything that texts of the document come from: page and style sheets."""
        return self.html(communication) + self._css

    def render(self, communication: Communication) -> bytes:
        """Make the PDF of a communication, from its data on."""
        fonts = FontConfiguration()
        sheet = CSS(string=self._css, url_fetcher=self._fetcher, font_config=fonts)
        page = HTML(string=self.html(communication), url_fetcher=self._fetcher)
        content: bytes = page.write_pdf(stylesheets=[sheet], font_config=fonts)
        return content


class _Rendered(Exception):
    """The page is there; composing ends."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html


class _Pages:
    """Takes the page that a composer of documents would lay out."""

    def compose(self, html: str, **_: Any) -> None:
        raise _Rendered(html)
