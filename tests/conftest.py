"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ledger.postgres_server import new_database
from weights import SECONDS

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--online", action="store_true", help="run tests that need the network")
    parser.addoption("--update-snapshots", action="store_true", help="rewrite the approved renditions")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the order of the others, and within a file, stays random."""
    items.sort(key=lambda item: -SECONDS.get(item.path.stem, 0))
    if config.getoption("--online"):
        return
    for item in items:
        if "online" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs --online"))


@pytest.fixture(scope="session")
def project() -> Path:
    """The repository's root, which is also the sample workspace."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data and test vectors; skips where it is absent, but never in CI, where it must be there."""
    folder = Path(os.environ.get("CCM_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail("CI must have the shared data folder (set CCM_SHARED_DATA)")
        pytest.skip("the shared data folder is absent (set CCM_SHARED_DATA)")
    return folder


@pytest.fixture
def postgres_url() -> str:
    """The address of a new database of a real PostgreSQL server."""
    return new_database()


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """The address of a new ledger, on both kinds of database."""
    return "sqlite:///ledger.db" if request.param == "sqlite" else new_database()
