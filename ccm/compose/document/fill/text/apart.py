"""Signs that a font sets without looking at their neighbours: a text may be cut at them, and its parts be set one by one.

Why: Amounts and numbers never repeat, but their digits do; a sentence with a new number in it has known words.

Source: OpenType 1.9, GSUB and GPOS; HarfBuzz, hb-ot-shape.cc (`common_features`, `horizontal_features`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

_SIGNS = " \u00a00123456789.,:-+−/£€$()&’·–"
_ALWAYS = frozenset((
    "abvm", "blwm", "ccmp", "locl", "mark", "mkmk", "rlig", "calt", "clig", "curs", "dist", "kern", "liga", "rclt", "rand",
    "rvrn", "ltra", "ltrm", "Harf", "HARF", "Buzz", "BUZZ",
))  # fmt: skip
_OTHER_TABLES = ("fvar", "kern", "kerx", "morx", "trak")  # ways of setting text that are not looked at here
_CONTEXTS = ("ContextSubst", "ChainContextSubst", "ContextPos", "ChainContextPos")
# Parts of tables that are numbers alone; what they are about is named beside them.
_NAMELESS = ("reader", "font", "Class1Record", "EntryExitRecord", "MarkArray", "BaseArray", "LigatureArray",
             "Mark1Array", "Mark2Array", "Value", "Value1", "Value2")  # fmt: skip
_SKIPS_BASES = 0x06  # lookups that may look past a sign


@lru_cache(maxsize=64)
def signs_apart(content: bytes, features: frozenset[str]) -> str:
    """Return the signs that no substitution and no positioning of a font looks at.

    Args:
        content: Font file.
        features: Those that a style asks for beside the usual ones.
    """
    from fontTools.ttLib import TTFont

    font = TTFont(BytesIO(content), lazy=True)
    if any(name in font for name in _OTHER_TABLES):
        return ""
    touched: set[str] = set()
    for tag in ("GSUB", "GPOS"):
        if tag in font and not all(
            _touch(one, touched) for one in _lookups(font[tag].table, _ALWAYS | features) if one is not None
        ):
            return ""
    names = font.getBestCmap()
    return "".join(sign for sign in _SIGNS if names.get(ord(sign)) is not None and names[ord(sign)] not in touched)


def _lookups(table: Any, features: frozenset[str]) -> Iterator[Any]:
    """Return the lookups of some features in any language, and those that a language requires."""
    if table.FeatureList is None or table.LookupList is None:
        return
    records = table.FeatureList.FeatureRecord
    wanted = {at for at, one in enumerate(records) if one.FeatureTag in features}
    for script in table.ScriptList.ScriptRecord:
        systems = [one.LangSys for one in script.Script.LangSysRecord]
        wanted |= {one.ReqFeatureIndex for one in (*systems, script.Script.DefaultLangSys) if one is not None}
    numbers = {number for at in wanted if at < len(records) for number in records[at].Feature.LookupListIndex}
    yield from (table.LookupList.Lookup[number] for number in sorted(numbers))


def _touch(lookup: Any, touched: set[str]) -> bool:
    """Add all glyphs that a lookup names; returns whether it looks at no others."""
    if lookup.LookupFlag & _SKIPS_BASES:
        return False
    for subtable in lookup.SubTable:
        part = getattr(subtable, "ExtSubTable", subtable)
        if type(part).__name__ in _CONTEXTS and part.Format == 2:
            return False  # by classes, and one of them is everything else
        if type(part).__name__ == "PairPos" and part.Format == 2 and any(map(_moves_others, part.Class1Record)):
            return False
        touched.update(_named(part))
    return True


def _moves_others(record: Any) -> bool:
    """Tell whether a first glyph of a pair is moved beside glyphs that are in no class."""
    pair = record.Class2Record[0]
    values = (getattr(pair, name, None) for name in ("Value1", "Value2"))
    return any(any(vars(value).values()) for value in values if value is not None)


def _named(part: Any) -> Iterator[str]:
    """Return the names of all glyphs anywhere in a part of a table."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from _named(key)
            yield from _named(value)
    elif isinstance(part, Iterable):
        for one in part:
            yield from _named(one)
    elif hasattr(part, "ensureDecompiled"):
        part.ensureDecompiled()
        for name, value in vars(part).items():
            if name not in _NAMELESS:
                yield from _named(value)
