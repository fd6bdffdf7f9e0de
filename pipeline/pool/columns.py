"""Pools many data sets of one size at once: the fits behind leave-one-out, GOSH, permutations.

Shapes: `y` and `v` are (studies, data sets). One fit is the same numbers as `model.pool` gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.estimators import tau2_of
from pipeline.pool.linear import Array, intercept, wls
from pipeline.pool.scale import scaled, zeroed

#: Numbers of `y` fitted in one go; more would only take memory.
_CHUNK = 2_000_000

#: A Hartung-Knapp factor this small comes from identical effects, as in `describe`.
_IDENTICAL = 1e-12


@dataclass(frozen=True, slots=True)
class Columns:
    """Pooled estimates of many data sets of k studies each; every array is (data sets,).

    `factor` is what Knapp and Hartung multiply the variance with, 1 for z and t; `df` is None
    where the test is normal. `i2` (percent) and `h2` are tau2-based, with equal effects Q-based.
    """

    k: int
    test: str
    df: int | None
    estimate: Array
    se: Array
    tau2: Array
    q: Array
    i2: Array
    h2: Array
    factor: Array

    @property
    def stat(self) -> Array:
        """The estimate over its standard error."""
        return self.estimate / self.se

    @property
    def pval(self) -> Array:
        """The two-sided p value."""
        return two_sided(self.stat, self.df)

    @property
    def q_pval(self) -> Array:
        """The p value of Q; 1 for one study."""
        if self.k == 1:
            return np.ones_like(self.q)
        return np.asarray(stats.chi2.sf(self.q, self.k - 1))

    def interval(self, level: float) -> tuple[Array, Array]:
        """The confidence limits."""
        half = quantile(self.df, level) * self.se
        return self.estimate - half, self.estimate + half


def checked(yi: Array, vi: Array, least: int, what: str) -> tuple[Array, Array]:
    """Return effects and variances as vectors of floats.

    Raises
    ------
    PoolError
        If they are not finite, a variance is not positive, or there are fewer than `least`.
    """
    yi, vi = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    if yi.ndim != 1 or yi.shape != vi.shape:
        raise PoolError(f"yi and vi must be vectors of one length; got {yi.shape}, {vi.shape}.")
    if yi.size < least:
        raise PoolError(f"{what} needs {least} or more studies; got {yi.size}.")
    bad = np.flatnonzero(~(np.isfinite(yi) & np.isfinite(vi) & (vi > 0)))
    if bad.size:
        i = int(bad[0])
        raise PoolError(
            f"{what} needs finite effects and positive variances; study {i + 1} has yi {yi[i]:g}, "
            f"vi {vi[i]:g}."
        )
    return yi, vi


def usable_test(spec: ModelSpec) -> str:
    """The test of a model: with equal effects there is no Hartung-Knapp test, hence z."""
    return "z" if spec.method == "EE" and spec.test in ("knha", "adhoc") else spec.test


def fit_columns(y: Array, v: Array, spec: ModelSpec) -> Columns:
    """Return the pooled estimate of each column of `y` and `v`.

    A data set of one study is its own estimate with the normal test, as in metafor. Where the
    effects of a data set are identical, its Hartung-Knapp factor is 1 (the ad hoc variant).

    Raises
    ------
    PoolError
        If the numbers are too extreme.
    """
    k, sets = y.shape
    step = max(1, _CHUNK // k)
    pieces = [_fit(y[:, i : i + step], v[:, i : i + step], spec) for i in range(0, sets, step)]
    if len(pieces) == 1:
        return pieces[0]
    names = ("estimate", "se", "tau2", "q", "i2", "h2", "factor")
    arrays = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in names}
    return Columns(k, pieces[0].test, pieces[0].df, **arrays)


def _fit(y: Array, v: Array, spec: ModelSpec) -> Columns:
    """`fit_columns` of what fits into memory."""
    k = y.shape[0]
    test = usable_test(spec) if k > 1 else "z"
    y, v, scale = scaled(y, v)
    tau2 = zeroed(tau2_of(y, v, spec.method)) if k > 1 else np.zeros(y.shape[1])
    fit, fixed = wls(y, 1 / (v + tau2), intercept(k)), wls(y, 1 / v, intercept(k))
    factor = variance_factor(fit.q, k - 1, test)
    i2, h2 = _heterogeneity(tau2, v, fixed.q, spec.method)
    return Columns(
        k=k,
        test=test,
        df=None if test == "z" else k - 1,
        estimate=fit.beta[:, 0] * scale,
        se=np.sqrt(fit.cov[:, 0, 0] * factor) * scale,
        tau2=tau2 * scale**2,
        q=fixed.q,
        i2=i2,
        h2=h2,
        factor=factor,
    )


def variance_factor(q: Array, df: int, test: str) -> Array:
    """What variances are multiplied with: 1, or Knapp and Hartung's residual mean square."""
    if test in ("z", "t"):
        return np.ones_like(q)
    mean_square = q / df
    if test == "adhoc":
        return np.maximum(mean_square, 1)
    return np.where(mean_square <= _IDENTICAL, 1, mean_square)


def _heterogeneity(tau2: Array, v: Array, q: Array, method: str) -> tuple[Array, Array]:
    """I2 (percent) and H2: Higgins and Thompson (2002), eq. 9; of Q with equal effects."""
    df = v.shape[0] - 1
    if df == 0:
        return np.zeros_like(tau2), np.ones_like(tau2)
    if method == "EE":
        return 100 * np.maximum(q - df, 0) / np.maximum(q, np.finfo(float).tiny), q / df
    w = 1 / v
    typical = df * w.sum(axis=0) / (w.sum(axis=0) ** 2 - (w**2).sum(axis=0))
    return 100 * tau2 / (tau2 + typical), tau2 / typical + 1


def quantile(df: int | None, level: float) -> float:
    """The two-sided quantile of t, or of the normal distribution where `df` is None."""
    upper = 0.5 + level / 2
    return float(stats.norm.ppf(upper) if df is None else stats.t.ppf(upper, df))


def two_sided(stat: Array, df: int | None) -> Array:
    """The two-sided p values of statistics."""
    law = stats.norm if df is None else stats.t(df)
    return np.asarray(2 * law.sf(np.abs(stat)))
