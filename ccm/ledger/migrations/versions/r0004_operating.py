"""What operators order, how far a run is, what was sent twice by order, and limits that all runs share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add columns to runs and pieces, and the tables of rates."""
    for name in ("wanted", "progress"):
        op.add_column("runs", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("intents", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("pieces", sa.Column("possible_duplicate", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "rates",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("blocked_until", sa.Double, nullable=False),
    )
    op.create_table(
        "rate_hours",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("used", sa.BigInteger, nullable=False),
    )
