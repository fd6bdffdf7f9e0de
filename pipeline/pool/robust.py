"""Cluster-robust standard errors of weighted models, with few clusters in mind."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.laws import coefficient
from pipeline.pool.linear import Array, intercept
from pipeline.pool.nested import Nested, Positions, nested
from pipeline.schema import Coefficient

#: Below this many degrees of freedom the t test of CR2 is too liberal (Tipton 2015).
FEW = 4.0

#: An eigenvalue below this share of the largest is 0.
_RANK = 1e-12

ADJUSTMENTS = ("CR0", "CR1", "CR2")


@dataclass(frozen=True, slots=True)
class Robust:
    """Coefficients with cluster-robust standard errors; their `df` are Satterthwaite's for CR2."""

    adjustment: str
    level: float
    k: int
    clusters: int
    coefficients: tuple[Coefficient, ...]
    vcov: tuple[tuple[float, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    """A cluster's rows: design, working covariance, weights times design, residuals."""

    rows: Positions
    x: Array
    working: Array
    wx: Array
    residuals: Array


def robust(
    yi: Array,
    vi: Array,
    clusters: Sequence[Hashable],
    *,
    sigma2: tuple[float, float] = (0.0, 0.0),
    studies: Sequence[Hashable] | None = None,
    x: Array | None = None,
    names: Sequence[str] = ("intercept",),
    adjustment: str = "CR2",
    level: float = 0.95,
) -> Robust:
    """Return coefficients whose standard errors allow for dependence within clusters.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances.
    clusters : sequence of k labels
    sigma2 : (float, float)
        The fitted variances between clusters and within: of a `ThreeLevel` its `sigma2`, of a
        random-effects model (0, tau2), of equal effects (0, 0). They make the weights and are the
        working model of CR2.
    studies : sequence of k labels, optional
        Of a three-level model; each effect its own by default.
    x, names :
        The design of a meta-regression and the columns' names; a mean by default.
    adjustment : {"CR2", "CR1", "CR0"}
        CR2 is unbiased where the working model holds, its t has Satterthwaite's degrees of
        freedom. CR1 multiplies CR0 by J / (J - p) of J clusters; both have J - p.
    level : float
        Of the intervals, between 0 and 1.

    Raises
    ------
    PoolError
        If clusters do not outnumber the coefficients or a standard error is 0.

    References
    ----------
    Hedges, Tipton and Johnson (2010), *Res Synth Methods* 1:39; CR2 and its degrees of freedom:
    Pustejovsky and Tipton (2018), *J Bus Econ Stat* 36:672. metafor:
    ``robust(fit, cluster, adjust=, clubSandwich=)``.
    """
    if adjustment not in ADJUSTMENTS:
        raise PoolError(f"Unknown adjustment {adjustment}; known: {', '.join(ADJUSTMENTS)}.")
    design = intercept(yi.size) if x is None else x
    nesting = nested(vi, clusters, studies)
    count, p = int(nesting.cluster.max()) + 1, design.shape[1]
    if count <= p:
        raise PoolError(f"{count} clusters cannot carry {p} coefficients.")
    beta, bread, blocks = _fitted(yi, design, nesting, sigma2)
    adjusted = [_adjusted(block, bread, adjustment) for block in blocks]
    scores = np.array([a.T @ b.residuals for a, b in zip(adjusted, blocks, strict=True)])
    vcov = bread @ scores.T @ scores @ bread
    if adjustment == "CR1":
        vcov *= count / (count - p)
    freedom = [float(count - p)] * p
    if adjustment == "CR2":
        freedom = _satterthwaite(bread, blocks, adjusted)
    coefficients = tuple(
        _coefficient(name, float(b), float(variance), df, level)
        for name, b, variance, df in zip(names, beta, np.diag(vcov), freedom, strict=True)
    )
    notes = _notes(coefficients) if adjustment == "CR2" else ()
    return Robust(adjustment, level, yi.size, count, coefficients, tuple(map(tuple, vcov)), notes)


def _fitted(
    yi: Array, design: Array, nesting: Nested, sigma2: tuple[float, float]
) -> tuple[Array, Array, list[_Block]]:
    """Weighted least squares: coefficients, (X'WX)^-1, and the clusters."""
    between, within = sigma2
    count = int(nesting.cluster.max()) + 1
    parts = [nesting.block(i, between, within) for i in range(count)]
    weighted: list[Array] = [
        np.asarray(np.linalg.solve(m, design[rows]), dtype=float) for rows, m in parts
    ]
    pairs = list(zip(parts, weighted, strict=True))
    information = np.sum([design[rows].T @ wx for (rows, _), wx in pairs], axis=0)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise PoolError("The moderators repeat each other or do not vary.")
    bread = np.linalg.inv(information)
    beta = bread @ np.sum([wx.T @ yi[rows] for (rows, _), wx in pairs], axis=0)
    rest = yi - design @ beta
    blocks = [_Block(rows, design[rows], working, wx, rest[rows]) for (rows, working), wx in pairs]
    return beta, bread, blocks


def _adjusted(block: _Block, bread: Array, adjustment: str) -> Array:
    """Weights times design of a cluster, after CR2's adjustment of its residuals."""
    if adjustment != "CR2":
        return block.wx
    # Where the weights invert the working model, cov(residuals) = working - X (X'WX)^-1 X'.
    factor = np.linalg.cholesky(block.working).T
    inner = block.working - block.x @ bread @ block.x.T
    root = _inverse_root(factor @ inner @ factor.T)
    return np.asarray(factor.T @ root @ factor @ block.wx)


def _inverse_root(matrix: Array) -> Array:
    """The symmetric inverse square root, of what has rank."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > _RANK * max(float(values.max()), 0.0)
    scaled = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    return np.asarray((vectors * scaled) @ vectors.T)


def _satterthwaite(
    bread: Array, blocks: Sequence[_Block], adjusted: Sequence[Array]
) -> list[float]:
    """Degrees of freedom of each coefficient's CR2 variance under the working model."""
    found = []
    for c in bread.T:
        # Residuals are (I - H) y; g_j = (I - H)' a_j, and P_ij = g_i' working g_j.
        own = [a @ c for a in adjusted]
        shares = np.array([b.x.T @ a for b, a in zip(blocks, own, strict=True)])
        diagonal = [a @ b.working @ a for b, a in zip(blocks, own, strict=True)]
        p = np.diag(diagonal) - shares @ bread @ shares.T
        found.append(float(np.trace(p) ** 2 / (p**2).sum()))
    return found


def _coefficient(
    name: str, estimate: float, variance: float, df: float, level: float
) -> Coefficient:
    """A coefficient with its test."""
    if not (isfinite(variance) and variance > 0 and isfinite(df)):
        raise PoolError(f"The coefficient of {name} has no robust standard error: {variance:g}.")
    return coefficient(name, estimate, float(np.sqrt(variance)), df, level)


def _notes(coefficients: Sequence[Coefficient]) -> tuple[str, ...]:
    """Which tests have too few degrees of freedom."""
    few = [c for c in coefficients if c.df is not None and c.df < FEW]
    return tuple(
        f"{c.name}: {c.df:.1f} degrees of freedom; below {FEW:g} the p value is too small "
        "(Tipton 2015)."
        for c in few
    )
