"""Which language a recipient reads and which locale writes their numbers."""

from __future__ import annotations

import pytest
from babel import Locale

from ccm.plan.locales import negotiate

OFFERED = (
    "en-US",
    "de-DE",
    "en-GB",
    "zh-Hans",
    "zh-Hant",
    "pt-BR",
    "es-ES",
    "es-419",
    "ar-EG",
    "nb-NO",
    "he-IL",
    "sr-Latn-RS",
)


@pytest.mark.parametrize(
    ("wanted", "language", "locale"),
    [
        ("de-DE", "de-DE", "de-DE"),
        ("de_CH", "de-DE", "de-CH"),
        ("de", "de-DE", "de"),
        ("en-IN", "en-GB", "en-IN"),  # CLDR: both inherit from en-001
        ("en-PH", "en-US", "en-PH"),
        ("zh-TW", "zh-Hant", "zh-TW"),
        ("zh-HK", "zh-Hant", "zh-HK"),
        ("zh-CN", "zh-Hans", "zh-CN"),
        ("zh", "zh-Hans", "zh"),
        ("pt-PT", "pt-BR", "pt-PT"),
        ("es-MX", "es-419", "es-MX"),
        ("es", "es-ES", "es"),
        ("no", "nb-NO", "nb"),
        ("iw", "he-IL", "he"),
        ("sr-RS", "sr-Latn-RS", "sr-RS"),  # other script, same language
        ("en_US.UTF-8", "en-US", "en-US"),
        ("de-DE-u-nu-latn", "de-DE", "de-DE"),
        ("de-US", "de-DE", "de"),  # CLDR has no German for the United States
        ("fr-FR", "en-US", "fr-FR"),
        ("", "en-US", "en-US"),
        ("xx-YY", "en-US", "en-US"),
        ("klingon", "en-US", "en-US"),
        ("'; DROP", "en-US", "en-US"),
        ("../../x", "en-US", "en-US"),
    ],
)
def test_negotiation(wanted: str, language: str, locale: str) -> None:
    """Same tag, same language and script, same language, else the first; numbers keep the reader's own locale."""
    assert negotiate(wanted, OFFERED) == (language, locale)
    assert Locale.parse(locale, sep="-")
