"""Pools many data sets of one size at once: the fits behind leave-one-out, GOSH, permutations.

Shapes: `y` and `v` are (studies, data sets). One fit is the same numbers as `model.pool` gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.estimators import cochran_q, infer, tau2_of
from pipeline.pool.laws import of_q, of_tau2, quantile, two_sided
from pipeline.pool.linear import Array, intercept, wls
from pipeline.pool.scale import scaled, zeroed

#: Numbers of `y` fitted in one go; more would only take memory.
_CHUNK = 2_000_000

#: A Hartung-Knapp standard error this small beside the normal one comes from identical effects.
IDENTICAL = 1e-6


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
    estimate, plain = infer(y, v, tau2, "z")
    se = infer(y, v, tau2, test)[1] if test in ("knha", "adhoc") else plain
    se = np.where(se <= IDENTICAL * plain, plain, se)
    q = cochran_q(y, v)
    i2, h2 = heterogeneity(tau2, v, q, spec.method)
    return Columns(
        k=k,
        test=test,
        df=None if test == "z" else k - 1,
        estimate=estimate * scale,
        se=se * scale,
        tau2=tau2 * scale**2,
        q=q,
        i2=i2,
        h2=h2,
        factor=(se / plain) ** 2,
    )


def heterogeneity(tau2: Array, v: Array, q: Array, method: str) -> tuple[Array, Array]:
    """Return I2 (percent) and H2: from tau2, of Q with equal effects; 0 and 1 for one study."""
    k = v.shape[0]
    if k == 1:
        return np.zeros_like(tau2), np.ones_like(tau2)
    return of_q(q, k - 1) if method == "EE" else of_tau2(tau2, wls(v, 1 / v, intercept(k)).typical)


def variance_factor(q: Array, df: int, test: str) -> Array:
    """What variances are multiplied with: 1, or Knapp and Hartung's residual mean square."""
    if test in ("z", "t"):
        return np.ones_like(q)
    mean_square = q / df
    if test == "adhoc":
        return np.maximum(mean_square, 1)
    return np.where(mean_square <= IDENTICAL**2, 1, mean_square)
