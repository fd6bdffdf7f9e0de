"""Searches, and fetches what is not here or may have been revised since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.config import Config
from pipeline.errors import ConfigError, NothingFoundError, StoreError
from pipeline.fetch import SEARCHED_AGAIN, SOURCES, Source
from pipeline.review_folder import Review
from pipeline.schema import (
    Batch,
    Search,
)
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class Gathered:
    """A search, and how many of its records were fetched as new and fetched again."""

    search: Search
    new: int = 0
    again: int = 0


def search(review: Review) -> Search:
    """Ask the source; nothing is kept.

    Raises
    ------
    ConfigError
        If the source is unknown, or the protocol lacks what it needs.
    NothingFoundError
        If it has no hit.
    """
    found = source_of(review.config).search(review.config, today=_today(review), tell=review.tell)
    return _told(review, found)


def _today(review: Review) -> str:
    """The day by the review's clock."""
    return review.now().date().isoformat()


def _told(review: Review, found: Search) -> Search:
    """The search, if it found something; who watches learns of it."""
    if not found.record_ids:
        raise NothingFoundError(f"No record for {found.query!r} in {found.source}.")
    review.tell(
        "searched",
        level="warning" if found.warnings else "info",
        step="fetch",
        search_id=found.search_id,
        source=found.source,
        query=found.query,
        translation=found.translation,
        warnings=list(found.warnings),
        count=found.count,
        duplicates=found.duplicates,
    )
    return found


def fetch(review: Review, store: Store) -> Gathered:
    """Search and fetch what is not stored yet; each batch is kept before the next is asked for."""
    found = search(review)
    store.save_search(found)
    before = len(store.known_ids(found.search_id))
    _fetch_into(review, store, found, found, skip=store.known_ids(found.search_id))
    return Gathered(found, new=_told_fetched(review, store, found) - before)


def _fetch_into(
    review: Review, store: Store, found: Search, asked: Search, *, skip: set[str] | None = None
) -> set[str]:
    """Fetch the records of `asked` and keep them under the search `found`; return what came."""
    came: set[str] = set()
    batches = source_of(review.config).fetch(
        asked,
        review.config,
        skip=skip or set(),
        progress=lambda done, total: review.progress("fetch", done, total),
        tell=review.tell,
    )
    for batch in batches:
        store.save_batch(found.search_id, batch, fetched_at=_now(review))
        came |= {record.record_id for record in batch.records}
        review.tell("batch", step="fetch", name=batch.name, **_reconciled(batch))
    return came


def _now(review: Review) -> str:
    """The time by the review's clock, to the second."""
    return review.now().isoformat(timespec="seconds")


def _told_fetched(review: Review, store: Store, found: Search) -> int:
    """How many records of a search are stored; who watches learns of it."""
    stored = len(store.known_ids(found.search_id))
    review.tell(
        "fetched",
        level="info" if stored == len(found.record_ids) else "warning",
        step="fetch",
        search_id=found.search_id,
        count=found.count,
        stored=stored,
    )
    return stored


def _reconciled(batch: Batch) -> dict[str, Any]:
    """What was asked for = what came + what is missing for good + what is asked for again."""
    asked = batch.asked or len(batch.records)
    missing = sum(p.code == "missing_record" for p in batch.problems)
    returned = len(batch.records)
    again = asked - returned - missing
    return {"asked": asked, "returned": returned, "missing": missing, "to_retry": again}


def refresh(review: Review, store: Store) -> Gathered:
    """Search again, and fetch what is new and what may have been revised or retracted since.

    From PubMed, the bodies of records that are stored already are not fetched but for the included
    ones, and those that the query finds no more, whose copy is `living.recheck_days` old. Of
    other sources the files are read again.
    """
    if review.config.source not in SEARCHED_AGAIN:
        return fetch(review, store)
    last = store.latest_search_of(review.config.source, review.config.query.strip())
    found = _search_again(review, store, last)
    store.save_search(found)
    store.carry(found.search_id)
    ages = store.ages()
    left = _left(store, last, found)
    new = [i for i in found.record_ids if i not in ages]
    due = [i for i in (*_included(store, found), *left) if ages[i] < _due(review)]
    again = list(dict.fromkeys(due))
    came = (
        _fetch_into(review, store, found, _asking(found, [*new, *again])) if new or due else set()
    )
    states = dict.fromkeys(left, "left_query")
    states |= dict.fromkeys((i for i in left if i in again and i not in came), "deleted")
    store.mark_ended(found.search_id, states)
    _told_fetched(review, store, found)
    return Gathered(found, new=len(came & set(new)), again=len(came & set(again)))


def _search_again(review: Review, store: Store, last: Search | None) -> Search:
    """Search for all hits, or, where they are many, for those created since the last search."""
    config = review.config
    mark = store.watermark(config.source, config.query.strip())
    if last is None or mark is None:
        return search(review)
    day = datetime.fromisoformat(mark) - timedelta(days=config.living.overlap_days)
    found = SEARCHED_AGAIN[config.source](
        config, today=_today(review), since=day.date().isoformat(), known=last, tell=review.tell
    )
    return _told(review, found)


def _asking(found: Search, ids: Sequence[str]) -> Search:
    """A search for these records alone."""
    return replace(found, record_ids=tuple(ids), count=len(ids))


def _included(store: Store, found: Search) -> list[str]:
    """The records of a search that the standing answers count as eligible.

    All that are here, where another version of Evipool left answers that cannot be read.
    """
    try:
        answered = store.latest_answered()
    except StoreError:
        ages = store.ages()
        return [i for i in found.record_ids if i in ages]
    counted = answered.counted if answered else ()
    hits = set(found.record_ids)
    return [c.record_id for c in counted if c.screening.include and c.record_id in hits]


def _left(store: Store, last: Search | None, found: Search) -> list[str]:
    """The records here that the last search found, or had kept, and this one does not."""
    if last is None:
        return []
    kept = [i for i, state in store.ended(last.search_id).items() if state == "left_query"]
    here = store.known_ids(last.search_id) | set(kept)
    hits = set(found.record_ids)
    return [i for i in (*last.record_ids, *kept) if i in here and i not in hits]


def _due(review: Review) -> str:
    """A copy that was fetched before this time is fetched again."""
    due = review.now() - timedelta(days=review.config.living.recheck_days)
    return due.isoformat(timespec="seconds")


def source_of(config: Config) -> Source:
    """Return the source that the protocol names.

    Raises
    ------
    ConfigError
        If there is no such source.
    """
    if config.source not in SOURCES:
        raise ConfigError(f"Invalid source {config.source!r}; must be one of {', '.join(SOURCES)}.")
    return SOURCES[config.source]
