"""Child rows of a source that belong to nobody; reports of runs say how many and where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; of runs from before nobody looked."""
    op.add_column("runs", sa.Column("orphans", sa.Text, nullable=False, server_default=""))
