"""Settings of HTTP providers: what is wrong is named, what is secret is not shown, what is unsafe is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccm.deliver.interface import DeliveryError
from ccm.deliver.provider_settings import ProviderSettings, is_loopback

KNOWN = frozenset({"url", "token", "token_file", "mode", "wait", "ca_file"})


def given(root: Path = Path("/"), **settings: str) -> ProviderSettings:
    return ProviderSettings("mine", settings, root=str(root), known=KNOWN)


def test_an_unknown_setting_is_named_with_the_nearest_one() -> None:
    """A misspelt setting never stays without effect."""
    with pytest.raises(DeliveryError, match='"tokne" is not known; did you mean "token"'):
        given(tokne="x")


def test_values() -> None:
    """Texts, choices and numbers, with their defaults."""
    settings = given(url="https://a.example/x/", mode="fast", wait="1.5")
    assert settings.address("url") == "https://a.example/x"
    assert settings.choice("mode", "slow", ("slow", "fast")) == "fast"
    assert settings.seconds("wait", 30) == 1.5
    assert given().seconds("wait", 30) == 30
    assert given().count("wait", 8, largest=9) == 8
    assert given().file("ca_file") == ""
    assert given(Path("/w"), ca_file="tls/ca.pem").file("ca_file") == "/w/tls/ca.pem"


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example",
        "https://user:pass@a.example",
        "https://user@a.example",
        "https://a.example/#x",
        "ftp://a.example",
        "a.example",
        "https:///path",
        "https://a.example:99999",
        "https://[::1",
        "file:///etc/passwd",
        "http://localhost.evil.example",
    ],
)
def test_unsafe_addresses_are_refused(address: str) -> None:
    """https, or http to this machine; no log-in inside, which logs would show."""
    with pytest.raises(DeliveryError, match="setting url is no") as caught:
        given(url=address).address("url")
    assert address not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_needs_no_tls(host: str) -> None:
    """Test servers and side-cars on the same machine."""
    assert is_loopback(host)
    shown = f"[{host}]" if ":" in host else host
    assert given(url=f"http://{shown}:8080").address("url") == f"http://{shown}:8080"


def test_secrets_come_from_the_setting_or_a_file(tmp_path: Path) -> None:
    """A file may hold it, as containers mount it; a line end does not belong to it."""
    (tmp_path / "token").write_text("s3cret\n")
    assert given(tmp_path, token_file="token").secret("token") == "s3cret"
    assert given(token="other").secret("token") == "other"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, r"token is missing; set token: \$\{TOKEN\}, or token_file"),
        ({"token_file": "nowhere"}, "token_file names no readable file"),
        ({"token": "s3cret", "token_file": "x"}, "both token and token_file are set"),
    ],
)
def test_a_missing_secret_is_named(settings: dict[str, str], named: str, tmp_path: Path) -> None:
    """With the ways to give it, and never with its value."""
    with pytest.raises(DeliveryError, match=named) as caught:
        given(tmp_path, **settings).secret("token")
    assert "s3cret" not in str(caught.value)
    assert not caught.value.retriable


@pytest.mark.parametrize("value", ["soon", "0", "601", "nan"])
def test_wrong_numbers_are_named(value: str) -> None:
    """By the setting's name, with what it takes."""
    with pytest.raises(DeliveryError, match="setting wait is no number from 1 to 600"):
        given(wait=value).seconds("wait", 30)


def test_a_wrong_choice_is_named() -> None:
    """With the nearest one."""
    with pytest.raises(DeliveryError, match='setting mode is wrong; did you mean "fast"'):
        given(mode="fsat").choice("mode", "slow", ("slow", "fast"))


def test_a_required_setting_says_how_it_looks() -> None:
    """The remedy can be copied."""
    with pytest.raises(DeliveryError, match="set it, such as mode: fast"):
        given().required("mode", "fast")
