"""Weighted least squares of many data sets at once: the algebra under every model here.

Shapes: `y`, `v` and weights are (studies, data sets); the design `x` (studies, coefficients) is
shared by all data sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """Weighted least squares: `beta` (sets, p), `cov` (sets, p, p), residuals (studies, sets)."""

    x: Array
    w: Array
    beta: Array
    cov: Array
    residuals: Array

    @property
    def q(self) -> Array:
        """The weighted sum of squared residuals of each data set: QE where w = 1/v."""
        return np.asarray((self.w * self.residuals**2).sum(axis=0))

    @property
    def typical(self) -> Array:
        """The typical variance of each data set, where w = 1/v: degrees of freedom over trace."""
        return np.asarray((self.x.shape[0] - self.x.shape[1]) / self.trace)

    @property
    def trace(self) -> Array:
        """The trace of P = W - W X (X'WX)^-1 X'W of each data set."""
        return np.asarray(self.w.sum(axis=0) - np.einsum("dpq,dqp->d", self.cov, self._squared()))

    @property
    def squared_trace(self) -> Array:
        """The trace of P P of each data set."""
        third = np.einsum("kp,kd,kq->dpq", self.x, self.w**3, self.x)
        inner = self.cov @ self._squared()
        minus = 2 * np.einsum("dpq,dqp->d", self.cov, third)
        return np.asarray((self.w**2).sum(axis=0) - minus + np.einsum("dpq,dqp->d", inner, inner))

    def _squared(self) -> Array:
        """X'W^2 X of each data set."""
        return np.asarray(np.einsum("kp,kd,kq->dpq", self.x, self.w**2, self.x))


def wls(y: Array, w: Array, x: Array) -> Linear:
    """Fit each column of `y` with the weights of its column of `w`."""
    weighted = np.einsum("kp,kd->dpk", x, w)
    cov = np.linalg.inv(weighted @ x)
    beta = np.einsum("dpq,dqk,kd->dp", cov, weighted, y)
    return Linear(x, w, beta, cov, y - x @ beta.T)


def intercept(k: int) -> Array:
    """The design of a model with nothing but a mean."""
    return np.ones((k, 1))
