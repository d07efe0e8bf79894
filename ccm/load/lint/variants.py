"""Reads every variant of a template with its fragments, and tells which facts and texts are left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ccm.diagnostics import Diagnostic, Location, Severity
from ccm.load.lint.css import check_css, check_style_blocks
from ccm.load.lint.html import check_html
from ccm.load.lint.jinja import Forms, VariantReading
from ccm.load.lint.mjml import check_mjml
from ccm.load.lint.parse import Parsed, parse
from ccm.load.lint.scope import Surroundings, functions, names_for
from ccm.load.lint.source import Findings, Source
from ccm.load.lint.types import Scope
from ccm.model.definitions import Channel
from ccm.model.workspace import Catalogue, Fragment, Variant, VariantPart


def read_variants(around: Surroundings, channels: Collection[Channel], findings: Findings) -> None:
    """Check the Jinja of the variants of one template that some channels show; of all if no channel is named."""
    parsed_forms: dict[str, Parsed | None] = {}
    used: dict[str, Parsed] = {}
    for variant in around.template.variants.values():
        if channels and not _is_shown(variant, channels):
            continue
        source = Source.of(variant.path, variant.source)
        _check_format(around, source, findings)
        if variant.part is not VariantPart.STYLE:
            with findings.bounded(source):
                used |= _read_variant(around, variant, source, parsed_forms, findings)
    for path in parsed_forms:
        _check_format(around, _fragment_source(around, path), findings)
    _report_untranslated(around, used, findings)


def _is_shown(variant: Variant, channels: Collection[Channel]) -> bool:
    if variant.part is VariantPart.CARD:
        return any(channel.is_social for channel in channels)
    return variant.channel in channels


def _read_variant(
    around: Surroundings, variant: Variant, source: Source, parsed_forms: dict[str, Parsed | None], findings: Findings
) -> dict[str, Parsed]:
    """Read one variant; return the texts that it is made of, by path."""
    parsed = parse(source, findings)
    if parsed is None:
        return {}
    reading = _reading(around, variant, source, _forms(around, variant, parsed_forms), findings)
    reading.read(parsed)
    _report_untold_facts(around, variant, reading.told, findings)
    included = {path: tree for path, tree in parsed_forms.items() if tree is not None and path in reading.included}
    return {variant.path: parsed, **included}


def _check_format(around: Surroundings, source: Source, findings: Findings) -> None:
    """Check what surrounds the Jinja: MJML, HTML or CSS, by the file's ending."""
    with findings.bounded(source):
        if source.path.endswith(".css"):
            check_css(around, source, findings)
        elif source.path.endswith(".mjml"):
            check_mjml(source, findings)
        elif source.path.endswith(".html"):
            check_html(source, findings)
            if source.path.endswith(("document.html", "card.html")):
                check_style_blocks(around, source, findings)


def _fragment_source(around: Surroundings, path: str) -> Source:
    return Source.of(path, around.workspace.library.files[path].decode("utf-8", "replace"))


def _reading(
    around: Surroundings, variant: Variant, source: Source, forms: Forms, findings: Findings
) -> VariantReading:
    names = names_for(around, variant.channel)
    hidden: dict[str, str] = {}
    if variant.channel.is_social:
        hidden = dict.fromkeys(around.template.definition.contract, "a field of one customer")
        hidden["facts"] = "what one customer is told"
        hidden = {name: why for name, why in hidden.items() if name not in names}
    return VariantReading(
        source,
        findings,
        Scope({**functions(), **names}),
        title_of(variant),
        hidden,
        lambda name: _asset_problem(around, name),
        forms=forms,
        open_files=(variant.path,),
    )


def title_of(variant: Variant) -> str:
    """Return what people call a variant: "the email variant", "the card"."""
    if variant.part is VariantPart.CARD:
        return "the card"
    return (
        f"the {variant.channel} variant" if variant.part is VariantPart.BODY else f"the {variant.channel} text variant"
    )


# ── fragments ────────────────────────────────────────────────────────────────


