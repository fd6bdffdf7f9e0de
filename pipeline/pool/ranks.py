"""Asks by ranks whether small studies show larger effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.bias import few
from pipeline.pool.columns import checked
from pipeline.pool.linear import Array

#: Above so many studies the exact p value takes seconds and is the normal one to four digits.
_EXACT = 500


@dataclass(frozen=True, slots=True)
class RankTest:
    """Begg and Mazumdar's rank test: Kendall's tau and its p value, exact where nothing ties.

    `z` and `z_pval` are the normal approximation, as package meta reports it.
    """

    k: int
    tau: float
    pval: float
    exact: bool
    z: float
    z_pval: float
    notes: tuple[str, ...] = ()


def ranktest(yi: Array, vi: Array) -> RankTest:
    """Test by ranks whether effects and variances go together.

    The p value is exact where no two values tie in up to 500 studies; else it is normal, without a
    correction for continuity.

    Raises
    ------
    PoolError
        If there are fewer than three studies, or all variances are equal.

    References
    ----------
    Begg and Mazumdar (1994), *Biometrics* 50:1088. metafor: ``ranktest``; meta: ``metabias(
    method.bias="Begg")`` gives `z`.
    """
    yi, vi = checked(yi, vi, 3, "The rank test of asymmetry")
    w = 1 / vi
    centred = (yi - (w * yi).sum() / w.sum()) / np.sqrt(vi - 1 / w.sum())
    return rank_correlation(centred, vi)


def rank_correlation(x: Array, y: Array) -> RankTest:
    """Kendall's rank correlation of two vectors, tested as R's ``cor.test(exact=TRUE)`` does."""
    k = x.size
    exact = min(np.unique(x).size, np.unique(y).size) == k <= _EXACT
    if min(np.unique(x).size, np.unique(y).size) == 1:
        raise PoolError("The rank test needs values that differ; all are the same.")
    normal = stats.kendalltau(x, y, method="asymptotic")
    pval = stats.kendalltau(x, y, method="exact").pvalue if exact else normal.pvalue
    z = _kendall_z(float(normal.statistic), x, y)
    return RankTest(
        k=k,
        tau=float(normal.statistic),
        pval=float(pval),
        exact=bool(exact),
        z=z,
        z_pval=float(2 * stats.norm.sf(abs(z))),
        notes=few(k),
    )


def _kendall_z(tau: float, x: Array, y: Array) -> float:
    """Kendall's score over its standard deviation, ties allowed for (Kendall 1970, chapter 4)."""
    k = x.size
    t, u = (np.unique(z, return_counts=True)[1].astype(float) for z in (x, y))
    untied = [k * (k - 1) / 2 - (c * (c - 1) / 2).sum() for c in (t, u)]
    score = round(tau * float(np.sqrt(untied[0] * untied[1])))
    full = k * (k - 1) * (2 * k + 5)
    tied = sum((c * (c - 1) * (2 * c + 5)).sum() for c in (t, u))
    pairs = (t * (t - 1)).sum() * (u * (u - 1)).sum() / (2 * k * (k - 1))
    triples = (t * (t - 1) * (t - 2)).sum() * (u * (u - 1) * (u - 2)).sum()
    variance = (full - tied) / 18 + triples / (9 * k * (k - 1) * (k - 2)) + pairs
    return float(score / np.sqrt(variance))
