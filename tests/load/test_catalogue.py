"""Promise: a catalogue is compiled as it stands; what would break or hide a text is told at its line."""

from __future__ import annotations

import pytest

from ccm.load.catalogue import read_catalogue

HEAD = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"\n\n'
)


def test_messages_plurals_and_contexts_are_compiled() -> None:
    """Forms are kept in order, under their context; fuzzy and empty ones are left out."""
    text = HEAD + (
        'msgid "Hello %(name)s"\nmsgstr "Cześć %(name)s"\n\n'
        'msgctxt "button"\nmsgid "Pay"\nmsgstr "Zapłać"\n\n'
        'msgid "%(num)s day"\nmsgid_plural "%(num)s days"\n'
        'msgstr[0] "%(num)s dzień"\nmsgstr[1] "%(num)s dni"\nmsgstr[2] "%(num)s dni"\n\n'
        'msgid "Empty"\nmsgstr ""\n\n#, fuzzy\nmsgid "Guess"\nmsgstr "Zgadnij"\n'
    )
    catalogue, diagnostics = read_catalogue(text.encode(), "pl.po", "pl-PL")
    assert catalogue is not None
    assert catalogue.messages == {
        ("", "Hello %(name)s"): ("Cześć %(name)s",),
        ("button", "Pay"): ("Zapłać",),
        ("", "%(num)s day"): ("%(num)s dzień", "%(num)s dni", "%(num)s dni"),
    }
    assert "n%100<10" in catalogue.plural_rule
    assert [(item.code, item.location.line) for item in diagnostics] == [("fuzzy-translation", 23)]


@pytest.mark.parametrize(
    ("source", "translation", "codes"),
    [
        ("Hi %(name)s", "Hallo %(name)s", []),
        ("Hi %(name)s", "Hallo %(nmae)s", ["placeholder-mismatch"]),
        ("Hi %(name)s", "Hallo", ["placeholder-mismatch"]),
        ("Hi", "Hallo %(name)s", ["placeholder-mismatch"]),
        ("%(rate)s%% of %(sum)s", "%(rate)s %% von %(sum)s", []),
        ("%(rate)s%% of %(sum)s", "%(rate)s % von %(sum)s", ["placeholder-mismatch"]),
    ],
)
def test_placeholders_are_those_of_the_source(source: str, translation: str, codes: list[str]) -> None:
    """A renamed, lost or invented placeholder would fail for every recipient of a language."""
    text = HEAD + f'msgid "{source}"\nmsgstr "{translation}"\n'
    _, diagnostics = read_catalogue(text.encode(), "pl.po", "pl")
    assert [item.code for item in diagnostics] == codes
    assert all(item.location.line == 6 for item in diagnostics)


@pytest.mark.parametrize("content", [b'msgid "a\nmsgstr "b"\n', b"\xff\xfe\x00", b'msgid "a"\nnonsense\n'])
def test_a_broken_catalogue_is_told(content: bytes) -> None:
    """A file that gettext cannot read gives a diagnostic, not a crash."""
    catalogue, diagnostics = read_catalogue(content, "de.po", "de")
    assert catalogue is None
    assert [item.code for item in diagnostics] == ["catalogue-syntax"]
