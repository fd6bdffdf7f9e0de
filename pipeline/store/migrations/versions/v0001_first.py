"""The first tables, and the triggers that keep decisions as they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REFUSAL = "decisions are append-only"

SQLITE = [
    "CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON decisions",
    "CREATE TRIGGER decisions_keep_delete BEFORE DELETE ON decisions",
    # INSERT OR REPLACE deletes a row without asking the trigger above
    """CREATE TRIGGER decisions_keep_replace BEFORE INSERT ON decisions WHEN EXISTS (
    SELECT 1 FROM decisions WHERE event_id = NEW.event_id OR ordinal = NEW.ordinal)""",
]
REFUSE = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
POSTGRESQL = [
    f"""CREATE FUNCTION decisions_keep() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    """CREATE TRIGGER decisions_keep BEFORE UPDATE OR DELETE ON decisions
    FOR EACH ROW EXECUTE FUNCTION decisions_keep()""",
    """CREATE TRIGGER decisions_keep_all BEFORE TRUNCATE ON decisions
    FOR EACH STATEMENT EXECUTE FUNCTION decisions_keep()""",
]


def upgrade() -> None:
    """Make the tables and triggers."""
    _corpus()
    _work()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in [f"{head} {REFUSE}" for head in SQLITE] if sqlite else POSTGRESQL:
        op.execute(statement)


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    """A text column."""
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _search(*, key: bool = False) -> sa.Column[str]:
    """A reference to a search."""
    search = sa.ForeignKey("searches.search_id")
    return sa.Column("search_id", sa.Text, search, primary_key=key, nullable=False)


def _version() -> sa.ForeignKeyConstraint:
    """A reference to a version of a record."""
    key = ["record_id", "content_hash"]
    return sa.ForeignKeyConstraint(key, [f"records.{name}" for name in key])


def _corpus() -> None:
    """What was searched and fetched."""
    op.create_table(
        "searches",
        _text("search_id", key=True),
        sa.Column("ordinal", sa.Integer, nullable=False),
        *map(_text, ("source", "query", "date")),
        sa.Column("count", sa.Integer, nullable=False),
        *map(_text, ("translation", "warnings")),
    )
    op.create_table(
        "raw_documents",
        _search(key=True),
        _text("name", key=True),
        sa.Column("ordinal", sa.Integer, nullable=False),
        *map(_text, ("sha256", "media_type", "path", "fetched_at", "problems")),
    )
    op.create_table(
        "records",
        _text("record_id", key=True),
        _text("content_hash", key=True),
        *map(_text, ("json", "raw_sha256", "first_seen")),
        _search(),
    )
    op.create_table(
        "newest_records",
        _text("record_id", key=True),
        *map(_text, ("content_hash", "fetched_at")),
        _version(),
    )
    op.create_table(
        "search_records",
        _search(key=True),
        _text("record_id", key=True),
        sa.Column("position", sa.Integer, nullable=False),
        _text("content_hash", null=True),
    )


def _work() -> None:
    """What was read, decided and run."""
    op.create_table(
        "extractions",
        *(
            _text(name, key=True)
            for name in ("record_id", "content_hash", "extractor", "version", "rules_hash")
        ),
        _text("json"),
        _version(),
    )
    op.create_table(
        "decisions",
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        *map(_text, ("record_id", "field", "verdict", "who", "when")),
        _text("value", null=True),
        _text("reason"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_record_id", "decisions", ["record_id"])
    op.create_table(
        "runs",
        _text("run_id", key=True),
        _text("started"),
        _text("finished", null=True),
        *map(_text, ("status", "argv", "config_sha256")),
        _text("manifest", null=True),
    )
