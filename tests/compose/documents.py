"""A small brand and template made in memory from the sample brand's fonts, for tests of documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from ccm.compose.document.composer import DocumentComposer
from ccm.model.definitions import BrandDefinition, Channel, TemplateDefinition
from ccm.model.records import DocumentRendition, Finding, PlannedPiece
from ccm.model.workspace import Brand, ContentLibrary, Template, Token, Variant, VariantPart

ROOT = Path(__file__).resolve().parents[2]
FONTS = {
    "IBMPlexSans-Regular.ttf": ("Plex", "400", "northwind-bank"),
    "IBMPlexSans-SemiBold.ttf": ("Plex", "600", "northwind-bank"),
    "IBMPlexSansArabic-Regular.ttf": ("Plex Arabic", "400", "northwind-bank"),
    "IBMPlexSansJP-Regular.ttf": ("Plex JP", "400", "_shared"),
}
ISSUED = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
PIECE = PlannedPiece("p-abcdefghijklmnopqrstuvwxyz", Channel.DOCUMENT, "", True, "archive")
STYLE = """
@page { size: A4; margin: 20mm; @bottom-right { content: counter(page) " / " counter(pages) } }
body { font-size: 10pt; color: var(--color-text) }
table { border-collapse: collapse; width: 100% } th, td { text-align: start; padding: 2pt }
"""


@cache
def font_files() -> Mapping[str, bytes]:
    return {
        f"brands/test/fonts/{name}": (ROOT / "brands" / folder / "fonts" / name).read_bytes()
        for name, (_, _, folder) in FONTS.items()
    }


def brand() -> Brand:
    definition = BrandDefinition.model_validate(
        {
            "brand": "test",
            "title": "Test & Söhne",
            "logo": {"file": "logo.svg", "alt": "Test"},
            "fonts": [{"family": f, "file": f"fonts/{n}", "weight": w} for n, (f, w, _) in FONTS.items()],
            "senders": {"email": {"name": "Test", "address": "a@test.example"}},
            "address": ["Test"],
            "legal": {},
        }
    )
    tokens = {
        "color.text": Token("color.text", "color", "#222222"),
        "color.brand.primary": Token("color.brand.primary", "color", "#0b5cad"),
    }
    return Brand(definition, "brands/test", tokens)


def template(style: str = STYLE, attachments: tuple[str, ...] = (), fill: bool = True) -> Template:
    definition = TemplateDefinition.model_validate(
        {
            "template": "letter",
            "title": "Letter",
            "purpose": "transactional",
            "locales": ["en"],
            "contract": {"name": "text"},
            "channels": {"required": ["document"]},
            "document": {"attachments": attachments, "fill": fill},
        }
    )
    path = "templates/letter/document.css"
    variant = Variant(Channel.DOCUMENT, VariantPart.STYLE, path, style)
    return Template(definition, "templates/letter", {(Channel.DOCUMENT, VariantPart.STYLE): variant}, {}, {})


def composer(
    style: str = STYLE, files: Mapping[str, bytes] | None = None, attachments: tuple[str, ...] = (), fill: bool = True
) -> DocumentComposer:
    library = ContentLibrary({**font_files(), **(files or {})})
    return DocumentComposer(template(style, attachments, fill), brand(), library)


def compose(
    made: DocumentComposer, html: str, language: str = "en", direction: str = "ltr"
) -> tuple[DocumentRendition | None, tuple[Finding, ...]]:
    rendition, findings, _ = made.compose(
        html, piece=PIECE, language=language, direction=direction, issued_at=ISSUED, filename="letter.pdf"
    )
    return rendition, findings


def page(body: str, title: str = "A letter") -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}
