"""The search of a maximum over few parameters that enter by their squares, as variances do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.linear import Array

_STEPS = 200

#: The search ends when a step promises less than this share of the value.
_GAIN = 1e-15

#: Width of the finite differences, where parameters are about 1; errors are of order width^4.
_WIDTH = 1e-2

#: The surface bends up where an eigenvalue is this share of the largest, and how far to go then.
_BENT = 1e-7
_KICK = 0.1

#: No step is longer.
_LONGEST = 1.0


def climb(f: Callable[[Array], float], start: Array) -> tuple[Array, float]:
    """Return the maximum of `f` that leads up from `start`, and its value.

    Newton's method with halved steps, uphill along flipped curvature where `f` is not concave. As
    `f` is even in each parameter, signs do not matter and 0 is always level: it is left where the
    surface bends up there.

    Raises
    ------
    PoolError
        If the search does not end.
    """
    point, value = start, f(start)
    for _ in range(_STEPS):
        gradient, hessian = _derivatives(f, point)
        values, vectors = np.linalg.eigh(-hessian)
        sizes = np.maximum(np.abs(values), 1e-12)
        step = vectors @ (vectors.T @ gradient / sizes)
        step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-300))
        if gradient @ step < _GAIN * (1 + abs(value)):
            if values[0] > -_BENT * sizes.max():
                return np.abs(point), value
            step = _KICK * vectors[:, 0]
        scale = _uphill(f, point, step, value)
        if scale == 0:
            return np.abs(point), value
        point = point + scale * step
        value = f(point)
    raise PoolError(f"The likelihood has no maximum that {_STEPS} steps could find.")


def _uphill(f: Callable[[Array], float], point: Array, step: Array, value: float) -> float:
    """The largest of 1, 1/2, 1/4 ... by which a step leads up; 0 if none does."""
    scale = 1.0
    while scale > 1e-10:
        if f(point + scale * step) > value:
            return scale
        scale /= 2
    return 0.0


def _derivatives(f: Callable[[Array], float], point: Array) -> tuple[Array, Array]:
    """Gradient and Hessian by central differences of two widths."""
    wide, narrow = (_differences(f, point, h) for h in (_WIDTH, _WIDTH / 2))
    gradient, hessian = ((4 * n - w) / 3 for w, n in zip(wide, narrow, strict=True))
    return gradient, hessian


def _differences(f: Callable[[Array], float], point: Array, h: float) -> tuple[Array, Array]:
    """Gradient and Hessian by central differences of one width."""
    size, unit, middle = point.size, h * np.eye(point.size), f(point)
    up, down = ([f(point + s * row) for row in unit] for s in (1, -1))
    gradient, hessian = np.empty(size), np.empty((size, size))
    for i in range(size):
        gradient[i] = (up[i] - down[i]) / (2 * h)
        hessian[i, i] = (up[i] - 2 * middle + down[i]) / h**2
        for j in range(i):
            same = f(point + unit[i] + unit[j]) + f(point - unit[i] - unit[j])
            opposite = f(point + unit[i] - unit[j]) + f(point - unit[i] + unit[j])
            hessian[i, j] = hessian[j, i] = (same - opposite) / (4 * h**2)
    return gradient, hessian
