"""Checks a store: raw files are whole, records parse, quotes and decisions are as written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from pipeline.schema import Link, Quote, Record, Study, link_hash
from pipeline.schema.codec import from_plain
from pipeline.store import decided, raw
from pipeline.store.tables import extractions, raw_documents, records


def faults(connection: Connection, corpus: Path) -> Iterator[str]:
    """Yield a sentence for each fault of a store."""
    for row in connection.execute(select(raw_documents).order_by(raw_documents.c.ordinal)):
        if fault := raw.fault(corpus / row.path, row.sha256):
            yield fault
    key = (records.c.record_id, records.c.content_hash)
    for row in connection.execute(select(records).order_by(*key)):
        yield from _record_faults(row)
    both = select(extractions, records.c.json.label("record")).join(records).order_by(*key)
    for row in connection.execute(both):
        yield from _quote_faults(row)
    yield from _chain_faults(decided.links(connection))


def _chain_faults(chain: Sequence[Link]) -> Iterator[str]:
    """Yield the events that are not as they were written, or follow another than they did."""
    before = ""
    for link in chain:
        event = link.event
        if link.previous != before or link.hash != link_hash(before, event.digest):
            yield (
                f"The decision {event.event_id} on {event.decision.field} of "
                f"{event.decision.record_id} or one before it was changed, moved or removed."
            )
        before = link.hash


def _record_faults(row: Row[Any]) -> Iterator[str]:
    """Yield what is wrong with a stored record."""
    try:
        record = from_plain(Record, json.loads(row.json))
    except (TypeError, ValueError, KeyError) as error:
        yield f"The stored record {row.record_id} cannot be read: {error}."
        return
    if (record.record_id, record.content_hash) != (row.record_id, row.content_hash):
        yield f"The stored record {row.record_id} does not have the content hash it is kept under."


def _quote_faults(row: Row[Any]) -> Iterator[str]:
    """Yield the quotes of a study that are not in its record's text."""
    try:
        study = from_plain(Study, json.loads(row.json))
        text = from_plain(Record, json.loads(row.record)).text
    except (TypeError, ValueError, KeyError) as error:
        yield f"The stored study of {row.record_id} cannot be read: {error}."
        return
    for quote in quotes(study):
        if quote.record_id != row.record_id or text[quote.start : quote.end] != quote.text:
            yield (
                f"The quote {quote.text!r} does not stand at {quote.start}..{quote.end} "
                f"of {row.record_id}."
            )


def quotes(value: Any) -> Iterator[Quote]:
    """Yield every quote inside a schema value."""
    if isinstance(value, Quote):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from quotes(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from quotes(getattr(value, field.name))
