"""Keeps requests a minimum time apart, whichever thread sends them."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Throttle:
    """Lets `wait` return at most every `interval` seconds.

    Parameters
    ----------
    interval : float
        Seconds between two requests.
    clock, sleep : callable
        A monotonic clock and a sleep, in seconds; `time.monotonic` and `time.sleep` at work.
    """

    def __init__(
        self, interval: float, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self.interval, self._clock, self._sleep = interval, clock, sleep
        self._lock = threading.Lock()
        self._next = float("-inf")

    def wait(self) -> None:
        """Take the next free moment and sleep until it comes."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self.interval
        if turn > now:
            self._sleep(turn - now)
