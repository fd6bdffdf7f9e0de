"""Remembers every request, so that a test can tell how a client behaved."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Request:
    """A request and its answer.

    `time` is the monotonic clock's when the request had been read, in seconds; it runs alike for
    all processes of a machine. The key in `params` is replaced by the first 12 digits of its
    SHA-256. `in_url` names the fields that came in the address instead of the body. `status` is 0
    while there is no answer, and where the connection broke off before one. `bytes_out` counts the
    bytes of the answer's body that were sent; it is noted once the last of them is on its way.
    """

    number: int
    time: float
    utility: str
    method: str
    params: Mapping[str, str]
    in_url: tuple[str, ...] = ()
    fault: str = ""
    status: int = 0
    bytes_out: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids asked for."""
        return tuple(i for i in self.params.get("id", "").split(",") if i)


class Journal:
    """The requests in the order in which they came; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests so far."""
        with self._lock:
            return tuple(self._requests)

    def of(self, utility: str) -> tuple[Request, ...]:
        """Return the requests to one utility ("esearch")."""
        return tuple(r for r in self.requests if r.utility == utility)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._requests.clear()

    def busiest(self, window: float = 1.0) -> int:
        """Return the most requests that came within any `window` seconds, its end left out."""
        times, first, most = sorted(r.time for r in self.requests), 0, 0
        for last, time in enumerate(times):
            while time - times[first] >= window:
                first += 1
            most = max(most, last - first + 1)
        return most

    def as_json(self) -> list[dict[str, Any]]:
        """Return the requests as plain values."""
        return [asdict(request) for request in self.requests]

    def open(self, request: Request) -> Request:
        """Note a request that has come; its number is its place, from 1."""
        with self._lock:
            noted = replace(request, number=len(self._requests) + 1)
            self._requests.append(noted)
            return noted

    def close(self, request: Request) -> None:
        """Note how a request ended; one that was forgotten meanwhile stays so."""
        with self._lock:
            place = request.number - 1
            if place < len(self._requests) and self._requests[place].time == request.time:
                self._requests[place] = request


def shown(params: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the fields of a request as the journal keeps them, the key as its hash."""
    joined = {name: ",".join(values) for name, values in params.items()}
    if joined.get(KEY):
        joined[KEY] = hashlib.sha256(joined[KEY].encode()).hexdigest()[:12]
    return joined