def _forms(around: Surroundings, variant: Variant, parsed: dict[str, Parsed | None]) -> Forms:
    names = form_names(variant)
    sources = {name: _form(around, fragment, names) for name, fragment in around.workspace.fragments.items()}
    return Forms(sources, names[-1], parsed)


def form_names(variant: Variant) -> tuple[str, ...]:
    """Return the file names of the fragment form that a variant includes, the most special first."""
    file = variant.path.rpartition("/")[2]
    if variant.part is VariantPart.BODY and variant.channel.is_social:
        return (file, "social.txt")
    return ("email.mjml", "email.html") if file == "email.mjml" else (file,)


def _form(around: Surroundings, fragment: Fragment, names: Iterable[str]) -> Source | None:
    for name in names:
        path = fragment.forms.get(name)
        if path is not None and path in around.workspace.library.files:
            return _fragment_source(around, path)
    return None


def _asset_problem(around: Surroundings, name: str) -> str | None:
    """Return what to do about an asset that a brand does not find; None when all is well."""
    if name in ("logo", "logo-dark"):
        return None
    files = around.workspace.library.files
    if f"{around.template.root}/{name}" in files:
        return None
    lacking = [brand.root for brand in around.brands if f"{brand.root}/{name}" not in files]
    if around.brands and not lacking:
        return None
    return f"put the file into {around.template.root}" + (f" or {lacking[0]}" if lacking else "")


# ── what is left out ─────────────────────────────────────────────────────────


def _report_untold_facts(around: Surroundings, variant: Variant, told: set[str], findings: Findings) -> None:
    if variant.channel.is_social or "*" in told:
        return
    for name, fact in around.template.definition.facts.items():
        if name in told or (fact.channels and variant.channel not in fact.channels):
            continue
        message = f'fact "{name}" is never told in {title_of(variant)}'
        remedy = f"write {{{{ facts.{name} }}}} there, or list the fact's channels in template.yaml"
        place = Location(variant.path)
        findings.place(Diagnostic("fact-not-told", message, remedy, place, Severity.WARNING))


def _report_untranslated(around: Surroundings, used: Mapping[str, Parsed], findings: Findings) -> None:
    definition = around.template.definition
    source_language = definition.locales[0].partition("-")[0]
    owners = {path: fragment for fragment in around.workspace.fragments.values() for path in fragment.forms.values()}
    for locale in definition.locales[1:]:
        if locale.partition("-")[0] == source_language and locale not in around.template.catalogues:
            continue
        missing: dict[str, Location] = {}
        for path, parsed in used.items():
            catalogues = [around.template.catalogues]
            if path in owners:
                catalogues.append(owners[path].catalogues)
            for text in parsed.texts:
                if not any(_translates(catalogue_for(each, locale), text.context, text.msgid) for each in catalogues):
                    missing.setdefault(text.msgid, _place(around, path, text.offset))
        if missing:
            _report_missing(locale, missing, findings)


def catalogue_for(catalogues: Mapping[str, Catalogue], locale: str) -> Catalogue | None:
    """Return the catalogue of a locale, or of its language."""
    return catalogues.get(locale) or catalogues.get(locale.partition("-")[0])


def _translates(catalogue: Catalogue | None, context: str, msgid: str) -> bool:
    return catalogue is not None and any(catalogue.messages.get((context, msgid), ()))


def _place(around: Surroundings, path: str, offset: int) -> Location:
    for variant in around.template.variants.values():
        if variant.path == path:
            return Source.of(path, variant.source).at(offset)
    return _fragment_source(around, path).at(offset)


def _report_missing(locale: str, missing: Mapping[str, Location], findings: Findings) -> None:
    shown = ", ".join(f'"{_short(text)}"' for text in list(missing)[:3]) + (", …" if len(missing) > 3 else "")
    texts = "1 text has" if len(missing) == 1 else f"{len(missing)} texts have"
    message = f"{texts} no translation for {locale}: {shown}"
    remedy = f"translate it in the catalogue of {locale}; until then the source text is printed"
    place = next(iter(missing.values()))
    findings.place(Diagnostic("missing-translation", message, remedy, place, Severity.WARNING))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else flat[:39] + "…"
