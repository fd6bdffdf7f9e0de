"""Which calls go wrong and how: a scenario, and its decision on each call."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass

from pipeline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the calls it befalls.

    Parameters
    ----------
    kind : str
        A row of `faults.KINDS`.
    utility : str
        "esearch", "efetch" ...; "" for every one.
    calls : tuple of int
        The calls it befalls, counted from 1 for each utility.
    chance : float
        Or the probability, in [0, 1], with which it befalls any call.
    tries : int, optional
        It befalls only so many of the same request, key and e-mail apart: with `chance=1` and
        `tries=2` each request goes wrong twice and right the third time.
    """

    kind: str
    utility: str = ""
    calls: tuple[int, ...] = ()
    chance: float = 0.0
    tries: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise ConfigError(f"Invalid chance {self.chance} of {self.kind!r}; must lie in [0, 1].")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What goes wrong with a server; without faults, nothing.

    Parameters
    ----------
    faults : tuple of Fault
        The first one that befalls a call counts.
    seed : int
        Of the chances: the nth call of a utility is decided alike whenever it comes.
    hang_s : float
        How long a `hang` is silent and a `drip` lasts at the most, in seconds.
    drip_s : float
        The pause after each 64 bytes of a `drip`, in seconds.
    bomb_mb : int
        The size of what a `gzip_bomb` unpacks to and a `flood` sends, in MB.
    history_calls : int, optional
        How many calls may read a WebEnv before it expires.
    """

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    hang_s: float = 30.0
    drip_s: float = 0.05
    bomb_mb: int = 256
    history_calls: int | None = None


class Play:
    """A scenario being played: it counts the calls; threads may share it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._befallen: Counter[tuple[int, str]] = Counter()

    def next(self, utility: str, request: str) -> tuple[str, random.Random]:
        """Return the fault of the next call, "" for none, and a source of its random choices.

        `request` is the same text for the same request.
        """
        with self._lock:
            self._calls[utility] += 1
            call = self._calls[utility]
            for place, fault in enumerate(self.scenario.faults):
                pick = random.Random(f"{self.scenario.seed} {utility} {call} {place}")  # noqa: S311
                if self._befalls(fault, utility, call, pick) and self._may(place, fault, request):
                    return fault.kind, pick
        return "", random.Random(0)  # noqa: S311

    @staticmethod
    def _befalls(fault: Fault, utility: str, call: int, pick: random.Random) -> bool:
        """Whether a fault's rule names this call."""
        drawn = pick.random()
        return fault.utility in ("", utility) and (call in fault.calls or drawn < fault.chance)

    def _may(self, place: int, fault: Fault, request: str) -> bool:
        """Whether a fault may befall this request once more; if so, it is counted."""
        if fault.tries is not None and self._befallen[place, request] >= fault.tries:
            return False
        self._befallen[place, request] += 1
        return True
