"""Draft runs: the working folder, marked on every channel, into a folder of its own; nobody is reached."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from ccm.model.definitions import Channel, ProviderDefinition
from ccm.model.workspace import Template, Variant, VariantPart, Workspace

FOLDER = "draft"
MARK = "DRAFT"
_NOTE = ".made-by-ccm-draft"

# Fixed: the layout engine repeats it on every page. Drawn and not written: a word across the page would stand in the
# middle of the text that a reader and our own checks take out of it.
_LETTERS = (
    "M2 0V20H7C13 20 15 15 15 10S13 0 7 0Z M20 20V0H27C33 0 33 10 27 10H20M27 10L33 20 M38 20L45 0L52 20M41 13H49 "
    "M70 0H58V20M58 9H68 M74 0H90M82 0V20"
)
# Pale by its stroke: with `opacity` the layout engine would put it into a group, where no screen reader finds its tag.
_ACROSS = (
    '<div style="position:fixed;top:40%;left:0;right:0;text-align:center;z-index:9">'
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="-2 -2 94 24" width="300" height="77">'
    f'<title>{MARK}</title><path d="{_LETTERS}" fill="none" stroke="#d0021b" stroke-width="3" stroke-opacity=".4"/>'
    "</svg></div>"
)
_ABOVE = "background:#b00020;color:#ffffff;text-align:center;padding:8px"


def draft_workspace(workspace: Workspace, campaign: str) -> Workspace:
    """Return the workspace as a draft run of a campaign sees it.

    Every provider is a folder below `draft/<campaign>`, and so are ledger and archive: a draft run neither reaches
    anybody nor counts as sent.
    """
    home = f"{FOLDER}/{campaign}"
    box = ProviderDefinition(adapter="outbox", settings={"folder": f"{home}/outbox"})
    definition = workspace.definition.model_copy(
        update={
            "ledger": f"sqlite:///{home}/ledger.db",
            "archive": f"{home}/archive",
            "keys": f"sqlite:///{home}/keys.db",
            "providers": dict.fromkeys(workspace.definition.providers, box),
        }
    )
    templates = {name: marked(template) for name, template in workspace.templates.items()}
    return replace(workspace, definition=definition, templates=templates)


def marked(template: Template) -> Template:
    """Return a template whose every variant says that it is a draft."""
    variants = {key: replace(one, source=_marked(one)) for key, one in template.variants.items()}
    sms = template.definition.sms
    longer = sms.model_copy(update={"max_segments": min(10, sms.max_segments + 1)})  # the mark takes room
    definition = template.definition.model_copy(update={"sms": longer})
    return replace(template, variants=variants, definition=definition)


def _marked(variant: Variant) -> str:
    """Put the mark into a source without moving its lines."""
    source = variant.source
    if variant.part is VariantPart.STYLE:
        return source
    if variant.path.endswith(".txt"):
        return f"[{MARK}] {source}"
    if variant.path.endswith(".mjml"):
        banner = (
            f'<mj-section padding="0" background-color="#b00020"><mj-column><mj-text align="center" '
            f'color="#ffffff" font-weight="700">{MARK}</mj-text></mj-column></mj-section>'
        )
        return _after(r"<mj-body\b[^>]*>", banner, _after(r"<mj-title\b[^>]*>", f"[{MARK}] ", source))
    banner = f'<div style="{_ABOVE}">{MARK}</div>' if variant.channel is Channel.EMAIL else _ACROSS
    return _after(r"<body\b[^>]*>", banner, _after(r"<title\b[^>]*>", f"[{MARK}] ", source))


def _after(pattern: str, addition: str, source: str) -> str:
    return re.sub(pattern, lambda match: match[0] + addition, source, count=1)


def draft_folder(workspace: Workspace, campaign: str) -> Path:
    """Return the absolute folder of a campaign's draft run."""
    return Path(workspace.root) / FOLDER / campaign


def drop_drafts(workspace: Workspace) -> None:
    """Remove everything that draft runs made: copies of people's messages in clear, which nobody was sent."""
    for note in (Path(workspace.root) / FOLDER).glob(f"*/{_NOTE}"):
        shutil.rmtree(note.parent)


def empty_draft(workspace: Workspace, campaign: str) -> None:
    """Remove what an earlier draft run of the campaign left; only a folder that a draft run made."""
    folder = draft_folder(workspace, campaign)
    if (folder / _NOTE).is_file():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _NOTE).write_text("made by ccm run --draft; the next draft run removes this folder\n", encoding="utf-8")
