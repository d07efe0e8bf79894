"""A template's folder: template.yaml, the variants of its channels, catalogues and samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ccm.diagnostics import Diagnostic, Location, Severity, suggest
from ccm.load.authored import parse_definition
from ccm.load.catalogue import load_catalogues
from ccm.load.files import inside
from ccm.load.samples import load_samples
from ccm.load.yaml_reader import YamlFile, read_yaml
from ccm.model.definitions import Channel, TemplateDefinition
from ccm.model.workspace import ContentLibrary, Template, Variant, VariantPart

# File names of each channel's body; the first one that is there counts.
BODIES: dict[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("email.mjml", "email.html"),
    Channel.SMS: ("sms.txt",),
    Channel.DOCUMENT: ("document.html",),
    **{channel: (f"social.{channel}.txt",) for channel in Channel if channel.is_social},
}
_EXTRAS = {
    "email.txt": (Channel.EMAIL, VariantPart.TEXT),
    "document.css": (Channel.DOCUMENT, VariantPart.STYLE),
}
_CARD = "card.html"
_KNOWN = {name for names in BODIES.values() for name in names} | set(_EXTRAS) | {_CARD}
_PREFIXES = ("email.", "sms.", "document.", "social.", "card.")


def load_template(library: ContentLibrary, name: str) -> tuple[Template | None, tuple[Diagnostic, ...]]:
    """Load `templates/<name>/`."""
    root = f"templates/{name}"
    file, diagnostics = read_yaml(library.read(f"{root}/template.yaml"), f"{root}/template.yaml")
    if diagnostics:
        return None, diagnostics
    definition, diagnostics = parse_definition(TemplateDefinition, file)
    if definition is None:
        return None, diagnostics
    problems = list(_check(definition, file, library, root, name))
    variants, variant_problems = _variants(definition, file, library, root)
    catalogues, catalogue_problems = load_catalogues(library, root, definition.locales)
    samples, sample_problems = load_samples(library, root, definition)
    problems += [*variant_problems, *catalogue_problems, *sample_problems]
    return Template(definition, root, variants, catalogues, samples), tuple(problems)


def _check(
    template: TemplateDefinition, file: YamlFile, library: ContentLibrary, root: str, name: str
) -> Iterator[Diagnostic]:
    if template.template != name:
        remedy = f'write "template: {name}", or rename the folder'
        yield Diagnostic("name-mismatch", "the name is not that of the folder", remedy, file.at(("template",)))
    for side in ("required", "optional", "broadcast"):
        for index, channel in enumerate(getattr(template.channels, side)):
            if template.channels.all.count(channel) > 1 and side != "required":
                what = f"the channel {channel} is listed twice"
                yield Diagnostic("duplicate-channel", what, "keep one", file.at(("channels", side, index)))
    for fact, told in template.facts.items():
        for index, channel in enumerate(told.channels):
            if channel not in template.channels.all:
                what = f"the template has no channel {channel}"
                remedy = suggest(channel, template.channels.all)
                yield Diagnostic("unknown-channel", what, remedy, file.at(("facts", fact, "channels", index)))
    for index, given in enumerate(template.document.attachments):
        path = inside(root, given)
        if path is None or path not in library.files:
            place = file.at(("document", "attachments", index))
            yield Diagnostic("missing-file", f'there is no file "{given}"', f"add it to {root}/", place)


def _variants(
    template: TemplateDefinition, file: YamlFile, library: ContentLibrary, root: str
) -> tuple[dict[tuple[Channel, VariantPart], Variant], list[Diagnostic]]:
    variants: dict[tuple[Channel, VariantPart], Variant] = {}
    problems: list[Diagnostic] = []
    for channel, place in _declared(template, file):
        names = [name for name in BODIES[channel] if f"{root}/{name}" in library.files]
        if not names:
            what = f"the channel {channel} has no variant"
            remedy = f"add {root}/{BODIES[channel][0]}, or remove the channel"
            problems.append(Diagnostic("missing-variant", what, remedy, place))
            continue
        if len(names) > 1:
            what = f"{names[0]} and {names[1]} are both there; only the first one is used"
            place = Location(f"{root}/{names[1]}")
            problems.append(Diagnostic("ambiguous-variant", what, "remove one of them", place))
        _add(variants, problems, library, (channel, VariantPart.BODY), f"{root}/{names[0]}")
    for name, (channel, part) in _EXTRAS.items():
        if f"{root}/{name}" in library.files and channel in template.channels.all:
            _add(variants, problems, library, (channel, part), f"{root}/{name}")
    if f"{root}/{_CARD}" in library.files and template.channels.broadcast:
        _add(variants, problems, library, (template.channels.broadcast[0], VariantPart.CARD), f"{root}/{_CARD}")
    problems += _unused(template, library, root)
    return variants, problems


def _declared(template: TemplateDefinition, file: YamlFile) -> Iterator[tuple[Channel, Location]]:
    for side in ("required", "optional", "broadcast"):
        for index, channel in enumerate(getattr(template.channels, side)):
            yield channel, file.at(("channels", side, index))


def _add(
    variants: dict[tuple[Channel, VariantPart], Variant],
    problems: list[Diagnostic],
    library: ContentLibrary,
    key: tuple[Channel, VariantPart],
    path: str,
) -> None:
    try:
        source = library.text(path)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(Diagnostic("not-utf8", "the file is not UTF-8", "save the file as UTF-8", Location(path, line)))
        return
    variants[key] = Variant(key[0], key[1], path, source.removeprefix("\ufeff"))


def _unused(template: TemplateDefinition, library: ContentLibrary, root: str) -> Iterator[Diagnostic]:
    """Warn about files that look like variants but belong to no declared channel."""
    channels = template.channels.all
    used = {name for channel in channels for name in BODIES[channel]}
    used |= {name for name, (channel, _) in _EXTRAS.items() if channel in channels}
    used |= {_CARD} if template.channels.broadcast else set()
    for path in library.under(root):
        name = PurePosixPath(path).relative_to(root).as_posix()
        if name in used or "/" in name:
            continue
        if name in _KNOWN:
            what, remedy = "the template does not declare this channel", "add it under channels, or remove the file"
        elif name.startswith(_PREFIXES) and PurePosixPath(name).suffix in (".mjml", ".html", ".txt", ".css"):
            what, remedy = f'"{name}" is not the name of a variant; nothing uses it', suggest(name, sorted(used))
        else:
            continue
        yield Diagnostic("unknown-variant", what, remedy, Location(path), Severity.WARNING)
