"""A small workspace made of the files in tests/cases/base, with some of them replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ccm.load.authored import parse_definition
from ccm.load.yaml_reader import read_yaml
from ccm.model.definitions import BrandDefinition, Channel, TemplateDefinition, WorkspaceDefinition
from ccm.model.workspace import (
    Brand,
    Catalogue,
    ContentLibrary,
    Fragment,
    Template,
    Token,
    Variant,
    VariantPart,
    Workspace,
)

CASES = Path(__file__).resolve().parents[2] / "cases"
ROOT = "templates/notice"

_VARIANTS = {
    "email.mjml": (Channel.EMAIL, VariantPart.BODY),
    "email.html": (Channel.EMAIL, VariantPart.BODY),
    "email.txt": (Channel.EMAIL, VariantPart.TEXT),
    "sms.txt": (Channel.SMS, VariantPart.BODY),
    "document.html": (Channel.DOCUMENT, VariantPart.BODY),
    "document.css": (Channel.DOCUMENT, VariantPart.STYLE),
    "social.mastodon.txt": (Channel.MASTODON, VariantPart.BODY),
    "card.html": (Channel.MASTODON, VariantPart.CARD),
}
FILE_NAMES = (*_VARIANTS, "template.yaml")


def small_workspace(replaced: Mapping[str, str] | None = None) -> Workspace:
    """Build the base workspace with some files replaced, by name."""
    texts = {path.name: path.read_text("utf-8") for path in (CASES / "base").iterdir() if path.is_file()}
    texts |= replaced or {}
    if "email.html" in texts:
        del texts["email.mjml"]
    files = {f"{ROOT}/{name}": text.encode("utf-8", "surrogatepass") for name, text in texts.items()}
    fragments = _fragments(files)
    yaml, _ = read_yaml(texts["template.yaml"], f"{ROOT}/template.yaml")
    authored, problems = parse_definition(TemplateDefinition, yaml)
    assert authored is not None, problems
    variants = {
        _VARIANTS[name]: Variant(*_VARIANTS[name], f"{ROOT}/{name}", text)
        for name, text in texts.items()
        if name in _VARIANTS
    }
    german = Catalogue("de", f"{ROOT}/locales/de.po", {("", "Your notice"): ("Ihre Mitteilung",)}, "n != 1")
    template = Template(authored, ROOT, variants, {"de": german}, {})
    brands = {name: _brand(name) for name in ("north", "south")}
    files |= {f"brands/{name}/logo.svg": b"<svg/>" for name in brands}
    files |= {"brands/north/images/only-north.png": b"", f"{ROOT}/images/photo.png": b""}
    definition = WorkspaceDefinition.model_construct()
    return Workspace("/nowhere", definition, brands, {"notice": template}, fragments, {}, {}, ContentLibrary(files))


def _fragments(files: dict[str, bytes]) -> dict[str, Fragment]:
    fragments = {}
    for folder in sorted((CASES / "base" / "fragments").iterdir()):
        root = f"templates/_fragments/{folder.name}"
        forms = {path.name: f"{root}/{path.name}" for path in sorted(folder.iterdir())}
        files |= {f"{root}/{path.name}": path.read_bytes() for path in folder.iterdir()}
        fragments[folder.name] = Fragment(folder.name, root, forms, {})
    return fragments


def _brand(name: str) -> Brand:
    definition = BrandDefinition.model_validate(
        {
            "brand": name,
            "title": name.title(),
            "logo": {"file": "logo.svg", "alt": name.title()},
            "fonts": [{"family": "IBM Plex Sans", "file": "fonts/plex.ttf"}],
            "senders": {"email": {"name": name.title(), "address": f"mail@{name}.example"}},
            "address": ["1 Street"],
            "legal": {"en": ["Legal"]},
            "links": {"home": f"https://{name}.example", **({"shop": "https://s.example"} if name == "north" else {})},
            "contact": {"phone": "+49 30 1234"},
        }
    )
    values = {
        "color.brand.primary": "#003366",
        "color.text": "#222222",
        "space.page": "20mm",
        "font.body": "IBM Plex Sans",
    }
    return Brand(definition, f"brands/{name}", {path: Token(path, "", value) for path, value in values.items()})


_EXPECTED = re.compile(r"\b(error|warning)\[([a-z-]+)\](?::(\d+))?")


def expected_in(text: str) -> list[tuple[int, str, str, int]]:
    """Return what a case's comments expect: line, severity, code and column (0 where it is left out)."""
    return sorted(
        (number, found[1], found[2], int(found[3] or 0))
        for number, line in enumerate(text.splitlines(), 1)
        for found in _EXPECTED.finditer(line)
    )
