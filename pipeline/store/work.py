"""Reads and writes what was read and run, within a transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from pipeline.errors import StoreError
from pipeline.schema import Extractor, Study
from pipeline.store.corpus import same_version
from pipeline.store.rows import dump, upsert
from pipeline.store.stored import stored
from pipeline.store.tables import (
    extractions,
    newest_records,
    runs,
    search_records,
    searches,
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the program; `finished` and `manifest` are None while it is under way."""

    run_id: str
    started: str
    status: str
    argv: tuple[str, ...]
    config_sha256: str
    finished: str | None = None
    manifest: str | None = None
    search_id: str | None = None
    as_of: str | None = None


def save_extractions(connection: Connection, readings: Iterable[tuple[Study, str]]) -> None:
    """Insert studies with the content hash of what they were read from, or replace them."""
    rows = [
        {
            **_key(study.extractor),
            "record_id": study.record_id,
            "content_hash": content_hash,
            "json": dump(study),
        }
        for study, content_hash in readings
    ]
    upsert(connection, extractions, rows, replaced=("json",))


def extraction(
    connection: Connection, record_id: str, content_hash: str, extractor: Extractor
) -> Study | None:
    """Return what an extractor read in a version of a record."""
    key = {"record_id": record_id, "content_hash": content_hash, **_key(extractor)}
    query = select(extractions.c.json).where(*(extractions.c[k] == v for k, v in key.items()))
    text = connection.scalar(query)
    return stored(Study, json.loads(text)) if text else None


def hits_read(connection: Connection, search_id: str, extractor: Extractor) -> dict[str, Study]:
    """Return what an extractor read in the newest versions of a search's records, by id."""
    query = (
        select(extractions.c.record_id, extractions.c.json)
        .join(newest_records, same_version(extractions, newest_records))
        .join(search_records, search_records.c.record_id == extractions.c.record_id)
        .where(search_records.c.search_id == search_id)
        .where(*(extractions.c[k] == v for k, v in _key(extractor).items()))
        .order_by(search_records.c.position)
    )
    rows = connection.execute(query)
    return {row.record_id: stored(Study, json.loads(row.json)) for row in rows}


#: What is known of a run when it begins.
RUN_KEYS = ("run_id", "started", "status", "config_sha256", "as_of")


def start_run(connection: Connection, run: Run) -> None:
    """Insert a run."""
    row = {name: getattr(run, name) for name in RUN_KEYS}
    connection.execute(insert(runs), {**row, "argv": dump(run.argv)})


def finish_run(connection: Connection, run_id: str, ended: Mapping[str, str | None]) -> None:
    """Note how a run ended: `finished`, `status`, `manifest`, `search_id`."""
    change = update(runs).where(runs.c.run_id == run_id)
    done = connection.execute(change.values(**ended))
    if done.rowcount != 1:
        raise StoreError(f"No run {run_id!r} was started.")


def end_killed(connection: Connection) -> None:
    """Note that the runs which are said to be under way have failed."""
    change = update(runs).where(runs.c.status == "running")
    connection.execute(change.values(status="failed"))


def all_runs(connection: Connection) -> list[Run]:
    """Return the runs, the oldest first."""
    rows = connection.execute(select(runs).order_by(runs.c.started, runs.c.run_id))
    return [Run(**{**row._mapping, "argv": tuple(json.loads(row.argv))}) for row in rows]


def watermark(connection: Connection, source: str, query: str) -> str | None:
    """Return the latest day of a search by which a run was completed."""
    answered = runs.join(searches, runs.c.search_id == searches.c.search_id)
    asked = (searches.c.source == source) & (searches.c.query == query)
    days = select(searches.c.date).select_from(answered)
    found = connection.scalars(
        days.where(asked, runs.c.status == "complete", runs.c.as_of.is_(None))
    )
    return max(found, default=None)


def _key(extractor: Extractor) -> dict[str, str]:
    """The columns that name an extractor."""
    return {
        "extractor": extractor.name,
        "version": extractor.version,
        "rules_hash": extractor.rules_hash,
    }
