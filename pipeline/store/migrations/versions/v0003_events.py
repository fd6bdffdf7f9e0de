"""Decisions as events: what stood there, the evidence, the row, and a chain of hashes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: New columns that hold nothing for a decision made before; the last three are filled below.
NULLS = ("old", "evidence", "snapshot")
EMPTY = ("undoes", "content_hash", "software", "previous", "hash")
#: What a decision said before; `event_plain` leaves out fields at their default.
DEFAULTS = {"value": None, "reason": ""}
SAID = ("record_id", "field", "verdict", "who", "when", "value", "reason")

SQLITE = {
    "decisions_keep_update": "BEFORE UPDATE ON decisions",
    "decisions_keep_delete": "BEFORE DELETE ON decisions",
}
REFUSE = "BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END"


def upgrade() -> None:
    """Add the columns, and chain what was decided before."""
    for name in NULLS:
        op.add_column("decisions", sa.Column(name, sa.Text, nullable=True))
    for name in EMPTY:
        op.add_column("decisions", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("turn", sa.Integer, nullable=False, server_default="1"))
    op.create_index("ix_decisions_field", "decisions", ["record_id", "field"])
    op.create_index("ix_decisions_undoes", "decisions", ["undoes"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    _trigger(sqlite, on=False)
    _chain(op.get_bind())
    _trigger(sqlite, on=True)


def _trigger(sqlite: bool, *, on: bool) -> None:
    """Let the decisions be changed within this transaction, or keep them again."""
    if not sqlite:
        op.execute(f"ALTER TABLE decisions {'ENABLE' if on else 'DISABLE'} TRIGGER decisions_keep")
        return
    for name, when in SQLITE.items():
        op.execute(f"CREATE TRIGGER {name} {when} {REFUSE}" if on else f"DROP TRIGGER {name}")


def _chain(connection: sa.Connection) -> None:
    """Give each decision its turn on its field and its link."""
    table = sa.table("decisions", *map(sa.column, ("ordinal", "event_id", "turn", *SAID, *EMPTY)))
    rows = connection.execute(sa.select(table).order_by(table.c.ordinal)).all()
    turns: Counter[tuple[str, str]] = Counter()
    previous = ""
    for row in rows:
        turns[row.record_id, row.field] += 1
        turn = turns[row.record_id, row.field]
        link = _hash(previous, _digest(row._mapping, turn))
        change = sa.update(table).where(table.c.ordinal == row.ordinal)
        connection.execute(change.values(turn=turn, previous=previous, hash=link))
        previous = link


def _digest(row: Any, turn: int) -> str:
    """`Event.digest` as it was when this migration was written."""
    said = {name: row[name] for name in SAID if row[name] != DEFAULTS.get(name, ...)}
    plain = {"event_id": row["event_id"], "turn": turn, **said}
    return hashlib.sha256(json.dumps(plain, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


def _hash(previous: str, digest: str) -> str:
    """`link_hash` as it was when this migration was written."""
    return hashlib.sha256(f"{previous}\n{digest}".encode()).hexdigest()
