"""The stylesheet that every page of a brand starts from: its fonts and its tokens."""

from __future__ import annotations

import posixpath
import re

from ccm.compose.document.fetcher import library_url
from ccm.compose.figures.charts import CHART_STYLE
from ccm.model.definitions import FontFile
from ccm.model.workspace import Brand

_UNSAFE_VALUE = re.compile(r"[{};<]|/\*")
_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def brand_stylesheet(brand: Brand) -> str:
    """Return CSS with a `@font-face` for each font file and a variable for each token.

    Token `color.brand.primary` becomes `--color-brand-primary`. All families of the brand are the default
    font, in the order of the brand file, so that text without a font of its own stays in the brand, and a
    script that the first family lacks falls to the next.
    """
    families = dict.fromkeys(font.family for font in brand.definition.fonts)
    fallback = ", ".join(_quoted(family) for family in families)
    faces = "\n".join(_font_face(brand, font) for font in brand.definition.fonts)
    return "\n".join(
        (
            faces,
            f":root {{ {_variables(brand)} }}",
            f"html {{ font-family: {fallback}; overflow-wrap: break-word }}",
            "[dir=rtl] { direction: rtl }",
            "[dir=ltr] { direction: ltr }",
            CHART_STYLE,
        )
    )


def font_paths(brand: Brand) -> tuple[str, ...]:
    """Return the library paths of the brand's fonts, in the brand file's order, each once."""
    paths = (posixpath.normpath(posixpath.join(brand.root, font.file)) for font in brand.definition.fonts)
    return tuple(dict.fromkeys(paths))


def _font_face(brand: Brand, font: FontFile) -> str:
    path = posixpath.normpath(posixpath.join(brand.root, font.file))
    # A range is the file's own business: fontconfig reads the axes of a variable font.
    weight = f"font-weight: {font.weight}; " if font.weight.isalnum() else ""
    return (
        f'@font-face {{ font-family: {_quoted(font.family)}; src: url("{library_url(path)}"); '
        f"{weight}font-style: {font.style} }}"
    )


def _variables(brand: Brand) -> str:
    return " ".join(
        f"--{_UNSAFE_NAME.sub('-', token.path)}: {token.value};"
        for token in brand.tokens.values()
        if not _UNSAFE_VALUE.search(token.value)
    )


def _quoted(text: str) -> str:
    return '"' + re.sub(r'["\\\n\r]', "", text) + '"'
