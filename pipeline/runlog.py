"""Writes what a run did as JSON Lines: one event a line, never a key, an e-mail or an abstract."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pipeline.errors import OutputError


class RunLog:
    """An open log.jsonl; each line has ts (UTC), level, event, run_id and the event's fields."""

    def __init__(self, path: Path, run_id: str, now: Callable[[], datetime]) -> None:
        self._run_id, self._now, self._path = run_id, now, path
        try:
            self._file: TextIO = path.open("a", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error.strerror}.") from error

    def __call__(self, event: str, /, *, level: str = "info", **fields: object) -> None:
        """Write an event at once, so that a killed run has said how far it came.

        Raises
        ------
        OutputError
            If it cannot be written: the disk is full.
        """
        ts = self._now().isoformat(timespec="milliseconds")
        line = {"ts": ts, "level": level, "event": event, "run_id": self._run_id, **fields}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"Cannot write {self._path}: {error.strerror}.") from error

    def close(self) -> None:
        """Close the file; what a full disk did not take is lost."""
        with suppress(OSError):
            self._file.close()
