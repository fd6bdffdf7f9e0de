"""Counts the requests of the last second, as NCBI does, by key or without one."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque

from pipeline.eutils_server.answers import JSON, Answer

#: Requests a second that NCBI allows without and with a key (NLM support, KA-05317 and KA-05318).
RATE, RATE_WITH_KEY = 3, 10
WINDOW_S = 1.0
#: What NCBI names in the place of a key where none is given: the address that asks.
ADDRESS = "127.0.0.1"


class Limiter:
    """Refuses what comes too often; threads may share it. Refused requests count too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def check(self, key: str, now: float) -> Answer | None:
        """Return the refusal of a request with this key ("" for none) at a moment, or None."""
        limit = RATE_WITH_KEY if key else RATE
        with self._lock:
            times = self._times[key]
            while times and now - times[0] >= WINDOW_S:
                times.popleft()
            times.append(now)
            count = len(times)
        return too_many(key, count, limit) if count > limit else None


def too_many(key: str, count: int, limit: int, *, status: int = 429) -> Answer:
    """Return NCBI's answer to more requests than are allowed; it repeats the key."""
    said = {"error": "API rate limit exceeded", "api-key": key or ADDRESS}
    body = json.dumps({**said, "count": str(count), "limit": str(limit)}, separators=(",", ":"))
    headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0", "Retry-After": "1"}
    return Answer(f"{body}\n".encode(), JSON, status, headers if status == 429 else {})
