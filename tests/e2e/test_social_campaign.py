"""The sample's offer on five networks, each server as real as it can be: every post once, with its card and alt text."""

from __future__ import annotations

import html
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from deliver.bluesky_server import URL as BLUESKY
from deliver.bluesky_server import BlueskyAccount, bluesky_server
from deliver.contract_server import Asked, ContractServer
from deliver.mastodon_server import TOKEN, MastodonAccount, mastodon_server
from deliver.social_contracts import (
    AUTHOR,
    LINKEDIN_TOKEN,
    PAGE,
    PAGE_TOKEN,
    X_KEYS,
    facebook_server,
    linkedin_server,
    x_server,
)
from e2e.forked_ccm import ForkedCcm
from e2e.killing_proxy import KillingProxy

CUSTOMERS = 3
LOCALES = 6
NETWORKS = ("bluesky", "mastodon", "x", "facebook", "linkedin")
RUN = ("run", "winter-offer", "--as-of", "2026-11-05T19:00Z", "--workers", "1", "--json")
SECRETS = {
    "MASTODON_TOKEN": TOKEN, "SKY_PASSWORD": BlueskyAccount.password, "PAGE_TOKEN": PAGE_TOKEN,
    "LINKEDIN_TOKEN": LINKEDIN_TOKEN, "X_CK": X_KEYS["consumer_key"], "X_CS": X_KEYS["consumer_secret"], "X_AT": X_KEYS["access_token"],
    "X_ATS": X_KEYS["access_token_secret"],
}  # fmt: skip


