"""Likelihoods of counts with normal random effects, by adaptive Gauss-Hermite quadrature.

A study has one or two counts, each from a natural exponential family with a canonical link:
log-likelihood y * eta - B(eta) without its constant. The linear predictor is a sum of shared
coefficients, at most one coefficient of the study's own, and independent normal random effects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import log

import numpy as np
from numpy.polynomial.hermite import hermgauss
from scipy.special import expit, gammaln, logsumexp, xlogy

from pipeline.pool.linear import Array

#: B and its first two derivatives at predictors of shape (studies, counts, points).
Cumulant = Callable[[Array], tuple[Array, Array, Array]]

#: Newton's steps for the modes of the random effects, and halvings of each.
_STEPS = 60

#: A mode has been found when no step moves it by more than this (random effects have variance 1).
_MODE = 1e-11

#: A step may lower a log-likelihood by this share, which is rounding.
_ROUNDING = 1e-9

#: Beyond this a mean of counts overflows.
_LARGEST = 700.0


@dataclass(frozen=True, slots=True)
class Family:
    """The distribution of counts given their predictors.

    `saturated` (studies, counts) are the largest log-likelihoods of the counts, and `initial` the
    predictors from which R's ``glm`` starts; None where a study's counts have no closed form.
    """

    cumulant: Cumulant
    saturated: Array | None = None
    initial: Array | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """Counts `y` (studies, counts), their offsets and family, and what their predictors hold.

    `shared` (coefficients, counts) and `random` (effects, counts) hold the multipliers of shared
    coefficients and random effects, the same for all studies; `own` (counts,) that of the study's
    own coefficient, None without one. The parameters are the shared coefficients and then the
    standard deviation of each random effect. `nodes` points an effect; 1 is Laplace's
    approximation.
    """

    y: Array
    offset: Array
    family: Family
    shared: Array
    random: Array
    own: Array | None = None
    nodes: int = 7


def binomial(y: Array, n: Array) -> Family:
    """Return the binomial family with logit link of counts `y` of `n` (studies, counts)."""

    def cumulant(eta: Array) -> tuple[Array, Array, Array]:
        p, size = expit(eta), n[..., np.newaxis]
        return size * np.logaddexp(0, eta), size * p, size * p * (1 - p)

    saturated = xlogy(y, y) + xlogy(n - y, n - y) - xlogy(n, n)
    initial = np.log((y + 0.5) / (n - y + 0.5))
    return Family(cumulant, np.asarray(saturated, float), np.asarray(initial, float))


def poisson(y: Array) -> Family:
    """Return the Poisson family with log link of counts `y` (studies, counts)."""

    def cumulant(eta: Array) -> tuple[Array, Array, Array]:
        mean = np.exp(np.minimum(eta, _LARGEST))
        return mean, mean, mean

    return Family(cumulant, np.asarray(xlogy(y, y) - y, float), np.log(y + 0.1))


def hypergeometric(a: Array, b: Array, c: Array, d: Array) -> Family:
    """Return the family of `a` given all margins; the predictor is the log odds ratio.

    Fisher's noncentral hypergeometric distribution, summed over its whole support.
    """
    supports = [
        np.arange(max(0.0, ai - di), min(ai + bi, ai + ci) + 1)
        for ai, bi, ci, di in zip(a, b, c, d, strict=True)
    ]
    starts = np.cumsum([0, *(len(t) for t in supports[:-1])])
    sizes = [len(t) for t in supports]
    t = np.concatenate(supports)
    columns = [np.repeat(x, sizes) for x in (a + b, c + d, a + c)]
    weight = _log_choose(columns[0], t) + _log_choose(columns[1], columns[2] - t)

    def cumulant(eta: Array) -> tuple[Array, Array, Array]:
        logs = weight[:, np.newaxis] + t[:, np.newaxis] * np.repeat(eta[:, 0, :], sizes, axis=0)
        top = np.maximum.reduceat(logs, starts, axis=0)
        p = np.exp(logs - np.repeat(top, sizes, axis=0))
        total = np.add.reduceat(p, starts, axis=0)
        mean = np.add.reduceat(p * t[:, np.newaxis], starts, axis=0) / total
        away = (t[:, np.newaxis] - np.repeat(mean, sizes, axis=0)) ** 2
        variance = np.add.reduceat(p * away, starts, axis=0) / total
        return (
            (top + np.log(total))[:, np.newaxis],
            mean[:, np.newaxis],
            variance[:, np.newaxis],
        )

    return Family(cumulant)


def _log_choose(n: Array, t: Array) -> Array:
    """The log of the binomial coefficient."""
    return np.asarray(gammaln(n + 1) - gammaln(t + 1) - gammaln(n - t + 1))


def logliks(model: Model, shared: Array, own: Array) -> Array:
    """Return each study's log-likelihood, its random effects integrated out.

    Adaptive Gauss-Hermite quadrature with `model.nodes` points an effect (1: Laplace's
    approximation), centred at the mode and scaled by the curvature there: Pinheiro and Bates
    (1995), *J Comput Graph Stat* 4:12; lme4's ``glmer(nAGQ=)``.
    """
    m = model.shared.shape[0]
    fixed = model.offset + shared[:m] @ model.shared
    if model.own is not None:
        fixed = fixed + own[:, np.newaxis] * model.own
    if model.random.shape[0] == 0:
        return _conditional(model, fixed[..., np.newaxis])[:, 0]
    z = model.random * shared[m:, np.newaxis]
    mode, lower = _modes(model, fixed, z)
    x, log_weights = _nodes(model.nodes, z.shape[0])
    # Points u = mode + sqrt(2) L^-T x, shape (studies, effects, points).
    u = mode[..., np.newaxis] + np.sqrt(2) * np.linalg.solve(lower.transpose(0, 2, 1), x)
    inside = _conditional(model, fixed[..., np.newaxis] + _effects(u, z)) - (u**2).sum(axis=1) / 2
    determinant = np.log(np.einsum("krr->kr", lower)).sum(axis=1)
    return np.asarray(logsumexp(inside + log_weights, axis=1) - determinant)


@cache
def _nodes(n: int, effects: int) -> tuple[Array, Array]:
    """Gauss-Hermite points (effects, points) and the logs of their weights for a normal density."""
    x, w = hermgauss(n)
    points = np.array(list(product(x, repeat=effects))).T
    weights = np.array(list(product(np.log(w) + x**2, repeat=effects))).sum(axis=1)
    return points, weights - effects / 2 * log(np.pi)


def _conditional(model: Model, eta: Array) -> Array:
    """The log-likelihood of each study at each point, given the predictors."""
    value = model.y[..., np.newaxis] * eta - model.family.cumulant(eta)[0]
    return np.asarray(value.sum(axis=1))


def _effects(u: Array, z: Array) -> Array:
    """Random effects (studies, effects, points) as they enter each count."""
    return np.asarray(np.einsum("krn,ra->kan", u, z))


def _modes(model: Model, fixed: Array, z: Array) -> tuple[Array, Array]:
    """The most likely random effects of each study and the Cholesky factor of their curvature."""
    u = np.zeros((fixed.shape[0], z.shape[0]))
    best = _joint(model, fixed, z, u)
    for _ in range(_STEPS):
        score, curvature = _slopes(model, fixed, z, u)
        step = np.linalg.solve(curvature, score[..., np.newaxis])[..., 0]
        for _ in range(_STEPS):
            value = _joint(model, fixed, z, u + step)
            worse = value < best - _ROUNDING * (1 + np.abs(best))
            if not worse.any():
                break
            step[worse] /= 2
        u, best = u + step, value
        if np.abs(step).max() < _MODE:
            break
    curvature = np.asarray(_slopes(model, fixed, z, u)[1], dtype=float)
    return u, np.asarray(np.linalg.cholesky(curvature), dtype=float)


def _joint(model: Model, fixed: Array, z: Array, u: Array) -> Array:
    """The log-likelihood of counts and random effects together."""
    eta = fixed[..., np.newaxis] + _effects(u[..., np.newaxis], z)
    return np.asarray(_conditional(model, eta)[:, 0] - (u**2).sum(axis=1) / 2)


def _slopes(model: Model, fixed: Array, z: Array, u: Array) -> tuple[Array, Array]:
    """The gradient of `_joint` by the random effects, and the negative of its Hessian."""
    eta = fixed[..., np.newaxis] + _effects(u[..., np.newaxis], z)
    _, mean, variance = model.family.cumulant(eta)
    score = (model.y - mean[..., 0]) @ z.T - u
    curvature = np.einsum("ra,ka,sa->krs", z, variance[..., 0], z) + np.eye(z.shape[0])
    return score, curvature
