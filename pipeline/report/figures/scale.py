"""Fits the axes of a chart: limits, ticks, and labels on the scale that papers print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import asin, atanh, ceil, floor, inf, isfinite, log, log10, sqrt
from statistics import quantiles

from pipeline.report.data import MeasureView
from pipeline.report.wording import MINUS

#: Values so many interquartile ranges beyond the quartiles do not stretch an axis.
FAR = 6.0
#: Fewer values than this say nothing about which of them is extreme.
FEW = 5
#: Numbers beyond this are shown at it, so that differences of limits stay finite.
HUGE = 1e100
#: Free share of an axis beside the outermost value.
PAD = 0.06
#: Labels of one axis.
MOST = 8
#: The narrowest axis of logs and the like, whose labels still differ.
_NARROWEST = 1e-6
#: The largest value of each scale of analysis that an axis reaches: ratios of 1e9, proportions of
#: 0.00001, correlations of 0.9999.
_REACH = {"exp": log(1e9), "expit": 11.5, "tanh": 5.0}


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis in the numbers it is computed in; `lo` is its left or lower end, `hi` the other.

    An axis that runs downwards has `lo` above `hi`. `labels` may be on another scale than `ticks`.
    """

    lo: float
    hi: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def share(self, value: float) -> float:
        """Return where a value stands, 0 at `lo` and 1 at `hi`, below and beyond them too."""
        return (max(min(value, HUGE), -HUGE) - self.lo) / (self.hi - self.lo)

    def position(self, value: float) -> float:
        """Return where a value is drawn: `share`, kept on the axis."""
        return min(max(self.share(value), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the axis, a hair apart."""
        return -1e-9 <= self.share(value) <= 1 + 1e-9


def limits(values: Iterable[float], keep: Iterable[float] = ()) -> tuple[float, float]:
    """Return the range of values but for extreme ones, and of all that must be seen.

    Parameters
    ----------
    values : iterable of float
        Those that are not finite are passed over.
    keep : iterable of float
        Always inside: no effect, the estimate.
    """
    found = sorted(max(min(v, HUGE), -HUGE) for v in values if isfinite(v))
    held = [max(min(v, HUGE), -HUGE) for v in keep if isfinite(v)]
    shown = [*_usual(found), *held] or [0.0]
    return min(shown), max(shown)


def _usual(found: Sequence[float]) -> list[float]:
    """The values without those that lie very far from the middle half."""
    if len(found) < FEW:
        return list(found)
    low, _, high = quantiles(found, n=4, method="inclusive")
    reach = FAR * (high - low) if high > low else inf
    return [v for v in found if low - reach <= v <= high + reach]


def padded(lo: float, hi: float) -> tuple[float, float]:
    """Return a range with some room on both sides, and a range around a single value."""
    room = PAD * (hi - lo)
    if room <= 1e-9 * max(abs(lo), abs(hi)):
        room = 0.1 * max(abs(lo), abs(hi)) or 1.0
    return lo - room, hi + room


def linear_scale(lo: float, hi: float, *, most: int = MOST) -> Scale:
    """Return an axis in plain numbers from `lo` to `hi`, ticks at multiples of 1, 2 or 5."""
    ticks, step = _even(min(lo, hi), max(lo, hi), most)
    return Scale(lo, hi, ticks, tuple(label(t, step) for t in ticks))


def zero_scale(values: Iterable[float], keep: Iterable[float] = (), *, most: int = MOST) -> Scale:
    """Return an axis from 0 to the largest usual value, for numbers that are never negative."""
    top = limits(values, keep)[1]
    return linear_scale(0.0, top * (1 + PAD) if top > 0 else 1.0, most=most)


def effect_scale(measure: MeasureView, lo: float, hi: float) -> Scale:
    """Return an axis of effects: even on the scale of analysis, labelled on the natural one.

    Parameters
    ----------
    measure : MeasureView
        Names the way back to the natural scale.
    lo, hi : float
        Limits on the scale of analysis, `lo` below `hi`.
    """
    reach = _REACH.get(measure.back, HUGE)
    lo, hi = max(min(lo, reach - 1), -reach), min(max(hi, 1 - reach), reach)
    if measure.back != "identity" and hi - lo < _NARROWEST:
        lo, hi = (lo + hi - _NARROWEST) / 2, (lo + hi + _NARROWEST) / 2
    forward, hair = _FORWARD[measure.back], 1e-9 * (hi - lo)
    unit = 100.0 if measure.percent else 1.0
    natural = _natural_ticks(measure, lo, hi)
    placed = [(forward(t / unit), text) for t, text in natural]
    inside = [(y, text) for y, text in placed if isfinite(y) and lo - hair <= y <= hi + hair]
    kept = _apart(inside, (hi - lo) / (2 * MOST))
    return Scale(lo, hi, tuple(y for y, _ in kept), tuple(text for _, text in kept))


def label(value: float, step: float) -> str:
    """Return a tick's label with as many decimals as its step needs."""
    size = max(abs(value), step)
    if size >= 1e12 or step >= 1e5 or step < 1e-5:
        digits = min(max(0, floor(log10(size)) - floor(log10(step))), 9)
        mantissa, _, power = f"{value:.{digits}e}".partition("e")
        text = f"{mantissa}e{int(power)}" if value else "0"
    else:
        text = f"{value:.{max(0, -floor(log10(step) + 1e-9))}f}"
    return text.replace("-", MINUS)


def _even(lo: float, hi: float, most: int) -> tuple[tuple[float, ...], float]:
    """The multiples of the smallest round step of which at most `most` are in a range; the step."""
    power = 10.0 ** (floor(log10((hi - lo) / most)) - 1)
    for step in (m * power * ten for ten in (1.0, 10.0, 100.0, 1000.0) for m in (1, 2, 5)):
        first, last = ceil(lo / step - 1e-9), floor(hi / step + 1e-9)
        if last - first < most:
            break
    return tuple(float(f"{i * step:.12g}") for i in range(first, last + 1)), step


def _natural_ticks(measure: MeasureView, lo: float, hi: float) -> list[tuple[float, str]]:
    """Ticks on the natural scale with their labels, for limits on the scale of analysis."""
    low, high = measure.natural(lo), measure.natural(hi)
    if measure.back == "exp":
        ticks = _ratio_ticks(low, high)
        if len(ticks) >= 3:
            return [(t, f"{t:g}".replace("-", MINUS)) for t in ticks]
    if measure.back == "expit":
        ticks = [t for t in _PERCENTS if low <= t <= high]
        if len(ticks) >= 3:
            return [(t, f"{t:g}".replace("-", MINUS)) for t in ticks]
    if not high > low:
        return [(low, f"{low:.6g}".replace("-", MINUS))]
    even, step = _even(low, high, MOST)
    return [(t, label(t, step)) for t in even]


def _ratio_ticks(low: float, high: float) -> list[float]:
    """Ticks of a log axis: 1-2-5, then 1-3, then powers of ten, at most `MOST`."""
    first, last = floor(log10(low)), ceil(log10(high))
    for marks in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{m}e{e}") for e in range(first, last + 1) for m in marks]
        inside = [t for t in found if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
        if len(inside) <= MOST:
            return inside
    step = ceil((last - first) / (MOST - 2))
    return [t for t in inside if round(log10(t)) % step == 0]


def _apart(placed: Sequence[tuple[float, str]], gap: float) -> list[tuple[float, str]]:
    """The ticks from the left, without those closer than `gap` to the one before."""
    kept: list[tuple[float, str]] = []
    for y, text in placed:
        if not kept or y - kept[-1][0] >= gap:
            kept.append((y, text))
    return kept


def _log(x: float) -> float:
    """The log, minus infinity at 0."""
    return log(x) if x > 0 else -inf


def _logit(p: float) -> float:
    """The logit, infinite at 0 and 1."""
    return -inf if p <= 0 else inf if p >= 1 else log(p / (1 - p))


def _arcsine(p: float) -> float:
    """The arcsine of the square root."""
    return asin(sqrt(min(max(p, 0.0), 1.0)))


def _fisher_z(r: float) -> float:
    """Fisher's z, infinite at -1 and 1."""
    return -inf if r <= -1 else inf if r >= 1 else atanh(r)


#: From the natural scale to that of analysis: the inverses of `data.BACK`.
_FORWARD: Mapping[str, Callable[[float], float]] = {
    "identity": lambda x: x,
    "exp": _log,
    "expit": _logit,
    "squared sine": _arcsine,
    "tanh": _fisher_z,
}

#: Ticks of an axis of logits, in percent.
_PERCENTS = (
    *(0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0),
    *(60.0, 70.0, 80.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.99, 99.999),
)
