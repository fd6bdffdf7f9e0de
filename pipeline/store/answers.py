"""Reads and writes what runs answered, each value once, within a transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from pipeline.schema import Answered, Counted, QuestionResult
from pipeline.store.rows import dump, upsert
from pipeline.store.stored import stored
from pipeline.store.tables import ended_records, kept_values, run_values, runs, searches

C = TypeVar("C")
#: How many rows go into one statement, below SQLite's limit of parameters.
CHUNK = 500


def save(
    connection: Connection,
    run_id: str,
    results: Sequence[QuestionResult],
    counted: Sequence[Counted],
) -> None:
    """Keep what a run answered."""
    named: list[tuple[str, str, Any]] = [("result", r.question_id, r) for r in results]
    named += [("counted", c.record_id, c) for c in counted]
    texts = [dump(value) for _, _, value in named]
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    pairs = dict(zip(digests, texts, strict=True))
    upsert(connection, kept_values, [{"sha256": d, "json": t} for d, t in pairs.items()])
    rows = [
        {"run_id": run_id, "kind": kind, "name": name, "position": i, "sha256": digest}
        for i, ((kind, name, _), digest) in enumerate(zip(named, digests, strict=True))
    ]
    upsert(connection, run_values, rows)


def answered(connection: Connection, run_id: str) -> Answered | None:
    """Return what a run answered; None if nothing of it is kept."""
    results = _values(connection, run_id, "result", QuestionResult)
    if not results:
        return None
    run = connection.execute(select(runs).where(runs.c.run_id == run_id)).one()
    day = select(searches.c.date).where(searches.c.search_id == run.search_id)
    date = run.as_of or connection.scalar(day) or run.started[:10]
    counted = _values(connection, run_id, "counted", Counted)
    found = ended(connection, run.search_id) if run.search_id else {}
    return Answered(run_id, date, tuple(results), tuple(counted), tuple(found.items()))


def _values(connection: Connection, run_id: str, kind: str, cls: type[C]) -> list[C]:
    """The values of one kind of a run, in their order."""
    table = run_values
    query = (
        select(kept_values.c.json)
        .join(table, table.c.sha256 == kept_values.c.sha256)
        .where(table.c.run_id == run_id, table.c.kind == kind)
        .order_by(table.c.position)
    )
    return [stored(cls, json.loads(text)) for text in connection.scalars(query)]


def history(connection: Connection, question_id: str) -> list[tuple[str, str, QuestionResult]]:
    """Return (run id, day of its evidence, result) of each run that answered a question."""
    table = run_values
    day = select(searches.c.date).where(searches.c.search_id == runs.c.search_id).scalar_subquery()
    query = (
        select(runs.c.run_id, runs.c.started, runs.c.as_of, day.label("day"), kept_values.c.json)
        .join(table, table.c.run_id == runs.c.run_id)
        .join(kept_values, table.c.sha256 == kept_values.c.sha256)
        .where(table.c.kind == "result", table.c.name == question_id)
        .order_by(runs.c.started, runs.c.run_id)
    )
    found = [
        (
            row.run_id,
            row.as_of or row.day or row.started[:10],
            stored(QuestionResult, json.loads(row.json)),
        )
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda item: item[1])


def latest_answered(connection: Connection) -> str | None:
    """Return the run whose answers stand: the latest that took all evidence and ended whole."""
    kept = select(run_values.c.run_id).where(run_values.c.kind == "result")
    query = select(runs.c.run_id).where(
        runs.c.run_id.in_(kept),
        runs.c.as_of.is_(None),
        runs.c.status.in_(("complete", "incomplete")),
    )
    return connection.scalar(query.order_by(runs.c.finished.desc(), runs.c.run_id.desc()))


def mark_ended(connection: Connection, search_id: str, states: Mapping[str, str]) -> None:
    """Note the records that a search finds no more, with the state of each."""
    rows = [
        {"search_id": search_id, "record_id": record_id, "state": state}
        for record_id, state in states.items()
    ]
    upsert(connection, ended_records, rows, replaced=("state",))


def ended(connection: Connection, search_id: str) -> dict[str, str]:
    """Return the records that a search finds no more and an earlier one did, with their states."""
    table = ended_records
    query = select(table).where(table.c.search_id == search_id).order_by(table.c.record_id)
    return {row.record_id: row.state for row in connection.execute(query)}
