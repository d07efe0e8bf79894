"""Small in-memory workspaces and communications for tests of composing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from PIL import Image

from ccm.compose import Composer
from ccm.model.definitions import BrandDefinition, Channel, Purpose, TemplateDefinition
from ccm.model.records import (
    Communication,
    Composed,
    EmailRendition,
    PlannedPiece,
    ReleaseRef,
    communication_id,
    piece_id,
)
from ccm.model.workspace import Brand, Catalogue, ContentLibrary, Fragment, Template, Token, Variant, VariantPart

MJML = """<mjml><mj-head><mj-title>%s</mj-title><mj-preview>Hello {{ name }}</mj-preview></mj-head>
<mj-body><mj-section><mj-column>%s</mj-column></mj-section></mj-body></mjml>"""


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "#123456").save(stream, "png")
    return stream.getvalue()


def make_brand(**senders: str) -> Brand:
    definition = BrandDefinition.model_validate(
        {
            "brand": "acme",
            "title": "Acme & Sons",
            "logo": {"file": "logo.png", "alt": "Acme"},
            "fonts": [{"family": "Inter", "file": "inter.ttf"}],
            "senders": {
                "email": {
                    "name": "Acme & Sons",
                    "address": "hello@acme.example",
                    "unsubscribe_url": "https://acme.example/out/{token}",
                    "unsubscribe_mailto": "out@acme.example",
                    **senders,
                }
            },
            "address": ["Acme", "1 Road", "Town"],
            "legal": {"en": ["Acme Ltd"], "de": ["Acme GmbH"]},
            "links": {"home": "https://acme.example/"},
            "contact": {"phone": "+44 1"},
        }
    )
    tokens = {
        "color.brand.primary": Token("color.brand.primary", "color", "#102030"),
        "font.email.body": Token("font.email.body", "fontFamily", '"Inter Tight", Arial, sans-serif'),
    }
    return Brand(definition, "brands/acme", tokens)


def make_composer(
    email: str = "",
    *,
    email_text: str | None = None,
    sms: str | None = None,
    html: bool = False,
    facts: Mapping[str, Any] | None = None,
    contract: Mapping[str, Any] | None = None,
    fragments: Mapping[str, Mapping[str, str]] | None = None,
    catalogues: Mapping[str, Catalogue] | None = None,
    purpose: str = "transactional",
    more: Mapping[tuple[Channel, VariantPart], str] | None = None,
    **senders: str,
) -> Composer:
    """Return a composer of one template made of the given texts."""
    root = "templates/letter"
    definition = TemplateDefinition.model_validate(
        {
            "template": "letter",
            "title": "Letter",
            "purpose": purpose,
            "locales": ["en", "de", "ar"],
            "contract": contract or {"name": "text"},
            "facts": facts or {},
            "channels": {"required": ["email"], "optional": ["sms"], "broadcast": ["mastodon"]},
        }
    )
    texts = {(Channel.EMAIL, VariantPart.BODY): (f"{root}/email.{'html' if html else 'mjml'}", email)}
    if email_text is not None:
        texts[Channel.EMAIL, VariantPart.TEXT] = (f"{root}/email.txt", email_text)
    if sms is not None:
        texts[Channel.SMS, VariantPart.BODY] = (f"{root}/sms.txt", sms)
    for (channel, part), source in (more or {}).items():
        texts[channel, part] = (f"{root}/social.{channel}.txt", source)
    variants = {key: Variant(*key, path, source) for key, (path, source) in texts.items()}
    files = {"brands/acme/logo.png": png(), "brands/acme/secret.txt": b"TOP SECRET"}
    made = {}
    for name, forms in (fragments or {}).items():
        paths = {form: f"templates/_fragments/{name}/{form}" for form in forms}
        files |= {paths[form]: source.encode() for form, source in forms.items()}
        made[name] = Fragment(name, f"templates/_fragments/{name}", paths, {})
    template = Template(definition, root, variants, catalogues or {}, {})
    return Composer(template, make_brand(**senders), made, ContentLibrary(files))


def make_communication(
    data: Mapping[str, Any] | None = None,
    *,
    channels: tuple[Channel, ...] = (Channel.EMAIL,),
    language: str = "en",
    locale: str = "en-GB",
    address: str = "ann@example.com",
    purpose: Purpose = Purpose.TRANSACTIONAL,
    parameters: Mapping[str, Any] | None = None,
    recipient: str = "C-1",
) -> Communication:
    """Return a communication to one recipient with the given data."""
    identity = communication_id("letters", "2026-10", recipient)
    pieces = tuple(PlannedPiece(piece_id(identity, one), one, address, True, "outbox") for one in channels)
    return Communication(
        identity, "letters.2026-10", "letters", "2026-10", recipient, language, locale, "Europe/London", purpose,
        ReleaseRef("letter", "1.0.0-draft", "0" * 64), pieces, {"name": "Ann"} if data is None else data,
        parameters or {}, datetime(2026, 11, 2, 8, 30, tzinfo=UTC), (date(2026, 10, 1), date(2026, 10, 31)),
    )  # fmt: skip


def email_of(composed: Composed) -> EmailRendition:
    """Return the email; fails with the findings when there is none."""
    found = [one for one in composed.renditions if isinstance(one, EmailRendition)]
    assert found, [(one.code, one.message, one.location) for one in composed.findings]
    return found[0]


def codes(composed: Composed) -> list[str]:
    return [one.code for one in composed.findings]


def write(source: str, data: Mapping[str, Any] | None = None, **options: Any) -> str:
    """Return what a text template prints, by way of the SMS; fails with the findings."""
    composed = Composer.compose(make_composer(sms=source), make_communication(data, channels=(Channel.SMS,), **options))
    assert composed.renditions, [(one.code, one.message) for one in composed.findings]
    return composed.renditions[0].text
