"""Reads what was not read, and counts each record as rules and people decided, by any day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.config import Config
from pipeline.errors import NothingFoundError
from pipeline.extract.reader import Reader
from pipeline.review import effective, screened
from pipeline.review_folder import Review
from pipeline.schema import (
    Counted,
    Event,
    Evidence,
    Record,
    Screening,
    Search,
    Study,
    published,
)
from pipeline.screen import screen
from pipeline.store import Store


def read(review: Review, store: Store, found: Search, *, as_of: str | None = None) -> Evidence:
    """Read and screen the records of a search; a text that was read before is not read again.

    What people decided outranks both: the studies and screenings are those that count.

    Parameters
    ----------
    review : Review
    store : Store
    found : Search
        A search that was fetched.
    as_of : str, optional
        A day, YYYY-MM-DD: only records that were known by then, in the version of then.
    """
    records, shown = _known_by(store, found, as_of) if as_of else _all(store, found)
    reader = Reader(review.config.eligibility, review.config.outcomes)
    known = {} if as_of else store.extractions(found.search_id, reader.extractor)
    fresh: list[tuple[Study, str]] = []
    for i, record in enumerate(records, 1):
        if record.record_id not in known:
            study = store.extraction(record.record_id, record.content_hash, reader.extractor)
            if study is None:
                study = reader.read(record)
                fresh.append((study, record.content_hash))
            known[record.record_id] = study
        review.progress("extract", i, len(records))
    store.save_extractions(fresh)
    decided = _decided(records, store)
    counted = [_counted(review.config, r, known[r.record_id], events) for r, events in decided]
    problems = tuple(store.problems(found.search_id))
    review.tell(
        "read", step="extract", records=len(records), problems=len(problems), fresh=len(fresh)
    )
    return Evidence(
        shown,
        tuple(records),
        tuple(study for study, _ in counted),
        tuple(screening for _, screening in counted),
        problems,
    )


def _all(store: Store, found: Search) -> tuple[list[Record], Search]:
    """The records of a search, with those that it finds no more and that are kept."""
    records, kept = store.records(found.search_id), store.kept(found.search_id)
    if not kept:
        return records, found
    ids = tuple(record.record_id for record in kept)
    said = f"The query finds {len(ids)} records no more that an earlier search found; they are kept"
    shown = replace(
        found,
        record_ids=(*found.record_ids, *ids),
        count=found.count + len(ids),
        warnings=(*found.warnings, f"{said}: {', '.join(ids)}."),
    )
    return [*records, *kept], shown


def _known_by(store: Store, found: Search, day: str) -> tuple[list[Record], Search]:
    """The records of a search that were known by a day, and the search as it would have been."""
    versions = store.versions_by(found.search_id, day)
    ids = [i for i in found.record_ids if i in versions]
    known = [versions[i] for i in ids if (known_since(versions[i]) or "9999") <= day]
    if not known:
        raise NothingFoundError(f"No record of {found.search_id} was known by {day}.")
    said = f"Records as known by {day}: {len(known)} of {len(ids)}"
    shown = replace(
        found,
        record_ids=tuple(record.record_id for record in known),
        count=len(known) + found.duplicates,
        warnings=(*found.warnings, f"{said}, by create date, else by the end of the year."),
    )
    return known, shown


def known_since(record: Record) -> str:
    """Return the day since when a record was known: its create date, else when it was published.

    Of a month or a year alone it is the last day; "" where no date is known.
    """
    date = record.dates.entrez or record.dates.created or published(record)
    return {4: f"{date}-12-31", 7: f"{date}-31"}.get(len(date), date)


def _decided(records: Sequence[Record], store: Store) -> Iterator[tuple[Record, list[Event]]]:
    """Each record with what people decided on it."""
    by_record = _by_record(store)
    return ((record, by_record.get(record.record_id, [])) for record in records)


def _by_record(store: Store) -> dict[str, list[Event]]:
    """What people decided, by record."""
    by_record: dict[str, list[Event]] = defaultdict(list)
    for event in store.events():
        by_record[event.decision.record_id].append(event)
    return by_record


def _counted(
    config: Config, record: Record, study: Study, events: Sequence[Event]
) -> tuple[Study, Screening]:
    """A study and its screening as they count: by reader and rule, then by what people decided."""
    mode, consensus = config.review.mode, config.review.consensus
    study = effective(study, events, mode, text=record.text, consensus=consensus)
    by_rule = screen(record, study, config.eligibility)
    return study, screened(by_rule, events, mode, consensus=consensus)


def counted(evidence: Evidence, store: Store) -> tuple[Counted, ...]:
    """Return the records as they counted, for the store to keep beside the answers."""
    by_record = _by_record(store)
    rows = zip(evidence.records, evidence.studies, evidence.screenings, strict=True)
    return tuple(
        Counted(
            record_id=record.record_id,
            slab=record.slab,
            content_hash=record.content_hash,
            study=study,
            screening=screening,
            published=published(record),
            notices=record.corrections,
            events=tuple(e.event_id for e in by_record.get(record.record_id, [])),
        )
        for record, study, screening in rows
    )
