"""What differs between two contents, and how far: contract and facts, structure and layout, copy and colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ccm.model.definitions import BrandDefinition, TemplateDefinition
from ccm.model.workspace import Brand
from ccm.release.content import Content
from ccm.release.manifest import Bump
from ccm.release.skeleton import Skeleton, markup, style

_RANK = {Bump.NONE: 0, Bump.PATCH: 1, Bump.MINOR: 2, Bump.MAJOR: 3, Bump.FIRST: 4}
_FONTS = (".ttf", ".otf")
_IMAGES = (".png", ".svg", ".jpg", ".jpeg", ".webp", ".gif")
_COPY_OF_TEMPLATE = ("title", "description")
_COPY_OF_BRAND = ("title", "address", "legal", "links", "contact", "avoid")


@dataclass(frozen=True)
class Change:
    """One difference.

    kind: contract, facts, structure, layout, copy, colour, image, font, file, senders, rules or engine.
    where: A file, or the name of a field, fact or token.
    """

    level: Bump
    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.level}: {self.kind}: {self.where}: {self.what}"


def compare(before: Content, after: Content) -> tuple[Change, ...]:
    """List what differs, the farthest-reaching first."""
    changes = [
        *_contract(before.template.definition, after.template.definition),
        *_definition(before.template.definition, after.template.definition, after.template.root),
        *_brand(before.brand.definition, after.brand.definition, after.brand.root),
        *_tokens(before.brand, after.brand),
        *_files(before, after),
    ]
    return tuple(sorted(changes, key=lambda item: (-_RANK[item.level], item.kind, item.where)))


def farthest(changes: Iterable[Change]) -> Bump:
    """Return the level that the changes ask for."""
    return max((item.level for item in changes), key=_RANK.__getitem__, default=Bump.NONE)


def reaches(given: Bump, needed: Bump) -> bool:
    """Tell whether a level is at least another one."""
    return _RANK[given] >= _RANK[needed]


# ── what template and brand declare ──────────────────────────────────────────


def _contract(before: TemplateDefinition, after: TemplateDefinition) -> Iterator[Change]:
    for kind, one, two in (
        ("contract", before.contract, after.contract),
        ("contract", before.parameters, after.parameters),
        ("facts", before.facts, after.facts),
    ):
        old = {name: _meaning(item.model_dump(mode="json")) for name, item in one.items()}
        new = {name: _meaning(item.model_dump(mode="json")) for name, item in two.items()}
        yield from _mapping(Bump.MAJOR, kind, _flat(old), _flat(new))
        words = {name: item.model_dump(mode="json") for name, item in one.items()}
        for name, item in two.items():
            if name in words and old[name] == new[name] and words[name] != item.model_dump(mode="json"):
                yield Change(Bump.PATCH, "copy", name, "title or description changed")


def _meaning(dumped: Any) -> Any:
    """Return a definition without the words that people read in it."""
    if isinstance(dumped, Mapping):
        return {key: _meaning(value) for key, value in dumped.items() if key not in _COPY_OF_TEMPLATE}
    return dumped


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return every field by its path, with its own properties as one text."""
    found: dict[str, str] = {}
    for name, item in nested.items():
        path = f"{prefix}{name}"
        inner = dict(item.get("fields") or {})
        of = item.get("of")
        if isinstance(of, Mapping):
            inner |= dict(of.get("fields") or {})
        own = {key: value for key, value in item.items() if key not in ("fields", "of") and value not in ((), [], None)}
        if isinstance(of, Mapping):
            own["of"] = of.get("type")
        found[path] = ", ".join(f"{key} {_short(value)}" for key, value in own.items() if value not in ("", {}))
        found |= _flat(inner, f"{path}.")
    return found


def _definition(before: TemplateDefinition, after: TemplateDefinition, root: str) -> Iterator[Change]:
    place = f"{root}/template.yaml"
    for name in ("title", "description"):
        if getattr(before, name) != getattr(after, name):
            yield Change(Bump.PATCH, "copy", place, f"{name} changed")
    for name in ("purpose", "sms", "document"):
        if getattr(before, name) != getattr(after, name):
            yield Change(Bump.MINOR, "rules", place, f"{name} changed")
    yield from _added("locale", before.locales, after.locales, place)
    if before.locales != after.locales and set(before.locales) == set(after.locales):
        yield Change(Bump.MINOR, "structure", place, "order of locales changed")
    for side in ("required", "optional", "broadcast"):
        yield from _added(f"{side} channel", getattr(before.channels, side), getattr(after.channels, side), place)


