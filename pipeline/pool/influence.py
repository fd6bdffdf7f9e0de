"""Finds the studies that pull a pooled estimate: outliers, leverage, and what each one changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.pool.columns import Columns, checked, fit_columns
from pipeline.pool.laws import quantile
from pipeline.pool.linear import Array
from pipeline.pool.robustness import without_each


@dataclass(frozen=True, slots=True)
class Influence:
    """metafor's ``influence`` of one study; `_del` means without it.

    `rstudent` is the studentised deleted residual, `dffits` and `dfbs` how many standard errors
    the fitted value and the estimate move, `cook_d` Cook's distance, `cov_r` the ratio of the
    estimate's variances without and with the study, `hat` its leverage, `weight` its percentage.
    """

    row: int
    rstudent: float
    dffits: float
    cook_d: float
    cov_r: float
    tau2_del: float
    qe_del: float
    hat: float
    weight: float
    dfbs: float
    is_infl: bool


@dataclass(frozen=True, slots=True)
class Residual:
    """A study's residual with its standard error and their ratio, metafor's ``rstandard``."""

    row: int
    resid: float
    se: float
    z: float


@dataclass(frozen=True, slots=True)
class Blup:
    """The best guess of a study's own true effect, drawn towards the mean."""

    row: int
    pred: float
    se: float
    pi_lb: float
    pi_ub: float


def influence(yi: Array, vi: Array, spec: ModelSpec) -> tuple[Influence, ...]:
    """Return what each study does to the estimate.

    A study is called influential (`is_infl`) if |dffits| > 3 sqrt(1 / (k - 1)), if Cook's distance
    lies beyond the median of chi-squared with 1 degree of freedom, if its hat value exceeds 3 / k,
    or if |dfbs| > 1.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances, three or more.
    spec : ModelSpec
        The model.

    Raises
    ------
    PoolError
        If there are fewer than three studies.

    References
    ----------
    Viechtbauer and Cheung (2010), *Res Synth Methods* 1:112. metafor: ``influence.rma.uni``.
    """
    yi, vi = checked(yi, vi, 3, "Influence")
    k = yi.size
    full, left = _full(yi, vi, spec), without_each(yi, vi, spec)
    w = 1 / (vi + full.tau2)
    hat = w / w.sum()
    moved = full.estimate - left.estimate
    rstudent = (yi - left.estimate) / np.sqrt(vi + left.tau2 + left.se**2)
    dffits = moved / np.sqrt(left.factor * hat * (vi + left.tau2))
    cook = moved**2 * w.sum() / full.factor
    # In metafor the variance of all studies is taken at the tau2 without the study.
    total = (1 / (vi[:, np.newaxis] + left.tau2)).sum(axis=0)
    dfbs = moved * np.sqrt(total / left.factor)
    flag = (
        (np.abs(dffits) > 3 * np.sqrt(1 / (k - 1)))
        | (stats.chi2.cdf(cook, 1) > 0.5)
        | (hat > 3 / k)
        | (np.abs(dfbs) > 1)
    )
    cov_r = left.se**2 / full.se**2
    names = ("rstudent", "dffits", "cook_d", "cov_r", "tau2_del", "qe_del", "hat", "weight", "dfbs")
    columns = (rstudent, dffits, cook, cov_r, left.tau2, left.q, hat, 100 * hat, dfbs)
    named = dict(zip(names, columns, strict=True))
    return tuple(
        Influence(row=i, is_infl=bool(flag[i]), **{n: float(x[i]) for n, x in named.items()})
        for i in range(k)
    )


def _full(yi: Array, vi: Array, spec: ModelSpec) -> Columns:
    """The fit of all studies, as one column."""
    return fit_columns(yi[:, np.newaxis], vi[:, np.newaxis], spec)


def rstandard(yi: Array, vi: Array, spec: ModelSpec) -> tuple[Residual, ...]:
    """Return the internally standardised residuals.

    References
    ----------
    Hedges and Olkin (1985), *Statistical Methods for Meta-Analysis*, chapter 12. metafor:
    ``rstandard.rma.uni``.
    """
    yi, vi = checked(yi, vi, 2, "A standardised residual")
    full = _full(yi, vi, spec)
    total = vi + full.tau2
    resid = yi - full.estimate
    se = np.sqrt(total - 1 / (1 / total).sum())
    return tuple(
        Residual(i, float(r), float(s), float(r / s))
        for i, (r, s) in enumerate(zip(resid, se, strict=True))
    )


def blup(yi: Array, vi: Array, spec: ModelSpec) -> tuple[Blup, ...]:
    """Return the best linear unbiased predictions of the studies' true effects.

    References
    ----------
    Raudenbush and Bryk (1985), *J Educ Stat* 10:75. metafor: ``blup.rma.uni``.
    """
    yi, vi = checked(yi, vi, 2, "A best prediction")
    full = _full(yi, vi, spec)
    share = full.tau2 / (full.tau2 + vi)
    pred = share * yi + (1 - share) * full.estimate
    se = np.sqrt(share * vi + (1 - share) ** 2 * full.se**2)
    half = quantile(full.df, spec.level) * se
    columns = zip(pred, se, pred - half, pred + half, strict=True)
    return tuple(Blup(i, *(float(x) for x in row)) for i, row in enumerate(columns))
