"""What X, Facebook and LinkedIn say about their interfaces, written down as data, and servers that hold us to it.

None of them can be run here. Each operation names the page that it was taken from; a request that breaks it is refused and
remembered in `violations`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

import jsonschema_rs
from oauthlib.oauth1.rfc5849 import signature

from tests.deliver.contract_server import Asked, ContractServer, Told

Read = Callable[[Asked], Any]
Auth = Callable[[Asked, str], str]


@dataclass(frozen=True)
class Operation:
    """One operation of a provider.

    path: Regular expression of the whole path.
    headers: Header → regular expression of its value.
    body: JSON Schema of what `read` makes of the body; None where there is none.
    answer: Made from the request; `{host}` in texts is this server.
    posts: Whether it publishes something.
    source: Page of the provider's documentation.
    """

    method: str
    path: str
    source: str
    answer: Callable[[Asked, int], Told]
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    read: Read = lambda asked: asked.json
    posts: bool = False


class DocumentedServer:
    """A server that takes what a provider's documentation allows and nothing else."""

    def __init__(self, operations: tuple[Operation, ...], auth: Auth) -> None:
        self._operations = operations
        self._auth = auth
        self.violations: list[str] = []
        self.posts: list[Any] = []
        self.uploads: list[Any] = []
        self._server = ContractServer(self._answer)
        self.url = self._server.url

    def __enter__(self) -> DocumentedServer:
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def _answer(self, asked: Asked) -> Told:
        operation = next(
            (one for one in self._operations if one.method == asked.method and re.fullmatch(one.path, asked.path)), None
        )
        if operation is None:
            return self._broken(f"no operation {asked.method} {asked.path}")
        unauthorised = self._auth(asked, self.url)
        if unauthorised:
            return Told(401, {"title": "Unauthorized", "detail": unauthorised})
        for name, pattern in operation.headers.items():
            if not re.fullmatch(pattern, asked.headers.get(name, "")):
                return self._broken(f"{asked.path}: header {name} is {asked.headers.get(name)!r}")
        if asked.query != {name: [value] for name, value in operation.query.items()}:
            return self._broken(f"{asked.path}: query is {asked.query}")
        found = operation.read(asked) if operation.body is not None else asked.body
        if operation.body is not None:
            faults = [error.message for error in jsonschema_rs.validator_for(dict(operation.body)).iter_errors(found)]
            if faults:
                return self._broken(f"{asked.path}: {faults}")
        kept = self.posts if operation.posts else self.uploads
        kept.append(found)
        return operation.answer(asked, len(kept))

    def _broken(self, violation: str) -> Told:
        self.violations.append(violation)
        return Told(400, {"title": "Invalid Request", "detail": violation})


def bearer(token: str) -> Auth:
    """Return a check of RFC 6750's header."""
    return lambda asked, url: "" if asked.headers.get("authorization") == f"Bearer {token}" else "token"