@pytest.fixture(scope="module")
def released(ccm: ForkedCcm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with three customers and an approved offer, never run."""
    folder = tmp_path_factory.mktemp("social")
    assert ccm("init", "w", cwd=folder).code == 0
    root = folder / "w"
    table = root / "data" / "customers.csv"
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([header, *rows[:CUSTOMERS]]) + "\n", encoding="utf-8")
    assert ccm("release", "seasonal-offer", "--by", "author", cwd=root).code == 0
    assert ccm("approve", "seasonal-offer@1.0.0", "--by", "approver", cwd=root).code == 0
    return root


@pytest.fixture(scope="module")
def bluesky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with bluesky_server(tmp_path_factory.mktemp("bluesky")):
        yield


@pytest.fixture
def mastodon() -> Iterator[MastodonAccount]:
    with mastodon_server() as account:
        yield account


def workspace(released: Path, root: Path, providers: Mapping[str, str]) -> Path:
    """Return a copy of the sample whose networks go to these providers; the others stay in the outbox."""
    shutil.copytree(released, root)
    lines = [f"  on-{name}: {{adapter: {name}, settings: {settings}}}" for name, settings in providers.items()]
    settings = (root / "ccm.yaml").read_text().replace("campaigns:", "\n".join([*lines, "campaigns:"]), 1)
    if "campaigns:" not in settings:
        settings = settings.rstrip() + "\n" + "\n".join(lines) + "\n"
    (root / "ccm.yaml").write_text(settings)
    campaign = root / "campaigns" / "winter-offer.yaml"
    text = campaign.read_text()
    for name in providers:
        text = re.sub(rf"\b{name}: outbox", f"{name}: on-{name}", text)
    campaign.write_text(text)
    return root


def on_bluesky(account: BlueskyAccount, service: str = BLUESKY) -> str:
    return f'{{service: {service}, identifier: {account.handle}, password: "${{SKY_PASSWORD}}"}}'


def on_mastodon(server: str) -> str:
    return f'{{server: "{server}", access_token: "${{MASTODON_TOKEN}}"}}'


def plain(content: str) -> str:
    """Return the text of a Mastodon post."""
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br ?/?>|</p><p>", "\n", content)))


def test_five_networks(
    ccm: ForkedCcm, released: Path, bluesky: None, mastodon: MastodonAccount, tmp_path: Path
) -> None:
    """One post for each network and locale, with card and alt text; a second run posts nothing."""
    account = BlueskyAccount()
    with ExitStack() as servers:
        x, facebook, linkedin = (servers.enter_context(make()) for make in (x_server, facebook_server, linkedin_server))
        root = workspace(
            released,
            tmp_path / "w",
            {
                "bluesky": on_bluesky(account),
                "mastodon": on_mastodon(mastodon.url),
                "x": f'{{service: "{x.url}", consumer_key: "${{X_CK}}", consumer_secret: "${{X_CS}}", '
                'access_token: "${X_AT}", access_token_secret: "${X_ATS}"}',
                "facebook": f'{{service: "{facebook.url}", page: "{PAGE}", access_token: "${{PAGE_TOKEN}}"}}',
                "linkedin": f'{{service: "{linkedin.url}", author: "{AUTHOR}", version: "202610", '
                'access_token: "${LINKEDIN_TOKEN}"}',
            },
        )
        for _ in range(2):
            ended = ccm(*RUN, cwd=root, env=SECRETS)
            posted = {name: ended.json["pieces"][name] for name in NETWORKS}
            assert posted == {name: {"accepted": LOCALES} for name in NETWORKS}, ended.stdout + ended.stderr
            assert [len(one.posts) for one in (account, mastodon, x, facebook, linkedin)] == [LOCALES] * 5
        assert (x.violations, facebook.violations, linkedin.violations) == ([], [], [])
    texts = sorted(post["value"]["text"] for post in account.posts)
    assert len(set(texts)) == LOCALES
    assert sorted(post["text"] for post in x.posts) == texts
    offers = {post["commentary"].partition("\n")[0].replace("\\", "") for post in linkedin.posts}
    assert {plain(post.content).partition("\n")[0] for post in mastodon.posts} == offers
    assert {post["caption"].partition("\n")[0] for post in facebook.posts} == offers
    alts = {post["value"]["embed"]["images"][0]["alt"] for post in account.posts}
    assert len(alts) == LOCALES
    assert all(alts)
    assert {post.media_attachments[0].description for post in mastodon.posts} == alts
    assert {post["alt_text_custom"] for post in facebook.posts} == alts
    assert {post["content"]["media"]["altText"] for post in linkedin.posts} == alts
    for post in account.posts:
        links = [facet["features"][0]["uri"] for facet in post["value"]["facets"] if "uri" in facet["features"][0]]
        assert links == ["https://www.juniper.example/offers"], post["value"]["text"]
        assert post["value"]["embed"]["images"][0]["aspectRatio"]["width"] > 600


def nth(method: str, path: str, number: int) -> Callable[[Asked], bool]:
    """Return a test for the n-th request of its kind."""
    seen = 0

    def is_it(asked: Asked) -> bool:
        nonlocal seen
        seen += (asked.method, asked.path) == (method, path)
        return seen == number and (asked.method, asked.path) == (method, path)

    return is_it


PUT = "/xrpc/com.atproto.repo.putRecord"


@pytest.mark.parametrize("at", [("POST", PUT, 2), ("POST", "/xrpc/com.atproto.repo.uploadBlob", 3)])
def test_killed_while_posting_on_bluesky(
    at: tuple[str, str, int], ccm: ForkedCcm, released: Path, bluesky: None, tmp_path: Path
) -> None:
    """Killed once the server had the post but before we knew: the same command asks for it and posts it no second time."""
    account = BlueskyAccount()
    proxy = KillingProxy(BLUESKY, nth(*at))
    with ContractServer(proxy) as server:
        root = workspace(released, tmp_path / "w", {"bluesky": on_bluesky(account, server.url)})
        killed = ccm(*RUN, cwd=root, env=SECRETS)
        assert killed.code == -signal.SIGKILL, killed.stderr
        assert len(proxy.killed) == 1
        again = ccm(*RUN, cwd=root, env=SECRETS)
    assert again.json["pieces"]["bluesky"] == {"accepted": LOCALES}, again.stdout + again.stderr
    assert len({post["value"]["text"] for post in account.posts}) == len(account.posts) == LOCALES


def test_killed_while_posting_on_mastodon(
    ccm: ForkedCcm, released: Path, mastodon: MastodonAccount, tmp_path: Path
) -> None:
    """Mastodon cannot be asked afterwards: the post in flight is unknown and listed, and every post is there once."""
    proxy = KillingProxy(mastodon.url, nth("POST", "/api/v1/statuses", 2))
    with ContractServer(proxy) as server:
        root = workspace(released, tmp_path / "w", {"mastodon": on_mastodon(server.url)})
        assert ccm(*RUN, cwd=root, env=SECRETS).code == -signal.SIGKILL
        again = ccm(*RUN, cwd=root, env=SECRETS)
    assert again.json["pieces"]["mastodon"] == {"accepted": LOCALES - 1, "unknown": 1}, again.stdout + again.stderr
    contents = [post.content for post in mastodon.posts]
    assert len(set(contents)) == len(contents) == LOCALES
    assert all(post.media_attachments[0].description for post in mastodon.posts)
