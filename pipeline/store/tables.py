"""The tables of the store, alike in SQLite and PostgreSQL; `migrations/` makes them.

Times are ISO 8601 UTC texts; `json` columns hold what `schema.codec.to_plain` returns.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

#: `ordinal` grows with each save: the highest is the latest search.
searches = Table(
    "searches",
    metadata,
    Column("search_id", Text, primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("date", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("translation", Text, nullable=False),
    Column("warnings", Text, nullable=False),
)

#: The answers as they came; `path` is relative to the corpus folder, `problems` a JSON list.
raw_documents = Table(
    "raw_documents",
    metadata,
    Column("search_id", Text, ForeignKey("searches.search_id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("fetched_at", Text, nullable=False),
    Column("problems", Text, nullable=False),
)

#: Every version of every record, where and when it was seen first.
records = Table(
    "records",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("json", Text, nullable=False),
    Column("raw_sha256", Text, nullable=False),
    Column("search_id", Text, ForeignKey("searches.search_id"), nullable=False),
    Column("first_seen", Text, nullable=False),
)

#: Which version of a record was fetched last.
newest_records = Table(
    "newest_records",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("content_hash", Text, nullable=False),
    Column("fetched_at", Text, nullable=False),
    ForeignKeyConstraint(
        ["record_id", "content_hash"], ["records.record_id", "records.content_hash"]
    ),
)

#: The hits of a search in its order; `content_hash` is the version it fetched, null until then.
search_records = Table(
    "search_records",
    metadata,
    Column("search_id", Text, ForeignKey("searches.search_id"), primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("content_hash", Text),
)

#: What an extractor read in a version of a record.
extractions = Table(
    "extractions",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("extractor", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("rules_hash", Text, primary_key=True),
    Column("json", Text, nullable=False),
    ForeignKeyConstraint(
        ["record_id", "content_hash"], ["records.record_id", "records.content_hash"]
    ),
)

#: Reviewers' decisions in the order they came; triggers refuse any change or deletion. `evidence`
#: is the JSON of a quote; `hash` chains a row to the one before (`pipeline.schema.Link`).
decisions = Table(
    "decisions",
    metadata,
    Column("ordinal", Integer, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("record_id", Text, nullable=False, index=True),
    Column("field", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("when", Text, nullable=False),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("old", Text),
    Column("evidence", Text),
    Column("snapshot", Text),
    Column("undoes", Text, nullable=False, server_default=""),
    Column("content_hash", Text, nullable=False, server_default=""),
    Column("software", Text, nullable=False, server_default=""),
    Column("previous", Text, nullable=False, server_default=""),
    Column("hash", Text, nullable=False, server_default=""),
    Column("turn", Integer, nullable=False, server_default="1"),
    Index("ix_decisions_field", "record_id", "field"),
    Index("ix_decisions_undoes", "undoes"),
    sqlite_autoincrement=True,
)

#: Runs of the program: `argv` is a JSON list, `status` "running" until the run is finished,
#: `search_id` the search whose records it answered from, null until then; `as_of` the day whose
#: knowledge it rebuilt, null where it took all.
runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("status", Text, nullable=False),
    Column("argv", Text, nullable=False),
    Column("config_sha256", Text, nullable=False),
    Column("manifest", Text),
    Column("search_id", Text),
    Column("as_of", Text),
)

#: Values of runs, each once, by the SHA-256 of its JSON.
kept_values = Table(
    "kept_values",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("json", Text, nullable=False),
)

#: What a run answered: `kind` "result" with the question's id as name, or "counted" with a
#: record's.
run_values = Table(
    "run_values",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("sha256", Text, ForeignKey("kept_values.sha256"), nullable=False),
)

#: Records that a search finds no more and an earlier one did: `state` is "left_query" or "deleted".
ended_records = Table(
    "ended_records",
    metadata,
    Column("search_id", Text, ForeignKey("searches.search_id"), primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
)
