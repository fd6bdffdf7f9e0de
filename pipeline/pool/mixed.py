"""The maximum of a likelihood of counts with normal random effects, and its curvature there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.linear import Array
from pipeline.pool.quadrature import Model, logliks

#: Newton's steps before the search is given up.
_STEPS = 200

#: The search ends when a step promises less than this share of the log-likelihood.
_GAIN = 1e-13

#: A step that must be halved more often than to this share of itself leads nowhere.
_SHORTEST = 1e-10

#: The surface bends up where an eigenvalue is this share of the largest, and how far to go then.
_BENT = 1e-7
_KICK = 0.2

#: Width of the finite differences, on the logit or log scale; errors are of order width^4.
_WIDTH = 1e-2

#: A study's own coefficient with less information than this is at infinity (separation).
_FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class Optimum:
    """A maximum: shared parameters, own coefficients, log-likelihood, and its curvature.

    `information` is that of the shared parameters after the studies' own coefficients;
    `own_information` (studies,) and `cross` (studies, parameters) belong to the latter. Own
    coefficients at infinity are marked by NaN in `own_information`.
    """

    shared: Array
    own: Array
    loglik: float
    information: Array
    own_information: Array
    cross: Array


def maximum(model: Model, shared: Array, own: Array) -> Optimum:
    """Return the maximum of the likelihood, searched from the given parameters.

    Newton's method with halved steps. Where the surface is not concave the step goes uphill along
    the flipped curvature. Standard deviations may turn negative on the way: the likelihood is even
    in each of them.

    Raises
    ------
    PoolError
        If the search does not end.
    """
    value = float(logliks(model, shared, own).sum())
    for _ in range(_STEPS):
        slope = _Slope.at(model, shared, own)
        step, own_step = slope.step()
        promised = float(slope.shared @ step + slope.own @ own_step)
        if promised < _GAIN * (1 + abs(value)):
            step, own_step = slope.off_saddle(), np.zeros_like(own)
        scale = _halved(model, shared, own, step, own_step, value)
        if scale == 0:
            return slope.optimum(shared, own, value)
        shared, own = shared + scale * step, own + scale * own_step
        value = float(logliks(model, shared, own).sum())
    raise PoolError(f"The likelihood has no maximum that {_STEPS} steps could find.")


def _halved(
    model: Model,
    shared: Array,
    own: Array,
    step: Array,
    own_step: Array,
    value: float,
) -> float:
    """The largest of 1, 1/2, 1/4 ... by which a step leads up; 0 if none does."""
    scale = 1.0 if np.abs(step).max(initial=0) + np.abs(own_step).max(initial=0) > 0 else 0.0
    while scale > _SHORTEST:
        moved = logliks(model, shared + scale * step, own + scale * own_step).sum()
        if moved > value:
            return scale
        scale /= 2
    return 0.0


@dataclass(frozen=True, slots=True)
class _Slope:
    """Gradient and negative Hessian by shared parameters (q) and own coefficients (studies)."""

    shared: Array
    own: Array
    hessian: Array
    cross: Array
    own_hessian: Array

    @classmethod
    def at(cls, model: Model, shared: Array, own: Array) -> _Slope:
        """The derivatives at a point, by differences of the studies' log-likelihoods."""
        q = shared.size
        size = q + (model.own is not None)

        def moved(delta: Array) -> Array:
            free = own + delta[q] if size > q else own
            return logliks(model, shared + delta[:q], free)

        wide, narrow = (_differences(moved, size, h) for h in (_WIDTH, _WIDTH / 2))
        gradient, hessian = ((4 * n - w) / 3 for w, n in zip(wide, narrow, strict=True))
        if size == q:
            none = np.zeros(own.size)
            return cls(
                gradient.sum(axis=1),
                none,
                -hessian.sum(axis=2),
                np.zeros((own.size, q)),
                np.full(own.size, np.nan),
            )
        flat = -hessian[q, q] < _FLAT
        return cls(
            gradient[:q].sum(axis=1),
            gradient[q],
            -hessian[:q, :q].sum(axis=2),
            np.where(flat, 0, -hessian[:q, q]).T,
            np.where(flat, np.nan, -hessian[q, q]),
        )

    @property
    def information(self) -> Array:
        """The information of the shared parameters after the own coefficients."""
        share = np.nan_to_num(self.cross / self.own_hessian[:, np.newaxis])
        return np.asarray(self.hessian - self.cross.T @ share)

    def step(self) -> tuple[Array, Array]:
        """Newton's step uphill; an own coefficient that is nearly flat goes on by 1."""
        h = self.own_hessian
        alone = np.where(np.isnan(h), np.sign(self.own) * (self.own != 0), self.own / h)
        known = np.where(np.isnan(h), 0, alone)
        values, vectors = np.linalg.eigh(self.information)
        right = vectors.T @ (self.shared - self.cross.T @ known)
        step = vectors @ (right / np.maximum(np.abs(values), 1e-8))
        step *= min(1.0, 2 / np.abs(step).max(initial=1e-300))
        own_step = alone - np.nan_to_num((self.cross @ step) / h)
        return step, np.clip(own_step, -2, 2)

    def off_saddle(self) -> Array:
        """A step along the direction in which the surface bends up most; 0 at a maximum.

        A standard deviation of 0 is always level: it may be a valley between two maxima.
        """
        if self.shared.size == 0:
            return self.shared
        values, vectors = np.linalg.eigh(self.information)
        bent = values[0] < -_BENT * np.abs(values).max()
        return np.asarray(_KICK * vectors[:, 0] if bent else np.zeros_like(self.shared))

    def optimum(self, shared: Array, own: Array, value: float) -> Optimum:
        """The point as a maximum with its curvature."""
        return Optimum(shared, own, value, self.information, self.own_hessian, self.cross)


def _differences(f: Callable[[Array], Array], size: int, h: float) -> tuple[Array, Array]:
    """Gradient (size, studies) and Hessian (size, size, studies) by central differences."""
    unit = h * np.eye(size)
    middle = f(np.zeros(size))
    up, down = ([f(s * row) for row in unit] for s in (1, -1))
    gradient = np.array([(p - m) / (2 * h) for p, m in zip(up, down, strict=True)])
    hessian = np.empty((size, size, middle.size))
    for i in range(size):
        hessian[i, i] = (up[i] - 2 * middle + down[i]) / h**2
        for j in range(i):
            same = f(unit[i] + unit[j]) + f(-unit[i] - unit[j])
            opposite = f(unit[i] - unit[j]) + f(unit[j] - unit[i])
            hessian[i, j] = hessian[j, i] = (same - opposite) / (4 * h**2)
    return gradient.reshape(size, middle.size), hessian