def _added(what: str, before: Iterable[str], after: Iterable[str], place: str) -> Iterator[Change]:
    old, new = set(before), set(after)
    for name in sorted(new - old):
        yield Change(Bump.MINOR, "structure", place, f"{what} {name} added")
    for name in sorted(old - new):
        yield Change(Bump.MINOR, "structure", place, f"{what} {name} removed")


def _brand(before: BrandDefinition, after: BrandDefinition, root: str) -> Iterator[Change]:
    place = f"{root}/brand.yaml"
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    for name in sorted(set(old) | set(new)):
        if old.get(name) == new.get(name):
            continue
        if name in _COPY_OF_BRAND:
            yield Change(Bump.PATCH, "copy", place, f"{name} changed")
        elif name == "logo" and old["logo"]["width_mm"] == new["logo"]["width_mm"]:
            yield Change(Bump.PATCH, "image", place, "logo changed")
        elif name == "senders":
            yield Change(Bump.MINOR, "senders", place, "who messages come from changed")
        elif name == "approval":
            yield Change(Bump.PATCH, "rules", place, "who may approve changed")
        else:
            yield Change(Bump.MINOR, "layout", place, f"{name} changed")


def _tokens(before: Brand, after: Brand) -> Iterator[Change]:
    for path in sorted({*before.tokens, *after.tokens}):
        old, new = before.tokens.get(path), after.tokens.get(path)
        if old == new:
            continue
        coloured = (new or old) is not None and (new or old).type == "color"  # type: ignore[union-attr]
        what = f"{old.value if old else 'none'} → {new.value if new else 'none'}"
        level, kind = (Bump.PATCH, "colour") if coloured and old and new else (Bump.MINOR, "layout")
        yield Change(level, kind, path, what)


# ── files ────────────────────────────────────────────────────────────────────


def _files(before: Content, after: Content) -> Iterator[Change]:
    old, new = _message_files(before), _message_files(after)
    for path in sorted({*old, *new}):
        if path not in old or path not in new:
            word = "added" if path in new else "removed"
            yield _whole_file(path, word)
        elif old[path] != new[path]:
            yield from _changed_file(path, old[path], new[path])


def _message_files(content: Content) -> dict[str, bytes]:
    """Return the files that are compared as files; definitions and tokens are compared as what they mean."""
    samples = f"{content.template.root}/samples/"
    tokens = {f"{content.brand.root}/{name}" for name in content.brand.definition.tokens}
    meant = {f"{content.template.root}/template.yaml", f"{content.brand.root}/brand.yaml", *tokens}
    return {
        path: body for path, body in content.library.files.items() if path not in meant and not path.startswith(samples)
    }


def _whole_file(path: str, word: str) -> Change:
    ending = PurePosixPath(path).suffix.lower()
    if ending == ".po":
        return Change(Bump.PATCH, "copy", path, f"catalogue {word}")
    if ending in _IMAGES:
        return Change(Bump.PATCH, "image", path, word)
    if ending in _FONTS:
        return Change(Bump.MINOR, "font", path, word)
    if ending in (".mjml", ".html", ".txt", ".css") and path.startswith("templates/"):
        return Change(Bump.MINOR, "structure", path, word)
    return Change(Bump.PATCH, "file", path, word)


def _changed_file(path: str, before: bytes, after: bytes) -> Iterator[Change]:
    ending = PurePosixPath(path).suffix.lower()
    if ending in (".mjml", ".html", ".txt") and path.startswith("templates/"):
        yield from _layers(path, markup(_text(before)), markup(_text(after)), "structure")
    elif ending == ".css":
        yield from _layers(path, style(_text(before)), style(_text(after)), "layout")
    else:
        yield _whole_file(path, "changed")


def _layers(path: str, before: Skeleton, after: Skeleton, kind: str) -> Iterator[Change]:
    if before.structure != after.structure:
        yield Change(Bump.MINOR, kind, path, _first_difference(before.structure, after.structure))
    if before.copy != after.copy:
        yield Change(Bump.PATCH, "copy", path, _first_difference(before.copy, after.copy))
    if before == after:
        yield Change(Bump.PATCH, "colour" if kind == "layout" else "copy", path, "colour, comment or white space")


def _mapping(level: Bump, kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield Change(level, kind, name, f"added: {after[name]}")
        elif name not in after:
            yield Change(level, kind, name, "removed")
        elif before[name] != after[name]:
            yield Change(level, kind, name, f"{before[name]} → {after[name]}")


def _first_difference(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    for one, two in zip(before, after, strict=False):
        if one != two:
            return f"{_short(one)} → {_short(two)}"
    longer, word = (after, "added") if len(after) > len(before) else (before, "removed")
    return f"{_short(longer[min(len(before), len(after))])} {word}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
