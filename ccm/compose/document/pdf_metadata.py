"""What a PDF says about itself: PDF/UA-1 beside PDF/A-3a, author, dates and the piece's id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

# PDF/A allows foreign metadata only with a description of its schema beside it.
_PDFUA = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">\
<pdfuaid:part>1</pdfuaid:part></rdf:Description>\
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">\
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">\
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>\
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Part of ISO 14289 that the file follows</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""
_END = b"</rdf:RDF>"


def describe(metadata: Any, *, author: str, piece_id: str, language: str, issued_at: datetime) -> None:
    """Fill a laid-out document's metadata; `<title>` and `<meta name=description>` stay the template's.

    Args:
        metadata: WeasyPrint's `DocumentMetadata`.
        issued_at: Aware; becomes created and modified, so that the same piece gives the same bytes.
    """
    moment = issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata.authors = [author]
    metadata.keywords = [*metadata.keywords, piece_id]
    metadata.created = metadata.modified = moment
    metadata.lang = metadata.lang or language


def conformance(piece_id: str) -> str:
    """Return the XMP descriptions that say PDF/UA-1 and name the piece."""
    return _PDFUA.decode() + _identifier(piece_id)


def _identifier(piece_id: str) -> str:
    return (
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:identifier>{escape(piece_id)}</dc:identifier></rdf:Description>"
    )


class ConformanceMark:
    """Finisher of a PDF: writes the PDF/UA mark and the piece's id into the first rdf:RDF, and gives each table a body.

    Why: Validators read only the first rdf:RDF; the engine's own option for more metadata adds a second. A table of a head
    alone, of a customer without entries, breaks PDF/UA-1 unless it has a body, empty as it is.
    Source: ISO 14289-1 clause 5 and 7.2; ISO 19005-3 clause 6.6.2.3.
    """

    def __init__(self, piece_id: str) -> None:
        self._identifier = _identifier(piece_id).encode()

    def __call__(self, document: Any, pdf: Any) -> None:
        """Change metadata and tags in place; the engine calls this right before the trailer."""
        _complete_tables(pdf)
        for item in pdf.objects:
            if getattr(item, "extra", {}).get("Type") == "/Metadata":
                head, mark, tail = bytes(item.stream[0]).partition(_END)
                assert mark, "the engine wrote metadata without rdf:RDF"
                item.stream[0] = head + _PDFUA + self._identifier + mark + tail
                return
        raise AssertionError("the engine wrote no metadata")


def _complete_tables(pdf: Any) -> None:
    from pydyf import Array, Dictionary

    for table in [one for one in pdf.objects if isinstance(one, Dictionary) and one.get("S") == "/Table"]:
        kinds = {pdf.objects[int(kid.split()[0])]["S"] for kid in table["K"]}
        if "/THead" in kinds and "/TBody" not in kinds:
            body = Dictionary(
                {"Type": "/StructElem", "S": "/TBody", "K": Array([]), "Pg": table["Pg"], "P": table.reference}
            )
            pdf.add_object(body)
            table["K"].append(body.reference)
