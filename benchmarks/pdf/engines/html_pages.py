"""The page that the engines of HTML get: the same template and style sheet as ours, through plain Jinja."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from jinja2 import Environment

from benchmarks.pdf.engines.values import day, money, read
from ccm.compose.document.stylesheet import brand_stylesheet
from ccm.load import load_workspace

_FACE = re.compile(r"@font-face \{[^}]*\}\n?")
_LIBRARY = re.compile(r'url\("[^"]*?/(fonts/[^"/]+)"\)')


class HtmlPages:
    """Renders statements to HTML."""

    def __init__(self, folder: Path) -> None:
        environment = Environment(autoescape=True)
        environment.filters.update(money=money, date=day)
        environment.globals["asset"] = lambda name: (folder / "brands/north-bank/logo.svg").as_uri()
        template = folder / "templates/bank-statement"
        self._template = environment.from_string((template / "document.html").read_text(encoding="utf-8"))
        workspace, _ = load_workspace(folder)
        assert workspace is not None
        shared = brand_stylesheet(workspace.brands["north-bank"])
        own = (template / "document.css").read_text(encoding="utf-8")
        fonts = (folder / "brands/north-bank").as_uri()
        self.css = _LIBRARY.sub(rf'url("{fonts}/\1")', shared) + own
        self.css_without_faces = _FACE.sub("", shared) + own

    def page(self, line: str) -> str:
        """Return one statement's page."""
        values = read(line)
        facts = SimpleNamespace(closing=money(values["statement"]["closing"]))
        return self._template.render(**values, facts=facts)
