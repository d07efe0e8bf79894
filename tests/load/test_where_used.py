"""Promise: whoever edits a shared thing can see what it will change, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from loaded_workspace import write_workspace

from ccm.load import load_workspace, where_used

CSS = "h1 { color: var(--color-brand-primary); margin: var( --space-page ) }\n"
HTML = """<html><head><title>{{ brand.title }}</title></head><body>
{% include "fragments/contact" %}
<img src="{{ asset('images/x.png') }}" alt="" style="color: {{ brand.tokens.color.blue }}">
{# {{ asset("logo") }} #}
</body></html>
"""


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("contact", ["templates/notice/document.html:2:4", "templates/notice/email.mjml:7:19"]),
        ("fragments/contact", ["templates/notice/document.html:2:4", "templates/notice/email.mjml:7:19"]),
        ("color.brand.primary", ["templates/notice/document.css:1:13", "templates/notice/email.mjml:6:32"]),
        ("--color-brand-primary", ["templates/notice/document.css:1:13", "templates/notice/email.mjml:6:32"]),
        ("space.page", ["templates/notice/document.css:1:49"]),
        ("color.blue", ["brands/plain/tokens.json:2:64", "templates/notice/document.html:3:70"]),
        ("logo", ["templates/notice/document.html:4:7", "templates/notice/email.mjml:5:25"]),
        ("images/x.png", ["templates/notice/document.html:3:14"]),
        ("notice", ["campaigns/news.yaml"]),
        ("plain", ["campaigns/news.yaml"]),
        ("people", ["campaigns/news.yaml"]),
        ("nothing", []),
    ],
)
def test_every_use_is_found_at_its_place(name: str, places: list[str], tmp_path: Path) -> None:
    """Fragments, tokens in CSS and in texts, assets, templates, brands and sources."""
    files = {"templates__notice__document.css": CSS, "templates__notice__document.html": HTML}
    root = write_workspace(tmp_path, **files)
    workspace, _ = load_workspace(root)
    assert workspace is not None
    assert [str(use.location) for use in where_used(workspace, name)] == places
