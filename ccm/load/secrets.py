"""Secrets that stand in the workspace's files in clear: refused before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ccm.diagnostics import Diagnostic, Location
from ccm.load.yaml_reader import YamlFile
from ccm.model.definitions import SourceDefinition, TableDefinition, WorkspaceDefinition

CODE = "literal-secret"
_SECRET = re.compile(r"(?:^|_)(?:password|passphrase|secret|token|(?:api|access|private)_key)$")
_FROM_ENVIRONMENT = re.compile(r"\s*(?:\$\{[A-Za-z_][A-Za-z0-9_]*\}\s*)*")  # two, while a secret is changed
_PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]*:(?P<password>[^/?#@\s]+)@")


def secrets_of_workspace(definition: WorkspaceDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    """Yield every secret that ccm.yaml holds in clear; never its value."""
    for name, provider in definition.providers.items():
        for setting, value in provider.settings.items():
            place = file.at(("providers", name, "settings", setting))
            if is_secret(setting) and not _FROM_ENVIRONMENT.fullmatch(value):
                yield _literal(f"setting {setting} of provider {name}", _variable(setting), place)
            elif _holds_password(value):
                yield _literal(f"the password in {setting} of provider {name}", _variable(setting), place)
    if _holds_password(definition.ledger):
        remedy = "leave the password out of the address and set PGPASSWORD, or use ~/.pgpass; then change it"
        yield _literal("the password of the ledger", remedy, file.at(("ledger",)))


def secrets_of_source(definition: SourceDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    """Yield every password that the address of a database holds in clear."""
    tables: list[tuple[tuple[str, ...], TableDefinition | None]] = [
        (("rows",), definition.rows),
        (("suppressions",), definition.suppressions),
        *((("children", name, "rows"), child.rows) for name, child in definition.children.items()),
    ]
    for steps, table in tables:
        if table is not None and table.url and _holds_password(table.url):
            yield _literal("the password of the database", _variable("url"), file.at((*steps, "url")))


def is_secret(setting: str) -> bool:
    """Tell whether a setting holds a secret, by its name."""
    return _SECRET.search(setting) is not None


def _holds_password(url: str) -> bool:
    found = _PASSWORD_IN_URL.match(url)
    return found is not None and not _FROM_ENVIRONMENT.fullmatch(found["password"])


def _variable(setting: str) -> str:
    return f"write {setting}: ${{NAME}} and set the environment variable; then change the secret"


def _literal(what: str, remedy: str, place: Location) -> Diagnostic:
    return Diagnostic(CODE, f"{what} stands here in clear", remedy, place)
