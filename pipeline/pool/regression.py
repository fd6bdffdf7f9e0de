"""Meta-regression: effect sizes on moderators, with the tests of metafor's `rma`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.columns import IDENTICAL, variance_factor
from pipeline.pool.estimators import tau2_interval, tau2_of
from pipeline.pool.laws import coefficient, of_q, of_tau2
from pipeline.pool.linear import Array, Linear, wls
from pipeline.pool.scale import scaled, zeroed
from pipeline.schema import Coefficient, EffectSize, Regression

#: The name of the design's first column in models with an intercept.
INTERCEPT = "intercept"


def regression(
    effects: Sequence[EffectSize], design: Array, names: Sequence[str], spec: ModelSpec
) -> Regression:
    """Regress effect sizes on moderators.

    Parameters
    ----------
    effects : sequence of EffectSize
        Of one measure, more than there are coefficients.
    design : array of shape (k, p)
        A row a study, finite; a column of ones named "intercept" if there is one.
    names : sequence of str
        The columns' names.
    spec : ModelSpec
        Estimator of tau2, test, level. With knha and adhoc the standard errors are scaled by the
        weighted residual mean square (adhoc: never below 1), with these and t the degrees of
        freedom are k - p and the joint test is F.

    Raises
    ------
    PoolError
        If there are too few studies, a moderator does not vary or repeats others, or the numbers
        are too extreme.

    References
    ----------
    Knapp and Hartung (2003), *Stat Med* 22:2693; R2: Raudenbush (2009), *Handbook of Research
    Synthesis and Meta-Analysis*, eq. 16.37; residual I2 and H2 from tau2 and the trace of P, as
    metafor. metafor: ``rma(yi, vi, mods=, method=, test=)``.
    """
    _check(design, names)
    y, v, scale = scaled(np.array([[e.yi] for e in effects]), np.array([[e.vi] for e in effects]))
    tau2 = zeroed(tau2_of(y, v, spec.method, design))
    fit, fixed = wls(y, 1 / (v + tau2), design), wls(y, 1 / v, design)
    k, p = design.shape
    if spec.test == "knha" and float(fit.q[0]) <= IDENTICAL**2 * (k - p):
        raise PoolError("The moderators fit the effects exactly: the Hartung-Knapp errors are 0.")
    cov = fit.cov[0] * float(variance_factor(fit.q, k - p, spec.test)[0])
    low, high = _limits(y, v, design, spec)
    qm, qm_df, qm_df2, qm_pval = _joint(fit.beta[0], cov, names, spec, k - p)
    s2 = float(scale[0]) ** 2
    equal = spec.method == "EE"
    i2, h2 = of_q(fixed.q, k - p) if equal else of_tau2(tau2, fixed.typical)
    return Regression(
        measure=effects[0].measure,
        method=spec.method,
        test=spec.test,
        level=spec.level,
        k=k,
        coefficients=_coefficients(fit, cov, names, spec, float(scale[0])),
        tau2=float(tau2[0]) * s2,
        tau2_ci_lb=None if low is None else low * s2,
        tau2_ci_ub=None if high is None else high * s2,
        i2=float(i2[0]),
        h2=float(h2[0]),
        q=float(fixed.q[0]),
        q_df=k - p,
        q_pval=float(stats.chi2.sf(fixed.q[0], k - p)),
        qm=qm,
        qm_df=qm_df,
        qm_df2=qm_df2,
        qm_pval=qm_pval,
        r2=_explained(y, v, float(tau2[0]), names, spec),
        weights=tuple(100 * fit.w[:, 0] / fit.w.sum()),
        vcov=tuple(map(tuple, cov * s2)),
    )


def _check(design: Array, names: Sequence[str]) -> None:
    """Refuse a design that the studies cannot tell apart."""
    k, p = design.shape
    if k <= p:
        raise PoolError(f"{k} studies cannot carry {p} coefficients ({', '.join(names)}).")
    size = np.abs(design).max(axis=0)
    rank = np.linalg.matrix_rank(design / np.where(size > 0, size, 1))
    if rank < p:
        raise PoolError(
            f"The moderators {', '.join(names)} repeat each other or do not vary over the "
            f"{k} studies (rank {rank} of {p})."
        )


def _limits(y: Array, v: Array, x: Array, spec: ModelSpec) -> tuple[float | None, float | None]:
    """The Q-profile interval of the residual tau2."""
    if spec.method == "EE":
        return None, None
    low, high = tau2_interval(y[:, 0], v[:, 0], spec.level, x)
    return (low, high) if isfinite(low) and isfinite(high) else (None, None)


def _coefficients(
    fit: Linear, cov: Array, names: Sequence[str], spec: ModelSpec, scale: float
) -> tuple[Coefficient, ...]:
    """Each coefficient with its interval and test."""
    k, p = fit.x.shape
    df = None if spec.test == "z" else k - p
    errors = np.sqrt(np.diag(cov)) * scale
    values = zip(names, fit.beta[0] * scale, errors, strict=True)
    return tuple(coefficient(n, float(b), float(se), df, spec.level) for n, b, se in values)


def _joint(
    beta: Array, cov: Array, names: Sequence[str], spec: ModelSpec, df: int
) -> tuple[float, int, int | None, float]:
    """The test of all coefficients but the intercept: QM with its degrees of freedom and p."""
    rows = [i for i, name in enumerate(names) if name != INTERCEPT] or [0]
    m = len(rows)
    quadratic = float(beta[rows] @ np.linalg.solve(cov[np.ix_(rows, rows)], beta[rows]))
    if spec.test == "z":
        return quadratic, m, None, float(stats.chi2.sf(quadratic, m))
    return quadratic / m, m, df, float(stats.f.sf(quadratic / m, m, df))


def _explained(
    y: Array, v: Array, tau2: float, names: Sequence[str], spec: ModelSpec
) -> float | None:
    """R2: the share of tau2 that the moderators explain, in percent."""
    if INTERCEPT not in names or spec.method == "EE":
        return None
    before = float(zeroed(tau2_of(y, v, spec.method))[0])
    return 100 * max(before - tau2, 0) / before if before > 0 else 0.0
