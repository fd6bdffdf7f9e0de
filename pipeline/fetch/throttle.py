"""Keeps requests a minimum time apart, whichever thread or process of this machine sends them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from filelock import FileLock

from pipeline.errors import OutputError

#: How often a process looks whether another has let go of the file; it is held for microseconds.
POLL_S = 0.002


class Throttle:
    """Lets `wait` return at most every `interval` seconds.

    The time of the last turn is kept in `file`, so that all processes that name the same file
    share its turns. A turn counts from the moment it is taken, not from the moment it was due: a
    process that wakes late does not crowd the next one. Nothing is held while a turn is waited
    for, so a process that is stopped or killed holds up no other.

    Parameters
    ----------
    interval : float
        Seconds between two requests.
    clock, sleep : callable
        A clock and a sleep, in seconds; processes that share a file must share the clock too.
    file : Path, optional
        Where the last turn is noted; by default it is kept in memory, for this process alone.
    """

    def __init__(
        self,
        interval: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        file: Path | None = None,
    ) -> None:
        self.interval, self.file, self._clock, self._sleep = interval, file, clock, sleep
        self._last = float("-inf")
        self._threads = threading.Lock()
        lock = nullcontext() if file is None else FileLock(f"{file}.lock", poll_interval=POLL_S)
        self._processes: AbstractContextManager[object] = lock

    def wait(self) -> None:
        """Sleep until the next turn comes, and take it.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        with self._threads:
            while (pause := self._look()) > 0:
                self._sleep(pause)

    def _look(self) -> float:
        """Look for a turn, where `file` can be written."""
        try:
            return self._pause()
        except OSError as error:
            raise OutputError(
                f"Cannot write {self.file}, where requests to NCBI take turns: {error.strerror}; "
                "set XDG_CACHE_HOME to a folder that can be written."
            ) from error

    def _pause(self) -> float:
        """Take the turn if it is free; otherwise say how many seconds it is away."""
        with self._processes:
            now, last = self._clock(), self._read()
            known = last <= now  # otherwise the clock was set back, or the note is damaged
            pause = last + self.interval - now if known else self.interval
            if pause <= 0 or not known:
                self._write(now)
            return pause

    def _read(self) -> float:
        """When the last turn was taken; NaN where the note is damaged."""
        if self.file is None:
            return self._last
        try:
            return float(self.file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return float("-inf")
        except (OSError, ValueError):
            return float("nan")

    def _write(self, now: float) -> None:
        """Note a turn."""
        self._last = now
        if self.file is not None:
            self.file.write_text(repr(now), encoding="ascii")


def turn_file(base_url: str, secret: str) -> Path:
    """Return the file in the user's cache that all processes asking this server share.

    NCBI counts by key, and by address where there is none. The name holds a hash of both, from
    which the key cannot be had back.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = hashlib.sha256(f"{base_url}\n{secret}".encode()).hexdigest()[:16]
    return Path(cache) / "evipool" / f"turn-{name}"
