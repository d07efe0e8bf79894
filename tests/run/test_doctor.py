"""`ccm doctor` finds what would stop a run, says what to do, waits for nobody, and sends nothing."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self

import pytest
from run.small_workspace import CCM, people, small_workspace

from ccm.deliver.interface import Adapter
from ccm.ledger.sql import open_ledger
from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Capabilities, Envelope, Receipt
from ccm.model.workspace import Workspace
from ccm.run import health
from ccm.run.doctor import CHECKS, Examined, examine, told
from ccm.testing import sample_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sound workspace."""
    return small_workspace(tmp_path / "w", people(1))


def loaded(root: Path, providers: str = "") -> Workspace:
    """Load it with more providers."""
    (root / "ccm.yaml").write_text(CCM + providers, encoding="utf-8")
    workspace, diagnostics = load_workspace(root, lint=False)
    assert workspace is not None, diagnostics
    return workspace


def sick(found: tuple[Examined, ...]) -> dict[str, Examined]:
    """Return what is not fine."""
    return {item.name: item for item in found if not item.fine}


def test_a_sound_workspace_is_fine(root: Path) -> None:
    """Every check and every provider is told, in a fixed order; nothing was sent."""
    found = examine(loaded(root))
    assert sick(found) == {}
    assert [item.name for item in found] == [*CHECKS, "provider archive", "provider outbox"]
    assert not list((root / "outbox").rglob("*.*"))
    assert {item.name: item.detail for item in found}["releases"] == "1 releases in releases"


def future_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger("sqlite:///.ccm/ledger.db", str(root))
    moment = datetime.now(UTC) + timedelta(hours=1)
    ledger.claim_run(sample_run(started_at=moment), owner="other", now=moment, lease_seconds=60)
    ledger.close()


def clock_of_yesterday(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.time, "time", lambda: time.monotonic())


def broken_font(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "brands" / "plain" / "fonts" / "plain.ttf").write_bytes(b"no font")


def no_space(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LOW_DISK_BYTES", 1 << 60)


def damaged_ledger(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".ccm").mkdir(exist_ok=True)
    (root / ".ccm" / "ledger.db").write_bytes(b"no database" * 500)


def archive_in_the_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "archive").write_text("a file")


def releases_in_the_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    shutil.rmtree(root / "releases")
    (root / "releases").write_text("a file")


def open_secret(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".ccm").mkdir(exist_ok=True)
    (root / ".ccm" / "secret").write_text("x" * 40)
    (root / ".ccm" / "secret").chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "names", "words"),
    [
        (future_run, {"clock"}, "in the future"),
        (clock_of_yesterday, {"clock"}, "disk's differ"),
        (broken_font, {"fonts"}, "plain.ttf of brand plain"),
        (no_space, {"disk"}, "MB are free"),
        (damaged_ledger, {"ledger", "clock"}, "no SQLite database"),
        (archive_in_the_way, {"archive"}, "archive"),
        (releases_in_the_way, {"releases"}, "releases"),
        (open_secret, {"secrets"}, "other users may read .ccm/secret"),
    ],
)
def test_each_fault_is_found_alone(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path, pytest.MonkeyPatch], None],
    names: set[str],
    words: str,
) -> None:
    """With what is wrong and what to do; the other checks are told as well."""
    spoil(root, monkeypatch)
    found = examine(loaded(root))
    assert set(sick(found)) == names
    assert words in " ".join(item.detail for item in sick(found).values())
    assert all(item.remedy for item in sick(found).values())
    assert len(found) == len(CHECKS) + 2


PROVIDERS = """\
  nobody: {adapter: smtp, settings: {host: 127.0.0.1, port: "1", tls: none}}
  unset: {adapter: smtp, settings: {host: "${CCM_TEST_NOT_SET}"}}
  stranger: {adapter: smpt}
  misspelt: {adapter: outbox, settings: {foldr: x}}
  key: {adapter: print, settings: {key_file: key, known_hosts: known}}
"""


def test_every_provider_is_told_with_its_remedy(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreachable, misspelt, unset, unknown; and a key that others may read."""
    monkeypatch.delenv("CCM_TEST_NOT_SET", raising=False)
    (root / "key").write_text("secret key")
    (root / "key").chmod(0o640)
    found = sick(examine(loaded(root, PROVIDERS)))
    assert set(found) == {"secrets", *(f"provider {name}" for name in ("nobody", "unset", "stranger", "misspelt"))}
    assert all(item.remedy for item in found.values())
    assert "CCM_TEST_NOT_SET" in found["provider unset"].detail
    assert 'did you mean "smtp"?' in found["provider stranger"].remedy
    assert '"foldr"' in found["provider misspelt"].detail
    assert found["secrets"].remedy == "chmod 600 key"


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_provider_costs_its_own_time_only(root: Path, silent_server: int) -> None:
    """All are asked at once, and after the limit the rest is told."""
    settings = f'{{host: 127.0.0.1, port: "{silent_server}", tls: none, timeout_seconds: "60"}}'
    silent = "".join(f"  silent{n}: {{adapter: smtp, settings: {settings}}}\n" for n in range(5))
    workspace = loaded(root, silent)
    examine(workspace)  # what is imported at the first time is not the provider's time
    begun = time.monotonic()
    found = sick(examine(workspace, timeout_seconds=3))
    assert time.monotonic() - begun < 8
    assert set(found) == {f"provider silent{n}" for n in range(5)}
    assert {item.detail for item in found.values()} == {"no answer within 3 seconds"}
    assert all("--timeout" in item.remedy for item in found.values())


class CrashingAdapter(Adapter):
    """A stranger's adapter with a mistake."""

    capabilities: ClassVar[Capabilities] = Capabilities((Channel.EMAIL,))

    @classmethod
    def from_settings(cls, provider: str, settings: Mapping[str, str], *, root: str) -> Self:
        raise KeyError("ann@example.org")

    def deliver(self, envelope: Envelope) -> Receipt:
        raise AssertionError


def test_a_mistake_of_a_plug_in_is_told_without_its_words() -> None:
    """They may quote data."""
    with pytest.raises(KeyError) as caught:
        CrashingAdapter.from_settings("x", {}, root=os.sep)
    found = told("provider x", caught.value)
    assert (found.fine, found.detail) == (False, "failed with KeyError")
    assert found.remedy


def test_a_missing_database_driver_names_its_install_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger in PostgreSQL needs an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    workspace = loaded(root)
    elsewhere = workspace.definition.model_copy(update={"ledger": "postgresql+psycopg://ccm@127.0.0.1:1/ccm"})
    found = sick(examine(replace(workspace, definition=elsewhere)))
    assert "pip install" in found["ledger"].remedy
    assert "ccm-engine[postgres]" in found["ledger"].remedy


def test_it_tells_whether_inner_loops_are_compiled(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are fine; without them documents take longer, and the way to have them is named."""
    workspace = loaded(root)
    monkeypatch.setattr("ccm.compose.document.fill.kernel.COMPILED", None)
    assert "install a wheel" in health.filling(workspace)
    monkeypatch.setattr("ccm.compose.document.fill.kernel.COMPILED", sys)
    assert health.filling(workspace) == "inner loops are compiled"
