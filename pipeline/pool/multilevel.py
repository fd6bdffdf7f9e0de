"""Three-level models: effects nested in studies or clusters, which differ among themselves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log, pi, sqrt

import numpy as np
from scipy import optimize, stats

from pipeline.errors import PoolError
from pipeline.pool.climb import climb
from pipeline.pool.laws import coefficient
from pipeline.pool.linear import Array, intercept, wls
from pipeline.pool.nested import Nested, Positions, nested
from pipeline.pool.scale import scaled
from pipeline.schema import Coefficient

#: Standard deviations from which a search may begin, where typical effects vary by about 1.
_GRID = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5)

#: A variance this small, where typical ones are about 1, is the boundary 0.
_ZERO = 1e-10

#: Beyond this an upper limit of a variance is infinite.
_FAR = 1e8

METHODS = ("REML", "ML")


@dataclass(frozen=True, slots=True)
class ThreeLevel:
    """A three-level model.

    `sigma2` are the variances between clusters and, within them, between studies; `sigma2_ci`
    their profile-likelihood intervals, upper limits None where the likelihood gives none. `i2` is
    the share of both in percent, `i2_levels` that of each, beside the typical sampling variance.
    `pi_*` is the prediction interval of a model with a mean alone. `loglik` is metafor's, of the
    restricted likelihood with REML.
    """

    method: str
    test: str
    level: float
    k: int
    clusters: int
    coefficients: tuple[Coefficient, ...]
    vcov: tuple[tuple[float, ...], ...]
    sigma2: tuple[float, float]
    sigma2_ci: tuple[tuple[float, float | None], tuple[float, float | None]] | None
    i2: float
    i2_levels: tuple[float, float]
    q: float
    q_df: int
    q_pval: float
    loglik: float
    pi_lb: float | None
    pi_ub: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Data:
    """Scaled effects with their design, nesting and likelihood."""

    y: Array
    x: Array
    nesting: Nested
    restricted: bool

    def fit(self, sds: Array) -> tuple[Array, Array, float]:
        """Coefficients, their covariance, and the log-likelihood at standard deviations."""
        z = np.column_stack([self.x, self.y])
        product, determinant = self.nesting.moments(z, float(sds[0] ** 2), float(sds[1] ** 2))
        p = self.x.shape[1]
        information, right = product[:p, :p], product[:p, p]
        covariance = np.asarray(np.linalg.inv(information), dtype=float)
        beta = covariance @ right
        value = determinant + product[p, p] - right @ beta + self.y.size * log(2 * pi)
        if self.restricted:
            logdets = (np.linalg.slogdet(m)[1] for m in (information, self.x.T @ self.x))
            value += next(logdets) - next(logdets) - p * log(2 * pi)
        return beta, covariance, float(-value / 2)

    def loglik(self, sds: Array) -> float:
        """The log-likelihood at standard deviations."""
        return self.fit(sds)[2]


def three_level(
    yi: Array,
    vi: Array,
    clusters: Sequence[Hashable],
    *,
    studies: Sequence[Hashable] | None = None,
    x: Array | None = None,
    names: Sequence[str] = ("intercept",),
    method: str = "REML",
    test: str = "t",
    level: float = 0.95,
    profile: bool = False,
) -> ThreeLevel:
    """Fit a three-level model by (restricted) maximum likelihood.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and their sampling variances, taken as independent given both levels.
    clusters : sequence of k labels
        Which effects belong together, e.g. the report, laboratory or district.
    studies : sequence of k labels, optional
        Within clusters; each effect its own by default.
    x : array of shape (k, p), optional
        The design of a meta-regression with the columns' `names`; a mean by default.
    method : {"REML", "ML"}
    test : {"t", "z"}
        t has p degrees of freedom less than there are clusters, for coefficients whose columns
        vary within clusters p less than there are studies or effects, and 1 or more.
    level : float
        Of the intervals, between 0 and 1.
    profile : bool
        Whether to search the profile-likelihood intervals of both variances.

    Raises
    ------
    PoolError
        If there are too few clusters or effects, or every cluster has one effect, where the two
        variances cannot be told apart.

    References
    ----------
    Konstantopoulos (2011), *Res Synth Methods* 2:61; Cheung (2014), *Psychol Methods* 19:211.
    metafor: ``rma.mv(yi, vi, random = ~ 1 | cluster/study, test=, dfs="contain")``.
    """
    design = intercept(yi.size) if x is None else x
    data, scale = _prepared(yi, vi, clusters, studies, design, method, test)
    sds, loglik = _search(data)
    sigma2 = np.where(sds**2 < _ZERO, 0.0, sds**2)
    beta, covariance, _ = data.fit(np.sqrt(sigma2))
    freedom = _freedom(design, data.nesting, test)
    coefficients = _coefficients(beta, covariance, names, freedom, level, scale)
    fixed = wls(data.y[:, np.newaxis], 1 / data.nesting.v[:, np.newaxis], design)
    k, p = design.shape
    typical = float(fixed.typical[0])
    shares = 100 * sigma2 / (sigma2.sum() + typical)
    low, high = _prediction(coefficients, float(sigma2.sum()) * scale**2, level)
    jacobian = (k - (p if method == "REML" else 0)) * log(scale)
    return ThreeLevel(
        method=method,
        test=test,
        level=level,
        k=k,
        clusters=int(data.nesting.cluster.max()) + 1,
        coefficients=coefficients,
        vcov=tuple(map(tuple, covariance * scale**2)),
        sigma2=(float(sigma2[0]) * scale**2, float(sigma2[1]) * scale**2),
        sigma2_ci=_intervals(data, sds, loglik, level, scale**2) if profile else None,
        i2=float(shares.sum()),
        i2_levels=(float(shares[0]), float(shares[1])),
        q=float(fixed.q[0]),
        q_df=k - p,
        q_pval=float(stats.chi2.sf(fixed.q[0], k - p)),
        loglik=loglik - jacobian,
        pi_lb=low,
        pi_ub=high,
        notes=_notes(sigma2),
    )


def _prepared(
    yi: Array,
    vi: Array,
    clusters: Sequence[Hashable],
    studies: Sequence[Hashable] | None,
    design: Array,
    method: str,
    test: str,
) -> tuple[_Data, float]:
    """The data brought to a scale of about 1, checked, and that scale."""
    if method not in METHODS or test not in ("t", "z"):
        raise PoolError(f"A three-level model has REML and ML, t and z; not {method}, {test}.")
    p = design.shape[1]
    y, v, scale = scaled(yi[:, np.newaxis], vi[:, np.newaxis])
    nesting = nested(v[:, 0], clusters, studies)
    count = int(nesting.cluster.max()) + 1
    if count <= p:
        raise PoolError(f"{count} clusters cannot carry {p} coefficients.")
    if nesting.cluster.size == count:
        raise PoolError(
            f"Each of the {count} clusters has one study: their variances cannot be told apart."
        )
    if np.linalg.matrix_rank(design) < p:
        raise PoolError("The moderators repeat each other or do not vary.")
    return _Data(y[:, 0], design, nesting, method == "REML"), float(scale[0])


def _search(data: _Data) -> tuple[Array, float]:
    """The best standard deviations: from the best of a grid, uphill."""
    points = [np.array([a, b]) for a in _GRID for b in _GRID]
    # Not at an edge, where the slope is 0 by symmetry.
    best = np.maximum(max(points, key=data.loglik), _GRID[1] / 2)
    return climb(data.loglik, best)


def _freedom(design: Array, nesting: Nested, test: str) -> list[float | None]:
    """Degrees of freedom of each coefficient, None for z: metafor's containment."""
    k, p = design.shape
    if test == "z":
        return [None] * p
    found: list[float | None] = []
    for column in design.T:
        levels = k
        for groups in (nesting.study, nesting.of_row):
            if _constant(column, groups):
                levels = int(groups.max()) + 1
        found.append(float(max(levels - p, 1)))
    return found


