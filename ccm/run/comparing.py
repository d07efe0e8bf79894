"""What differs between two releases, or a release and the working folder, down to rendered samples."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ccm.check.pdf_text import pdf_text
from ccm.diagnostics import Location
from ccm.load import type_record
from ccm.model.definitions import CampaignDefinition, Channel
from ccm.model.records import Communication, DocumentRendition, EmailRendition, Recipient, Rendition
from ccm.model.workspace import VariantPart, Workspace
from ccm.plan import plan, plan_broadcasts
from ccm.release import Change, Content, ReleaseStore, compare, find_release
from ccm.release.skeleton import markup
from ccm.run.contents import ConfigurationFault, draft_content, released_content, with_content, workspace_store
from ccm.run.prepare import prepare
from ccm.run.releasing import brands_for
from ccm.run.workers import Made, Maker, MakerParts

_GAP = re.compile(r"%\(\w+\)s")


@dataclass(frozen=True)
class TextChange:
    """One text of one channel in one locale; empty where there is none on that side."""

    channel: Channel
    locale: str
    before: str
    after: str


@dataclass(frozen=True)
class SampleChange:
    """The lines of a rendered sample that differ, as a unified difference; or why it could not be rendered."""

    sample: str
    channel: Channel
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Everything that differs.

    before, after: What was compared, for people.
    note: Why samples were not rendered; empty when they were.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    texts: tuple[TextChange, ...]
    samples: tuple[SampleChange, ...]
    note: str = ""

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.changes or self.texts or self.samples)


def compare_named(
    workspace: Workspace, first: str, second: str, *, brand: str, now: datetime, with_samples: bool
) -> Comparison:
    """Compare two releases, or a release with the working folder.

    Args:
        first, second: `invoice@1.0.0`, or `invoice` for the working folder.
        brand: Needed where it does not follow from a release.
        now: The time that samples carry.
    Raises:
        ReleaseError: If there is no such release, or a byte of it changed.
        ConfigurationFault: If there is no such template or brand.
    """
    store = workspace_store(workspace)
    released = next((name for name in (first, second) if "@" in name), "")
    if released and not brand:
        brand = find_release(store, released).brand
    before, after = (_content(workspace, store, name, brand) for name in (first, second))
    titles = [name if "@" in name else f"{name} (working folder)" for name in (first, second)]
    samples: tuple[SampleChange, ...] = ()
    note = "not asked for"
    if with_samples:
        samples, note = _rendered(workspace, before, after, now)
    return Comparison(titles[0], titles[1], compare(before, after), tuple(_texts(before, after)), samples, note)


def _content(workspace: Workspace, store: ReleaseStore, name: str, brand: str) -> Content:
    if "@" in name:
        return released_content(store, find_release(store, name, brand), samples=True)
    from ccm.diagnostics import Diagnostic, suggest

    brand = brand or (brands_for(workspace, name) or ("",))[0]
    for kind, wanted, known in (("template", name, workspace.templates), ("brand", brand, workspace.brands)):
        if wanted not in known:
            what = f'there is no {kind} "{wanted}"'
            place = Location(f"{kind}s/{wanted}")
            raise ConfigurationFault((Diagnostic(f"unknown-{kind}", what, suggest(wanted, known), place),))
    return draft_content(workspace, name, brand)


# ── texts ────────────────────────────────────────────────────────────────────


def _texts(before: Content, after: Content) -> Iterator[TextChange]:
    """Yield what is said differently: in the source language by variant, in the others by catalogue."""
    source = after.template.definition.locales[0]
    for channel in Channel:
        old, new = _said(before, channel), _said(after, channel)
        for one, two in _replaced(old, new):
            yield TextChange(channel, source, one, two)
        joined = " ".join((*old, *new))
        for locale in sorted({*_locales(before), *_locales(after)} - {source}):
            old_texts, new_texts = _catalogue(before, locale), _catalogue(after, locale)
            for key in sorted({*old_texts, *new_texts}):
                one, two = old_texts.get(key, ""), new_texts.get(key, "")
                if one != two and all(part.strip() in joined for part in _GAP.split(" ".join(key.split()))):
                    yield TextChange(channel, locale, one, two)


def _said(content: Content, channel: Channel) -> tuple[str, ...]:
    """Return the texts of a channel's variants and of the fragments they include, in order."""
    said: list[str] = []
    included: list[str] = []
    for (own, part), variant in content.template.variants.items():
        if own is channel and part is not VariantPart.STYLE:
            said += markup(variant.source).copy
            included += re.findall(r"""["']fragments/([\w-]+)["']""", variant.source)
    kind = "social" if channel.is_social else str(channel)
    for name in dict.fromkeys(included):
        fragment = content.fragments.get(name)
        for form, path in sorted(fragment.forms.items()) if fragment else ():
            if form.startswith(f"{kind}."):
                said += markup(content.library.text(path)).copy
    return tuple(said)


def _locales(content: Content) -> tuple[str, ...]:
    return content.template.definition.locales


