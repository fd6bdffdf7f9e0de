"""Quantiles, p values, tested coefficients, and I2 and H2: one place for all models."""

from __future__ import annotations

from math import isfinite

import numpy as np
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.linear import Array
from pipeline.schema import Coefficient


def quantile(df: float | None, level: float) -> float:
    """Return the two-sided quantile of t, or of the normal distribution where `df` is None."""
    upper = 0.5 + level / 2
    return float(stats.norm.ppf(upper) if df is None else stats.t.ppf(upper, df))


def two_sided(stat: Array, df: float | None) -> Array:
    """Return the two-sided p values of statistics."""
    law = stats.norm if df is None else stats.t(df)
    return np.asarray(2 * law.sf(np.abs(stat)))


def coefficient(
    name: str, estimate: float, se: float, df: float | None, level: float
) -> Coefficient:
    """Return a coefficient with its interval and test by t, or z where `df` is None.

    Raises
    ------
    PoolError
        If it has no standard error above 0.
    """
    if not (isfinite(estimate) and isfinite(se) and se > 0):
        raise PoolError(f"The coefficient of {name} has no standard error: {se:g}.")
    half, stat = quantile(df, level) * se, estimate / se
    pval = float(two_sided(np.array(stat), df))
    return Coefficient(name, estimate, se, estimate - half, estimate + half, stat, df, pval)


def of_tau2(tau2: Array, typical: Array) -> tuple[Array, Array]:
    """Return I2 in percent and H2 from tau2 and the typical sampling variance (`Linear.typical`).

    References
    ----------
    Higgins and Thompson (2002), *Stat Med* 21:1539, eq. 9 for a model with a mean alone.
    """
    return np.asarray(100 * tau2 / (tau2 + typical)), np.asarray(tau2 / typical + 1)


def of_q(q: Array, df: int) -> tuple[Array, Array]:
    """Return I2 in percent and H2 from Q: Higgins and Thompson (2002), section 3.3."""
    q = np.asarray(q)
    return 100 * np.maximum(q - df, 0) / np.maximum(q, np.finfo(float).tiny), q / df
