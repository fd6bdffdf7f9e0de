"""Bayesian random-effects meta-analysis by quadrature: no sampler, the same numbers every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, log, pi, sqrt

import numpy as np
from scipy import optimize
from scipy.special import ndtr

from pipeline.errors import PoolError
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

INTERVALS = ("shortest", "central")


@dataclass(frozen=True, slots=True)
class Posterior:
    """A quantity's posterior; `mean` and `sd` are None where they are infinite."""

    mean: float | None
    sd: float | None
    median: float
    lb: float
    ub: float


@dataclass(frozen=True, slots=True)
class Bayes:
    """A Bayesian normal-normal model.

    `mu` is the mean effect, `tau` the standard deviation between studies, `predicted` the effect
    of a new study, `studies` the effects of the pooled ones (shrinkage). `p_positive` is the
    probability that mu is above 0; `log_evidence` the log marginal likelihood of the data, None
    with an improper prior.
    """

    prior: str
    prior_source: str
    mu_prior: tuple[float, float] | None
    interval: str
    level: float
    k: int
    mu: Posterior
    tau: Posterior
    predicted: Posterior
    studies: tuple[Posterior, ...]
    p_positive: float
    log_evidence: float | None
    notes: tuple[str, ...] = ()


def bayes(
    yi: Array,
    vi: Array,
    prior: TauPrior,
    *,
    mu_prior: tuple[float, float] | None = None,
    level: float = 0.95,
    interval: str = "shortest",
) -> Bayes:
    """Return the posterior of a normal-normal model.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and their variances, k of 2 or more.
    prior : TauPrior
        Of tau, in the unit of `yi`; see `pipeline.pool.priors`.
    mu_prior : (float, float), optional
        Mean and standard deviation of the normal prior of mu; flat by default.
    level : float
        Of the credible and prediction intervals, between 0 and 1.
    interval : {"shortest", "central"}
        Of highest density, or with equal tails.

    Returns
    -------
    Bayes
        Given tau all distributions are normal; the integrals over tau are Gauss-Legendre sums over
        log(tau), exact to about 1e-9 (log-t priors, whose tails are cut, to 1e-8).

    Raises
    ------
    PoolError
        If there are fewer than two studies, or the posterior has no integral, as with a uniform
        prior without an end and fewer than three studies.

    References
    ----------
    Roever (2020), *J Stat Softw* 93(6), sections 2.3 to 2.9. bayesmeta: ``bayesmeta(y, sigma,
    tau.prior=, mu.prior=, interval.type=)``.
    """
    if interval not in INTERVALS:
        raise PoolError(f"Unknown interval {interval}; known: {', '.join(INTERVALS)}.")
    _check(yi, vi, mu_prior)
    k = yi.size
    fall = prior.tail + k - (1 if mu_prior is None else 0)
    if prior.upper == inf and fall <= 1:
        raise PoolError(f"With a {prior.name} prior {k} studies leave tau without a posterior.")
    moments = 2 if prior.upper < inf or fall > 3 else 1 if fall > 2 else 0
    grid = _Grid.over(yi, vi, prior, mu_prior, moments)
    bounded = 2 if mu_prior is not None else moments
    mu = _Mixture(grid.means, np.sqrt(grid.variances), grid.weights)
    spread = np.sqrt(grid.variances + grid.tau**2)
    new = _Mixture(grid.means, spread, grid.weights)
    shrunken = (_shrunken(grid, y, v) for y, v in zip(yi, vi, strict=True))
    proper = prior.proper and mu_prior is not None
    return Bayes(
        prior=prior.name,
        prior_source=prior.source,
        mu_prior=mu_prior,
        interval=interval,
        level=level,
        k=k,
        mu=mu.posterior(level, interval, bounded),
        tau=grid.posterior(level, interval, moments),
        predicted=new.posterior(level, interval, moments),
        studies=tuple(study.posterior(level, interval, 2) for study in shrunken),
        p_positive=1 - mu.cdf(0.0),
        log_evidence=grid.log_evidence if proper else None,
        notes=_notes(prior, moments, k),
    )


