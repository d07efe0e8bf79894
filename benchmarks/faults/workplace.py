"""A small workspace for fault runs: one brand, one notice, made-up people, every provider that the suite breaks."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks.faults.tools import ROOT
from ccm.testing.releases import release_everything

FONT = ROOT / "brands" / "northwind-bank" / "fonts" / "IBMPlexSans-Regular.ttf"
AS_OF = "2026-11-02T12:00Z"
CAMPAIGN = "news"
SQLITE = "sqlite:///.ccm/ledger.db"
PEOPLE = "data/people.csv"
RUN_ID = "news.once"
RUN = ("run", CAMPAIGN, "--as-of", AS_OF, "--json")
STATE = (".ccm", "archive", "outbox", "report")  # folders that a run writes

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
  <mj-head><mj-title>{{ _("Your balance") }}, {{ customer.name }}</mj-title></mj-head>
  <mj-body><mj-section><mj-column>
    <mj-text>{{ customer.name }}: {{ facts.balance }}</mj-text>
  </mj-column></mj-section></mj-body>
</mjml>
"""
SOURCE = """\
source: people
rows: people.csv
key: id
recipient: {email: email, phone: phone, locale: locale}
default_locale: en-GB
default_zone: UTC
default_country: GB
"""


@dataclass(frozen=True)
class Shape:
    """What a workspace is like.

    email, sms: Provider of the channel; no provider, no channel.
    settings: Of every provider, by name; `adapter` among them.
    required: Channels that go together.
    files: Text by path, instead of or beside the workspace's own.
    """

    people: int = 24
    email: str = "mail"
    sms: str = ""
    required: tuple[str, ...] = ("email",)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ledger: str = SQLITE
    files: Mapping[str, str] = field(default_factory=dict)


def mail_provider(port: int, connections: int, timeout_seconds: float = 5.0) -> dict[str, str]:
    """Return the settings of an SMTP provider on this machine."""
    return {
        "adapter": "smtp",
        "host": "127.0.0.1",
        "port": str(port),
        "tls": "none",
        "connections": str(connections),
        "timeout_seconds": str(timeout_seconds),
    }


def make(root: Path, shape: Shape) -> Path:
    """Write a workspace with everything released and approved."""
    channels = [name for name in ("email", "sms") if getattr(shape, name)]
    optional = [name for name in channels if name not in shape.required]
    deliver = ", ".join(f"{name}: {getattr(shape, name)}" for name in channels)
    files = {
        "ccm.yaml": configuration(shape),
        "brands/plain/brand.yaml": BRAND,
        "brands/plain/tokens.json": '{"color": {"brand": {"primary": {"$type": "color", "$value": "#123456"}}}}\n',
        "templates/notice/template.yaml": TEMPLATE,
        "templates/notice/email.mjml": EMAIL,
        "templates/notice/sms.txt": "{{ brand.title }}: {{ facts.balance }}\n",
        "data/people.yaml": SOURCE,
        "campaigns/news.yaml": (
            "campaign: news\ntitle: News\nbrand: plain\ntemplate: notice@1\npurpose: transactional\noccurrence: once\n"
            "audience: {source: people}\n"
            f"channels: {{together: [{', '.join(shape.required)}], optional: [{', '.join(optional)}]}}\n"
            f"deliver: {{{deliver}}}\n"
        ),
        **shape.files,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "#123456").save(picture, "PNG")
    (root / "brands" / "plain" / "logo.png").write_bytes(picture.getvalue())
    (root / "brands" / "plain" / "fonts").mkdir()
    shutil.copy(FONT, root / "brands" / "plain" / "fonts" / "plain.ttf")
    if PEOPLE not in shape.files:
        write_people(root, shape.people)
    release_everything(root)
    return root


def warm_up(root: Path) -> Path:
    """Make a small workspace that reaches nobody, for a process to get warm in."""
    return make(root, Shape(people=4, settings={"mail": {"adapter": "outbox", "folder": "outbox"}}))


def configuration(shape: Shape) -> str:
    """Return ccm.yaml."""
    lines = ["workspace: faults", f"ledger: {shape.ledger}", "providers:"]
    for name, settings in shape.settings.items():
        inner = ", ".join(f'{key}: "{value}"' for key, value in settings.items() if key != "adapter")
        lines.append(f"  {name}: {{adapter: {settings['adapter']}, settings: {{{inner}}}}}")
    lines.append("  archive: {adapter: archive}")
    return "\n".join(lines) + "\n"


def write_people(root: Path, count: int) -> None:
    """Write the table of customers, numbered from 1."""
    rows = ["id,email,phone,locale,name,currency,balance"]
    rows += [
        f"P-{number:05},p{number:05}@example.org,+4474001{number % 100000:05},en-GB,Person {number},GBP,{number}.25"
        for number in range(1, count + 1)
    ]
    (root / PEOPLE).write_text("\n".join(rows) + "\n", encoding="utf-8")


def reset(root: Path, fresh_ledger: Path | None = None) -> None:
    """Take away what runs left; put an empty ledger with its tables in place, if one is given."""
    for name in STATE:
        shutil.rmtree(root / name, ignore_errors=True)
    if fresh_ledger is not None:
        (root / ".ccm").mkdir()
        shutil.copyfile(fresh_ledger, root / ".ccm" / "ledger.db")


def empty_ledger(path: Path) -> Path:
    """Make a ledger that has its tables and nothing in them, in one file.

    Why: Making the tables takes longer than a whole run, and hundreds of kill points would lie in it.
    """
    from ccm.ledger.sql import open_ledger

    open_ledger(f"sqlite:///{path}", path.parent).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path
