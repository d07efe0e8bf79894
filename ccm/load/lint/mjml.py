"""Checks MJML before it is compiled: tags, attributes, nesting, ends, pictures and links.

Why: the compiler passes unknown tags and attributes over in silence, and very deep nesting ends the process.
Tags, attributes and parents are data of MJML 4.15 (mjml_components.json; MIT licence, Mailjet).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ccm.diagnostics import suggest
from ccm.load.lint.markup import Attribute, Tag, balance, tags_in
from ccm.load.lint.places import check_places
from ccm.load.lint.source import PRINTED, Findings, Source, branches

MAX_DEPTH = 100  # 2,000 wrappers kill the compiler with SIGSEGV
_EVERYWHERE = ("css-class", "mj-class")
_REMOVED: Mapping[str, str] = {
    "mj-include": 'use {% include "fragments/<name>" %}',
    "mj-html-attributes": "write the attribute at the element itself; the compiler does not know this tag",
    "mj-selector": "write the attribute at the element itself; the compiler does not know this tag",
    "mj-html-attribute": "write the attribute at the element itself; the compiler does not know this tag",
}


@cache
def _components() -> Mapping[str, Any]:
    text = (Path(__file__).parent / "mjml_components.json").read_text("utf-8")
    components: Mapping[str, Any] = json.loads(text)["components"]
    return {name: value for name, value in components.items() if name not in _REMOVED}


def check_mjml(source: Source, findings: Findings) -> None:
    """Check one MJML text; a fragment's form may start anywhere."""
    for text in branches(source.text):
        alone, elements = balance(list(tags_in(text)))
        for item in alone:
            tag = item.tag
            what = "is closed but never opened" if tag.kind == "end" else "is never closed"
            remedy = f"write <{tag.name}> and </{tag.name}> in the same file and the same branch"
            findings.add(source, tag.offset, "unbalanced-tag", f"<{tag.name}> {what}", remedy)
        _check_depth(source, text, findings)
        for tag, parent in elements:
            _check_element(source, tag, parent, findings)
    check_places(source, findings)


def _check_depth(source: Source, text: str, findings: Findings) -> None:
    depth = 0
    for tag in tags_in(text):
        depth += {"start": 1, "end": -1}.get(tag.kind, 0)
        if depth > MAX_DEPTH:
            message = f"elements are nested more than {MAX_DEPTH} deep"
            findings.add(source, tag.offset, "nested-too-deeply", message, "put fewer elements inside each other")
            return


def _check_element(source: Source, tag: Tag, parent: str | None, findings: Findings) -> None:
    in_attributes = parent == "mj-attributes"
    if not tag.name.startswith("mj"):
        _check_html_in_mjml(source, tag, parent, findings)
        return
    if tag.name in _REMOVED:
        findings.add(source, tag.offset, "unsupported-tag", f"<{tag.name}> is not supported", _REMOVED[tag.name])
        return
    if in_attributes and tag.name in ("mj-class", "mj-all"):
        _check_values(source, tag, findings)
        return
    component = _components().get(tag.name)
    if component is None:
        message = f"MJML has no tag <{tag.name}>"
        findings.add(source, tag.offset + 1, "unknown-tag", message, suggest(tag.name, _components()))
        return
    if parent in _components() and not in_attributes and parent not in component["parents"]:
        allowed = ", ".join(component["parents"]) or "nothing: it is the outermost tag"
        message = f"<{tag.name}> cannot stand inside <{parent}>"
        findings.add(source, tag.offset + 1, "misplaced-tag", message, f"put it inside {allowed}")
    known = [*component["attributes"], *_EVERYWHERE]
    for attribute in tag.attributes:
        if PRINTED in attribute.name:
            continue
        if attribute.name not in known:
            message = f'<{tag.name}> has no attribute "{attribute.name}"'
            findings.add(source, attribute.offset, "unknown-attribute", message, suggest(attribute.name, known))
        else:
            _check_value(source, tag, attribute, component["attributes"].get(attribute.name, "string"), findings)
    _check_values(source, tag, findings)
    if tag.name in ("mj-image", "mj-carousel-image") and not in_attributes and tag.get("alt") is None:
        _missing_alt(source, tag, findings)


def _check_html_in_mjml(source: Source, tag: Tag, parent: str | None, findings: Findings) -> None:
    """HTML may stand in the tags that hold HTML; between layout tags the compiler would drop it."""
    component = _components().get(parent or "")
    if component is not None and not component["holds_html"]:
        message = f"<{tag.name}> is HTML and cannot stand directly inside <{parent}>"
        findings.add(source, tag.offset + 1, "misplaced-tag", message, "put it inside mj-text, mj-table or mj-raw")
    _check_values(source, tag, findings)
    if tag.name.lower() == "img" and tag.get("alt") is None:
        _missing_alt(source, tag, findings)


def _missing_alt(source: Source, tag: Tag, findings: Findings) -> None:
    remedy = 'say what it shows: alt="…"; alt="" if it is only decoration'
    findings.warn(source, tag.offset, "missing-alt", "the picture has no alternative text", remedy)


def _check_value(source: Source, tag: Tag, attribute: Attribute, kind: str, findings: Findings) -> None:
    """Only lists of words are checked; measures and colours have too many right forms."""
    if not kind.startswith("enum(") or PRINTED in attribute.value:
        return
    words = kind[5:-1].split(",")
    if attribute.value not in words:
        message = f'"{attribute.name}" of <{tag.name}> cannot be "{attribute.value}"'
        findings.add(
            source, attribute.value_offset, "invalid-value", message, suggest(attribute.value, filter(None, words))
        )


def _check_values(source: Source, tag: Tag, findings: Findings) -> None:
    for attribute in tag.attributes:
        if attribute.name.lower() in ("href", "src", "background-url", "background", "action"):
            check_link(source, attribute, findings)


def check_link(source: Source, attribute: Attribute, findings: Findings) -> None:
    """Report addresses that are not safe to send."""
    value = attribute.value.strip().lower()
    if value.startswith("http:"):
        message = "the address is not encrypted"
        findings.add(source, attribute.value_offset, "insecure-link", message, "write https:// instead of http://")
    elif value.startswith(("javascript:", "vbscript:", "file:", "data:text")):
        scheme = value.partition(":")[0]
        findings.add(
            source,
            attribute.value_offset,
            "unsafe-place",
            f"{scheme}: links are not allowed",
            "link to an https address",
        )
