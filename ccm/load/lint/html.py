"""Checks HTML variants: ends of tags, alternative texts, links, places of printed values."""

from __future__ import annotations

from ccm.load.lint.markup import balance, tags_in
from ccm.load.lint.mjml import check_link
from ccm.load.lint.places import check_places
from ccm.load.lint.source import Findings, Source, branches

# Elements that are not allowed in messages.
_REFUSED = {
    "script": "leave it out; messages run no scripts",
    "iframe": "leave it out; link to the page instead",
    "object": "use <img> or an SVG function",
    "embed": "use <img> or an SVG function",
    "base": "write whole addresses",
    "form": "link to a page with the form",
}


def check_html(source: Source, findings: Findings) -> None:
    """Check one HTML text."""
    for text in branches(source.text):
        alone, elements = balance(list(tags_in(text)))
        for item in alone:
            what = "is closed but never opened" if item.tag.kind == "end" else "is never closed"
            remedy = f"write <{item.tag.name}> and </{item.tag.name}> in the same branch"
            findings.warn(source, item.tag.offset, "unbalanced-tag", f"<{item.tag.name}> {what}", remedy)
        for tag, _ in elements:
            name = tag.name.lower()
            if name in _REFUSED:
                findings.add(source, tag.offset, "unsupported-tag", f"<{name}> is not allowed", _REFUSED[name])
            if name == "img" and tag.get("alt") is None:
                remedy = 'say what it shows: alt="…"; alt="" if it is only decoration'
                findings.warn(source, tag.offset, "missing-alt", "the picture has no alternative text", remedy)
            for attribute in tag.attributes:
                if attribute.name.lower() in ("href", "src", "background", "action") and name != "html":
                    check_link(source, attribute, findings)
    check_places(source, findings)
