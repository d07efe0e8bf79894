"""A workspace that loads in a tenth of a second: one brand, one notice by email and SMS, made-up people."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ccm.testing.releases import release_everything

FONT = Path(__file__).resolve().parents[2] / "brands" / "northwind-bank" / "fonts" / "IBMPlexSans-Regular.ttf"
AS_OF = "2026-11-02T12:00Z"
COLUMNS = "id,email,phone,locale,name,currency,balance"

CCM = """\
workspace: small
providers:
  outbox: {adapter: outbox, settings: {folder: outbox}}
  archive: {adapter: archive}
"""
BRAND = """\
brand: plain
title: Plain Ltd
tokens: [tokens.json]
logo: {file: logo.png, email: logo.png, alt: Plain}
fonts: [{family: Plain Sans, file: fonts/plain.ttf}]
senders:
  email: {name: Plain Ltd, address: mail@plain.example}
  sms: {sender: Plain}
address: [Plain Ltd, 1 Street]
legal:
  en: [Plain Ltd]
links: {home: https://plain.example}
"""
TOKENS = """\
{"color": {"brand": {"primary": {"$type": "color", "$value": "#123456"}}}}
"""
TEMPLATE = """\
template: notice
title: Notice
version: 1.0.0
purpose: transactional
locales: [en]
contract:
  customer:
    record: {name: text, currency: code, balance: {type: money, currency: customer.currency}}
facts:
  balance: {title: Balance, value: customer.balance, kind: money, total: true, channels: [email, sms]}
channels:
  required: [email]
  optional: [sms]
"""
EMAIL = """\
<mjml>
  <mj-head><mj-title>{{ _("Your balance") }}</mj-title></mj-head>
  <mj-body><mj-section><mj-column>
    <mj-image src="{{ asset("logo") }}" alt="{{ brand.title }}" />
    <mj-text>{{ customer.name }}: {{ facts.balance }}</mj-text>
  </mj-column></mj-section></mj-body>
</mjml>
"""
SMS = "{{ brand.title }}: {{ facts.balance }}\n"
SOURCE = """\
source: people
rows: people.csv
key: id
recipient: {email: email, phone: phone, locale: locale}
default_locale: en-GB
default_zone: UTC
default_country: GB
"""
CAMPAIGN = """\
campaign: news
title: News of the balance
brand: plain
template: notice@1
purpose: transactional
occurrence: once
audience: {source: people}
channels:
  together: [email]
  optional: [sms]
deliver: {email: outbox, sms: outbox}
"""


def person(number: int, **values: str) -> str:
    """Return the row of a sound customer with some values changed."""
    cells = {
        "id": f"P-{number:03}",
        "email": f"p{number:03}@example.org",
        "phone": f"+4474001230{number % 100:02}",
        "locale": "en-GB",
        "name": f"Person {number}",
        "currency": "GBP",
        "balance": f"{number}.25",
    }
    return ",".join({**cells, **values}.values())


def people(count: int) -> list[str]:
    """Return sound rows, numbered from 1."""
    return [person(number) for number in range(1, count + 1)]


def write_people(root: Path, rows: Sequence[str]) -> None:
    """Replace the table of customers."""
    (root / "data" / "people.csv").write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")


def small_workspace(root: Path, rows: Sequence[str], *, released: bool = True, **replaced: str) -> Path:
    """Write the workspace into a folder.

    Args:
        released: Also release and approve what its campaigns send.
        replaced: Text by path, with `__` for the slash and `_dot_` for the dot of the ending.
    """
    files = {
        "ccm.yaml": CCM,
        "brands/plain/brand.yaml": BRAND,
        "brands/plain/tokens.json": TOKENS,
        "templates/notice/template.yaml": TEMPLATE,
        "templates/notice/email.mjml": EMAIL,
        "templates/notice/sms.txt": SMS,
        "data/people.yaml": SOURCE,
        "campaigns/news.yaml": CAMPAIGN,
        **{name.replace("__", "/").replace("_dot_", "."): text for name, text in replaced.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "#123456").save(picture, "PNG")
    (root / "brands" / "plain" / "logo.png").write_bytes(picture.getvalue())
    fonts = root / "brands" / "plain" / "fonts"
    fonts.mkdir()
    shutil.copy(FONT, fonts / "plain.ttf")
    write_people(root, rows)
    if released:
        release_everything(root)
    return root
