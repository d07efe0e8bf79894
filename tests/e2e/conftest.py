"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from e2e.forked_ccm import ForkedCcm


@pytest.fixture(scope="session")
def ccm() -> Iterator[ForkedCcm]:
    """The `ccm` command; a call takes a folder and arguments and says how it ended."""
    with ForkedCcm() as command:
        yield command
