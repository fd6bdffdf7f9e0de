"""Bayesian random-effects meta-analysis by quadrature: no sampler, the same numbers every time."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.linear import Array
from pipeline.pool.posterior import Grid, Mixture, Posterior, shrunken
from pipeline.pool.priors import TauPrior

INTERVALS = ("shortest", "central")


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
    grid = Grid.over(yi, vi, prior, mu_prior, moments)
    bounded = 2 if mu_prior is not None else moments
    mu = Mixture(grid.means, np.sqrt(grid.variances), grid.weights)
    spread = np.sqrt(grid.variances + grid.tau**2)
    new = Mixture(grid.means, spread, grid.weights)
    drawn = (shrunken(grid, y, v) for y, v in zip(yi, vi, strict=True))
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
        studies=tuple(study.posterior(level, interval, 2) for study in drawn),
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
