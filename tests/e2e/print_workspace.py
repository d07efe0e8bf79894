"""A small workspace whose only channel is a letter, so that whole runs to paper take seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from run.small_workspace import small_workspace

RUN = "news.once"
COLUMNS = "id,name,address.name,address.street,address.postal_code,address.city,address.country"
_FIRST = ("Ada", "Ben", "Cid", "Dot", "Eve", "Fay", "Gus", "Hal")
CCM = """\
workspace: small
providers:
  printer: {adapter: print, settings: {SETTINGS}}
"""
TEMPLATE = """\
template: notice
title: Notice
version: 1.0.0
purpose: transactional
locales: [en]
contract:
  customer:
    record: {name: text}
  address:
    required: false
    record: {name: text?, street: text?, postal_code: text?, city: text?, country: country?}
channels:
  required: [document]
"""
DOCUMENT = """\
<!doctype html><html lang="{{ locale.tag }}"><head><title>Notice</title></head>
<body><h1>Notice</h1><p>{{ customer.name }}</p>
{% if address %}<address>{{ address|address|join(", ") }}</address>{% endif %}</body></html>
"""
STYLE = "@page { size: A4; margin: 25mm }\n"
SOURCE = """\
source: people
rows: people.csv
key: id
recipient: {}
default_locale: en-GB
default_zone: UTC
default_country: GB
"""
CAMPAIGN = """\
campaign: news
title: News on paper
brand: plain
template: notice@1
purpose: transactional
occurrence: once
audience: {source: people}
channels:
  together: [document]
deliver: {document: printer}
"""


def letters(count: int) -> list[str]:
    """Return rows of people who live together in twos."""
    return [
        f"P-{n:03},Person {n},{_FIRST[n % 8]} Smith,{n // 2} High Street,AB{n // 2 % 9}1 2CD,Bristol,GB"
        for n in range(count)
    ]


def print_workspace(root: Path, rows: Sequence[str], settings: str = "", **replaced: str) -> Path:
    """Write the workspace with a released template.

    Args:
        settings: Of the print provider, as they stand between the braces.
    """
    files = {
        "ccm_dot_yaml": CCM.replace("SETTINGS", settings),
        "templates__notice__template_dot_yaml": TEMPLATE,
        "templates__notice__document_dot_html": DOCUMENT,
        "templates__notice__document_dot_css": STYLE,
        "data__people_dot_yaml": SOURCE,
        "data__people_dot_csv": "",
        "campaigns__news_dot_yaml": CAMPAIGN,
    }
    made = small_workspace(root, [], released=False, **(files | replaced))
    for name in ("email.mjml", "sms.txt"):
        (made / "templates" / "notice" / name).unlink()
    (made / "data" / "people.csv").write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    from ccm.testing.releases import release_everything

    release_everything(made)
    return made
