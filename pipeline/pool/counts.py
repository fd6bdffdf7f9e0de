"""Common-effect models of counts that need no effect size of each study: Mantel-Haenszel, Peto.

Each is pooled from the tables as printed; zero cells need no rule. What studies without events
give to heterogeneity follows metafor: `rma.mh` and `rma.peto`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.describe import of_model
from pipeline.pool.laws import of_q
from pipeline.pool.linear import Array
from pipeline.schema import PooledEstimate

#: Columns by metafor's names: ai bi ci di, or x1i t1i x2i t2i.
Counts = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Common:
    """A common effect of tables: estimate, standard error, the weight of each study."""

    estimate: float
    se: float
    weights: Array


def mantel_haenszel(
    counts: Counts, yi: Array, vi: Array, measure: str, *, level: float
) -> PooledEstimate:
    """Pool tables of counts by Mantel and Haenszel's weights.

    Parameters
    ----------
    counts : mapping of str to array of shape (k,)
        `ai bi ci di` for RR, OR and RD, `x1i t1i x2i t2i` for IRR.
    yi, vi : arrays of shape (k,)
        Effects of the studies, NaN where not defined: they give Q and its p value alone.
    measure : {"RR", "OR", "RD", "IRR"}
    level : float
        Of the interval, between 0 and 1.

    Raises
    ------
    PoolError
        If the measure has no such model, or one arm has no event in any study.

    References
    ----------
    Mantel and Haenszel (1959), *J Natl Cancer Inst* 22:719. Variances: OR Robins, Breslow and
    Greenland (1986), *Biometrics* 42:311; RR and IRR Greenland and Robins (1985), *Biometrics*
    41:55; RD Sato (1989), *Biometrics* 45:1323. metafor: ``rma.mh``.
    """
    if measure not in _MANTEL_HAENSZEL:
        known = ", ".join(_MANTEL_HAENSZEL)
        raise PoolError(f"Mantel-Haenszel pools {known}; not {measure}.")
    with np.errstate(divide="ignore", invalid="ignore"):
        common = _MANTEL_HAENSZEL[measure](counts)
        q = float(np.nansum((yi - common.estimate) ** 2 / vi))
    return _described(common, measure, "MH", q, int(np.isfinite(yi).sum()), level)


def peto(counts: Counts, *, level: float) -> PooledEstimate:
    """Pool tables of counts `ai bi ci di` to Peto's log odds ratio.

    Raises
    ------
    PoolError
        If no study has an event and a patient without one.

    References
    ----------
    Yusuf et al. (1985), *Prog Cardiovasc Dis* 27:335. metafor: ``rma.peto``.
    """
    a, b, c, d = (counts[name] for name in ("ai", "bi", "ci", "di"))
    n1, n2, n = a + b, c + d, a + b + c + d
    less = a - (a + c) * n1 / n
    v = (a + c) * (b + d) * (n1 / n) * (n2 / n) / (n - 1)
    if not v.sum() > 0:
        raise PoolError("Peto's odds ratio needs an event, and a patient without one.")
    said = v > 0
    common = Common(float(less.sum() / v.sum()), float(1 / sqrt(v.sum())), v)
    q = max(float((less[said] ** 2 / v[said]).sum() - less.sum() ** 2 / v.sum()), 0.0)
    return _described(common, "PETO", "PETO", q, int(said.sum()), level)


def _odds_ratio(t: Counts) -> Common:
    """The Mantel-Haenszel odds ratio, as a log."""
    a, b, c, d = (t[name] for name in ("ai", "bi", "ci", "di"))
    n = a + b + c + d
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    rs, ss = r.sum(), s.sum()
    variance = (p * r).sum() / rs**2 + (p * s + q * r).sum() / (rs * ss) + (q * s).sum() / ss**2
    return Common(_log(rs, ss), sqrt(variance / 2), s)


def _risk_ratio(t: Counts) -> Common:
    """The Mantel-Haenszel risk ratio, as a log."""
    a, b, c, d = (t[name] for name in ("ai", "bi", "ci", "di"))
    n1, n2, n = a + b, c + d, a + b + c + d
    r, s = (a * n2 / n).sum(), (c * n1 / n).sum()
    top = ((n1 / n) * (n2 / n) * (a + c) - a * c / n).sum()
    return Common(_log(r, s), sqrt(top / (r * s)), c * n1 / n)


def _risk_difference(t: Counts) -> Common:
    """The Mantel-Haenszel risk difference."""
    a, b, c, d = (t[name] for name in ("ai", "bi", "ci", "di"))
    n1, n2, n = a + b, c + d, a + b + c + d
    w = n1 * n2 / n
    estimate = float((a * n2 / n - c * n1 / n).sum() / w.sum())
    p = (c * (n1 / n) ** 2 - a * (n2 / n) ** 2 + (n1 / n) * (n2 / n) * (n2 - n1) / 2).sum()
    q = (a * (n2 - c) / n + c * (n1 - a) / n).sum() / 2
    return Common(estimate, sqrt(max(estimate * p + q, 0)) / float(w.sum()), w)


def _rate_ratio(t: Counts) -> Common:
    """The Mantel-Haenszel incidence rate ratio, as a log."""
    x1, t1, x2, t2 = (t[name] for name in ("x1i", "t1i", "x2i", "t2i"))
    time = t1 + t2
    r, s = (x1 * t2 / time).sum(), (x2 * t1 / time).sum()
    variance = ((x1 + x2) * (t1 / time) * (t2 / time)).sum() / (r * s)
    return Common(_log(r, s), sqrt(variance), x2 * t1 / time)


_MANTEL_HAENSZEL: Mapping[str, Callable[[Counts], Common]] = {
    "RR": _risk_ratio,
    "OR": _odds_ratio,
    "RD": _risk_difference,
    "IRR": _rate_ratio,
}


def _log(r: float, s: float) -> float:
    """The log of a ratio of sums, of which none may be 0."""
    if not (r > 0 and s > 0):
        raise PoolError("Mantel-Haenszel needs an event in each arm of some study.")
    return log(r / s)


def _described(
    common: Common, measure: str, method: str, q: float, k_q: int, level: float
) -> PooledEstimate:
    """A common effect as a pooled estimate; `k_q` studies enter Q."""
    df = max(k_q - 1, 0)
    i2, h2 = of_q(np.array(q), df) if df else (0.0, 1.0)
    return of_model(
        measure,
        method,
        "z",
        level,
        estimate=common.estimate,
        se=common.se,
        tau2=None,
        q=q,
        q_df=df,
        q_pval=float(stats.chi2.sf(q, df)) if df else 1.0,
        heterogeneity=(float(i2), float(h2)),
        k=common.weights.size,
        weights=tuple(float(w) for w in 100 * common.weights / common.weights.sum()),
    )
