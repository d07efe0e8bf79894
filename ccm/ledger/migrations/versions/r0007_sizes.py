"""How many bytes a piece has; manifests of runs say it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; of pieces from before it is not known."""
    op.add_column("pieces", sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"))
