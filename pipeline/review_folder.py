"""A review's folder: its protocol, its store for one writer at a time, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.config import Config
from pipeline.errors import LockedError, OutputError
from pipeline.schema.events import Tell, silent
from pipeline.store import Store

#: Called as work goes on: (step, done, all).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Review:
    """A review's folder and protocol, with the clock and who watches its work."""

    folder: Path
    config: Config
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    progress: Progress = lambda step, done, total: None
    tell: Tell = silent

    @contextmanager
    def store(self, *, alone: bool = True) -> Iterator[Store]:
        """Open the store: alone to write, or beside a run that is at work to read.

        Raises
        ------
        LockedError
            If another run works on this review.
        """
        lock = self._lock() if alone else nullcontext()
        with lock, Store.open(self.folder, self.config.database.url) as store:
            if alone:
                store.remove_leftovers()
                store.end_killed_runs()
            yield store

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the review's lock."""
        place = self.folder / "corpus"
        try:
            place.mkdir(parents=True, exist_ok=True)
            lock = FileLock(place / ".lock", timeout=0)
            lock.acquire()
        except Timeout as error:
            raise LockedError(
                f"Another run works on {self.folder}; try again when it ends."
            ) from error
        except OSError as error:
            raise OutputError(f"Cannot write {place}: {error.strerror}.") from error
        try:
            yield
        finally:
            lock.release()
