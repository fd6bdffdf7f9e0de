"""Henmi and Copas's interval: equal-effects weights, which small studies sway less."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, pi, sqrt

import numpy as np
from scipy import integrate, optimize, special

from pipeline.errors import PoolError
from pipeline.pool.columns import checked
from pipeline.pool.linear import Array


@dataclass(frozen=True, slots=True)
class HenmiCopas:
    """metafor's ``hc``: the equal-effects mean with an interval that allows for tau2."""

    k: int
    estimate: float
    se: float
    ci_lb: float
    ci_ub: float
    tau2: float


@dataclass(frozen=True, slots=True)
class _Moments:
    """What the law of Q given the standardised estimate r rests on; weights of mean 1/w1."""

    k: int
    w1: float
    w2: float
    w3: float
    w4: float
    tau2: float

    @property
    def vr(self) -> float:
        """The variance of r."""
        return 1 + self.tau2 * self.w2

    def mean(self, r: float) -> float:
        """The mean of Q given r."""
        t, odd = self.tau2, self.w3 - self.w2**2
        return self.k - 1 + t * (self.w1 - self.w2) + t**2 * (r**2 / self.vr**2 - 1 / self.vr) * odd

    def variance(self, r: float) -> float:
        """The variance of Q given r."""
        t, vr = self.tau2, self.vr
        odd = self.w3 - self.w2**2
        far = r**2 / vr**2 - 1 / vr
        cubic = self.w4 - 2 * self.w2 * self.w3 + self.w2**3
        return (
            2 * (self.k - 1)
            + 4 * t * (self.w1 - self.w2)
            + 2 * t**2 * (self.w1 * self.w2 - 2 * self.w3 + self.w2**2)
            + 4 * t**2 * far * odd
            + 4 * t**3 * far * cubic
            + 2 * t**4 * (1 / vr**2 - 2 * r**2 / vr**3) * odd**2
        )


def henmi_copas(yi: Array, vi: Array, *, level: float = 0.95) -> HenmiCopas:
    """Return the equal-effects estimate with Henmi and Copas's interval.

    Raises
    ------
    PoolError
        If there are fewer than two studies, or the interval cannot be found.

    References
    ----------
    Henmi and Copas (2010), *Stat Med* 29:2969, whose appendix has the moments. metafor: ``hc``
    (which solves for the interval to 1e-4 only).
    """
    yi, vi = checked(yi, vi, 2, "Henmi and Copas's interval")
    scale = sqrt(float(np.median(vi)))
    y, w = yi / scale, scale**2 / vi
    total = float(w.sum())
    w2, w3, w4 = (float((w**p).sum()) / total for p in (2, 3, 4))
    mean = float((w * y).sum()) / total
    q = float((w * (y - mean) ** 2).sum())
    tau2 = max(0.0, (q - (y.size - 1)) / (total - w2))
    moments = _Moments(y.size, total, w2, w3, w4, tau2)
    se = sqrt(moments.vr / total)
    half = _quantile(moments, 1 - level) * sqrt(moments.vr) * se
    return HenmiCopas(
        k=y.size,
        estimate=mean * scale,
        se=se * scale,
        ci_lb=(mean - half) * scale,
        ci_ub=(mean + half) * scale,
        tau2=tau2 * scale**2,
    )


def _quantile(m: _Moments, alpha: float) -> float:
    """The value that the estimate, over its estimated standard error, exceeds by alpha / 2."""
    sd = sqrt(m.vr)

    def tail(x: float) -> float:
        def density(r: float) -> float:
            mean, variance = m.mean(sd * r), m.variance(sd * r)
            limit = (m.w1 / m.w2 - 1) * ((r / x) ** 2 - 1) + m.k - 1
            law = special.gammainc(mean**2 / variance, limit * mean / variance)
            return float(law) * exp(-0.5 * r * r) / sqrt(2 * pi)

        return float(integrate.quad(density, x, x + 12, epsabs=1e-12, limit=200)[0]) - alpha / 2

    try:
        return float(optimize.brentq(tail, 1e-6, 20.0, xtol=1e-12))
    except ValueError as error:
        raise PoolError(f"Henmi and Copas's interval cannot be found: {error}.") from error
