"""How well tau2 is known: profile-likelihood intervals and standard errors of each estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy import optimize, stats

from pipeline.errors import PoolError
from pipeline.pool.estimators import ESTIMATORS, tau2_of
from pipeline.pool.linear import Array, intercept, wls
from pipeline.pool.scale import scaled, zeroed

#: Estimators with a likelihood.
LIKELIHOODS = ("ML", "REML")

#: Beyond this, with typical variances of 1, an upper limit is infinite.
_FAR = 1e15

#: Limits are found to this, relative and (typical variances are 1) absolute.
_CLOSE = 1e-13


@dataclass(frozen=True, slots=True)
class Limits:
    """An estimate with its interval; `ub` may be infinite."""

    estimate: float
    lb: float
    ub: float


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """tau2 with its interval, and what follows from it: tau, I2 in percent, H2."""

    tau2: Limits
    tau: Limits
    i2: Limits
    h2: Limits
    notes: tuple[str, ...] = ()


def profile_interval(
    yi: Array, vi: Array, *, method: str = "REML", level: float = 0.95, x: Array | None = None
) -> Heterogeneity:
    """Return the profile-likelihood interval of tau2.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and their variances, k of 2 or more.
    method : {"REML", "ML"}
        The likelihood.
    level : float
        Of the interval, between 0 and 1.
    x : array of shape (k, p), optional
        The design of a meta-regression; a mean by default.

    Returns
    -------
    Heterogeneity
        Limits are where twice the log-likelihood has fallen by the quantile of chi-squared with 1
        degree of freedom; the lower is 0 where it does not fall so far. It is the interval around
        the maximum: where the likelihood has several, what lies beyond a dip is not in it.

    Raises
    ------
    PoolError
        If the method has no likelihood, or studies do not outnumber the coefficients.

    References
    ----------
    Hardy and Thompson (1996), *Stat Med* 15:619; Viechtbauer (2007), *Stat Med* 26:37. metafor:
    ``confint(rma(yi, vi, method=), type="PL")``.
    """
    if method not in LIKELIHOODS:
        raise PoolError(f"A profile likelihood needs {' or '.join(LIKELIHOODS)}; not {method}.")
    design = _design(yi, x)
    y, v, scale = scaled(yi[:, np.newaxis], vi[:, np.newaxis])
    tau2 = float(zeroed(tau2_of(y, v, method, design))[0])
    top = loglik(y, v, design, tau2, restricted=method == "REML")
    quantile = float(stats.chi2.ppf(level, 1))

    def fallen(t: float) -> float:
        return 2 * (top - loglik(y, v, design, t, restricted=method == "REML")) - quantile

    low, high = _lower(fallen, tau2), _upper(fallen, tau2)
    notes = ("The profile likelihood gives tau2 no upper limit.",) if high == inf else ()
    s2 = float(scale[0]) ** 2
    return heterogeneity_limits(tau2 * s2, low * s2, high * s2, vi, design, notes)


def heterogeneity_limits(
    tau2: float, low: float, high: float, vi: Array, x: Array | None, notes: tuple[str, ...] = ()
) -> Heterogeneity:
    """Return what an interval of tau2 says of tau, I2 and H2 (Higgins and Thompson 2002)."""
    design = intercept(vi.size) if x is None else x
    k, p = design.shape
    scale = float(np.median(vi))
    w = scale / vi[:, np.newaxis]
    typical = scale * (k - p) / float(wls(np.zeros((k, 1)), w, design).trace[0])
    three = (tau2, low, high)
    shares = (100.0 if t == inf else 100 * t / (t + typical) for t in three)
    return Heterogeneity(
        Limits(*three),
        Limits(*(sqrt(t) for t in three)),
        Limits(*shares),
        Limits(*(t / typical + 1 for t in three)),
        notes,
    )


def loglik(y: Array, v: Array, x: Array, tau2: float, *, restricted: bool) -> float:
    """Return the (restricted) log-likelihood of one data set up to a constant (shapes (k, 1))."""
    fit = wls(y, 1 / (v + tau2), x)
    value = np.log(v + tau2).sum() + fit.q[0]
    if restricted:
        value -= np.linalg.slogdet(fit.cov[0])[1]
    return float(-value / 2)


def profile(
    yi: Array, vi: Array, method: str, upper: float, *, points: int = 80
) -> tuple[Array, Array]:
    """Return the (restricted) log-likelihood along tau2, for a figure.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
    method : {"ML", "REML"}
    upper : float
        The upper limit of tau2; the grid goes a third further, and to four times the typical
        variance where it is infinite.
    points : int

    Returns
    -------
    tau2, loglik : arrays of shape (points,)
    """
    far = 1.3 * upper if 0 < upper < inf else 4 * float(np.median(vi))
    at = np.linspace(0, far, points)
    y, v, x = yi[:, np.newaxis], vi[:, np.newaxis], intercept(yi.size)
    return at, np.array([loglik(y, v, x, t, restricted=method == "REML") for t in at])


def _design(yi: Array, x: Array | None) -> Array:
    """The design; refuses one with as many coefficients as studies."""
    design = intercept(yi.size) if x is None else x
    k, p = design.shape
    if k <= p:
        raise PoolError(f"tau2 of {p} coefficients needs more than {p} studies; got {k}.")
    return design


def _lower(fallen: Callable[[float], float], tau2: float) -> float:
    """The lower limit: 0, or where the likelihood has fallen far enough."""
    if tau2 == 0 or fallen(0.0) <= 0:
        return 0.0
    return float(optimize.brentq(fallen, 0.0, tau2, xtol=_CLOSE, rtol=_CLOSE))


def _upper(fallen: Callable[[float], float], tau2: float) -> float:
    """The upper limit, infinite where the likelihood never falls far enough."""
    inner, outer = tau2, max(2 * tau2, 1e-3)
    while fallen(outer) < 0:
        inner, outer = outer, 2 * outer
        if outer > _FAR:
            return inf
    return float(optimize.brentq(fallen, inner, outer, xtol=_CLOSE, rtol=_CLOSE))


def se_tau2(
    yi: Array, vi: Array, method: str, *, tau2: float | None = None, x: Array | None = None
) -> float:
    """Return the standard error of an estimator of tau2.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and their variances.
    method : str
        A code of `ESTIMATORS` but EE.
    tau2 : float, optional
        Its value; estimated if not given.
    x : array of shape (k, p), optional
        The design of a meta-regression; a mean by default.

    Raises
    ------
    PoolError
        If the method estimates no tau2.

    References
    ----------
    Viechtbauer (2005), *J Educ Behav Stat* 30:261 (ML, REML, HE, HS, DL); SJ and PM by the same
    moments of quadratic forms. metafor: ``rma(yi, vi, method=)$se.tau2``.
    """
    if method not in _VARIANCES:
        raise PoolError(f"{method} estimates no tau2; known: {', '.join(_VARIANCES)}.")
    design = _design(yi, x)
    y, v, scale = scaled(yi[:, np.newaxis], vi[:, np.newaxis])
    s2 = float(scale[0]) ** 2
    value = float(ESTIMATORS[method].solve(y, v, design)[0]) if tau2 is None else tau2 / s2
    return s2 * sqrt(_VARIANCES[method](y[:, 0], v[:, 0], design, max(value, 0.0)))


def _residual(w: Array, x: Array) -> Array:
    """P = W - W X (X'WX)^-1 X'W."""
    weighted = w[:, np.newaxis] * x
    inner = np.linalg.solve(x.T @ weighted, weighted.T)
    return np.asarray(np.diag(w) - weighted @ inner)


def _quadratic(p: Array, v: Array, tau2: float) -> float:
    """The variance of y'Py with var(y) = diag(v + tau2)."""
    weighted = p * (v + tau2)
    return float(2 * (weighted * weighted.T).sum())


def _of_moments(y: Array, v: Array, x: Array, tau2: float) -> float:
    """DL: Q with weights 1/v over the trace of P."""
    p = _residual(1 / v, x)
    return _quadratic(p, v, tau2) / float(np.trace(p)) ** 2


def _of_hunter_schmidt(y: Array, v: Array, x: Array, tau2: float) -> float:
    """HS: Q with weights 1/v over their sum."""
    return _quadratic(_residual(1 / v, x), v, tau2) / float((1 / v).sum()) ** 2


def _of_corrected(y: Array, v: Array, x: Array, tau2: float) -> float:
    """HSk: that of HS, times (k / (k - p))^2."""
    k, p = x.shape
    return float((k / (k - p)) ** 2 * _of_hunter_schmidt(y, v, x, tau2))


def _of_hedges(y: Array, v: Array, x: Array, tau2: float) -> float:
    """HE: the residual variance without weights."""
    k, p = x.shape
    return float(_quadratic(_residual(np.ones(k), x), v, tau2) / (k - p) ** 2)


def _of_sidik_jonkman(y: Array, v: Array, x: Array, tau2: float) -> float:
    """SJ: Q with weights 1/(v + start), times start / (k - p)."""
    k, p = x.shape
    start = float(np.var(y))
    return float(_quadratic(_residual(1 / (v + start), x), v, tau2) * (start / (k - p)) ** 2)


def _of_ml(y: Array, v: Array, x: Array, tau2: float) -> float:
    """ML: the inverse expected information."""
    return 2 / float(((v + tau2) ** -2).sum())


def _of_reml(y: Array, v: Array, x: Array, tau2: float) -> float:
    """REML: the inverse expected information."""
    return 2 / float((_residual(1 / (v + tau2), x) ** 2).sum())


def _of_paule_mandel(y: Array, v: Array, x: Array, tau2: float) -> float:
    """PM and EB: the variance of Q at tau2, 2 (k - p), by its slope."""
    k, p = x.shape
    return float(2 * k**2 / (k - p) / float((1 / (v + tau2)).sum()) ** 2)


_VARIANCES: Mapping[str, Callable[[Array, Array, Array, float], float]] = {
    "DL": _of_moments,
    "HE": _of_hedges,
    "HS": _of_hunter_schmidt,
    "HSk": _of_corrected,
    "SJ": _of_sidik_jonkman,
    "ML": _of_ml,
    "REML": _of_reml,
    "EB": _of_paule_mandel,
    "PM": _of_paule_mandel,
}
