"""Fits the axis of a forest plot: its limits, its ticks, and where a value stands on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, log10
from statistics import median_low

from pipeline.report.data import MeasureView
from pipeline.report.wording import MINUS

Interval = tuple[float, float, float]
#: An interval this many times as wide as the median one is clipped, so that squares stay readable.
WIDE = 3.0
#: Share of the axis that either side of no effect has at least.
SIDE = 0.25
#: Labels that stand beside each other without touching.
MOST_TICKS = 9
#: Smallest and largest ratio that an axis shows.
RATIO_RANGE = (1e-9, 1e9)


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis on the natural scale; `log` spaces ratios evenly."""

    lo: float
    hi: float
    ticks: tuple[float, ...]
    log: bool = False

    def position(self, value: float) -> float:
        """Return where a value stands, 0 at the left end and 1 at the right; clipped to those."""
        if self.log:
            inside = min(max(value, self.lo), self.hi)
            return log(inside / self.lo) / log(self.hi / self.lo)
        return min(max((value - self.lo) / (self.hi - self.lo), 0.0), 1.0)

    def labels(self) -> tuple[str, ...]:
        """Return the ticks' labels."""
        return tuple(f"{t:g}".replace("-", MINUS) for t in self.ticks)


def fit_axis(
    measure: MeasureView, studies: Sequence[Interval], pooled: Sequence[Interval] = ()
) -> Axis:
    """Return the axis that shows all estimates, and all intervals that are not very wide.

    Parameters
    ----------
    measure : MeasureView
        Ratios get a log axis, proportions 0 to 100 %.
    studies, pooled : sequence of (low, estimate, high)
        On the natural scale; `pooled` holds diamonds and prediction intervals.
    """
    if measure.percent:
        return Axis(0.0, 100.0, (0.0, 20.0, 40.0, 60.0, 80.0, 100.0))
    if measure.ratio:
        logs = [[_log(x) for x in interval] for interval in (*studies, *pooled)]
        lo, hi = _span(logs, len(studies), None if measure.null is None else log(measure.null))
        return _ratio_axis(exp(lo), exp(hi))
    lo, hi = _span([*studies, *pooled], len(studies), measure.null)
    return _linear_axis(lo, hi, log_scale=False)


def _log(x: float) -> float:
    """The log of a ratio, kept within what an axis shows."""
    return log(min(max(x, RATIO_RANGE[0]), RATIO_RANGE[1]))


def _span(intervals: Sequence[Sequence[float]], k: int, null: float | None) -> tuple[float, float]:
    """Return the range that holds null, intervals of usual width, and as much of wider ones."""
    usual = median_low(high - low for low, _, high in intervals[:k])
    shown = []
    for low, mid, high in intervals:
        whole = high - low <= WIDE * usual
        shown += [low, high] if whole else [max(low, mid - usual / 2), min(high, mid + usual / 2)]
    lo, hi = min(shown), max(shown)
    if null is not None:
        room = SIDE / (1 - SIDE)
        lo, hi = min(lo, null - room * (hi - null)), max(hi, null + room * (null - lo))
    return (lo, hi) if hi > lo else (lo - 1, hi + 1)


def _ratio_axis(lo: float, hi: float) -> Axis:
    """A log axis: even ticks within a factor of 3, then 1-2-5, then powers of ten."""
    if hi / lo <= 3:
        return _linear_axis(lo, hi, log_scale=True)
    ticks = _around([m * 10.0**e for e in range(-10, 11) for m in (1, 2, 5)], lo, hi)
    if len(ticks) > MOST_TICKS:
        first, last = floor(log10(lo) + 1e-9), ceil(log10(hi) - 1e-9)
        step = ceil((last - first) / 6)
        exponents = range(step * floor(first / step), step * ceil(last / step) + 1, step)
        ticks = _around([10.0**e for e in exponents], lo, hi)
    return Axis(ticks[0], ticks[-1], ticks, log=True)


def _around(ticks: Sequence[float], lo: float, hi: float) -> tuple[float, ...]:
    """The ticks from the last one below `lo` to the first one above `hi`."""
    first = max(t for t in ticks if t <= lo * (1 + 1e-9))
    last = min(t for t in ticks if t >= hi * (1 - 1e-9))
    return tuple(float(f"{t:.12g}") for t in ticks if first <= t <= last)


def _linear_axis(lo: float, hi: float, *, log_scale: bool) -> Axis:
    """Evenly stepped ticks, about five, at multiples of 1, 2 or 5 times a power of ten."""
    raw = (hi - lo) / 5
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = floor(lo / step + 1e-9), ceil(hi / step - 1e-9)
    ticks = tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, log=log_scale)
