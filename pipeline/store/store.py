"""The store of a review: searches, records, extractions, decisions and runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from pipeline.errors import ConfigError, OutputError, StoreError
from pipeline.schema import (
    WHOLE,
    Batch,
    Decision,
    Event,
    Extractor,
    Problem,
    Record,
    Search,
    Study,
)
from pipeline.store import checks, corpus, database, decided, dump, raw, work
from pipeline.store.run_store import RunStore


class Store(RunStore):
    """The evidence of one review; `Store.open` makes it, `with` closes it.

    Searches, raw answers, record versions and decisions are only ever added. Every method may
    raise `StoreError` where the database fails, is locked or damaged, and each writes in one
    transaction.
    """

    @classmethod
    def open(cls, folder: Path, url: str | None = None) -> Store:
        """Open the store of a review, and make what is not there yet.

        Parameters
        ----------
        folder : Path
            The review's folder; raw answers are kept in its corpus/raw.
        url : str, optional
            A postgresql:// or sqlite:// URL; by default corpus/evidence.sqlite.

        Raises
        ------
        StoreError
            If the file is no database, is another program's, is locked, or its schema is newer.
        OutputError
            If folder or file cannot be written.
        ConfigError
            If `url` is of another kind or its driver is not installed.
        """
        place = folder / "corpus"
        where = database.database_url(place, url)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"Cannot make {place}: {error.strerror or error}.") from error
        store = cls(place, database.connect(where), database.place(where))
        try:
            store._migrate()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def kind(self) -> str:
        """Which database this is: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    def dump(self, target: Path) -> None:
        """Write the database to a file.

        Raises
        ------
        StoreError, OutputError, ConfigError
            As of `pipeline.store.dump.dump`.
        """
        with database.guarded(self._name):
            dump.dump(self._engine, target)

    @staticmethod
    def load(folder: Path, url: str | None, source: Path) -> None:
        """Read what `dump` wrote of a PostgreSQL database into an empty one.

        Raises
        ------
        ConfigError
            If the URL is not one of PostgreSQL, or pg_restore is not installed.
        StoreError
            If the database is not empty, or the dump cannot be read.
        """
        where = database.database_url(folder / "corpus", url)
        engine = database.connect(where)
        if engine.dialect.name != "postgresql":
            raise ConfigError("The backup is of a PostgreSQL database; set database.url to one.")
        try:
            with database.guarded(database.place(where)):
                dump.load(engine, source)
        finally:
            engine.dispose()

    def remove_leftovers(self) -> None:
        """Remove raw files that a killed run left half-written; call it under the review's lock.

        Raises
        ------
        OutputError
            If one cannot be removed.
        """
        raw.remove_leftovers(self._folder)

    def save_search(self, search: Search) -> None:
        """Keep a search and its hits in order; saved again, it only becomes the latest."""
        with self._writing() as connection:
            corpus.save_search(connection, search)

    def save_batch(self, search_id: str, batch: Batch, *, fetched_at: str) -> None:
        """Keep an answer: its bytes as a file, then in one transaction the rows about it.

        Saved again, nothing changes.

        Parameters
        ----------
        search_id : str
            A search that was saved.
        batch : Batch
            The answer.
        fetched_at : str
            When it came, ISO 8601 UTC; of a record's versions the one fetched last is the newest.

        Raises
        ------
        StoreError
            If the search is unknown, or other bytes are kept under this name.
        OutputError
            If the corpus folder cannot be written.
        """
        digest = raw.sha256(batch.raw)
        path = raw.raw_path(search_id, batch.name)
        self._check_batch(search_id, batch.name, digest)
        if raw.fault(self._folder / path, digest):
            raw.write(self._folder / path, batch.raw)
        document = {
            "search_id": search_id,
            "name": batch.name,
            "sha256": digest,
            "media_type": batch.media_type,
            "path": path,
            "fetched_at": fetched_at,
        }
        with self._writing() as connection:
            corpus.save_document(connection, document, batch.problems)
            corpus.save_records(connection, batch.records, document)

    def known_ids(self, search_id: str) -> set[str]:
        """Return the record_ids that this search has fetched; a resumed fetch skips them."""
        with self._reading() as connection:
            return corpus.known_ids(connection, search_id)

    def records(self, search_id: str) -> list[Record]:
        """Return the records of a search that are stored, in its order, in their newest version."""
        with self._reading() as connection:
            return list(corpus.hits(connection, search_id))

    def carry(self, search_id: str) -> None:
        """Note among the hits of a search the versions that are stored already."""
        with self._writing() as connection:
            corpus.carry(connection, search_id)

    def ages(self) -> dict[str, str]:
        """Return when each record was fetched last, ISO 8601 UTC, by id."""
        with self._reading() as connection:
            return corpus.ages(connection)

    def kept(self, search_id: str) -> list[Record]:
        """Return the records that a search finds no more and that are still there."""
        with self._reading() as connection:
            return corpus.kept(connection, search_id)

    def versions_by(self, search_id: str, day: str) -> dict[str, Record]:
        """Return the version of each record of a search that was the newest by a day.

        Of a record that was seen first after that day, the first version stands for it.
        """
        with self._reading() as connection:
            return corpus.versions_by(connection, search_id, day)

    def record(self, record_id: str) -> Record | None:
        """Return the newest version of a record, None if it is not stored."""
        with self._reading() as connection:
            return corpus.record(connection, record_id)

    def problems(self, search_id: str) -> list[Problem]:
        """Return what could not be fetched or read, each problem once, in the order it came."""
        with self._reading() as connection:
            return corpus.problems(connection, search_id)

    def latest_search(self) -> Search | None:
        """Return the search that was saved last, None if there is none."""
        with self._reading() as connection:
            return corpus.latest_search(connection)

    def latest_search_of(self, source: str, query: str) -> Search | None:
        """Return the search that was saved last of a source by a query, None if there is none."""
        with self._reading() as connection:
            return corpus.latest_search(connection, (source, query))

    def save_extractions(self, readings: Iterable[tuple[Study, str]]) -> None:
        """Keep studies, each with the content_hash of the record version it was read from.

        A study of the same version by the same extractor is replaced: it can be read again.

        Raises
        ------
        StoreError
            If a record version is not stored.
        """
        with self._writing() as connection:
            work.save_extractions(connection, readings)

    def extraction(self, record_id: str, content_hash: str, extractor: Extractor) -> Study | None:
        """Return what an extractor read in a version of a record, None if it has not."""
        with self._reading() as connection:
            return work.extraction(connection, record_id, content_hash, extractor)

    def extractions(self, search_id: str, extractor: Extractor) -> dict[str, Study]:
        """Return what an extractor read in the newest versions of a search's records, by id."""
        with self._reading() as connection:
            return work.hits_read(connection, search_id, extractor)

    def add_decision(
        self,
        decision: Decision,
        *,
        event_id: str | None = None,
        expected: int | None = None,
        blind: bool = False,
    ) -> str:
        """Append a reviewer's decision and return its event id.

        Parameters
        ----------
        decision : Decision
            What was decided.
        event_id : str, optional
            The caller's name of the event, so that sending it twice adds it once; by default a
            random UUID.
        expected : int, optional
            The number of events on the field that the reviewer saw (`field_versions`).
        blind : bool
            Whether only those count that the reviewer may see (`visible_events`).

        Raises
        ------
        StaleError
            If the field has another number of events by now; nothing was saved.
        StoreError
            If another decision has this event id, or an "undone" names no own decision.
        """
        name = event_id or str(uuid.uuid4())
        with self._writing() as connection:
            versions = {} if expected is None else {decision.field: expected}
            decided.decide(connection, [(name, decision)], versions, blind)
        return name

    def add_decisions(
        self,
        several: Iterable[Decision],
        *,
        expected: Mapping[str, int] | None = None,
        blind: bool = False,
    ) -> list[Event]:
        """Append decisions on a record of one keystroke, all or none; return them as events.

        `expected` and `blind` are as for `add_decision`, by field; a field that `expected` does
        not name is not held against it.
        """
        named = [(str(uuid.uuid4()), decision) for decision in several]
        with self._writing() as connection:
            return decided.decide(connection, named, expected or {}, blind)

    def merge_events(self, events: Sequence[Event]) -> list[Event]:
        """Append the events of another store that are not here yet, all or none; return those.

        Raises
        ------
        StoreError
            If an event here has the id of one of them and says something else.
        """
        with self._writing() as connection:
            return decided.merge(connection, events)

    def decisions(self, record_id: str | None = None) -> list[Decision]:
        """Return all decisions, or those on a record, in the order they were added."""
        return [event.decision for event in self.events(record_id)]

    def events(self, record_id: str | None = None) -> list[Event]:
        """Return all events, or those on a record, in the order they were added."""
        with self._reading() as connection:
            return decided.events(connection, record_id)

    def visible_events(self, who: str, record_id: str | None = None) -> list[Event]:
        """Return the events that a blind reviewer may see, in the order they were added.

        They are the own ones; those of the others only where two people have finished the record,
        and `who` too if they have begun it. Its screening and the check of its readings are
        finished each for itself. The query leaves the rest out: it is never read.
        """
        with self._reading() as connection:
            return decided.visible(connection, who, record_id)

    def field_versions(self, record_id: str, who: str | None = None) -> dict[str, int]:
        """Return the number of events on each field of a record; those `who` may see, if given."""
        with self._reading() as connection:
            return decided.versions(connection, record_id, who)

    def finished(self, record_id: str, stage: str = WHOLE) -> list[str]:
        """Return who has finished checking a record's readings, or its "screening"."""
        with self._reading() as connection:
            return decided.finished(connection, record_id, stage)

    def check(self) -> list[str]:
        """Return a sentence for each fault: raw files, records, quotes and the decisions' chain."""
        with self._reading() as connection:
            return list(checks.faults(connection, self._folder))

    def _migrate(self) -> None:
        """Bring the tables up to date."""
        with database.guarded(self._name):
            database.migrate(self._engine, self._name)

    def _check_batch(self, search_id: str, name: str, digest: str) -> None:
        """Refuse a batch of an unknown search, or other bytes under a known name."""
        with self._reading() as connection:
            known = corpus.is_search(connection, search_id)
            kept = corpus.raw_sha256(connection, search_id, name)
        if not known:
            raise StoreError(f"The search {search_id!r} is not in {self._name}.")
        if kept not in (None, digest):
            raise StoreError(
                f"Other bytes are kept as {name!r} of the search {search_id!r}; what was fetched "
                "is never overwritten."
            )
