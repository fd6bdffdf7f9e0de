"""What each run answered, as of which day, and the records that a search finds no more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and three tables; what is there stays as it is."""
    op.add_column("runs", sa.Column("as_of", sa.Text, nullable=True))
    op.create_table(
        "kept_values",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("json", sa.Text, nullable=False),
    )
    op.create_table(
        "run_values",
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, sa.ForeignKey("kept_values.sha256"), nullable=False),
    )
    op.create_table(
        "ended_records",
        sa.Column("search_id", sa.Text, sa.ForeignKey("searches.search_id"), primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
    )
