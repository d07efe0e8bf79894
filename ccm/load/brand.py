"""A brand's folder: brand.yaml, its tokens, and whether logo, fonts and links are usable."""

from __future__ import annotations

from collections.abc import Iterator

from ccm.diagnostics import Diagnostic, Location
from ccm.load.authored import parse_definition
from ccm.load.contrast import contrast_warnings
from ccm.load.files import inside
from ccm.load.tokens import load_tokens
from ccm.load.yaml_reader import YamlFile, read_yaml
from ccm.model.definitions import BrandDefinition
from ccm.model.workspace import Brand, ContentLibrary

_PNG = b"\x89PNG\r\n\x1a\n"
_FONT_STARTS = (b"\x00\x01\x00\x00", b"OTTO", b"true")


def load_brand(library: ContentLibrary, name: str) -> tuple[Brand | None, tuple[Diagnostic, ...]]:
    """Load `brands/<name>/`."""
    root = f"brands/{name}"
    file, diagnostics = read_yaml(library.read(f"{root}/brand.yaml"), f"{root}/brand.yaml")
    if diagnostics:
        return None, diagnostics
    definition, diagnostics = parse_definition(BrandDefinition, file)
    if definition is None:
        return None, diagnostics
    problems = list(_check(definition, file, library, root, name))
    paths, missing = _token_paths(definition, file, library, root)
    tokens, token_problems = load_tokens(library, paths)
    problems += [*missing, *token_problems, *contrast_warnings(tokens, paths[-1] if paths else file.path)]
    return Brand(definition, root, tokens), tuple(problems)


def _check(
    brand: BrandDefinition, file: YamlFile, library: ContentLibrary, root: str, name: str
) -> Iterator[Diagnostic]:
    if brand.brand != name:
        remedy = f'write "brand: {name}", or rename the folder'
        yield Diagnostic("name-mismatch", "the name is not that of the folder", remedy, file.at(("brand",)))
    yield from _logo(brand, file, library, root)
    for index, font in enumerate(brand.fonts):
        yield from _font(font.file, file.at(("fonts", index, "file")), library, root)
    for link, address in brand.links.items():
        yield from _https(address, file.at(("links", link)))
    email = brand.senders.email
    if email.unsubscribe_url is not None:
        yield from _https(email.unsubscribe_url, file.at(("senders", "email", "unsubscribe_url")))
    for network in ("mastodon", "bluesky", "x", "facebook", "linkedin"):
        sender = getattr(brand.senders, network)
        if sender is not None and sender.profile_url is not None:
            yield from _https(sender.profile_url, file.at(("senders", network, "profile_url")))
    for step in ("address", "reply_to", "unsubscribe_mailto"):
        given = getattr(email, step)
        if given is not None and ("@" not in given or any(char in given for char in " ,;<>\r\n")):
            remedy = "write one address, such as service@example.com"
            yield Diagnostic(
                "invalid-value", "this is not an email address", remedy, file.at(("senders", "email", step))
            )


def _logo(brand: BrandDefinition, file: YamlFile, library: ContentLibrary, root: str) -> Iterator[Diagnostic]:
    for step in ("file", "email", "email_dark"):
        given = getattr(brand.logo, step)
        if given is None:
            continue
        place = file.at(("logo", step))
        content, problem = _content(given, place, library, root)
        if problem:
            yield problem
        elif content is not None and not content.startswith(_PNG):
            if step != "file":
                yield Diagnostic("wrong-file-type", "mail clients need a PNG here", "export the logo as PNG", place)
            elif b"<svg" not in content[:4096]:
                yield Diagnostic("wrong-file-type", "the logo is neither SVG nor PNG", "export it as SVG", place)


def _font(given: str, place: Location, library: ContentLibrary, root: str) -> Iterator[Diagnostic]:
    content, problem = _content(given, place, library, root)
    if problem:
        yield problem
    elif content is not None and not content.startswith(_FONT_STARTS):
        remedy = "use the whole TTF or OTF file; WOFF files and collections cannot be embedded safely"
        yield Diagnostic("wrong-file-type", "this is not a TTF or OTF font", remedy, place)


def _content(given: str, place: Location, library: ContentLibrary, root: str) -> tuple[bytes | None, Diagnostic | None]:
    path = inside(root, given)
    if path is None:
        remedy = "name a file of the workspace, relative to the brand's folder"
        return None, Diagnostic("outside-workspace", f'"{given}" leads out of the workspace', remedy, place)
    if path not in library.files:
        remedy = f'add the file "{path}", or correct the path'
        return None, Diagnostic("missing-file", f'there is no file "{given}"', remedy, place)
    return library.files[path], None


def _https(address: str, place: Location) -> Iterator[Diagnostic]:
    if not address.startswith("https://") or any(char.isspace() for char in address):
        yield Diagnostic("insecure-link", "this is not an https address", "start it with https://", place)


def _token_paths(
    brand: BrandDefinition, file: YamlFile, library: ContentLibrary, root: str
) -> tuple[list[str], list[Diagnostic]]:
    paths: list[str] = []
    problems: list[Diagnostic] = []
    for index, given in enumerate(brand.tokens):
        place = file.at(("tokens", index)) if "tokens" in file.place.children else file.at(())
        _, problem = _content(given, place, library, root)
        path = inside(root, given)
        if problem:
            problems.append(problem)
        elif path is not None:
            paths.append(path)
    return paths, problems
