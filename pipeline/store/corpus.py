"""Reads and writes what was searched and fetched, within a transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select, update

from pipeline.schema import Problem, Record, Search
from pipeline.store.rows import dump, next_ordinal, upsert
from pipeline.store.stored import stored
from pipeline.store.tables import (
    ended_records,
    newest_records,
    raw_documents,
    records,
    search_records,
    searches,
)


def save_search(connection: Connection, search: Search) -> None:
    """Insert a search with its hits, or make it the latest."""
    row = {
        "search_id": search.search_id,
        "ordinal": next_ordinal(connection, searches),
        "source": search.source,
        "query": search.query,
        "date": search.date,
        "count": search.count,
        "translation": search.translation,
        "warnings": dump(search.warnings),
    }
    upsert(connection, searches, [row], replaced=("ordinal",))
    hits = [
        {"search_id": search.search_id, "record_id": record_id, "position": position}
        for position, record_id in enumerate(search.record_ids)
    ]
    upsert(connection, search_records, hits)


def latest_search(connection: Connection, asked: tuple[str, str] | None = None) -> Search | None:
    """Return the search that was saved last, of one (source, query) if they are given."""
    latest = select(searches).order_by(searches.c.ordinal.desc())
    if asked is not None:
        latest = latest.where(searches.c.source == asked[0], searches.c.query == asked[1])
    row = connection.execute(latest).first()
    if row is None:
        return None
    hits = select(search_records.c.record_id).where(search_records.c.search_id == row.search_id)
    ids = connection.scalars(hits.order_by(search_records.c.position))
    fields = {**row._mapping, "warnings": tuple(json.loads(row.warnings)), "record_ids": tuple(ids)}
    del fields["ordinal"]
    return Search(**fields)


def is_search(connection: Connection, search_id: str) -> bool:
    """Say whether a search is stored."""
    query = select(searches.c.search_id).where(searches.c.search_id == search_id)
    return connection.scalar(query) is not None


def raw_sha256(connection: Connection, search_id: str, name: str) -> str | None:
    """Return the SHA-256 of the answer kept under a name."""
    table = raw_documents
    query = select(table.c.sha256).where(table.c.search_id == search_id, table.c.name == name)
    return connection.scalar(query)


def save_document(
    connection: Connection, document: dict[str, Any], problems: Sequence[Problem]
) -> None:
    """Insert the row of a raw answer, with what could not be read of it."""
    ordinal = next_ordinal(connection, raw_documents)
    row = {**document, "ordinal": ordinal, "problems": dump(tuple(problems))}
    upsert(connection, raw_documents, [row])


def save_records(connection: Connection, read: Sequence[Record], document: dict[str, Any]) -> None:
    """Insert the records of a raw answer, and note which version its search fetched."""
    search_id, fetched_at = document["search_id"], document["fetched_at"]
    keys = [{"record_id": r.record_id, "content_hash": r.content_hash} for r in read]
    seen = {"raw_sha256": document["sha256"], "search_id": search_id, "first_seen": fetched_at}
    rows = [{**key, **seen, "json": dump(r)} for key, r in zip(keys, read, strict=True)]
    upsert(connection, records, rows)
    newest = [{**key, "fetched_at": fetched_at} for key in keys]
    replaced = ("content_hash", "fetched_at")
    upsert(connection, newest_records, newest, replaced=replaced, newer="fetched_at")
    _note_fetched(connection, search_id, keys)


def _note_fetched(connection: Connection, search_id: str, keys: list[dict[str, str]]) -> None:
    """Note the fetched versions among the hits of a search."""
    table = search_records
    change = update(table).where(
        table.c.search_id == search_id, table.c.record_id == bindparam("hit")
    )
    if keys:
        rows = [{"hit": key["record_id"], "version": key["content_hash"]} for key in keys]
        connection.execute(change.values(content_hash=bindparam("version")), rows)


def known_ids(connection: Connection, search_id: str) -> set[str]:
    """Return the record_ids that a search has fetched."""
    table = search_records
    fetched = table.c.content_hash.is_not(None)
    query = select(table.c.record_id).where(table.c.search_id == search_id, fetched)
    return set(connection.scalars(query))


def hits(connection: Connection, search_id: str) -> Iterator[Record]:
    """Yield the stored records of a search, in its order, in their newest version."""
    query = (
        select(records.c.json)
        .join(newest_records, same_version(records, newest_records))
        .join(search_records, search_records.c.record_id == records.c.record_id)
        .where(search_records.c.search_id == search_id)
        .order_by(search_records.c.position)
    )
    yield from (stored(Record, json.loads(text)) for text in connection.scalars(query))


def carry(connection: Connection, search_id: str) -> None:
    """Note among the hits of a search the versions that are stored already."""
    table, newest = search_records, newest_records
    version = select(newest.c.content_hash).where(newest.c.record_id == table.c.record_id)
    change = update(table).where(table.c.search_id == search_id, table.c.content_hash.is_(None))
    connection.execute(change.values(content_hash=version.scalar_subquery()))


def ages(connection: Connection) -> dict[str, str]:
    """Return when each record was fetched last, by id."""
    table = newest_records
    rows = connection.execute(select(table.c.record_id, table.c.fetched_at))
    return {row.record_id: row.fetched_at for row in rows}


def kept(connection: Connection, search_id: str) -> list[Record]:
    """Return the records that a search finds no more and that are still there, by id."""
    table = ended_records
    query = (
        select(records.c.json)
        .join(newest_records, same_version(records, newest_records))
        .join(table, table.c.record_id == records.c.record_id)
        .where(table.c.search_id == search_id, table.c.state == "left_query")
        .order_by(records.c.record_id)
    )
    return [stored(Record, json.loads(text)) for text in connection.scalars(query)]


def versions_by(connection: Connection, search_id: str, day: str) -> dict[str, Record]:
    """Return the version of each record of a search that was the newest by a day, by id."""
    query = (
        select(records.c.record_id, records.c.first_seen, records.c.json)
        .join(search_records, search_records.c.record_id == records.c.record_id)
        .where(search_records.c.search_id == search_id)
        .order_by(records.c.record_id, records.c.first_seen)
    )
    found: dict[str, str] = {}
    for row in connection.execute(query):
        if row.record_id not in found or row.first_seen[:10] <= day:
            found[row.record_id] = row.json
    return {name: stored(Record, json.loads(text)) for name, text in found.items()}


def record(connection: Connection, record_id: str) -> Record | None:
    """Return the newest version of a record."""
    query = (
        select(records.c.json)
        .join(newest_records, same_version(records, newest_records))
        .where(records.c.record_id == record_id)
    )
    text = connection.scalar(query)
    return stored(Record, json.loads(text)) if text else None


def problems(connection: Connection, search_id: str) -> list[Problem]:
    """Return what could not be fetched or read, each problem once, in the order it came."""
    table = raw_documents
    query = select(table.c.problems).where(table.c.search_id == search_id)
    texts = connection.scalars(query.order_by(table.c.ordinal))
    plain = (problem for text in texts for problem in json.loads(text))
    return list(dict.fromkeys(stored(Problem, p) for p in plain))


def same_version(one: Table, other: Table) -> Any:
    """Return the condition that two tables speak of the same version of a record."""
    return (one.c.record_id == other.c.record_id) & (one.c.content_hash == other.c.content_hash)