def _constant(column: Array, groups: Positions) -> bool:
    """Whether a column has one value in each group."""
    first = np.zeros(int(groups.max()) + 1)
    first[groups[::-1]] = column[::-1]
    return bool((first[groups] == column).all())


def _coefficients(
    beta: Array,
    covariance: Array,
    names: Sequence[str],
    freedom: Sequence[float | None],
    level: float,
    scale: float,
) -> tuple[Coefficient, ...]:
    """Each coefficient with its interval and test."""
    errors = np.sqrt(np.diag(covariance))
    return tuple(
        coefficient(name, float(b) * scale, float(se) * scale, df, level)
        for name, b, se, df in zip(names, beta, errors, freedom, strict=True)
    )


def _prediction(
    coefficients: Sequence[Coefficient], sigma2: float, level: float
) -> tuple[float | None, float | None]:
    """The prediction interval of a new effect in a new cluster; none in a meta-regression."""
    if len(coefficients) > 1:
        return None, None
    only = coefficients[0]
    law = stats.norm if only.df is None else stats.t(only.df)
    half = float(law.ppf(0.5 + level / 2)) * sqrt(sigma2 + only.se**2)
    return only.estimate - half, only.estimate + half


def _notes(sigma2: Array) -> tuple[str, ...]:
    """Which variances are at their boundary."""
    levels = ("between clusters", "between studies within clusters")
    return tuple(
        f"The variance {name} is estimated at its boundary, 0."
        for name, value in zip(levels, sigma2, strict=True)
        if value == 0
    )


def _intervals(
    data: _Data, sds: Array, top: float, level: float, s2: float
) -> tuple[tuple[float, float | None], tuple[float, float | None]]:
    """Profile-likelihood intervals of both variances: the other is searched at each value."""
    quantile = float(stats.chi2.ppf(level, 1))
    first, second = (
        _interval(partial(_fallen, data, sds, top, quantile, j), float(sds[j] ** 2)) for j in (0, 1)
    )
    return _unscaled(first, s2), _unscaled(second, s2)


def _unscaled(limits: tuple[float, float | None], s2: float) -> tuple[float, float | None]:
    """Limits of a variance in the unit of the data."""
    low, high = limits
    return low * s2, None if high is None else high * s2


def _fallen(data: _Data, sds: Array, top: float, quantile: float, j: int, value: float) -> float:
    """How far twice the likelihood has fallen below its limit where variance j has a value."""

    def other(free: Array) -> float:
        both = np.array([sqrt(value), free[0]]) if j == 0 else np.array([free[0], sqrt(value)])
        return data.loglik(both)

    starts = (max(float(abs(sds[1 - j])), _GRID[1] / 2), _GRID[4])
    best = max(climb(other, np.array([start]))[1] for start in starts)
    return 2 * (top - best) - quantile


def _interval(fallen: Callable[[float], float], estimate: float) -> tuple[float, float | None]:
    """The limits around an estimate; None where there is no upper one."""
    low = 0.0
    if estimate > _ZERO and fallen(0.0) > 0:
        low = float(optimize.brentq(fallen, 0.0, estimate, xtol=1e-12))
    inner, outer = estimate, max(2 * estimate, 0.01)
    while fallen(outer) < 0:
        inner, outer = outer, 2 * outer
        if outer > _FAR:
            return low, None
    return low, float(optimize.brentq(fallen, inner, outer, xtol=1e-12))