def closed(properties: Mapping[str, object], required: tuple[str, ...]) -> dict[str, object]:
    """Return the schema of an object that has no other fields."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}

# ── X ────────────────────────────────────────────────────────────────────────

X_KEYS = {
    "consumer_key": "ck",
    "consumer_secret": "cs-secret",
    "access_token": "at",
    "access_token_secret": "ats-secret",
}
X_ID = {"type": "string", "pattern": "^[0-9]{1,19}$"}

X_OPERATIONS = (
    Operation(
        "POST",
        "/2/media/upload",
        "https://docs.x.com/x-api/media/upload-media",
        lambda asked, number: Told(200, {"data": {"id": str(1000 + number), "media_key": f"3_{1000 + number}"}}),
        closed(
            {
                "media": {"type": "string", "pattern": "^[A-Za-z0-9+/]+=*$"},
                "media_category": {"enum": ["tweet_image", "dm_image", "subtitles"]},
                "media_type": {"enum": ["image/jpeg", "image/bmp", "image/png", "image/webp", "image/tiff"]},
                "additional_owners": {"type": "array", "items": X_ID},
                "shared": {"type": "boolean"},
            },
            ("media", "media_category"),
        ),
        {"content-type": "application/json"},
    ),
    Operation(
        "POST",
        "/2/media/metadata",
        "https://docs.x.com/x-api/media/create-media-metadata",
        lambda asked, number: Told(200, {"data": {"id": asked.json["id"], "associated_metadata": {}}}),
        closed(
            {
                "id": X_ID,
                "metadata": closed(
                    {"alt_text": closed({"text": {"type": "string", "minLength": 1, "maxLength": 1000}}, ("text",))},
                    ("alt_text",),
                ),
            },
            ("id", "metadata"),
        ),
        {"content-type": "application/json"},
    ),
    Operation(
        "POST",
        "/2/tweets",
        "https://docs.x.com/x-api/posts/create-or-edit-post",
        lambda asked, number: Told(201, {"data": {"id": str(9000 + number), "text": asked.json.get("text", "")}}),
        closed(
            {
                "text": TEXT,
                "media": closed({"media_ids": {"type": "array", "items": X_ID, "maxItems": 4}}, ("media_ids",)),
            },
            (),
        )
        | {"anyOf": [{"required": ["text"]}, {"required": ["media"]}]},
        {"content-type": "application/json"},
        posts=True,
    ),
    Operation(
        "GET",
        "/2/users/me",
        "https://docs.x.com/x-api/users/get-my-user",
        lambda asked, number: Told(200, {"data": {"id": "1", "name": "Brand", "username": "brand"}}),
    ),
)


def oauth1(asked: Asked, url: str) -> str:
    """Check the signature of RFC 5849 over method and address, as the server sees them; JSON is not signed."""
    given = asked.headers.get("authorization", "")
    parameters = signature.collect_parameters(headers={"Authorization": given}, with_realm=False)
    base = signature.signature_base_string(
        asked.method, signature.base_string_uri(url + asked.path), signature.normalize_parameters(parameters)
    )
    expected = signature.sign_hmac_sha1_with_client(base, _Secrets)
    signed = dict(signature.collect_parameters(headers={"Authorization": given}, exclude_oauth_signature=False))
    wanted = {"oauth_consumer_key": "ck", "oauth_token": "at", "oauth_signature": expected}
    return "" if all(signed.get(name) == value for name, value in wanted.items()) else "signature"


class _Secrets:
    client_secret = X_KEYS["consumer_secret"]
    resource_owner_secret = X_KEYS["access_token_secret"]


def x_server() -> DocumentedServer:
    return DocumentedServer(X_OPERATIONS, oauth1)


# ── Facebook ─────────────────────────────────────────────────────────────────

PAGE, PAGE_TOKEN = "104567890123456", "page-token"


def form(asked: Asked) -> dict[str, str]:
    """Read a form, urlencoded or multipart; a file as `<name>:<type>:<base64>`."""
    kind = asked.headers["content-type"]
    if kind == "application/x-www-form-urlencoded":
        from urllib.parse import parse_qsl

        return dict(parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True))
    message = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + asked.body, policy=policy.HTTP)
    found = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename():
            found[name] = f"{part.get_filename()}:{part.get_content_type()}:{base64.b64encode(content).decode()}"
        else:
            found[name] = content.decode()
    return found


FACEBOOK_OPERATIONS = (
    Operation(
        "POST",
        rf"/v[0-9]+\.[0-9]+/{PAGE}/feed",
        "https://developers.facebook.com/docs/pages-api/posts",
        lambda asked, number: Told(200, {"id": f"{PAGE}_{5000 + number}"}),
        closed({"message": TEXT, "published": {"enum": ["true"]}, "link": TEXT}, ("message",)),
        {"content-type": "application/x-www-form-urlencoded"},
        read=form,
        posts=True,
    ),
    Operation(
        "POST",
        rf"/v[0-9]+\.[0-9]+/{PAGE}/photos",
        "https://developers.facebook.com/docs/graph-api/reference/page/photos",
        lambda asked, number: Told(200, {"id": str(7000 + number), "post_id": f"{PAGE}_{7000 + number}"}),
        closed(
            {
                "caption": TEXT,
                "published": {"enum": ["true"]},
                "alt_text_custom": TEXT,
                "source": {"type": "string", "pattern": "^[a-z.]+:image/(png|jpeg|gif|bmp|tiff|webp):[A-Za-z0-9+/=]+$"},
            },
            ("caption", "source"),
        ),
        {"content-type": "multipart/form-data; boundary=[A-Za-z0-9-]{1,70}"},
        read=form,
        posts=True,
    ),
    Operation(
        "GET",
        rf"/v[0-9]+\.[0-9]+/{PAGE}",
        "https://developers.facebook.com/docs/graph-api/reference/page",
        lambda asked, number: Told(200, {"id": PAGE}),
        query={"fields": "id"},
    ),
)


def facebook_server() -> DocumentedServer:
    return DocumentedServer(FACEBOOK_OPERATIONS, bearer(PAGE_TOKEN))


# ── LinkedIn ─────────────────────────────────────────────────────────────────

AUTHOR, LINKEDIN_TOKEN = "urn:li:organization:5515715", "linkedin-token"
LINKEDIN_HEADERS = {
    "linkedin-version": "20[0-9]{4}",
    "x-restli-protocol-version": r"2\.0\.0",
    "content-type": "application/json",
}
_SHARES = "https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares"

# The grammar of commentary: reserved signs stand escaped, or in the template of a hashtag.
# Source: …/shares/little-text-format.
COMMENTARY = r"^(?:[^\\|{}@\[\]()<>#*_~]|\\[\\|{}@\[\]()<>#*_~]|\{hashtag\|\\?#\|(?:[^\\|{}@\[\]()<>#*_~\s]|\\_)+\})*$"

LINKEDIN_OPERATIONS = (
    Operation(
        "POST",
        "/rest/images",
        f"{_SHARES}/images-api",
        lambda asked, number: Told(
            200,
            {
                "value": {
                    "uploadUrl": f"http://{asked.headers['host']}/dms-uploads/{number}",
                    "image": f"urn:li:image:C4E10AQ{number}",
                    "uploadUrlExpiresAt": 1650567510704,
                }
            },
        ),
        closed({"initializeUploadRequest": closed({"owner": {"const": AUTHOR}}, ("owner",))}, ("initializeUploadRequest",)),
        LINKEDIN_HEADERS,
        {"action": "initializeUpload"},
    ),
    Operation("PUT", "/dms-uploads/[0-9]+", f"{_SHARES}/images-api", lambda asked, number: Told(201)),
    Operation(
        "POST",
        "/rest/posts",
        f"{_SHARES}/posts-api",
        lambda asked, number: Told(201, b"", {"x-restli-id": f"urn:li:share:{8000 + number}"}),
        closed(
            {
                "author": {"const": AUTHOR},
                "commentary": {"type": "string", "pattern": COMMENTARY},
                "visibility": {"enum": ["PUBLIC", "CONNECTIONS", "LOGGED_IN"]},
                "distribution": closed(
                    {
                        "feedDistribution": {"enum": ["MAIN_FEED", "NONE"]},
                        "targetEntities": {"type": "array"},
                        "thirdPartyDistributionChannels": {"type": "array"},
                    },
                    ("feedDistribution",),
                ),
                "content": closed(
                    {
                        "media": closed(
                            {"id": {"type": "string", "pattern": "^urn:li:image:"}, "altText": {**TEXT, "maxLength": 4086}},
                            ("id",),
                        )
                    },
                    ("media",),
                ),
                "lifecycleState": {"enum": ["PUBLISHED", "DRAFT"]},
                "isReshareDisabledByAuthor": {"type": "boolean"},
            },
            ("author", "commentary", "visibility", "distribution", "lifecycleState", "isReshareDisabledByAuthor"),
        ),
        LINKEDIN_HEADERS,
        posts=True,
    ),
)  # fmt: skip


def linkedin_server() -> DocumentedServer:
    return DocumentedServer(LINKEDIN_OPERATIONS, bearer(LINKEDIN_TOKEN))
