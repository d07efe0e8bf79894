"""Small workspaces for tests of sources: definitions made in code, tables written to disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ccm.model.definitions import CampaignDefinition, SourceDefinition, TemplateDefinition, WorkspaceDefinition
from ccm.model.workspace import ContentLibrary, Template, Workspace

CONTRACT: Mapping[str, object] = {
    "customer": {"record": {"name": "text", "currency": "code", "points": "integer?"}},
    "balance": {"type": "money", "currency": "customer.currency"},
    "transactions": {
        "list": {"day": "date", "text": "text", "amount": {"type": "money", "currency": "customer.currency"}}
    },
}
SOURCE: Mapping[str, object] = {
    "source": "customers",
    "rows": "customers.csv",
    "key": "id",
    "recipient": {
        "email": "email",
        "phone": "phone",
        "locale": "locale",
        "country": "country",
        "zone": "zone",
        "channels": "channels",
        "consent": {"marketing": {"email": "news", "sms": "texts"}},
    },
    "children": {
        "transactions": {"rows": "transactions.csv", "key": "id", "period": "day", "order": ["day", "amount"]}
    },
    "default_country": "DE",
}
HEADER = "id,name,currency,points,balance,email,phone,locale,country,zone,channels,news,texts"
CHILD_HEADER = "id,day,text,amount"


def row(key: str, **values: str) -> str:
    """Return a sound customer row with some values changed."""
    cells = {
        "id": key, "name": f"Person {key}", "currency": "EUR", "points": "3", "balance": "12.50",
        "email": f"{key}@example.org", "phone": "+4930123456", "locale": "de-DE", "country": "DE",
        "zone": "Europe/Berlin", "channels": "", "news": "yes", "texts": "no",
    }  # fmt: skip
    return ",".join({**cells, **values}.values())


def workspace(
    root: Path,
    *,
    source: Mapping[str, object] = SOURCE,
    contract: Mapping[str, object] = CONTRACT,
    rows: list[str] | None = None,
    children: list[str] | None = None,
) -> Workspace:
    """Return a workspace with one source; tables are written when given."""
    data = root / "data"
    data.mkdir(exist_ok=True)
    if rows is not None:
        (data / "customers.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        (data / "transactions.csv").write_text("\n".join([CHILD_HEADER, *(children or [])]) + "\n", encoding="utf-8")
    template = TemplateDefinition.model_validate(
        {
            "template": "letter",
            "title": "Letter",
            "purpose": "marketing",
            "locales": ["en"],
            "contract": contract,
            "channels": {"required": ["email"]},
        }
    )
    return Workspace(
        root=str(root),
        definition=WorkspaceDefinition(workspace="test"),
        brands={},
        templates={"letter": Template(template, "templates/letter", {}, {}, {})},
        fragments={},
        campaigns={},
        sources={"customers": SourceDefinition.model_validate(source)},
        library=ContentLibrary({}),
    )


def campaign(occurrence: object = "monthly") -> CampaignDefinition:
    """Return a campaign over the source."""
    return CampaignDefinition.model_validate(
        {
            "campaign": "letters",
            "brand": "plain",
            "template": "letter",
            "purpose": "marketing",
            "occurrence": occurrence,
            "audience": {"source": "customers"},
            "channels": {"together": ["email"]},
            "deliver": {"email": "outbox"},
        }
    )
