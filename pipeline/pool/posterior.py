"""Posterior distributions of a normal-normal model: a quadrature over tau, and normal mixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, inf, log, pi, sqrt

import numpy as np
from scipy import optimize
from scipy.special import ndtr

from pipeline.pool.linear import Array
from pipeline.pool.priors import TauPrior

#: The posterior of log(tau) is followed down to exp(-45) of its height.
_DEPTH = 45.0

#: How far beyond the scales of data and prior log(tau) is looked for, and in which steps.
_REACH = 110.0
_STEP = 0.05

#: Panels of the quadrature over log(tau), and Gauss-Legendre points in each.
_PANELS = 240
_POINTS = 12

#: Components of mixtures with less weight say nothing.
_WEIGHTLESS = 1e-18

#: Newton's steps for the ends of a shortest interval.
_ENDS = 30


@dataclass(frozen=True, slots=True)
class Posterior:
    """A quantity's posterior; `mean` and `sd` are None where they are infinite."""

    mean: float | None
    sd: float | None
    median: float
    lb: float
    ub: float


@dataclass(frozen=True, slots=True)
class Model:
    """The data and priors: what is known given tau (Roever 2020, section 2.3)."""

    y: Array
    v: Array
    prior: TauPrior
    mu_prior: tuple[float, float] | None

    def given(self, tau: Array) -> tuple[Array, Array, Array]:
        """Return mean and variance of mu, and the log of likelihood times prior, at each tau."""
        w = 1 / (self.v[:, np.newaxis] + tau**2)
        total, weighted = w.sum(axis=0), self.y @ w
        constant, extra = -self.y.size / 2 * log(2 * pi), 0.0
        if self.mu_prior is None:
            constant += log(2 * pi) / 2
            middle = weighted / total
        else:
            m, s = self.mu_prior
            total, weighted = total + s**-2, weighted + m * s**-2
            middle = weighted / total
            extra, constant = (middle - m) ** 2 * s**-2, constant - log(s)
        rest = (w * (self.y[:, np.newaxis] - middle) ** 2).sum(axis=0) + extra
        loglik = constant + (np.log(w).sum(axis=0) - np.log(total) - rest) / 2
        return middle, 1 / total, loglik + self.prior.log_density(tau)

    def density(self, s: Array) -> Array:
        """Return the log of the unnormalised posterior density of s = log(tau)."""
        return self.given(np.exp(s))[2] + s


@dataclass(frozen=True, slots=True)
class Grid:
    """Quadrature over log(tau): nodes with weights that sum to 1, mu given each, panels."""

    model: Model
    tau: Array
    weights: Array
    means: Array
    variances: Array
    edges: Array
    masses: Array
    log_evidence: float

    @classmethod
    def over(
        cls,
        y: Array,
        v: Array,
        prior: TauPrior,
        mu_prior: tuple[float, float] | None,
        moments: int,
    ) -> Grid:
        """Return the quadrature where the posterior and so many moments have their mass."""
        model = Model(y, v, prior, mu_prior)
        edges = np.linspace(*_range(model, moments), _PANELS + 1)
        x, w = np.polynomial.legendre.leggauss(_POINTS)
        half = np.diff(edges)[:, np.newaxis] / 2
        s = (edges[:-1, np.newaxis] + half * (1 + x)).ravel()
        logs = model.density(s)
        top = float(logs.max())
        mass = np.exp(logs - top).reshape(_PANELS, _POINTS) * w * half
        means, variances, _ = model.given(np.exp(s))
        total = float(mass.sum())
        weights = mass.ravel() / total
        return cls(
            model=model,
            tau=np.exp(s),
            weights=weights,
            means=means,
            variances=variances,
            edges=edges,
            masses=np.append(0.0, np.cumsum(mass.sum(axis=1) / total)),
            log_evidence=top + log(total),
        )

    def quantile(self, p: float) -> float:
        """Return the tau below which a probability lies."""
        if p <= 0:
            return 0.0
        j = int(np.clip(np.searchsorted(self.masses, p) - 1, 0, _PANELS - 1))
        left, right = float(self.edges[j]), float(self.edges[j + 1])
        x, w = np.polynomial.legendre.leggauss(_POINTS)

        def excess(s: float) -> float:
            half = (s - left) / 2
            logs = self.model.density(left + half * (1 + x)) - self.log_evidence
            return float(self.masses[j] + half * (w * np.exp(logs)).sum() - p)

        if excess(right) <= 0:
            return exp(right)
        return exp(optimize.brentq(excess, left, right, xtol=1e-14))

    def posterior(self, level: float, interval: str, moments: int) -> Posterior:
        """Return the posterior of tau."""
        mean = float(self.weights @ self.tau) if moments > 0 else None
        sd = None
        if moments > 1 and mean is not None:
            sd = sqrt(float(self.weights @ (self.tau - mean) ** 2))
        low, high = _limits(self.quantile, level, interval, zero=True)
        return Posterior(mean, sd, self.quantile(0.5), low, high)


