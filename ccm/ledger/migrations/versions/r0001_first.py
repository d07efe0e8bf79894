"""First tables.

Why: Columns are spelt out instead of taken from tables.py, so that this step stays what it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Make every table."""
    _make_runs()
    _make_communications()
    _make_pieces()
    _make_totals()
    _make_remarks()
    _make_events()


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text, primary_key=True),
        *map(_text, ("campaign", "occurrence", "release", "state")),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        _text("detail"),
        sa.Column("read", sa.BigInteger),
        sa.Column("outside_segment", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("lease_until", _TIME),
        sa.Column("fence", sa.Integer, nullable=False),
        _text("boot"),
    )


def _make_communications() -> None:
    op.create_table(
        "communications",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("communication_id", sa.Text, nullable=False, unique=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.run_id"), nullable=False),
        _text("recipient_id"),
        sa.Column("broadcast", sa.Boolean, nullable=False),
        _text("locale"),
        sa.Column("outcome", sa.Text),
        *map(_text, ("reason", "detail")),
        sa.Column("until", _TIME),
        sa.Column("decided_at", _TIME, nullable=False),
    )
    op.create_index("communications_by_run", "communications", ["run_id", "outcome"])
    op.create_index("communications_by_recipient", "communications", ["recipient_id"])


def _make_pieces() -> None:
    op.create_table(
        "pieces",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("piece_id", sa.Text, nullable=False, unique=True),
        _text("communication_id"),
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.run_id"), nullable=False),
        *map(_text, ("recipient_id", "channel", "state")),
        sa.Column("required", sa.Boolean, nullable=False),
        *map(_text, ("provider", "release", "locale", "provider_id", "detail", "sha256")),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        _text("facts"),
    )
    op.create_index("pieces_by_communication", "pieces", ["communication_id"])
    op.create_index("pieces_by_run", "pieces", ["run_id"])
    op.create_index("pieces_by_recipient", "pieces", ["recipient_id"])


def _make_totals() -> None:
    op.create_table(
        "totals",
        sa.Column("number", _NUMBER, primary_key=True),
        *map(_text, ("piece_id", "run_id", "fact", "currency")),
        sa.Column("units", sa.BigInteger, nullable=False),
        sa.Column("nanos", sa.BigInteger, nullable=False),
    )
    op.create_index("totals_by_piece", "totals", ["piece_id"])
    op.create_index("totals_by_run", "totals", ["run_id"])


def _make_remarks() -> None:
    op.create_table(
        "remarks",
        sa.Column("number", _NUMBER, primary_key=True),
        *map(
            _text,
            ("communication_id", "run_id", "kind", "code", "channel", "severity", "message", "remedy"),
        ),
    )
    op.create_index("remarks_by_communication", "remarks", ["communication_id"])
    op.create_index("remarks_by_run", "remarks", ["run_id"])


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("number", _NUMBER, primary_key=True),
        *map(_text, ("run_id", "subject", "state")),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        *map(_text, ("provider_id", "detail")),
    )
    op.create_index("events_by_subject", "events", ["subject"])
