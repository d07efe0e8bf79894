"""What the pages say, in the recipient's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
SOURCE = "en"


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return all texts by language and name."""
    loaded: Mapping[str, Mapping[str, str]] = json.loads(
        files("ccm.serve").joinpath("texts.json").read_text(encoding="utf-8")
    )
    return loaded


def spoken(locale: str) -> str:
    """Return the language of the texts for a locale; English where we do not speak it."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in catalogue() else SOURCE


def preferred(accepted: str) -> str:
    """Return the first language of an Accept-Language header that we speak."""
    for part in accepted[:200].split(","):
        language = part.partition(";")[0].strip()
        if language and spoken(language) == language.partition("-")[0].lower():
            return spoken(language)
    return SOURCE


def texts(language: str, brand: str) -> Mapping[str, str]:
    """Return the texts of one language with the brand's name filled in."""
    return {name: text.replace("{brand}", brand) for name, text in catalogue()[language].items()}
