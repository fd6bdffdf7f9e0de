"""Reads and screens records into published records, in one process or in several."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from pipeline.config import Config, Eligibility
from pipeline.errors import PipelineError
from pipeline.extract.reader import Reader
from pipeline.schema import Record
from pipeline.schema.codec import study_record
from pipeline.screen import screen

Progress = Callable[[str, int, int], None]
Line = dict[str, Any]

#: Records that a process is handed at once: a second's work, so that the bar moves.
PART = 50


@dataclass(frozen=True, slots=True)
class Screener:
    """A reader with what it screens by."""

    reader: Reader
    eligibility: Eligibility

    def line(self, record: Record) -> Line:
        """The published record of a record (docs/record.md)."""
        study = self.reader.read(record)
        return study_record(study, screen(record, study, self.eligibility), record.text)


#: What a process of a pool reads with; set once, when it starts.
_OWN: list[Screener] = []


def published(
    records: Sequence[Record],
    config: Config,
    progress: Progress,
    *,
    jobs: int = 1,
    part: int = PART,
) -> Generator[Line]:
    """Read and screen records; yield each as the published record (docs/record.md).

    Parameters
    ----------
    records : sequence of Record
    config : Config
    progress : callable
        Told ("extract", done, all) as work goes on.
    jobs : int
        How many processes read; the lines and their order are the same for any number.
    part : int
        How many records a process is handed at once.

    Raises
    ------
    PipelineError
        If a process ends before its work.
    """
    parts = [records[i : i + part] for i in range(0, len(records), part)]
    lines = _alone(records, config) if jobs == 1 or len(parts) < 2 else _shared(parts, config, jobs)
    with closing(lines):  # a pool ends with the reading, however that ends
        for done, line in enumerate(lines, 1):
            yield line
            progress("extract", done, len(records))


def _alone(records: Sequence[Record], config: Config) -> Generator[Line]:
    """The lines, read in this process."""
    reader = screener(config)
    return (reader.line(record) for record in records)


def _shared(parts: Sequence[Sequence[Record]], config: Config, jobs: int) -> Generator[Line]:
    """The lines of each part in their order, read by a pool of processes.

    Each process starts anew instead of as a copy of this one, whose threads a copy would lack.
    """
    pool = ProcessPoolExecutor(
        min(jobs, len(parts)), get_context("spawn"), initializer=_start, initargs=(config,)
    )
    try:
        yield from chain.from_iterable(pool.map(_lines, parts))
    except BrokenProcessPool as error:
        raise PipelineError(
            f"One of {jobs} reading processes ended before its work; "
            "the system may lack memory for so many."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def screener(config: Config) -> Screener:
    """Return what reads by a protocol."""
    return Screener(Reader(config.eligibility, config.outcomes), config.eligibility)


def _start(config: Config) -> None:
    """Make a process of a pool ready; the one that started it decides on Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    _OWN[:] = [screener(config)]


def _end_with_parent() -> None:
    """End a process of a pool when the one that started it was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _lines(records: Sequence[Record]) -> list[Line]:
    """The lines of a part, in a process of a pool."""
    return [_OWN[0].line(record) for record in records]
