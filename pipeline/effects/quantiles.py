"""Mean and SD behind a median with its quartiles or extremes, each by a named method.

Three summaries are known: S1 (minimum, median, maximum), S2 (quartiles and median), S3 (all five).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, log, nan, sqrt

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from pipeline.errors import EffectSizeError

Pair = tuple[float, float]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Summary:
    """A median of `n` values with its quartiles `iqr`, its extremes `range`, or both."""

    median: float
    n: int
    iqr: Pair | None = None
    range: Pair | None = None

    def __post_init__(self) -> None:
        if self.iqr is None and self.range is None:
            raise EffectSizeError("a median without quartiles or range: no mean can be recovered")
        if self.n < 3:
            raise EffectSizeError(f"a mean from a median needs 3 or more patients; got {self.n}")
        values = self.values
        if any(a > b for a, b in pairwise(values)) or values[0] == values[-1]:
            shown = ", ".join(f"{x:g}" for x in values)
            raise EffectSizeError(f"the median and its quartiles do not rise: {shown}")

    @property
    def values(self) -> tuple[float, ...]:
        """The quantiles in rising order."""
        low, high = self.range or (None, None)
        q1, q3 = self.iqr or (None, None)
        found = (low, q1, self.median, q3, high)
        return tuple(x for x in found if x is not None)

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of values below each quantile; extremes stand at 1/n (McGrath et al. 2020)."""
        ends = (1 / self.n, 1 - 1 / self.n) if self.range else (None, None)
        quarters = (0.25, 0.75) if self.iqr else (None, None)
        found = (ends[0], quarters[0], 0.5, quarters[1], ends[1])
        return tuple(x for x in found if x is not None)


def mean_sd(summary: Summary) -> tuple[float, float, str]:
    """Return mean and SD of a summary, with what was done.

    The normal-based estimators where the summary does not look skewed, else quantile estimation.

    Raises
    ------
    EffectSizeError
        If no distribution can be fitted.
    """
    if is_skewed(summary):
        mean, sd, family = quantile_estimation(summary)
        return (
            mean,
            sd,
            (
                f"mean and SD from a median that looks skewed (Shi et al. 2023), by quantile "
                f"estimation with a {family} distribution (McGrath et al. 2020)"
            ),
        )
    return (
        luo_mean(summary),
        wan_sd(summary),
        (
            "mean (Luo et al. 2018) and SD (Wan et al. 2014; Shi et al. 2020) from a median, "
            "taken as of a normal distribution"
        ),
    )


def luo_mean(summary: Summary) -> float:
    """Return the optimal mean: Luo et al. (2018), *Stat Methods Med Res* 27:1785, eqs 7, 11, 15."""
    n, m = summary.n, summary.median
    if summary.iqr is None:
        w: float = 4 / (4 + n**0.75)
        return w * _middle(summary.range) + (1 - w) * m
    if summary.range is None:
        w = 0.7 + 0.39 / n
        return w * _middle(summary.iqr) + (1 - w) * m
    w1: float = 2.2 / (2.2 + n**0.75)
    w2: float = 0.7 - 0.72 / n**0.55
    return w1 * _middle(summary.range) + w2 * _middle(summary.iqr) + (1 - w1 - w2) * m


def wan_sd(summary: Summary) -> float:
    """Return the SD: Wan et al. (2014), *BMC Med Res Methodol* 14:135, eqs 9 and 16; for all five
    numbers Shi et al. (2020), *Res Synth Methods* 11:641."""
    n = summary.n
    extreme = float(stats.norm.ppf((n - 0.375) / (n + 0.25)))
    quarter = float(stats.norm.ppf((0.75 * n - 0.125) / (n + 0.25)))
    if summary.iqr is None:
        return _width(summary.range) / (2 * extreme)
    if summary.range is None:
        return _width(summary.iqr) / (2 * quarter)
    theta1: float = (2 + 0.14 * n**0.6) * extreme
    theta2: float = (2 + 2 / (0.07 * n**0.6)) * quarter
    return _width(summary.range) / theta1 + _width(summary.iqr) / theta2


def is_skewed(summary: Summary) -> bool:
    """Return whether a summary is not one of a symmetric distribution, at the 5 % level.

    References
    ----------
    Shi et al. (2023), *Stat Methods Med Res* 32:1338: tests of the three summaries.
    """
    n = summary.n
    ends = _asymmetry(summary.range, summary.median)
    quarters = _asymmetry(summary.iqr, summary.median)
    if summary.iqr is None:
        return ends > 1 / log(n + 9) + 2.5 / (n + 1)
    if summary.range is None:
        return quarters > 2.65 / sqrt(n) - 6 / n**2
    statistic = max(2.65 * log(0.6 * n) / sqrt(n) * ends, quarters)
    return statistic > 3 / sqrt(n) - 40 / n**3


