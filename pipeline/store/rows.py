"""Writes rows: inserts that may be repeated, and schema values as JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.schema.codec import to_plain

_INSERT: dict[str, Callable[[Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def dump(value: Any) -> str:
    """Return a schema value, or a tuple of them, as JSON text."""
    return json.dumps(to_plain(value), ensure_ascii=False, sort_keys=True)


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    replaced: Sequence[str] = (),
    newer: str = "",
) -> None:
    """Insert rows; where the key exists, replace the columns `replaced`, or keep the row if none.

    With `newer`, the name of a column, a row is replaced only by one that is not smaller there.
    """
    if not rows:
        return
    statement = _INSERT[connection.dialect.name](table)
    if replaced:
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={column: new[column] for column in replaced},
            where=new[newer] >= table.c[newer] if newer else None,
        )
    else:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement, rows)


def next_ordinal(connection: Connection, table: Table) -> int:
    """Return one more than the highest `ordinal` of a table."""
    return int(connection.scalar(select(func.coalesce(func.max(table.c.ordinal), 0))) or 0) + 1
