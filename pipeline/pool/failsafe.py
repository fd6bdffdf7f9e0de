"""Fail-safe numbers, and whether more results are significant than one should expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, isfinite, sqrt

import numpy as np
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.bias import few
from pipeline.pool.columns import checked
from pipeline.pool.linear import Array

#: A number this little above an integer is that integer: 13 * (m - m/2) / (m/2) is 13.
_WHOLE = 1e-9


@dataclass(frozen=True, slots=True)
class FailSafe:
    """metafor's ``fsn``: `fsnum` studies of no effect would be needed.

    `pval` is that of the studies at hand, None for Orwin; `meanes` their weighted mean, None for
    Rosenthal; `target` the mean that Orwin's number would lower it to.
    """

    type: str
    fsnum: int
    alpha: float
    pval: float | None
    meanes: float | None
    target: float | None


@dataclass(frozen=True, slots=True)
class Excess:
    """metafor's ``tes``: `o` results are significant, `e` were expected at an effect of `theta`.

    `pval` is the exact probability of `o` or more, `pval_chi2` the one-sided chi-squared one,
    which metafor gives where there are many studies; `power` that of each study.
    """

    k: int
    o: int
    e: float
    oe: float
    pval: float
    pval_chi2: float
    theta: float
    power: tuple[float, ...]
    notes: tuple[str, ...] = ()


def fsn(
    yi: Array,
    vi: Array,
    *,
    type: str = "Rosenthal",
    alpha: float = 0.05,
    target: float | None = None,
) -> FailSafe:
    """Return the fail-safe number.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances.
    type : {"Rosenthal", "Orwin", "Rosenberg"}
        Stouffer's test no longer significant (one-sided); the inverse-variance mean down to
        `target`; that mean no longer significant (two-sided).
    alpha : float
        Significance, of Rosenthal's and Rosenberg's.
    target : float, optional
        Orwin's; half the mean where None.

    Raises
    ------
    PoolError
        If the type is unknown, or the target is 0 or on the other side of 0.

    References
    ----------
    Rosenthal (1979), *Psychol Bull* 86:638; Orwin (1983), *J Educ Stat* 8:157; Rosenberg (2005),
    *Evolution* 59:464. metafor: ``fsn(type=)``.
    """
    yi, vi = checked(yi, vi, 1, "The fail-safe number")
    if type not in _FSN:
        raise PoolError(f"Unknown fail-safe number {type!r}; must be one of {', '.join(_FSN)}.")
    if not 0 < alpha < 1:
        raise PoolError(f"Invalid alpha {alpha:g}; must lie between 0 and 1.")
    return _FSN[type](yi, vi, alpha, target)


def _rosenthal(yi: Array, vi: Array, alpha: float, target: float | None) -> FailSafe:
    """Studies of z = 0 until Stouffer's z is that of alpha."""
    k = yi.size
    z = abs(float((yi / np.sqrt(vi)).sum())) / sqrt(k)
    number = k * (z / float(stats.norm.isf(alpha))) ** 2 - k
    return FailSafe("Rosenthal", _up(number), alpha, float(stats.norm.sf(z)), None, None)


def _orwin(yi: Array, vi: Array, alpha: float, target: float | None) -> FailSafe:
    """Studies of effect 0 and mean weight until the mean is the target."""
    mean = _mean(yi, vi)
    aim = mean / 2 if target is None else target
    if aim == 0 or aim * mean < 0:
        raise PoolError(f"Orwin's target {aim:g} must lie between 0 and the mean {mean:g}.")
    number = yi.size * (mean - aim) / aim
    return FailSafe("Orwin", _up(number), alpha, None, mean, aim)


def _rosenberg(yi: Array, vi: Array, alpha: float, target: float | None) -> FailSafe:
    """Studies of effect 0 and mean weight until the mean is not significant."""
    mean, total = _mean(yi, vi), float((1 / vi).sum())
    z = abs(mean) * sqrt(total)
    needed = (mean * total / float(stats.norm.isf(alpha / 2))) ** 2 - total
    number = yi.size * needed / total
    return FailSafe("Rosenberg", _up(number), alpha, float(2 * stats.norm.sf(z)), mean, None)


_FSN: Mapping[str, Callable[[Array, Array, float, float | None], FailSafe]] = {
    "Rosenthal": _rosenthal,
    "Orwin": _orwin,
    "Rosenberg": _rosenberg,
}


def _mean(yi: Array, vi: Array) -> float:
    """The inverse-variance mean."""
    return float((yi / vi).sum() / (1 / vi).sum())


def _up(number: float) -> int:
    """A number of studies, rounded up."""
    if not isfinite(number):
        raise PoolError(f"The fail-safe number is {number}; the effects are too extreme.")
    return max(0, ceil(number - _WHOLE * max(1.0, abs(number))))


def tes(yi: Array, vi: Array, *, alpha: float = 0.05, theta: float | None = None) -> Excess:
    """Test whether more studies are significant than their power allows.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances.
    alpha : float
        Two-sided significance of a study.
    theta : float, optional
        The true effect; the inverse-variance mean where None. With `vi` alone no heterogeneity
        is allowed for.

    References
    ----------
    Ioannidis and Trikalinos (2007), *Clin Trials* 4:245; exact p: the sum of independent trials of
    unequal power. metafor: ``tes(test="exact")``.
    """
    yi, vi = checked(yi, vi, 3, "The test of excess significance")
    effect = _mean(yi, vi) if theta is None else theta
    limit, sei = float(stats.norm.isf(alpha / 2)), np.sqrt(vi)
    power = stats.norm.sf(limit - effect / sei) + stats.norm.cdf(-limit - effect / sei)
    o = int((np.abs(yi) / sei >= limit).sum())
    e = float(power.sum())
    return Excess(
        k=yi.size,
        o=o,
        e=e,
        oe=o / e,
        pval=float(min(1.0, _sum_of_trials(power)[o:].sum())),
        pval_chi2=_chi2(o, e, yi.size),
        theta=effect,
        power=tuple(float(p) for p in power),
        notes=few(yi.size),
    )


def _chi2(o: int, e: float, k: int) -> float:
    """The probability that chi-squared of observed and expected gives `o` or more."""
    rest = (o - e) ** 2 / (k - e) if k > e else 0.0
    return float(stats.norm.sf(np.sign(o - e) * sqrt((o - e) ** 2 / e + rest)))


def _sum_of_trials(power: Array) -> Array:
    """The probability of 0, 1, ... successes in trials of unequal probability."""
    law = np.ones(1)
    for p in power:
        law = np.append(law * (1 - p), 0) + np.append(0, law * p)
    return law
