"""Dates, times and months as a locale writes them; every form is made once and remembered."""

from __future__ import annotations

import datetime as clock
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time

from ccm.compose.failure import FormatRefused
from ccm.compose.formats.digits import BIDI_MARKS, digit_table

STYLES = ("short", "medium", "long", "full", "numeric")


def written_date(value: clock.date, style: str, locale: Locale, *, words: bool, keep_marks: bool) -> str:
    """Write a date.

    Args:
        locale: The recipient's own.
        words: False when the text is in another language: then all-numeric, in the recipient's order.
        keep_marks: Keep direction marks, as a right-to-left text needs.
    Raises:
        FormatRefused: If there is no such style.
    """
    _check(style)
    if isinstance(value, clock.datetime):
        value = value.date()
    return _date(value, style if words else "numeric", locale, words, keep_marks)


def written_moment(value: clock.datetime, style: str, locale: Locale, *, words: bool, keep_marks: bool) -> str:
    """Write a date with hours and minutes of its own zone."""
    _check(style)
    return _moment(value.replace(tzinfo=None, second=0, microsecond=0), style, locale, words, keep_marks)


def written_month(value: clock.date, locale: Locale, *, words: bool, keep_marks: bool) -> str:
    """Write month and year."""
    return _month(value.year, value.month, locale, words, keep_marks)


def _check(style: str) -> None:
    if style not in STYLES:
        raise FormatRefused("unknown-style", f'a date has no style "{style}"', f"use one of: {', '.join(STYLES)}")


@lru_cache(maxsize=16_384)
def _date(value: clock.date, style: str, locale: Locale, words: bool, keep_marks: bool) -> str:
    if style == "numeric":
        text = format_skeleton("yMd", value, locale=locale)
    else:
        text = format_date(value, style, locale=locale)
    return _finished(text, locale, words, keep_marks)


@lru_cache(maxsize=4096)
def _moment(value: clock.datetime, style: str, locale: Locale, words: bool, keep_marks: bool) -> str:
    if not words or style == "numeric":
        text = f"{format_skeleton('yMd', value, locale=locale)} {value:%H:%M}"
    else:
        day = format_date(value, style, locale=locale)
        hour = format_time(value, "short", locale=locale)
        text = str(locale.datetime_formats[style]).replace("{0}", hour).replace("{1}", day)
        text = text.replace("'", "")
    return _finished(text, locale, words, keep_marks)


@lru_cache(maxsize=4096)
def _month(year: int, month: int, locale: Locale, words: bool, keep_marks: bool) -> str:
    first = clock.date(year, month, 1)
    return _finished(format_skeleton("yMMMM" if words else "yM", first, locale=locale), locale, words, keep_marks)


def _finished(text: str, locale: Locale, words: bool, keep_marks: bool) -> str:
    if words:
        text = text.translate(digit_table(locale.default_numbering_system))
    return text if keep_marks else BIDI_MARKS.sub("", text)