def quantile_estimation(summary: Summary) -> tuple[float, float, str]:
    """Return mean, SD and family of the distribution whose quantiles lie nearest.

    References
    ----------
    McGrath et al. (2020), *Stat Methods Med Res* 29:2520: least squares of the quantiles of
    normal, log-normal, gamma and Weibull distributions. R: ``estmeansd::qe.mean.sd``.
    """
    found = []
    for family, fit in _FAMILIES.items():
        if family != "normal" and min(summary.values) < 0:
            continue
        distance, mean, sd = fit(summary.values, summary.shares)
        if isfinite(mean) and isfinite(sd) and sd > 0:
            found.append((distance, family, mean, sd))
    if not found:
        raise EffectSizeError("no distribution fits the median and its quartiles")
    _, family, mean, sd = min(found)
    return mean, sd, family


def _middle(pair: Pair | None) -> float:
    """The middle of a pair; NaN without one."""
    return nan if pair is None else (pair[0] + pair[1]) / 2


def _width(pair: Pair | None) -> float:
    """The width of a pair; NaN without one."""
    return nan if pair is None else pair[1] - pair[0]


def _asymmetry(pair: Pair | None, median: float) -> float:
    """How far a median lies off the middle of a pair, in half widths."""
    if pair is None or pair[0] == pair[1]:
        return 0.0
    return abs(pair[0] + pair[1] - 2 * median) / (pair[1] - pair[0])


Fit = Callable[[Sequence[float], Sequence[float]], tuple[float, float, float]]


def _linear(values: Sequence[float], shares: Sequence[float]) -> tuple[float, float, float]:
    """The normal distribution of the nearest quantiles: a straight line."""
    z = stats.norm.ppf(shares)
    slope, start = np.polyfit(z, values, 1)
    distance = float(((start + slope * z - np.array(values)) ** 2).sum())
    return distance, float(start), float(slope)


def _searched(
    quantiles: Callable[[Array, Sequence[float]], Array],
    moments: Callable[[Array], Pair],
    start: Callable[[Sequence[float]], Pair],
) -> Fit:
    """A family with two parameters, searched as `start` and its logs; `moments` are mean and SD."""

    def fit(values: Sequence[float], shares: Sequence[float]) -> tuple[float, float, float]:
        target = np.array(values)

        def off(x: Array) -> Array:
            return np.asarray(quantiles(x, shares) - target)

        found = optimize.least_squares(off, start(values), xtol=1e-12, ftol=1e-12)
        return (float(2 * found.cost), *moments(found.x))

    return fit


def _log_normal_moments(x: Array) -> Pair:
    """Mean and SD of a log-normal distribution."""
    variance = np.exp(x[1]) ** 2
    mean = float(np.exp(x[0] + variance / 2))
    return mean, mean * sqrt(float(np.expm1(variance)))


def _gamma_moments(x: Array) -> Pair:
    """Mean and SD of a gamma distribution of log shape and log scale."""
    shape, scale = (float(v) for v in np.exp(x))
    return shape * scale, sqrt(shape) * scale


def _weibull_moments(x: Array) -> Pair:
    """Mean and SD of a Weibull distribution of log shape and log scale."""
    law = stats.weibull_min(np.exp(x[0]), scale=np.exp(x[1]))
    return float(law.mean()), float(law.std())


def _log_start(values: Sequence[float]) -> Pair:
    """Log median and the log of a third of the logs' range."""
    logs = np.log(np.maximum(values, 1e-3 * max(values)))
    return float(np.median(logs)), float(np.log(max((logs[-1] - logs[0]) / 3, 1e-3)))


def _middle_spread(values: Sequence[float]) -> Pair:
    """The median, above 0, and a third of the range."""
    spread = (values[-1] - values[0]) / 3
    return max(float(np.median(values)), 1e-3 * spread), spread


def _shape_start(values: Sequence[float]) -> Pair:
    """Log shape and log scale from the median and a third of the range."""
    middle, sd = _middle_spread(values)
    shape = (middle / sd) ** 2
    return log(shape), log(middle / shape)


def _weibull_start(values: Sequence[float]) -> Pair:
    """Log shape and log scale: the shape of a coefficient of variation, the median as scale."""
    middle, sd = _middle_spread(values)
    return log(max(middle / sd, 0.3)), log(middle)


_FAMILIES: dict[str, Fit] = {
    "normal": _linear,
    "log-normal": _searched(
        lambda x, p: np.exp(x[0] + np.exp(x[1]) * stats.norm.ppf(p)),
        _log_normal_moments,
        _log_start,
    ),
    "gamma": _searched(
        lambda x, p: np.asarray(stats.gamma.ppf(p, np.exp(x[0]), scale=np.exp(x[1]))),
        _gamma_moments,
        _shape_start,
    ),
    "Weibull": _searched(
        lambda x, p: np.asarray(stats.weibull_min.ppf(p, np.exp(x[0]), scale=np.exp(x[1]))),
        _weibull_moments,
        _weibull_start,
    ),
}
