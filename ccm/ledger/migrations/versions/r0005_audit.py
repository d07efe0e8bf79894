"""The audit log: what people and runs did, each entry bound to the one before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "action", "actor", "subject", "details")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("previous", "hash")),
    )
