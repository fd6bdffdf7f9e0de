"""Step-function selection models: some p values are printed less often than others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from pipeline.errors import PoolError
from pipeline.pool.bias import few
from pipeline.pool.columns import checked
from pipeline.pool.laws import quantile
from pipeline.pool.linear import Array

#: A weight beyond this says only that its interval holds far more studies than expected; metafor
#: searches up to the same number.
MOST = 100.0

#: A weight below this is 0 in effect.
_LEAST = 1e-6

#: Studies in each interval of p values below which its weight is hardly known.
_SPARSE = 3

#: Starting weights: as printed alike, and unwelcome results printed less or more often.
_STARTS = (1.0, 0.3, 3.0)

#: How little a step may gain before a climb ends: of each start, then of the best.
_ROUGH, _EXACT = 1e-10, 1e-15

#: An eigenvalue of the information this small beside the largest says a parameter is not known.
_SINGULAR = 1e-10


@dataclass(frozen=True, slots=True)
class Selection:
    """metafor's ``selmodel(type="stepfun")``, fitted by maximum likelihood.

    `delta` are the chances of being printed relative to the first interval of p values, `n` the
    studies in each; `lrt` tests that all are 1. `se` and what follows from it are None where the
    data do not tell it.
    """

    alternative: str
    steps: tuple[float, ...]
    k: int
    n: tuple[int, ...]
    estimate: float
    se: float | None
    stat: float | None
    pval: float | None
    ci_lb: float | None
    ci_ub: float | None
    tau2: float
    delta: tuple[float, ...]
    lrt: float
    lrt_df: int
    lrt_pval: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Data:
    """Scaled effects, the p values' interval of each, and the effects at which intervals end."""

    y: Array
    v: Array
    interval: Array
    cuts: Array  # (steps, studies): an effect above it has a p value below the step

    @property
    def counts(self) -> Array:
        """Studies in each interval."""
        return np.bincount(self.interval.astype(int), minlength=len(self.cuts) + 1).astype(float)


def selmodel(
    yi: Array,
    vi: Array,
    *,
    alternative: str = "greater",
    steps: Sequence[float] = (0.025,),
    level: float = 0.95,
) -> Selection:
    """Pool by a model in which p values decide how likely a study was printed.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances.
    alternative : {"greater", "less"}
        The side on which an effect was welcome; p values are one-sided.
    steps : sequence of float
        Where the chance of being printed changes, rising, between 0 and 1. One step at 0.025 is
        the three-parameter model.
    level : float
        Of the interval.

    Raises
    ------
    PoolError
        If there are fewer studies than parameters and one, the steps or the alternative are
        invalid, or the likelihood has no maximum that can be found.

    References
    ----------
    Hedges (1992), *Stat Sci* 7:246; Vevea and Hedges (1995), *Psychometrika* 60:419. metafor:
    ``selmodel(rma(method="ML"), type="stepfun", steps=, alternative=)``.
    """
    if alternative not in ("greater", "less"):
        raise PoolError(f"Invalid alternative {alternative!r}; must be greater or less.")
    if not (steps and all(a < b for a, b in zip((0, *steps), (*steps, 1), strict=True))):
        raise PoolError(f"Invalid steps {tuple(steps)}; must rise between 0 and 1.")
    yi, vi = checked(yi, vi, 3 + len(steps), "A selection model")
    sign = -1.0 if alternative == "less" else 1.0
    scale = float(np.sqrt(np.median(vi)))
    data = _data(sign * yi / scale, vi / scale**2, steps)
    free, plain = _maximum(data), _without(data)
    se = _standard_error(data, free)
    beta, tau2, *delta = free
    estimate = float(beta) * sign * scale
    spread = None if se is None else se * scale
    stat = None if spread is None else estimate / spread
    half = None if spread is None else quantile(None, level) * spread
    lrt = max(0.0, 2 * (_likelihood(data, free)[0] - plain))
    return Selection(
        alternative=alternative,
        steps=tuple(steps),
        k=yi.size,
        n=tuple(int(n) for n in data.counts),
        estimate=estimate,
        se=spread,
        stat=stat,
        pval=None if stat is None else float(2 * stats.norm.sf(abs(stat))),
        ci_lb=None if half is None else estimate - half,
        ci_ub=None if half is None else estimate + half,
        tau2=float(tau2) * scale**2,
        delta=(1.0, *(float(d) for d in delta)),
        lrt=lrt,
        lrt_df=len(steps),
        lrt_pval=float(stats.chi2.sf(lrt, len(steps))),
        notes=(*_notes(data, steps), *few(yi.size)),
    )


def _data(y: Array, v: Array, steps: Sequence[float]) -> _Data:
    """Studies with the interval of their one-sided p value."""
    sei = np.sqrt(v)
    cuts = np.multiply.outer(stats.norm.isf(steps), sei)
    interval = np.searchsorted(np.asarray(steps), stats.norm.sf(y / sei), side="left")
    return _Data(y, v, interval.astype(float), cuts)


