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
    """Renders a communication's document with `HTML(...).write_pdf()` and nothing else; untagged, as by default."""

    def __init__(self, prepared: Prepared, composer: Composer) -> None:
        style = prepared.template.variants[Channel.DOCUMENT, VariantPart.STYLE].source
        self._css = brand_stylesheet(prepared.brand) + style
        self._fetcher = LibraryFetcher(prepared.workspace.library, (prepared.template.root, prepared.brand.root))
        self._composer = composer
        self._html: dict[str, str] = {}
        self._watch()

    def render(self, communication: Communication) -> bytes:
        """Make the PDF of a communication that the composer has composed before; the HTML is taken from there."""
        fonts = FontConfiguration()
        sheet = CSS(string=self._css, url_fetcher=self._fetcher, font_config=fonts)
        page = HTML(string=self._html[communication.pieces[0].piece_id], url_fetcher=self._fetcher)
        content: bytes = page.write_pdf(stylesheets=[sheet], font_config=fonts)
        return content

    def _watch(self) -> None:
        documents: Any = self._composer._document_composer
        compose = documents.compose

        def watched(html: str, **options: Any) -> Any:
            self._html[options["piece"].piece_id] = html
            return compose(html, **options)

        documents.compose = watched
