"""Tables of the permission store: consents, suppressions, what providers reported, what runs were for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Make the tables; the revision begins at 0."""
    revision_table = op.create_table(
        "permission_revision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(revision_table, [{"id": 1, "revision": 0}])
    op.create_table("permission_keys", sa.Column("ident", sa.Text, primary_key=True))
    op.create_table("run_purposes", sa.Column("run_id", sa.Text, primary_key=True), _text("brand"), _text("purpose"))
    _make_entries("consents", ("purpose", "channel", "brand"), "granted")
    _make_entries("suppressions", ("channel", "purpose", "brand", "reason"), "lifted")
    op.create_table(
        "provider_events",
        sa.Column("event_id", sa.Text, primary_key=True),
        *map(_text, ("kind", "subject")),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("provider_events_by_subject", "provider_events", ["subject"])


def _make_entries(name: str, words: tuple[str, ...], flag: str) -> None:
    op.create_table(
        name,
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        _text("subject"),
        *map(_text, words),
        sa.Column(flag, sa.Boolean, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        *map(_text, ("source", "evidence")),
    )
    op.create_index(f"{name}_by_subject", name, ["subject"])
    op.create_index(f"{name}_by_revision", name, ["revision"])
