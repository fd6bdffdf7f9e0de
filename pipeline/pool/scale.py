"""Brings data sets to a scale of about 1, on which absolute tolerances mean something."""

from __future__ import annotations

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.linear import Array

#: A tau2 this small, where typical variances are about 1, is the boundary 0.
_ZERO = 1e-10

#: Variances, where the typical one is about 1, beyond which sums of weights lose their meaning.
_EXTREME = 1e30


def scaled(y: Array, v: Array) -> tuple[Array, Array, Array]:
    """Effects and variances divided by a scale of each column, or its square; and the scales."""
    with np.errstate(over="ignore"):
        scale = np.sqrt(np.var(y, axis=0) + np.median(v, axis=0))
        v = v / scale**2
    if not (np.isfinite(scale).all() and v.min() > 1 / _EXTREME and v.max() < _EXTREME):
        raise PoolError("The effect sizes or variances are too extreme to be pooled.")
    return y / scale, v, scale


def zeroed(tau2: Array) -> Array:
    """tau2 of scaled data, exactly 0 where it is at its boundary."""
    return np.where(tau2 < _ZERO, 0.0, tau2)
