"""Keeps the result sets that NCBI's history server keeps, and lets them expire."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field


class ExpiredError(Exception):
    """A result set that is not, or no longer, there; the message is NCBI's."""

    def __init__(self, key: int) -> None:
        super().__init__(f"Unable to obtain query #{key}")


@dataclass(slots=True)
class _Environment:
    """The result sets of one WebEnv, and how many calls have read them."""

    sets: list[tuple[int, ...]] = field(default_factory=list)
    reads: int = 0


class History:
    """Result sets by WebEnv and query key; threads may share it.

    Parameters
    ----------
    calls : int, optional
        How many calls may read a WebEnv before it expires; by default it never does.
    """

    def __init__(self, calls: int | None = None) -> None:
        self.calls = calls
        self._lock = threading.Lock()
        self._environments: dict[str, _Environment] = {}

    def keep(self, pmids: Sequence[int], name: str = "") -> tuple[str, int]:
        """Keep a result set in the WebEnv of that name, or in a new one; return name and key."""
        with self._lock:
            if name not in self._environments:
                name = _name(len(self._environments))
                self._environments[name] = _Environment()
            sets = self._environments[name].sets
            sets.append(tuple(pmids))
            return name, len(sets)

    def get(self, name: str, key: int) -> tuple[int, ...]:
        """Return the result set of a WebEnv and key; this counts as a call that reads it.

        Raises
        ------
        ExpiredError
            If there is no such set, or its WebEnv has been read too often.
        """
        with self._lock:
            found = self._environments.get(name)
            if found is None or not 0 < key <= len(found.sets):
                raise ExpiredError(key)
            if self.calls is not None and found.reads >= self.calls:
                raise ExpiredError(key)
            found.reads += 1
            return found.sets[key - 1]


def _name(number: int) -> str:
    """A name like NCBI's; the same for the same number."""
    return f"MCID_{hashlib.sha256(str(number).encode()).hexdigest()[:24]}"
