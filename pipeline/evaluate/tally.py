"""Counts matches: precision, recall and F1, each with a bootstrap interval over the records.

The interval is the percentile interval of Efron and Tibshirani (1993), *An Introduction to the
Bootstrap*, chapter 13: records are drawn with replacement, as often as there are records, since
the values of one abstract rise and fall together. With few records it is too narrow (ibid.,
chapter 14); a field with one or no miss shows that best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluate.match import Match

#: How often the records are drawn; the ends of a 95 % interval want 1000 or more (ibid., p. 275).
RESAMPLES = 2000
LEVEL = 0.95
SEED = 1
METRICS = ("precision", "recall", "f1")

Counts = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A share with its interval; None where there is nothing to divide by."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the matches of a field or group come to: how many are right, predicted, in gold."""

    name: str
    records: int
    right: int
    predicted: int
    gold: int
    precision: Figure
    recall: Figure
    f1: Figure


def tallies(
    matches: Sequence[Match],
    records: Sequence[str],
    key: Callable[[Match], str],
    *,
    names: Iterable[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[Tally]:
    """Count matches by a key, each with intervals.

    Parameters
    ----------
    matches : sequence of Match
    records : sequence of str
        The ids of all gold records, those without any match included.
    key : callable
        Under which name a match is counted.
    names : iterable of str, optional
        The order of the names; by default the order in which they come up.
    resamples : int
        How often the records are drawn; 0 for no intervals.
    seed : int
        Of NumPy's PCG64: the same seed, the same intervals.
    """
    counts = _counts(matches, records, key)
    order = [n for n in names if n in counts] if names is not None else list(counts)
    drawn = _draws(len(records), resamples, seed)
    return [_tally(name, counts[name], drawn) for name in order]


def _counts(
    matches: Sequence[Match], records: Sequence[str], key: Callable[[Match], str]
) -> dict[str, Counts]:
    """Right, predicted and gold values of each record (a row), by name."""
    row = {record_id: i for i, record_id in enumerate(records)}
    counts: dict[str, Counts] = {}
    for m in matches:
        table = counts.setdefault(key(m), np.zeros((len(records), 3)))
        table[row[m.record_id]] += (m.right, m.predicted is not None, m.gold is not None)
    return counts


def _draws(records: int, resamples: int, seed: int) -> Counts:
    """How often each record (a column) is drawn in each resample (a row)."""
    chances = np.full(records, 1 / max(records, 1))
    return np.random.default_rng(seed).multinomial(records, chances, resamples).astype(float)


def _tally(name: str, counts: Counts, drawn: Counts) -> Tally:
    """The figures of one name; a record that has nothing to judge is not counted."""
    whole, again = _shares(counts.sum(axis=0)), _shares(drawn @ counts)
    figures = {m: _figure(whole[m], again[m]) for m in METRICS}
    right, predicted, gold = (int(n) for n in counts.sum(axis=0))
    return Tally(name, int(counts.any(axis=1).sum()), right, predicted, gold, **figures)


def _shares(counts: Counts) -> Mapping[str, Counts]:
    """Precision, recall and F1 of (..., 3) counts; NaN where nothing is divided by."""
    right, predicted, gold = counts[..., 0], counts[..., 1], counts[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": right / predicted,
            "recall": right / gold,
            "f1": 2 * right / (predicted + gold),
        }


def _figure(value: Counts, again: Counts) -> Figure:
    """A share with the percentiles of its resamples."""
    if np.isnan(value):
        return Figure(None)
    held = again[~np.isnan(again)]
    if not held.size:
        return Figure(float(value))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(held, [tail, 1 - tail])
    return Figure(float(value), float(low), float(high))
