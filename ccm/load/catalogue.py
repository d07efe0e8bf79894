"""Gettext catalogues: compiled, with what is fuzzy or has other placeholders than the source text.

A text that has no translation at all is reported where it stands in the template; see `lint`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from ccm.diagnostics import Diagnostic, Location, Severity
from ccm.model.workspace import Catalogue, ContentLibrary

# %(name)s is what Jinja's i18n fills; a doubled percent sign is text.
_LINE = re.compile(r"""\s*(#.*|((msgctxt|msgid|msgid_plural|msgstr(\[\d+\])?)\s+)?"([^"\\]|\\.)*"\s*)?""")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def load_catalogues(
    library: ContentLibrary, root: str, locales: Sequence[str]
) -> tuple[dict[str, Catalogue], tuple[Diagnostic, ...]]:
    """Load `locales/<locale>.po` of a template or fragment.

    Args:
        root: The folder, from the workspace's root.
        locales: The first one is the source language and needs none.
    """
    catalogues: dict[str, Catalogue] = {}
    diagnostics: list[Diagnostic] = []
    for locale in locales:
        path = f"{root}/locales/{locale}.po"
        if path not in library.files:
            continue
        found, problems = read_catalogue(library.read(path), path, locale)
        diagnostics += problems
        if found:
            catalogues[locale] = found
    known = {f"{root}/locales/{locale}.po" for locale in locales}
    for path in library.under(f"{root}/locales"):
        if path.endswith(".po") and path not in known:
            what, remedy = "no locale uses this catalogue", "add its locale to the template, or remove the file"
            diagnostics.append(Diagnostic("unused-catalogue", what, remedy, Location(path), Severity.WARNING))
    return catalogues, tuple(diagnostics)


def read_catalogue(content: bytes, path: str, locale: str) -> tuple[Catalogue | None, tuple[Diagnostic, ...]]:
    """Read one catalogue; fuzzy and empty translations are left out, so that the source text is shown."""
    if problem := _bad_line(content, path):
        return None, (problem,)
    try:
        parsed = read_po(io.BytesIO(content), locale=locale.replace("-", "_"), abort_invalid=True)
    except PoFileError as error:
        what = f"this is not a gettext catalogue: {_lower(error.args[0] if error.args else 'broken')}"
        place = Location(path, (error.lineno or 0) + 1)
        return None, (Diagnostic("catalogue-syntax", what, "mend the quotes in this line", place),)
    except (ValueError, LookupError, UnicodeDecodeError):
        what, remedy = "this is not a gettext catalogue", "save it as UTF-8 .po file with a header"
        return None, (Diagnostic("catalogue-syntax", what, remedy, Location(path)),)
    messages: dict[tuple[str, str], tuple[str, ...]] = {}
    fuzzy: list[Message] = []
    diagnostics: list[Diagnostic] = []
    for message in parsed:
        if not message.id:
            continue
        forms = _forms(message)
        if not forms or not all(forms):
            continue
        if message.fuzzy:
            fuzzy.append(message)
            continue
        context = message.context or ""
        identity = message.id if isinstance(message.id, str) else message.id[0]
        messages[(str(context), identity)] = forms
        diagnostics += _other_placeholders(message, forms, path)
    if fuzzy:
        diagnostics.append(_fuzzy(fuzzy, path))
    return Catalogue(locale, path, messages, _plural_rule(parsed)), tuple(diagnostics)


def _bad_line(content: bytes, path: str) -> Diagnostic | None:
    """Report the first line that gettext would not read; Babel takes a missing quote for part of the text."""
    remedy = "save it as UTF-8 .po file"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Diagnostic("catalogue-syntax", "the catalogue is not UTF-8", remedy, Location(path, line))
    for number, written in enumerate(text.split("\n"), 1):
        if not _LINE.fullmatch(written):
            what = "this line is not gettext"
            remedy = 'write msgid "…" or msgstr "…" with quotes on both sides, and \\" for a quote inside'
            return Diagnostic("catalogue-syntax", what, remedy, Location(path, number))
    return None


def _plural_rule(parsed: Catalog) -> str:
    return str(parsed.plural_expr)


def _forms(message: Message) -> tuple[str, ...]:
    text = message.string
    return (text,) if isinstance(text, str) else tuple(text or ())


def _lower(text: str) -> str:
    return str(text)[:1].lower() + str(text)[1:]


def _fuzzy(messages: Sequence[Message], path: str) -> Diagnostic:
    line = min((message.lineno or 0) for message in messages)
    count = len(messages)
    texts = "1 translation is" if count == 1 else f"{count} translations are"
    what = f"{texts} marked fuzzy; the source text is shown"
    remedy = "check the translation, then remove the word fuzzy above it"
    return Diagnostic("fuzzy-translation", what, remedy, Location(path, line), Severity.WARNING)


def _other_placeholders(message: Message, forms: Sequence[str], path: str) -> list[Diagnostic]:
    sources = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    allowed = {name for text in sources for name in _PLACEHOLDER.findall(text)}
    # A singular form may spell the number out, so only what every source form has is needed.
    needed = set.intersection(*(set(_PLACEHOLDER.findall(text)) for text in sources)) - {"num"}
    found = []
    for form in forms:
        used = set(_PLACEHOLDER.findall(form))
        strange, lost = used - allowed, needed - used
        if len(sources) > 1 and len(forms) > 1:
            lost = set()
        if strange or lost or _stray_percent(form, sources):
            names = ", ".join(f"%({name})s" for name in sorted(strange or lost)) or "%"
            what = f"the translation {'has an unknown' if strange else 'lacks the'} placeholder {names}"
            if not strange and not lost:
                what = "the translation has a single % sign"
            remedy = "use the placeholders of the source text; write a percent sign as %%"
            found.append(Diagnostic("placeholder-mismatch", what, remedy, Location(path, message.lineno or 0)))
            break
    return found


def _stray_percent(form: str, sources: Sequence[str]) -> bool:
    """Tell whether a text with placeholders holds a % that would break filling them in."""
    rest = _PLACEHOLDER.sub("", form).replace("%%", "")
    source_rest = _PLACEHOLDER.sub("", sources[0]).replace("%%", "")
    return "%" in rest and "%" not in source_rest