def _range(model: Model, moments: int) -> tuple[float, float]:
    """Where log(tau) has its posterior mass, and that of as many moments as there are."""
    scales = (log(float(np.median(model.v))) / 2, log(model.prior.scale))
    high = min(max(scales) + _REACH, log(model.prior.upper) if model.prior.upper < inf else inf)
    s = np.arange(min(scales) - _REACH, high, _STEP)
    logs = model.density(s)
    low_mass = logs >= logs.max() - _DEPTH
    # Moments decay less: look further up, but no deeper than doubles can tell.
    above = logs + moments * s
    high_mass = above >= above.max() - _DEPTH
    first, last = int(np.argmax(low_mass)), s.size - 1 - int(np.argmax(high_mass[::-1]))
    return float(s[first]) - _STEP, min(float(s[last]) + _STEP, high)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of normal distributions."""

    means: Array
    sds: Array
    weights: Array

    def cdf(self, x: float) -> float:
        """Return the probability of values up to x."""
        return float(self.weights @ ndtr((x - self.means) / self.sds))

    def quantile(self, p: float) -> float:
        """Return the value below which a probability lies."""
        reach = float(self.weights @ self.sds) + float(np.ptp(self.means))
        low = high = float(self.weights @ self.means)
        step = reach
        while self.cdf(low) > p:
            low, step = low - step, 2 * step
        step = reach
        while self.cdf(high) < p:
            high, step = high + step, 2 * step

        def excess(x: float) -> float:
            return self.cdf(x) - p

        return float(optimize.brentq(excess, low, high, xtol=1e-13 * reach, rtol=1e-13))

    def densities(self, x: Array) -> tuple[Array, Array]:
        """Return the density and its slope at values."""
        z = (x[:, np.newaxis] - self.means) / self.sds
        heights = self.weights * np.exp(-(z**2) / 2) / (self.sds * sqrt(2 * pi))
        return heights.sum(axis=1), -(heights * z / self.sds).sum(axis=1)

    def shortest(self, level: float) -> tuple[float, float]:
        """Return the shortest interval of a probability; its ends are equally likely."""
        central = _limits(self.quantile, level, "central")
        ends = np.array(central)
        for _ in range(_ENDS):
            f, slope = self.densities(ends)
            missing = [self.cdf(ends[1]) - self.cdf(ends[0]) - level, f[1] - f[0]]
            jacobian = np.array([[-f[0], f[1]], [-slope[0], slope[1]]])
            step = np.linalg.solve(jacobian, missing)
            ends = ends - step
            if not np.isfinite(ends).all():
                break
            if np.abs(step).max() < 1e-12 * (central[1] - central[0]):
                if 0 < ends[1] - ends[0] <= (central[1] - central[0]) * (1 + 1e-12):
                    return float(ends[0]), float(ends[1])
                break
        return _limits(self.quantile, level, "shortest")

    def posterior(self, level: float, interval: str, moments: int) -> Posterior:
        """Return the posterior of a quantity with this distribution."""
        mixture = self.trimmed()
        mean = float(self.weights @ self.means) if moments > 0 else None
        sd = None
        if moments > 1 and mean is not None:
            sd = sqrt(float(self.weights @ (self.sds**2 + (self.means - mean) ** 2)))
        if interval == "shortest":
            low, high = mixture.shortest(level)
        else:
            low, high = _limits(mixture.quantile, level, interval)
        return Posterior(mean, sd, mixture.quantile(0.5), low, high)

    def trimmed(self) -> Mixture:
        """Return the mixture without components that have no weight."""
        kept = self.weights > _WEIGHTLESS
        return replace(
            self,
            means=self.means[kept],
            sds=self.sds[kept],
            weights=self.weights[kept] / self.weights[kept].sum(),
        )


def shrunken(grid: Grid, y: float, v: float) -> Mixture:
    """Return the effect of a study, drawn towards the mean by what its variance leaves open."""
    own = grid.tau**2 / (grid.tau**2 + v)
    means = own * y + (1 - own) * grid.means
    return Mixture(means, np.sqrt(own * v + (1 - own) ** 2 * grid.variances), grid.weights)


def _limits(
    quantile: Callable[[float], float], level: float, interval: str, *, zero: bool = False
) -> tuple[float, float]:
    """The interval of a probability: with equal tails, or the shortest, which may begin at 0."""
    tails = 1 - level
    if interval == "central":
        return quantile(tails / 2), quantile(1 - tails / 2)

    def length(p: float) -> float:
        return quantile(p + level) - quantile(p)

    bounds = (1e-9 * tails, (1 - 1e-9) * tails)
    best = optimize.minimize_scalar(
        length, bounds=bounds, method="bounded", options={"xatol": 1e-8 * tails}
    )
    if zero and quantile(level) <= best.fun:
        return 0.0, quantile(level)
    return quantile(float(best.x)), quantile(float(best.x) + level)
