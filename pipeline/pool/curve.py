"""The curve of a meta-regression over one moderator, such as a dose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from pipeline.pool.linear import Array
from pipeline.schema import CurvePoint, Regression, WaldTest


def curve(fit: Regression, x: Array, design: Array) -> tuple[CurvePoint, ...]:
    """Return the mean effect over a grid.

    Parameters
    ----------
    fit : Regression
    x : array of shape (n,)
        Values of the moderator.
    design : array of shape (n, p)
        The regression's columns at these values.

    References
    ----------
    metafor: ``predict(res, newmods=)``; the prediction interval with t of k - p degrees of freedom
    for the t tests, normal else.
    """
    beta = np.array([c.estimate for c in fit.coefficients])
    middle = design @ beta
    variance = np.einsum("ij,jk,ik->i", design, np.array(fit.vcov), design)
    quantile = _quantile(fit)
    half, wide = quantile * np.sqrt(variance), quantile * np.sqrt(variance + fit.tau2)
    columns = (x, middle, middle - half, middle + half, middle - wide, middle + wide)
    return tuple(CurvePoint(*(float(v) for v in row)) for row in zip(*columns, strict=True))


def _quantile(fit: Regression) -> float:
    """The quantile of the regression's intervals."""
    tail = (1 + fit.level) / 2
    df = fit.coefficients[0].df
    return float(stats.norm.ppf(tail) if df is None else stats.t.ppf(tail, df))


def wald(fit: Regression, rows: Sequence[int]) -> WaldTest:
    """Return the test that the coefficients of some rows are all 0.

    Of a spline's columns after the first it is the test of a straight line (Harrell 2015, section
    2.4.5). metafor: ``anova(res, btt=)``.
    """
    beta = np.array([fit.coefficients[i].estimate for i in rows])
    part = np.array(fit.vcov)[np.ix_(rows, rows)]
    quadratic, m = float(beta @ np.linalg.solve(part, beta)), len(rows)
    df = fit.coefficients[0].df
    if df is None:
        return WaldTest(quadratic, m, None, float(stats.chi2.sf(quadratic, m)))
    return WaldTest(quadratic / m, m, int(df), float(stats.f.sf(quadratic / m, m, df)))
