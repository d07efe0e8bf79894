"""Where a piece's rendition and data snapshot are kept, and for which purpose it was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; pieces from before have none of it."""
    for name in ("archived", "snapshot", "purpose"):
        op.add_column("pieces", sa.Column(name, sa.Text, nullable=False, server_default=""))
