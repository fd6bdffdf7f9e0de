"""A learned scorer of links, for linking.py: it is not shipped (docs/extraction.md says why).

A logistic regression over hand-made features of where a measurement and a place that names an arm
stand, with what the rules say as some of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, log1p

import numpy as np
import numpy.typing as npt

from pipeline.extract.linking import STRICT, Mention
from pipeline.extract.measurements import Measurement

Floats = npt.NDArray[np.float64]
#: How many features, the last ones, hold what the rules say.
OF_RULES = 4
#: A margin in log odds that no arm overcomes: the rules' own stays.
FIRM = 1e6
_BELONGS = re.compile(
    r"^[^,;.]*\b(?:with|on|after|in|for|given|under|receiving|of|to|by)\b[^,;]*$", re.IGNORECASE
)
_LABEL = re.compile(
    r"(?:\s+(?:groups?|arms?|patients))?\s*(?:[,:=(\[]|was|were|had)?\s*", re.IGNORECASE
)
_RESPECTIVELY = re.compile(r"\brespectively\b", re.IGNORECASE)
_COMMA = re.compile(r"[,;]")
_AND = re.compile(r"\b(?:and|while|whereas|but)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chain:
    """Measurements of a sentence (it ends at `end`) that are compared, with the rules' arms."""

    text: str
    end: int
    measured: Sequence[Measurement]
    places: Sequence[Mention]
    group: Sequence[Measurement]
    own: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Linker:
    """Weights, and when they speak.

    An arm is given to a measurement that the rules leave open if its log odds are above 0; the
    rules' arm is changed if another is better by `margin`.
    """

    weights: Floats
    margin: float = 0.0
    fills: bool = True
    uses_rules: bool = True

    def arms(self, chain: Chain) -> list[int | None]:
        """Return the arm of each measurement, each arm once."""
        if not chain.places or (None in chain.own and not self.fills):
            return list(chain.own)
        choices = [
            self._choices(odds, own) for odds, own in zip(self._odds(chain), chain.own, strict=True)
        ]
        best, top = list(chain.own), -inf
        for combination in product(*choices):
            arms = [arm for arm, _ in combination]
            known = [arm for arm in arms if arm is not None]
            total = sum(odds for _, odds in combination)
            if len(set(known)) == len(known) and total > top:
                best, top = arms, total
        return best

    def _odds(self, chain: Chain) -> list[dict[int, float]]:
        """The log odds of each arm for each measurement: its best place's."""
        rows = features(chain)
        odds = (rows if self.uses_rules else rows[:, :-OF_RULES]) @ self.weights
        found: list[dict[int, float]] = []
        for line in odds.reshape(len(chain.group), -1).tolist():
            best: dict[int, float] = {}
            for place, value in zip(chain.places, line, strict=True):
                best[place.arm] = max(value, best.get(place.arm, -inf))
            found.append(best)
        return found

    def _choices(self, odds: dict[int, float], own: int | None) -> list[tuple[int | None, float]]:
        """The arms that a measurement may have, with their log odds."""
        none: list[tuple[int | None, float]] = (
            [] if own is not None and self.uses_rules else [(None, 0.0)]
        )
        preferred = self.margin if self.uses_rules else 0.0
        return [*none, *((arm, value + preferred * (arm == own)) for arm, value in odds.items())]


def features(chain: Chain) -> Floats:
    """Return a row for each measurement with each place, measurement by measurement."""
    pairs = product(range(len(chain.group)), chain.places)
    return np.array(
        [[*_where(chain, k, p), *_ranks(chain, k, p), *_rules(chain, k, p)] for k, p in pairs]
    )


def fit(rows: Floats, truth: Floats, penalty: float = 1.0, steps: int = 25) -> Floats:
    """Return the weights of a logistic regression (Newton; L2 on standardised features)."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread == 0] = 1.0
    mean[0], spread[0] = 0.0, 1.0  # the constant
    table = (rows - mean) / spread
    weights, cost = np.zeros(table.shape[1]), np.full(table.shape[1], penalty)
    cost[0] = 1e-6
    for _ in range(steps):
        said = 1 / (1 + np.exp(-table @ weights))
        slope = table.T @ (said - truth) + cost * weights
        curve = (table * (said * (1 - said))[:, None]).T @ table + np.diag(cost)
        weights = weights - np.linalg.solve(curve, slope)
    weights = weights / spread
    weights[0] -= weights @ mean
    return weights


def _where(chain: Chain, k: int, place: Mention) -> Iterator[float]:
    """What stands between measurement `k` and a place, and how far they are."""
    m = chain.group[k]
    before = place.end <= m.start
    low, high = (place.end, m.start) if before else (m.end, place.start)
    gap = chain.text[low:high] if low < high else ""
    numbers = sum(low <= o.start < high for o in chain.measured if o is not m)
    arms = len({p.arm for p in chain.places if low <= p.start < high} - {place.arm})
    versus, far, commas = (
        bool(STRICT.search(f" {gap} ")),
        log1p(min(len(gap), 300)),
        len(_COMMA.findall(gap)),
    )
    yield from (1.0, before, far, far * before, commas, commas * before)
    yield from (numbers, numbers * before, arms, arms * before)
    yield from (not numbers and not arms, not numbers and not arms and not before)
    yield from (not gap.strip(), before and bool(_LABEL.fullmatch(gap)))
    yield from (not before and bool(_BELONGS.match(gap)), bool(_AND.search(gap)))
    yield from (versus, versus and before, "(" in gap or ")" in gap)
    yield before == (chain.places[0].end <= chain.measured[0].start)


def _ranks(chain: Chain, k: int, place: Mention) -> Iterator[float]:
    """Whether the order of the measurements is that of the arms."""
    m, several = chain.group[k], len(chain.group) > 1
    ahead = _named(p for p in chain.places if p.end <= chain.group[0].start)
    after = _named(p for p in chain.places if p.start >= chain.group[-1].end)
    last = _named(p for p in reversed(chain.places) if p.end <= m.start)
    following = _named(p for p in chain.places if p.start >= m.end)
    named, at = _named(chain.places), chain.measured.index(m)
    rank = named.index(place.arm)
    said = bool(_RESPECTIVELY.search(chain.text, chain.group[-1].end, chain.end))
    as_many = len(chain.measured) == len(chain.places)
    yield from (said, said and several and k == rank, several and k == rank)
    yield at % len(named) == rank
    yield ahead[-len(chain.group) :][k : k + 1] == [place.arm]
    yield after[k : k + 1] == [place.arm]
    yield from (last[:1] == [place.arm], following[:1] == [place.arm])
    yield from (as_many, as_many and chain.places[at] is place, len(named) == 1)


def _rules(chain: Chain, k: int, place: Mention) -> Iterator[float]:
    """What the rules say of measurement `k`: `OF_RULES` features."""
    own, before = chain.own[k], place.end <= chain.group[k].start
    same = own == place.arm
    yield from (same, same and before, own is not None and not same, own is None and before)


def _named(places: Sequence[Mention] | Iterator[Mention]) -> list[int]:
    """The arms in the order in which they are first named."""
    return list(dict.fromkeys(p.arm for p in places))
