"""Promise: no secret stands in a file of the workspace; their places are in tests/cases/load/secrets.ccm.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
from loaded_workspace import write_workspace

from ccm.diagnostics import Severity
from ccm.load import load_workspace
from ccm.load.secrets import is_secret


@pytest.mark.parametrize(
    ("setting", "secret"),
    [
        ("password", True), ("auth_token", True), ("access_token", True), ("key_passphrase", True), ("secret", True),
        ("api_key", True), ("api_key_secret", True), ("access_token_secret", True),
        ("password_file", False), ("api_key_sid", False), ("dkim_key_file", False), ("account_sid", False),
        ("tokens", False), ("secretary", False), ("object_name", False), ("known_hosts", False),
    ],
)  # fmt: skip
def test_secrets_are_known_by_their_names(setting: str, secret: bool) -> None:
    """As adapters have them, ours and others'."""
    assert is_secret(setting) is secret


def test_a_secret_in_clear_stops_everything_and_is_not_repeated(tmp_path: Path) -> None:
    """In settings and in addresses of databases."""
    root = write_workspace(tmp_path)
    (root / "ccm.yaml").write_text(
        "workspace: small\nproviders:\n  outbox: {adapter: outbox, settings: {password: hunter2}}\n"
    )
    (root / "data" / "shop.yaml").write_text(
        "source: shop\nrows: {url: postgresql+psycopg://ccm:hunter2@db.example/shop, table: customers}\nkey: id\n"
        "recipient: {email: email}\n"
    )
    _, diagnostics = load_workspace(root)
    found = [item for item in diagnostics if item.code == "literal-secret"]
    assert [(item.location.path, item.location.line) for item in found] == [("ccm.yaml", 3), ("data/shop.yaml", 2)]
    assert {item.severity for item in found} == {Severity.ERROR}
    assert "hunter2" not in " ".join(map(str, diagnostics))


def test_a_secret_from_the_environment_is_fine(tmp_path: Path) -> None:
    """In a setting and inside an address."""
    root = write_workspace(tmp_path)
    (root / "ccm.yaml").write_text(
        'workspace: small\nproviders:\n  outbox: {adapter: outbox, settings: {password: "${P}"}}\n'
    )
    (root / "data" / "shop.yaml").write_text(
        'source: shop\nrows: {url: "postgresql+psycopg://ccm:${SHOP}@db.example/shop", table: customers}\nkey: id\n'
        "recipient: {email: email}\n"
    )
    _, diagnostics = load_workspace(root)
    assert not [item for item in diagnostics if item.code == "literal-secret"]
