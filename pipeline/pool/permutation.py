"""Tests pooled effects and moderators by permutation, which needs no normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import numpy.typing as npt

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.columns import checked, fit_columns, usable_test, variance_factor
from pipeline.pool.estimators import tau2_of
from pipeline.pool.linear import Array, wls
from pipeline.pool.scale import scaled, zeroed

#: All sign flips (13 studies have 8,192) or orders (7 have 5,040) up to this number, else a sample.
EXACT = 8192

#: Statistics this close are ties: metafor's comptol.
_TIE = float(np.sqrt(np.finfo(float).eps))

#: Numbers fitted in one go.
_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Permutation:
    """A permutation test: `pval` of each coefficient and, with moderators, of all together.

    `exact` where all `nperm` permutations were tried; else the observed order counts as one of
    them, so that no p value is 0. `stat` are the observed statistics.
    """

    nperm: int
    exact: bool
    stat: tuple[float, ...]
    pval: tuple[float, ...]
    qm: float | None = None
    qm_pval: float | None = None


def permutest(
    yi: Array, vi: Array, spec: ModelSpec, *, nperm: int = EXACT, seed: int = 0
) -> Permutation:
    """Test the pooled effect by flipping the signs of effects.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects, symmetric around 0 if there is no effect, and sampling variances.
    spec : ModelSpec
        The model whose statistic is permuted.
    nperm : int
        All 2^k flips are tried where they are no more than this, else as many drawn.
    seed : int
        Of the draw.

    References
    ----------
    Follmann and Proschan (1999), *Biometrics* 55:732. metafor: ``permutest.rma.uni``.
    """
    yi, vi = checked(yi, vi, 2, "A permutation test")
    observed = float(fit_columns(yi[:, np.newaxis], vi[:, np.newaxis], spec).stat[0])
    exact = 2**yi.size <= nperm
    signs = _all_signs(yi.size) if exact else _drawn_signs(yi.size, nperm, seed)
    flipped = yi[:, np.newaxis] * signs
    tried = fit_columns(flipped, np.broadcast_to(vi[:, np.newaxis], flipped.shape), spec).stat
    pval = _share(tried[:, np.newaxis], np.array([observed]))
    return Permutation(signs.shape[1], exact, (observed,), pval)


def _all_signs(k: int) -> Array:
    """All flips of k signs, one a column; none flipped comes first."""
    bits = (np.arange(2**k) >> np.arange(k)[:, np.newaxis]) & 1
    return np.asarray(1.0 - 2.0 * bits, dtype=float)


def _drawn_signs(k: int, number: int, seed: int) -> Array:
    """Flips at random after none at all."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], size=(k, number))
    signs[:, 0] = 1
    return signs


def _share(tried: Array, observed: Array) -> tuple[float, ...]:
    """Twice the share of statistics as far from 0 as observed, on its side; at most 1."""
    side = np.where(observed > 0, 1, -1)
    beyond = (tried * side >= observed * side - _TIE).mean(axis=0)
    return tuple(float(p) for p in np.minimum(2 * beyond, 1))


def permutest_mods(
    yi: Array, vi: Array, design: Array, spec: ModelSpec, *, nperm: int = EXACT, seed: int = 0
) -> Permutation:
    """Test moderators by giving studies the moderators of others.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances, which stay together.
    design : array of shape (k, p)
        A row a study; its first column is that of ones, which no permutation changes.
    spec, nperm, seed :
        As of `permutest`; all k! orders are tried where they are no more than `nperm`.

    Raises
    ------
    PoolError
        If there are no moderators, or too few studies for them.

    References
    ----------
    Higgins and Thompson (2004), *Stat Med* 23:1663. metafor: ``permutest.rma.uni``.
    """
    yi, vi = checked(yi, vi, 3, "A permutation test of moderators")
    k, p = design.shape
    if not (k == yi.size and 1 < p < k and np.all(design[:, 0] == 1)):
        raise PoolError(f"A design of {design.shape} does not fit {yi.size} studies.")
    exact = factorial(min(k, 20)) <= nperm
    orders = _all_orders(k) if exact else _drawn_orders(k, nperm, seed)
    stat, qm = _statistics(yi, vi, design, orders, spec)
    beyond = float((qm >= qm[0] - _TIE).mean())
    pval = _share(stat, stat[0])
    return Permutation(
        len(orders), exact, tuple(float(s) for s in stat[0]), pval, float(qm[0]), beyond
    )


def _all_orders(k: int) -> npt.NDArray[np.int64]:
    """All orders of k studies, the given one first."""
    return np.array(list(permutations(range(k))), dtype=np.int64)


def _drawn_orders(k: int, number: int, seed: int) -> npt.NDArray[np.int64]:
    """Orders at random after the given one."""
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.tile(np.arange(k), (number, 1)), axis=1)
    orders[0] = np.arange(k)
    return orders.astype(np.int64)


def _statistics(
    yi: Array, vi: Array, design: Array, orders: npt.NDArray[np.int64], spec: ModelSpec
) -> tuple[Array, Array]:
    """The statistics of the coefficients (orders, p) and of all moderators (orders,)."""
    step = max(1, _CHUNK // design.size)
    pieces = [
        _fitted(yi[rows].T, vi[rows].T, design, spec)
        for rows in (orders[i : i + step] for i in range(0, len(orders), step))
    ]
    return np.concatenate([s for s, _ in pieces]), np.concatenate([q for _, q in pieces])


def _fitted(y: Array, v: Array, design: Array, spec: ModelSpec) -> tuple[Array, Array]:
    """`_statistics` of what fits into memory."""
    y, v, _ = scaled(y, v)
    test = usable_test(spec)
    k, p = design.shape
    x = design / np.abs(design).max(axis=0)
    fit = wls(y, 1 / (v + zeroed(tau2_of(y, v, spec.method, x))), x)
    cov = fit.cov * variance_factor(fit.q, k - p, test)[:, np.newaxis, np.newaxis]
    stat = fit.beta / np.sqrt(np.einsum("dpp->dp", cov))
    moderators = fit.beta[:, 1:, np.newaxis]
    solved = np.linalg.solve(cov[:, 1:, 1:], moderators)
    qm = (moderators * solved).sum(axis=(1, 2))
    return stat, qm if test == "z" else qm / (p - 1)
