"""The pages behind unsubscribe links, as mail programs, scanners and people use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx2
import pytest
from serve.served import serving

from ccm.ledger.permissions import PermissionStore, open_permissions
from ccm.load import load_workspace
from ccm.model.definitions import Channel, Purpose
from ccm.model.keyring import Keyring
from ccm.model.permissions import ConsentEntry, SuppressionEntry, SuppressionReason, in_force
from ccm.model.records import Consent
from ccm.model.tokens import LinkClaims, signed
from ccm.model.workspace import Workspace
from ccm.serve.app import FORM_BYTES, GUESSES_PER_MINUTE, Service, make_app
from ccm.serve.guards import Budget
from ccm.serve.writing import Pages

ROOT = Path(__file__).resolve().parents[2]
KEYS = Keyring.of("a secret of some length")
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CLAIMS = LinkClaims(
    "northwind-bank", Purpose.MARKETING, "c-1", "de-DE", KEYS.mark("p:C-1"), KEYS.mark("a:ann@example.org")
)
TOKEN = signed(CLAIMS, KEYS)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@cache
def sample() -> Workspace:
    workspace, _ = load_workspace(ROOT, lint=False)
    assert workspace is not None
    return workspace


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PermissionStore]:
    opened = open_permissions("sqlite:///ledger.db", tmp_path, KEYS.idents)
    yield opened
    opened.close()


@pytest.fixture
def service(store: PermissionStore) -> Service:
    return Service(Pages(sample()), store, KEYS, lambda: NOW)


@pytest.fixture
def client(service: Service) -> Iterator[httpx2.Client]:
    with serving(make_app(service)) as opened:
        yield opened


def written(store: PermissionStore) -> list[object]:
    return list(store.entries([CLAIMS.person, CLAIMS.email]))


def test_looking_never_unsubscribes(client: httpx2.Client, store: PermissionStore) -> None:
    """Mail scanners open every link, also with HEAD."""
    for method in ("GET", "HEAD", "OPTIONS"):
        client.request(method, f"/u/{TOKEN}")
        client.request(method, f"/preferences/{TOKEN}")
    assert written(store) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"data": ONE_CLICK},  # as RFC 8058 says
        {"files": {"List-Unsubscribe": (None, "One-Click")}},  # multipart, which it allows
        {"content": b""},  # a program that forgot the body means it too
    ],
)
def test_one_click_works_without_cookie_or_login(
    client: httpx2.Client, store: PermissionStore, sent: dict[str, object]
) -> None:
    """One POST is enough; the answer is no redirect; the person and their address are both written down."""
    answer = client.post(f"/u/{TOKEN}", **sent)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "Sie sind abgemeldet" in answer.text
    said, barred = written(store)
    assert said == ConsentEntry(
        CLAIMS.person, Purpose.MARKETING, Channel.EMAIL, False, NOW, "one-click", "c-1", "northwind-bank"
    )
    assert isinstance(barred, SuppressionEntry)
    assert (barred.subject, barred.channel, barred.purpose, barred.reason) == (
        CLAIMS.email,
        Channel.EMAIL,
        Purpose.MARKETING,
        SuppressionReason.UNSUBSCRIBED,
    )


def test_the_same_click_again_writes_nothing(client: httpx2.Client, store: PermissionStore) -> None:
    """Mail programs repeat themselves."""
    for _ in range(3):
        assert client.post(f"/u/{TOKEN}", data=ONE_CLICK).status_code == 200
    assert len(written(store)) == 2


def test_the_button_of_the_page_unsubscribes(client: httpx2.Client, store: PermissionStore) -> None:
    """What the form holds is what one click sends."""
    page = client.get(f"/u/{TOKEN}").text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page))
    assert fields == ONE_CLICK
    assert 'action="' not in page  # it posts to where it came from
    client.post(f"/u/{TOKEN}", data=fields)
    assert len(written(store)) == 2


def test_a_wrong_link_says_so_in_the_reader_s_language(client: httpx2.Client, store: PermissionStore) -> None:
    """Nothing is written; the page tells neither whether the person exists nor what was wrong."""
    for method in ("GET", "POST"):
        answer = client.request(method, f"/u/{TOKEN[:-1]}", headers={"accept-language": "xx, fr-CH;q=0.9, en"})
        assert answer.status_code == 404
        assert "Ce lien ne fonctionne pas" in answer.text
    assert written(store) == []


def test_guessing_ends_soon_and_using_does_not(client: httpx2.Client) -> None:
    """Mail providers send the clicks of many people from one address, so only wrong links are counted."""
    answers = [client.get(f"/u/aaaaaa.{'b' * 80}.{'c' * 22}").status_code for _ in range(GUESSES_PER_MINUTE + 5)]
    assert answers.count(404) >= GUESSES_PER_MINUTE
    assert answers[-1] == 429
    assert client.post(f"/u/{TOKEN}", data=ONE_CLICK).status_code == 200


def test_one_link_used_too_often_waits(service: Service) -> None:
    """Nobody fills the store with one link."""
    service.uses = Budget(3)
    with serving(make_app(service)) as client:
        assert [client.get(f"/u/{TOKEN}").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_body_without_end_is_cut_off(client: httpx2.Client, store: PermissionStore) -> None:
    """More than a form needs is not read."""
    answer = client.post(f"/preferences/{TOKEN}", content=b"x" * (FORM_BYTES + 1))
    assert answer.status_code == 413
    assert written(store) == []


def test_every_answer_carries_the_headers_that_keep_browsers_from_more(client: httpx2.Client) -> None:
    """No script, no frame, no referrer that tells the token, nothing kept, nothing indexed."""
    for path in (f"/u/{TOKEN}", f"/preferences/{TOKEN}", "/u/wrong", "/nothing", "/health"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert "<script" not in client.get(f"/preferences/{TOKEN}").text


def boxes(page: str) -> dict[str, bool]:
    """Return the switches of a preference page and whether they are on."""
    found = re.findall(r'<input type="checkbox" name="wanted" value="([^"]+)" role="switch"( checked)?>', page)
    return {name: bool(on) for name, on in found}


def save(client: httpx2.Client, wanted: list[str], **more: str) -> str:
    """Post the page as a browser does: the switches that are on, and what the page had shown as on."""
    shown = [name for name, on in boxes(client.get(f"/preferences/{TOKEN}").text).items() if on]
    return client.post(f"/preferences/{TOKEN}", data={"wanted": wanted, "shown": shown, "do": "save", **more}).text


def test_preferences_show_and_keep_what_was_chosen(client: httpx2.Client, store: PermissionStore) -> None:
    """Only what was changed is written; leaving and coming back both count at once."""
    start = boxes(client.get(f"/preferences/{TOKEN}").text)
    assert start == {
        "marketing.email": True,  # the message itself came with permission
        "marketing.sms": False,
        "transactional.email": True,
        "transactional.sms": True,
    }
    page = save(client, ["marketing.sms", "transactional.email", "transactional.sms"])
    assert boxes(page) == start | {"marketing.email": False, "marketing.sms": True}
    assert len([entry for entry in written(store) if isinstance(entry, ConsentEntry)]) == 2
    page = save(client, ["marketing.email", "marketing.sms", "transactional.email", "transactional.sms"])
    assert not boxes(page)["marketing.email"]  # at the same moment a no wins


def test_coming_back_lifts_leaving_but_no_complaint(service: Service, store: PermissionStore) -> None:
    """A later yes on the page takes back unsubscribing; who complained stays away until somebody lifts it."""
    moments = iter(datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 29))
    service.clock = lambda: next(moments)
    with serving(make_app(service)) as client:
        client.post(f"/u/{TOKEN}", data=ONE_CLICK)
        assert in_force(store.entries([CLAIMS.email]))
        page = save(client, ["marketing.email", "transactional.email", "transactional.sms"])
        assert boxes(page)["marketing.email"]
        assert in_force(store.entries([CLAIMS.email])) == ()
        complained = SuppressionReason.COMPLAINED
        store.record([SuppressionEntry(CLAIMS.email, Channel.EMAIL, Purpose.MARKETING, complained, NOW, "ses")])
        assert not boxes(client.get(f"/preferences/{TOKEN}").text)["marketing.email"]


def test_no_marketing_at_all_is_one_button(client: httpx2.Client, store: PermissionStore) -> None:
    """Every channel of marketing is refused, also what was off already; nothing else changes."""
    page = save(client, ["marketing.email"], do="stop_marketing")
    assert [name for name, on in boxes(page).items() if on] == ["transactional.email", "transactional.sms"]
    refused = {(entry.purpose, entry.channel) for entry in written(store) if isinstance(entry, ConsentEntry)}
    assert refused == {(Purpose.MARKETING, Channel.EMAIL), (Purpose.MARKETING, Channel.SMS)}


def test_the_source_s_word_is_shown(service: Service) -> None:
    """What the source holds stands on the page; unknown purposes and channels of a form are not written."""
    service.source_says = lambda ident: (Consent(Purpose.MARKETING, Channel.SMS, granted=True),)
    with serving(make_app(service)) as client:
        assert boxes(client.get(f"/preferences/{TOKEN}").text)["marketing.sms"]
        sent = {"wanted": ["legal.email", "marketing.fax", "<script>"], "shown": [], "do": "save"}
        assert client.post(f"/preferences/{TOKEN}", data=sent).status_code == 200
    assert written(service.store) == []


def test_each_brand_has_its_own_look(client: httpx2.Client) -> None:
    """Colours for light and dark, the logo, the fonts; a brand that is gone has a plain page that works."""
    for brand in ("northwind-bank", "juniper-energy"):
        style = client.get(f"/b/{brand}/style.css")
        assert style.headers["content-type"].startswith("text/css")
        assert "prefers-color-scheme:dark" in style.text
        assert client.get(f"/b/{brand}/logo").headers["content-type"] == "image/svg+xml"
        assert client.get(f"/b/{brand}/logo-dark").headers["content-type"] == "image/png"
        assert client.get(f"/b/{brand}/font-0").headers["content-type"] == "font/ttf"
    for path in ("/b/northwind-bank/brand.yaml", "/b/northwind-bank/..%2fbrand.yaml", "/b/x/logo", "/b/x/style.css"):
        assert client.get(path).status_code == 404
    gone = signed(LinkClaims("old-brand", Purpose.MARKETING, "c-9", "en", "p", "e"), KEYS)
    page = client.get(f"/u/{gone}").text
    assert "old-brand" in page
    assert client.get(re.findall(r'href="\.\.(/b/[^"]+)"', page)[0]).status_code == 200


def test_below_a_path_and_behind_a_proxy(service: Service) -> None:
    """Addresses on the page are relative, so that a proxy may put the app anywhere."""
    with serving(make_app(service), root_path="/mail") as client:
        page = client.get(f"/u/{TOKEN}").text
        addresses = re.findall(r'(?:href|src|srcset)="([^"]+)"', page)
        assert addresses
        assert all(address.startswith(("../", "https://")) for address in addresses)


def test_a_store_that_fails_is_said_and_not_told(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """503, so that a mail program tries again; nothing that a person sent stands in the log."""

    def broken(ident: str) -> tuple[Consent, ...]:
        raise ValueError("ann@example.org")

    service.source_says = broken
    with serving(make_app(service)) as client:
        assert client.get("/health").text == "ok"
        answer = client.get(f"/preferences/{TOKEN}")
    assert answer.status_code == 503
    assert "example.org" not in answer.text
    told = capsys.readouterr()
    assert "ann@example.org" not in told.out + told.err
    assert TOKEN not in told.out + told.err
