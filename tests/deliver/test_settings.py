"""Settings of providers: typed, and every mistake named without its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccm.deliver.interface import DeliveryError
from ccm.deliver.settings import SettingsReader, require_package


@dataclass(frozen=True)
class Known:
    region: str = ""
    url: str = ""
    count: int = 8
    wait: float = 1.0
    file: str = ""
    kind: str = ""


def reader(**settings: str) -> SettingsReader:
    return SettingsReader("mine", settings, Known, root="/nowhere")


def test_values_are_typed(tmp_path: Path) -> None:
    """Texts become what the adapter works with; what is not given takes its default."""
    (tmp_path / "key").write_bytes(b"k")
    given = {"region": " eu-west-1 ", "url": "https://x.example/", "count": "3", "wait": "0.5", "file": "key"}
    found = SettingsReader("mine", given, Known, root=str(tmp_path))
    assert (found.text("region"), found.required("region", "x")) == ("eu-west-1", "eu-west-1")
    assert (found.address("url"), found.file("file")) == ("https://x.example", b"k")
    assert (found.whole("count", 8, largest=9), found.number("wait", 1, largest=9)) == (3, 0.5)
    assert reader().whole("count", 8, largest=9) == 8
    assert (reader().text("region", "d"), reader().address("url"), reader().file("file")) == ("d", "", b"")
    assert reader().one_of("kind", ("a", "b"), "b") == "b"
    assert reader(url="http://127.0.0.1:5000").address("url") == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("read", "named"),
    [
        (lambda: reader(regoin="x-secret"), "region"),
        (lambda: reader().required("region", "eu-west-1"), "region"),
        (lambda: reader(url="http://x-secret.example").address("url"), "url"),
        (lambda: reader(count="x-secret").whole("count", 8, largest=9), "count"),
        (lambda: reader(count="10").whole("count", 8, largest=9), "count"),
        (lambda: reader(count="2.5").whole("count", 8, largest=9), "count"),
        (lambda: reader(wait="nan").number("wait", 1, largest=9), "wait"),
        (lambda: reader(file="x-secret").file("file"), "file"),
        (lambda: reader(kind="x-secret").one_of("kind", ("a", "b"), "a"), "kind"),
    ],
)
def test_mistakes_are_named(read: Callable[[], object], named: str) -> None:
    """By the setting and never by its value, which may be a secret in the wrong place."""
    with pytest.raises(DeliveryError, match=named) as caught:
        read()
    assert not caught.value.retriable
    assert caught.value.remedy
    assert "x-secret" not in str(caught.value)


def test_a_missing_package_names_its_install_line() -> None:
    """Also when it is missing inside another one."""
    require_package("mine", "json", "nothing")
    with pytest.raises(DeliveryError, match=r'pip install "ccm-engine\[print\]"'):
        require_package("mine", "no_such_package_here", "ccm-engine[print]")
