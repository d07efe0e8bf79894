"""Which of the template's locales a recipient reads, and which locale writes their numbers and dates."""

from __future__ import annotations

import re
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError, get_global, parse_locale


@lru_cache(maxsize=4096)
def negotiate(wanted: str, offered: tuple[str, ...]) -> tuple[str, str]:
    """Return (language, locale) for a recipient.

    Args:
        wanted: The recipient's tag as their source gave it, such as de-CH, pt_BR or en_US.UTF-8; may be junk.
        offered: The template's locales; the first is the source language.
    Returns:
        language: One of `offered`: the same tag, else one of the same language and script (sharing the
            CLDR parent where there are several: en-IN reads en-GB before en-US), else the same language, else the first.
        locale: The recipient's own tag if CLDR knows it, without its territory if it knows only the
            language; the first offered one for junk.
    """
    locale = own_locale(wanted)
    if locale is None:
        return offered[0], offered[0]
    if locale in offered:
        return locale, locale
    language, script = _spoken(locale)
    same_language = [tag for tag in offered if _spoken(tag)[0] == language]
    same_script = [tag for tag in same_language if _spoken(tag)[1] == script]
    related = [tag for tag in same_script if _parent(tag) == _parent(locale) or _parent(locale) == tag]
    return (related or same_script or same_language or list(offered))[0], locale


@lru_cache(maxsize=4096)
def own_locale(wanted: str) -> str | None:
    """Return a BCP 47 tag that CLDR can format for, or None when there is no such language."""
    plain = re.split(r"[.@]|[-_][a-zA-Z0-9][-_]", wanted.strip(), maxsplit=1)[0].replace("-", "_")
    try:
        language, territory, script = parse_locale(plain)[:3]
    except ValueError:
        return None
    language = _alias(language)
    for parts in ((language, script, territory), (language, None, territory), (language, script), (language,)):
        tag = "_".join(part for part in parts if part)
        try:
            Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
        return tag.replace("_", "-")
    return None


def _alias(language: str) -> str:
    """Return the code that CLDR uses today: he for iw, nb for no."""
    if language == "no":  # the macro language; CLDR keeps its data under Bokmål
        return "nb"
    return str(get_global("language_aliases").get(language, language)).partition("_")[0]


@lru_cache(maxsize=4096)
def _spoken(tag: str) -> tuple[str, str]:
    """Return language and script, the script filled in where the tag leaves it out (zh-TW is Hant)."""
    language, territory, script = parse_locale(tag.replace("-", "_"))[:3]
    language = _alias(language)
    if script is None:
        likely = get_global("likely_subtags")
        full = likely.get(f"{language}_{territory}") or likely.get(language) or language
        script = parse_locale(str(full))[2]
    return language, script or ""


def _parent(tag: str) -> str:
    """Return the tag that CLDR lets this one inherit from."""
    known = get_global("parent_exceptions").get(tag.replace("-", "_"))
    return str(known).replace("_", "-") if known else tag.rpartition("-")[0]