def _notes(data: _Data, steps: Sequence[float]) -> tuple[str, ...]:
    """Intervals with so few studies that their weight means little."""
    edges = (0.0, *steps, 1.0)
    rows = zip(edges, edges[1:], data.counts, strict=False)
    return tuple(
        f"{int(n)} studies have a p value from {low:g} to {high:g}: "
        + ("the weight is not known." if n == 0 else "the weight is hardly known.")
        for low, high, n in rows
        if n < _SPARSE
    )


def _likelihood(data: _Data, at: Array) -> tuple[float, Array]:
    """The log-likelihood at (beta, tau2, weights after the first), and its gradient."""
    beta, tau2, delta = at[0], at[1], np.append(1.0, at[2:])
    total = data.v + tau2
    s, r = np.sqrt(total), data.y - beta
    z = (data.cuts - beta) / s
    none, all_ = np.zeros((1, s.size)), np.ones((1, s.size))
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    shares = np.diff(np.vstack([none, special.ndtr(-z), all_]), axis=0)
    height = np.vstack([none, density, none])
    slope = np.diff(np.vstack([none, density * z, none]), axis=0)
    chance = delta @ shares
    log_lik = (
        float((data.counts[1:] * np.log(delta[1:])).sum())
        + float((-0.5 * np.log(2 * np.pi * total) - r**2 / (2 * total)).sum())
        - float(np.log(chance).sum())
    )
    by_beta = (r / total - delta @ np.diff(height, axis=0) / s / chance).sum()
    by_tau2 = (-0.5 / total + r**2 / (2 * total**2) - delta @ slope / (2 * total) / chance).sum()
    by_delta = data.counts[1:] / delta[1:] - (shares[1:] / chance).sum(axis=1)
    return log_lik, np.concatenate([[by_beta, by_tau2], by_delta])


def _maximum(data: _Data) -> Array:
    """The parameters of the largest likelihood, from several starts."""
    j = len(data.cuts)
    bounds = optimize.Bounds([-np.inf, 0, *[_LEAST] * j], [np.inf, np.inf, *[MOST] * j])
    spread = max(float(np.var(data.y)), 0.1)
    found = []
    for weight in _STARTS:
        for tau2 in (0.05 * spread, spread):
            start = [float(np.average(data.y, weights=1 / (data.v + tau2))), tau2]
            found.append(_climb(data, [*start, *[weight] * j], bounds, _ROUGH))
    best = max(found, key=lambda at: _likelihood(data, at)[0])
    return _climb(data, best, bounds, _EXACT)


def _climb(
    data: _Data, start: Array | Sequence[float], bounds: optimize.Bounds, gain: float
) -> Array:
    """The top of the likelihood near a start."""
    result = optimize.minimize(  # type: ignore[call-overload]
        lambda at: [-part for part in _likelihood(data, at)],
        np.asarray(start),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 2000, "ftol": gain, "gtol": 1e-8},
    )
    if not np.isfinite(result.fun):
        raise PoolError("The selection model has no likelihood for these effects.")
    return np.asarray(result.x, dtype=float)


def _without(data: _Data) -> float:
    """The largest log-likelihood with all weights 1: the random-effects model by ML."""
    mean, rest = float(data.y.mean()), [1.0] * len(data.cuts)
    bounds = optimize.Bounds([-np.inf, 0, *rest], [np.inf, np.inf, *rest])
    starts = (0.0, max(float(np.var(data.y)), 0.1))
    return max(_likelihood(data, _climb(data, [mean, t, *rest], bounds, _EXACT))[0] for t in starts)


def _standard_error(data: _Data, at: Array) -> float | None:
    """The standard error of beta from the observed information of what is known of the rest.

    What lies at a bound, or a weight on which the likelihood does not depend, counts as given.
    """
    inside = (at > _LEAST / 100) & (at < MOST * (1 - _LEAST))
    inside[0] = True
    information = _information(data, at, np.flatnonzero(inside))
    known = np.diag(information) > _SINGULAR
    information = information[np.ix_(known, known)]
    if not known[0]:
        return None
    size = np.sqrt(np.diag(information))
    values = np.linalg.eigvalsh(information / np.outer(size, size))
    return float(np.sqrt(np.linalg.inv(information)[0, 0])) if values.min() > _SINGULAR else None


def _information(data: _Data, at: Array, free: npt.NDArray[np.int64]) -> Array:
    """Minus the second derivatives, by differences of the gradient."""
    rows = []
    for i in free:
        move = np.zeros(at.size)
        step = 1e-5 * max(abs(float(at[i])), 0.1)
        move[i] = min(step, at[i] / 2) if i else step
        up, down = _likelihood(data, at + move)[1], _likelihood(data, at - move)[1]
        rows.append((down - up)[free] / (2 * move[i]))
    found = np.array(rows)
    return np.asarray((found + found.T) / 2)