def _catalogue(content: Content, locale: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    owners = [content.template.catalogues, *(one.catalogues for one in content.fragments.values())]
    for catalogues in owners:
        if locale in catalogues:
            found |= {key[1]: " | ".join(forms) for key, forms in catalogues[locale].messages.items()}
    return found


def _replaced(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, begin, stop in matcher.get_opcodes():
        if kind == "equal":
            continue
        old, new = before[start:end], after[begin:stop]
        for index in range(max(len(old), len(new))):
            yield old[index] if index < len(old) else "", new[index] if index < len(new) else ""


# ── rendered samples ─────────────────────────────────────────────────────────


def _rendered(
    workspace: Workspace, before: Content, after: Content, now: datetime
) -> tuple[tuple[SampleChange, ...], str]:
    campaigns = [one for one in workspace.campaigns.values() if one.template_name == after.template.name]
    campaign = next((one for one in campaigns if one.brand == after.brand.name), next(iter(campaigns), None))
    if campaign is None:
        return (), "no campaign sends the template, so samples have no parameters"
    pages = []
    for content in (before, after):
        try:
            pages.append(_pages(workspace, content, campaign, after.template.samples, now))
        except ConfigurationFault as fault:
            return (), f"the campaign {campaign.campaign} does not fit: {fault.diagnostics[0].message}"
    old, new = pages
    changes = []
    for key in sorted({*old, *new}):
        lines = tuple(difflib.unified_diff(old.get(key, ()), new.get(key, ()), lineterm="", n=0))[2:]
        if lines:
            changes.append(SampleChange(key[0], key[1], tuple(line for line in lines if not line.startswith("@@"))))
    return tuple(changes), ""


def _pages(
    workspace: Workspace,
    content: Content,
    campaign: CampaignDefinition,
    samples: Mapping[str, Mapping[str, object]],
    now: datetime,
) -> dict[tuple[str, Channel], tuple[str, ...]]:
    """Return the lines of every sample, channel and locale, and of the posts in every language."""
    own = campaign.model_copy(update={"brand": content.brand.name, "schedule": None})
    space = replace(with_content(workspace, content), campaigns={campaign.campaign: own})
    prepared = prepare(space, campaign.campaign, now=now, ignore_schedule=True, headers=False)
    brief = replace(prepared.brief, ignore_exclusions=True)
    maker = Maker(MakerParts.of(prepared))
    pages: dict[tuple[str, Channel], tuple[str, ...]] = {}
    for name, recipient in _in_every_locale(samples, content):
        for planned in plan([recipient], brief):
            if isinstance(planned, Communication):
                pages |= _lines(name, maker.make(planned))
            else:
                pages[name, Channel.EMAIL] = (f"held: {planned.detail}",)
    for planned in plan_broadcasts(brief):
        if isinstance(planned, Communication):
            pages |= _lines(planned.recipient_id, maker.make(planned))
    return pages


def _in_every_locale(samples: Mapping[str, Mapping[str, object]], content: Content) -> Iterator[tuple[str, Recipient]]:
    """Yield each sample in its own locale, and in the others that the template has texts for."""
    for name, values in samples.items():
        recipient = _recipient(name, values, content)
        yield name, recipient
        for locale in content.template.definition.locales:
            if locale != recipient.locale:
                yield f"{name} in {locale}", replace(recipient, locale=locale)


def _recipient(name: str, values: Mapping[str, object], content: Content) -> Recipient:
    """Return a made-up person with a sample's data; the envelope words say where they live."""
    contract = content.template.definition.contract
    given = {key: value for key, value in values.items() if key in contract}
    data, faults = type_record(given, contract, Location(f"{content.template.root}/samples/{name}.yaml"))
    return Recipient(
        recipient_id=f"sample:{name}",
        occurrence_key=name,
        locale=str(values.get("locale", content.template.definition.locales[0])),
        zone=str(values.get("zone", "UTC")),
        country=str(values["country"]) if "country" in values else None,
        email="sample@example.com",
        phone="+447400123456",
        preferred_channels=(),
        consents=(),
        data=data,
        location=Location(f"{content.template.root}/samples/{name}.yaml"),
        faults=tuple(faults),
    )


def _lines(name: str, made: Made) -> dict[tuple[str, Channel], tuple[str, ...]]:
    pages: dict[tuple[str, Channel], tuple[str, ...]] = {}
    for piece in made.composed.communication.pieces:
        rendition = made.rendition(piece.piece_id)
        failure = made.failure(piece.piece_id)
        if rendition is not None:
            pages[name, piece.channel] = tuple(_kept(_text(rendition)))
        elif failure is not None:
            pages[name, piece.channel] = (f"cannot be made: {failure.code}: {failure.message}",)
    return pages


def _text(rendition: Rendition) -> str:
    if isinstance(rendition, EmailRendition):
        return f"{rendition.subject}\n{rendition.preheader}\n{rendition.text}"
    if isinstance(rendition, DocumentRendition):
        return "\n".join(pdf_text(rendition.content))
    return rendition.text


def _kept(text: str) -> Iterable[str]:
    return (line.strip() for line in text.splitlines() if line.strip())