def _check(yi: Array, vi: Array, mu_prior: tuple[float, float] | None) -> None:
    """Refuse what has no posterior."""
    if yi.size < 2:
        raise PoolError(f"A meta-analysis needs 2 or more studies; got {yi.size}.")
    if not (np.isfinite(yi).all() and np.isfinite(vi).all() and (vi > 0).all()):
        raise PoolError("Effects must be finite and variances positive.")
    if mu_prior is not None and not (isfinite(mu_prior[0]) and 0 < mu_prior[1] < inf):
        raise PoolError(f"Invalid prior of mu {mu_prior}; needs a mean and a positive sd.")


def _notes(prior: TauPrior, moments: int, k: int) -> tuple[str, ...]:
    """What a reader of the numbers must know."""
    notes = [f"Prior of tau: {prior.name}" + (f" ({prior.source})." if prior.source else ".")]
    if not prior.proper:
        notes.append("The prior of tau is improper: there is no marginal likelihood.")
    if moments < 2:
        notes.append(f"With this prior and {k} studies the posterior of tau has no sd.")
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Model:
    """The data and priors: what is known given tau."""

    y: Array
    v: Array
    prior: TauPrior
    mu_prior: tuple[float, float] | None

    def given(self, tau: Array) -> tuple[Array, Array, Array]:
        """Mean and variance of mu, and the log of likelihood times prior, at each tau."""
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
        """The log of the unnormalised posterior density of s = log(tau)."""
        return self.given(np.exp(s))[2] + s


@dataclass(frozen=True, slots=True)
class _Grid:
    """Quadrature over log(tau): nodes with weights that sum to 1, mu given each, panels."""

    model: _Model
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
    ) -> _Grid:
        """The quadrature where the posterior, and as many of its moments, have their mass."""
        model = _Model(y, v, prior, mu_prior)
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
        """The tau below which a probability lies."""
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
        """The posterior of tau."""
        mean = float(self.weights @ self.tau) if moments > 0 else None
        sd = None
        if moments > 1 and mean is not None:
            sd = sqrt(float(self.weights @ (self.tau - mean) ** 2))
        low, high = _limits(self.quantile, level, interval, zero=True)
        return Posterior(mean, sd, self.quantile(0.5), low, high)


def _range(model: _Model, moments: int) -> tuple[float, float]:
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
class _Mixture:
    """A mixture of normal distributions."""

    means: Array
    sds: Array
    weights: Array

    def cdf(self, x: float) -> float:
        """The probability of values up to x."""
        return float(self.weights @ ndtr((x - self.means) / self.sds))

    def quantile(self, p: float) -> float:
        """The value below which a probability lies."""
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
        """The density and its slope at values."""
        z = (x[:, np.newaxis] - self.means) / self.sds
        heights = self.weights * np.exp(-(z**2) / 2) / (self.sds * sqrt(2 * pi))
        return heights.sum(axis=1), -(heights * z / self.sds).sum(axis=1)

    def shortest(self, level: float) -> tuple[float, float]:
        """The shortest interval of a probability: its ends are equally likely (Newton's method)."""
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
        """The posterior of a quantity with this distribution."""
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

    def trimmed(self) -> _Mixture:
        """The mixture without components that have no weight."""
        kept = self.weights > _WEIGHTLESS
        return replace(
            self,
            means=self.means[kept],
            sds=self.sds[kept],
            weights=self.weights[kept] / self.weights[kept].sum(),
        )


def _shrunken(grid: _Grid, y: float, v: float) -> _Mixture:
    """The effect of a study, drawn towards the mean by what its variance leaves open."""
    own = grid.tau**2 / (grid.tau**2 + v)
    means = own * y + (1 - own) * grid.means
    return _Mixture(means, np.sqrt(own * v + (1 - own) ** 2 * grid.variances), grid.weights)


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
