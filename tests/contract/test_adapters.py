"""Every delivery adapter of ours keeps the contract (SMTP: tests/deliver/test_smtp.py, beside its servers)."""

from __future__ import annotations

from pathlib import Path

from ccm.deliver.archived import ArchivedAdapter
from ccm.deliver.interface import Adapter
from ccm.deliver.outbox import OutboxAdapter
from ccm.testing import AdapterContract


def main_files(folder: Path) -> int:
    """Count the files whose presence means accepted."""
    endings = {".eml", ".txt", ".pdf"}
    return sum(path.suffix in endings and not path.name.startswith(".") for path in folder.rglob("*"))


def blocked(folder: Path) -> str:
    """Return a folder that cannot be made, because a file stands in its way; true for root too."""
    (folder / "file").write_text("in the way")
    return "file/outbox"


class TestOutbox(AdapterContract):
    def open(self, folder: Path) -> Adapter:
        return OutboxAdapter.from_settings("mine", {}, root=str(folder))

    def received(self, folder: Path) -> int:
        return main_files(folder / "outbox")

    def broken(self, folder: Path) -> Adapter:
        return OutboxAdapter.from_settings("mine", {"folder": blocked(folder)}, root=str(folder))


class TestArchived(AdapterContract):
    def open(self, folder: Path) -> Adapter:
        return ArchivedAdapter.from_settings("mine", {"folder": "drop"}, root=str(folder))

    def received(self, folder: Path) -> int:
        return main_files(folder / "drop")

    def broken(self, folder: Path) -> Adapter:
        return ArchivedAdapter.from_settings("mine", {"folder": blocked(folder)}, root=str(folder))
