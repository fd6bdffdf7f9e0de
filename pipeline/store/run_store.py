"""The part of the store that holds runs and what they answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from pipeline.schema import Answered, Counted, QuestionResult
from pipeline.store import answers, database, work
from pipeline.store.work import Run


class RunStore:
    """Runs, their answers, and the records that searches find no more."""

    def __init__(self, folder: Path, engine: Engine, name: str) -> None:
        self._folder, self._engine, self._name = folder, engine, name

    def start_run(
        self,
        run_id: str,
        *,
        started: str,
        argv: Sequence[str],
        config_sha256: str,
        as_of: str | None = None,
    ) -> None:
        """Note that a run has begun; `started` is an ISO 8601 UTC time, `as_of` a day."""
        run = Run(run_id, started, "running", tuple(argv), config_sha256, as_of=as_of)
        with self._writing() as connection:
            work.start_run(connection, run)

    def finish_run(
        self,
        run_id: str,
        *,
        finished: str,
        status: str,
        manifest: str | None = None,
        search_id: str | None = None,
        results: Sequence[QuestionResult] = (),
        counted: Sequence[Counted] = (),
    ) -> None:
        """Note how a run ended, its manifest's path, the search it answered from, and what.

        With status "complete" the watermark moves to that search, in the same transaction.

        Raises
        ------
        StoreError
            If no such run was started.
        """
        with self._writing() as connection:
            ended = {"manifest": manifest, "search_id": search_id}
            ended |= {"finished": finished, "status": status}
            work.finish_run(connection, run_id, ended)
            answers.save(connection, run_id, results, counted)

    def end_killed_runs(self) -> None:
        """Note that runs which never ended have failed; call it under the review's lock."""
        with self._writing() as connection:
            work.end_killed(connection)

    def watermark(self, source: str, query: str) -> str | None:
        """Return the day up to which a query is answered, None if no run of it was completed.

        It is the day of the latest search from which a run was completed: an update has to ask
        for what came after it, and for some days before. A run that failed, or that lacks a
        record, does not move it, nor does a fetch alone or a run as of another day.
        """
        with self._reading() as connection:
            return work.watermark(connection, source, query)

    def runs(self) -> list[Run]:
        """Return the runs, the oldest first."""
        with self._reading() as connection:
            return work.all_runs(connection)

    def answered(self, run_id: str) -> Answered | None:
        """Return what a run answered; None if nothing of it is kept."""
        with self._reading() as connection:
            return answers.answered(connection, run_id)

    def latest_answered(self) -> Answered | None:
        """Return the answers that stand: of the latest run that took all evidence; None of none."""
        with self._reading() as connection:
            run_id = answers.latest_answered(connection)
            return answers.answered(connection, run_id) if run_id else None

    def history(self, question_id: str) -> list[tuple[str, str, QuestionResult]]:
        """Return (run id, day of its evidence, result) of each run that answered, by that day."""
        with self._reading() as connection:
            return answers.history(connection, question_id)

    def mark_ended(self, search_id: str, states: Mapping[str, str]) -> None:
        """Note the records that a search finds no more: "left_query" or "deleted" by id."""
        with self._writing() as connection:
            answers.mark_ended(connection, search_id, states)

    def ended(self, search_id: str) -> dict[str, str]:
        """Return the records that a search finds no more and an earlier one did, with states."""
        with self._reading() as connection:
            return answers.ended(connection, search_id)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection for queries."""
        with database.guarded(self._name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A connection with a transaction: all of it is kept, or nothing."""
        engine = database.writing(self._engine)
        with database.guarded(self._name), engine.begin() as connection:
            yield connection
