"""Documents: the template's HTML and CSS become one PDF that is PDF/UA-1 and PDF/A-3a at once."""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime
from typing import Any

from weasyprint import Attachment as PdfAttachment

from ccm.compose.document.fetcher import media_type_of
from ccm.compose.document.filling import Filling
from ccm.compose.document.layout_problem import LayoutProblem, prevents_output
from ccm.compose.document.pdf_metadata import ConformanceMark, describe
from ccm.compose.document.typesetting import Typesetter
from ccm.model.definitions import Channel
from ccm.model.records import DocumentRendition, Finding, PlannedPiece
from ccm.model.workspace import Brand, ContentLibrary, MissingContent, Template, VariantPart


class DocumentComposer:
    """Makes the documents of one template in one brand.

    Fonts and stylesheet are read once, so keep it for a whole run; one per thread.
    """

    def __init__(self, template: Template, brand: Brand, library: ContentLibrary) -> None:
        style = template.variants.get((Channel.DOCUMENT, VariantPart.STYLE))
        self._brand = brand
        self._typesetter = Typesetter(
            brand, library, roots=(template.root,), style=style.source if style is not None else ""
        )
        self._attachments, self._missing = _attached_files(template, library)
        always = "the document carries files" if self._attachments or self._missing else ""
        rules = template.definition.document
        if not rules.fill:
            always = "fill is off in template.yaml"
        # Why the layout engine was asked although the last page was filled then; empty if it was not asked.
        self.taught = ""
        self._filling = Filling(brand, library, self._typesetter, rules.compared, always)

    def compose(
        self,
        html: str,
        *,
        piece: PlannedPiece,
        language: str,
        direction: str,
        issued_at: datetime,
        filename: str,
    ) -> tuple[DocumentRendition | None, tuple[Finding, ...], str]:
        """Make the PDF of one piece, filled where that is known to give what the layout engine gives.

        Args:
            html: The rendered document; `<title>` becomes the PDF's title.
            piece: Its id goes into the file's metadata and identifier.
            language: BCP 47; for pages that do not say it themselves.
            direction: ltr or rtl; likewise.
            issued_at: Aware; the file's dates. The same arguments always give the same bytes.
            filename: As the customer sees it.
        Returns:
            The rendition, or None if a finding is an error; findings in any case; why the page was not filled,
            empty if it was.
        """
        self.taught = ""
        filled = self._filling.fill(html, piece.piece_id, language, direction, issued_at)
        if filled.content:
            self.taught = filled.reason
            return DocumentRendition(piece.piece_id, filename, filled.title, filled.pages, filled.content), (), ""

        def finish(document: Any) -> None:
            describe(
                document.metadata,
                author=self._brand.definition.title,
                piece_id=piece.piece_id,
                language=language,
                issued_at=issued_at,
            )

        typeset = self._typesetter.lay_out(html, language=language, direction=direction)
        again = filled
        if filled.learns:
            again = self._filling.learn(html, piece.piece_id, language, direction, issued_at, typeset)
        refused = self._typesetter.refused()  # by now learning has drawn every picture
        if again.content and not refused:  # then the engine need not write it
            self.taught = filled.reason
            return DocumentRendition(piece.piece_id, filename, again.title, again.pages, again.content), (), ""
        typeset = self._typesetter.written(
            typeset,
            finish,
            pdf_variant="pdf/a-3a",
            pdf_identifier=piece.piece_id.encode(),
            finisher=ConformanceMark(piece.piece_id),
            attachments=[self._attach(path, content, issued_at) for path, content in self._attachments],
        )
        problems = list(dict.fromkeys((*self._missing, *typeset.problems, *refused, *again.problems)))
        title = (typeset.document.metadata.title or "").strip() if typeset.document else ""
        if typeset.document and not title:
            problems.append(
                LayoutProblem("missing-title", "the document has no title", "put a <title> into document.html")
            )
        findings = tuple(problem.as_finding(piece.piece_id, Channel.DOCUMENT) for problem in problems)
        if prevents_output(problems):
            return None, findings, again.reason
        pages = len(typeset.document.pages)
        return DocumentRendition(piece.piece_id, filename, title, pages, typeset.content), findings, again.reason

    def _attach(self, path: str, content: bytes, issued_at: datetime) -> PdfAttachment:
        moment = issued_at.astimezone(UTC)
        name = posixpath.basename(path)
        return PdfAttachment(
            string=content,
            name=name,
            description=name,
            created=moment,
            modified=moment,
            relationship="Data" if media_type_of(path).endswith(("csv", "json", "xml")) else "Supplement",
        )


def _attached_files(
    template: Template, library: ContentLibrary
) -> tuple[tuple[tuple[str, bytes], ...], tuple[LayoutProblem, ...]]:
    files: list[tuple[str, bytes]] = []
    missing: list[LayoutProblem] = []
    for name in template.definition.document.attachments:
        path = posixpath.normpath(posixpath.join(template.root, name))
        try:
            files.append((path, library.read(path)))
        except MissingContent:
            missing.append(
                LayoutProblem(
                    "missing-file",
                    f'the workspace has no file "{path}"',
                    "add the file, or take it off document.attachments",
                )
            )
    return tuple(files), tuple(missing)
