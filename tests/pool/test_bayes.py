"""Posteriors against bayesmeta's printed numbers, an independent integration, and laws."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from pipeline.errors import PoolError
from pipeline.pool.bayes import bayes
from pipeline.pool.priors import (
    PRIORS,
    RHODES_COMPARISONS,
    RHODES_OUTCOMES,
    TURNER_COMPARISONS,
    TURNER_OUTCOMES,
    TauPrior,
    half_cauchy,
    half_normal,
    half_t,
    log_normal,
    log_t,
    rhodes,
    tau_prior,
    turner,
    uniform,
)

#: Coaching in eight schools: Rubin (1981), J Educ Stat 6:377, Table 1; effects, standard errors.
SCHOOLS = np.array([28.39, 7.94, -2.75, 6.82, -0.64, 0.63, 18.01, 12.16])
ERRORS = np.array([14.9, 10.2, 16.3, 11.0, 9.4, 11.4, 10.4, 17.6])

YI = np.array([-0.5, 0.1, -0.9, 0.3])
VI = np.array([0.04, 0.09, 0.16, 0.06])

PROPER = [
    half_normal(0.5),
    half_cauchy(0.3),
    half_t(0.4, 4),
    uniform(2),
    log_normal(-2.56, 1.74),
    log_t(-3.44, 2.59, 5),
]


def test_eight_schools_as_printed() -> None:
    """bayesmeta's vignette (CRAN), half-Cauchy(25) and N(0, 50): tau median 4.758539, mean
    5.884511, sd 4.869904, shortest 95 % 0 to 15.165894. Of mu it prints 7.962961, 7.985729,
    4.995762, -1.823353 to 17.824562, from a mixture that is coarse by design (delta = 0.01)."""
    result = bayes(SCHOOLS, ERRORS**2, half_cauchy(25), mu_prior=(0, 50))
    tau, mu = result.tau, result.mu
    found = (tau.median, tau.mean, tau.sd, tau.lb, tau.ub)
    assert found == pytest.approx((4.758539, 5.884511, 4.869904, 0, 15.165894), abs=5e-7)
    found = (mu.median, mu.mean, mu.sd, mu.lb, mu.ub)
    assert found == pytest.approx((7.962961, 7.985729, 4.995762, -1.823353, 17.824562), abs=3e-3)


class Grid:
    """A posterior by summing densities over a fine net of mu and tau."""

    def __init__(self, prior: TauPrior, mu_prior: tuple[float, float] | None, top: float) -> None:
        self.tau = (np.arange(3000) + 0.5) * top / 3000
        self.mu = np.linspace(-12, 12, 4801)
        sd = np.sqrt(VI[:, None] + self.tau**2)
        logs = prior.log_density(self.tau)[:, None] + np.zeros(self.mu.size)
        for y, s in zip(YI, sd, strict=True):
            logs = logs + stats.norm.logpdf(y, self.mu, s[:, None])
        if mu_prior is not None:
            logs = logs + stats.norm.logpdf(self.mu, *mu_prior)
        self.p = np.exp(logs - logs.max())
        self.mass = log(self.p.sum() * (self.mu[1] - self.mu[0]) * top / 3000) + logs.max()
        self.p /= self.p.sum()

    def moments(self, values: np.ndarray) -> tuple[float, float]:
        mean = float((self.p * values).sum())
        return mean, sqrt(float((self.p * (values - mean) ** 2).sum()))


@pytest.mark.parametrize("mu_prior", [None, (0.2, 0.5)])
@pytest.mark.parametrize(("prior", "top"), [(half_normal(0.5), 4.0), (uniform(2), 2.0)])
def test_agrees_with_a_net_of_mu_and_tau(
    prior: TauPrior, top: float, mu_prior: tuple[float, float] | None
) -> None:
    net = Grid(prior, mu_prior, top)
    result = bayes(YI, VI, prior, mu_prior=mu_prior, interval="central")
    assert (result.mu.mean, result.mu.sd) == pytest.approx(net.moments(net.mu), abs=2e-6)
    assert (result.tau.mean, result.tau.sd) == pytest.approx(
        net.moments(net.tau[:, None] + 0 * net.mu), abs=2e-6
    )
    below = net.p[:, net.mu < 1e-9].sum() - net.p[:, np.abs(net.mu) < 1e-9].sum() / 2
    assert result.p_positive == pytest.approx(1 - below, abs=2e-5)
    marginal = np.cumsum(net.p.sum(axis=1))
    cells = net.tau + top / 6000
    found = np.interp([result.tau.lb, result.tau.median, result.tau.ub], cells, marginal)
    assert found == pytest.approx([0.025, 0.5, 0.975], abs=1e-6)
    if mu_prior is not None:
        assert result.log_evidence == pytest.approx(net.mass, abs=1e-5)


@pytest.mark.parametrize("prior", PROPER, ids=lambda p: p.name)
def test_evidence_and_probabilities_agree_with_quad(prior: TauPrior) -> None:
    """SciPy's `quad` over log(tau), mu integrated out of a multivariate normal density."""

    def density(s: float) -> float:
        tau = exp(s)
        covariance = np.diag(VI + tau**2) + 0.49
        value = stats.multivariate_normal.logpdf(YI, np.full(4, 0.1), covariance)
        return float(np.exp(value + prior.log_density(np.array([tau]))[0] + s))

    def mass(upper: float) -> float:
        cuts = [-80.0, -10.0, -4.0, -1.0, 0.0, 2.0, 12.0]
        ends = [c for c in cuts if c < upper] + [min(upper, 12.0)]
        parts = pairwise(ends)
        return float(sum(integrate.quad(density, a, b, epsabs=1e-12)[0] for a, b in parts))

    whole = mass(log(prior.upper) if prior.upper < inf else 12.0)
    result = bayes(YI, VI, prior, mu_prior=(0.1, 0.7), interval="central")
    assert result.log_evidence == pytest.approx(log(whole), abs=1e-7)
    for p, limit in ((0.025, result.tau.lb), (0.5, result.tau.median), (0.975, result.tau.ub)):
        assert mass(log(limit)) / whole == pytest.approx(p, abs=1e-7)


@pytest.mark.parametrize("prior", PROPER, ids=lambda p: p.name)
def test_priors_have_an_integral_of_one(prior: TauPrior) -> None:
    top = log(prior.upper) if prior.upper < inf else 60.0
    s = np.linspace(-60, top, 400_001)
    density = np.exp(prior.log_density(np.exp(s)) + s)
    assert np.trapezoid(density, s) == pytest.approx(1, abs=2e-3 if "log-t" in prior.name else 1e-4)


def test_without_likelihood_for_heterogeneity_the_prior_stays() -> None:
    """Hopeless studies leave tau as it was: half-normal, median 0.6745, mean 0.7979 scales."""
    result = bayes(YI, np.full(4, 1e8), half_normal(0.5), interval="central")
    assert result.tau.median == pytest.approx(0.5 * 0.674490, abs=1e-5)
    assert result.tau.mean == pytest.approx(0.5 * sqrt(2 / np.pi), abs=1e-5)


def test_a_tight_prior_at_zero_is_the_common_effect() -> None:
    result = bayes(YI, VI, half_normal(1e-6))
    w = 1 / VI
    assert result.mu.mean == pytest.approx(w @ YI / w.sum(), abs=1e-9)
    assert result.mu.sd == pytest.approx(w.sum() ** -0.5, abs=1e-9)
    half = 1.959964 * w.sum() ** -0.5
    assert (result.mu.lb, result.mu.ub) == pytest.approx(
        (w @ YI / w.sum() - half, w @ YI / w.sum() + half), abs=1e-6
    )


def test_many_studies_agree_with_likelihood() -> None:
    """With 2000 studies the prior says nothing: tau 0.3 comes back, its posterior narrow."""
    rng = np.random.default_rng(5)
    vi = rng.uniform(0.01, 0.05, 2000)
    yi = 0.2 + rng.normal(size=2000) * np.sqrt(vi + 0.09)
    result = bayes(yi, vi, half_cauchy(1), interval="central")
    assert result.tau.mean == pytest.approx(0.3, abs=0.02)
    assert result.mu.mean == pytest.approx(0.2, abs=0.03)
    assert result.tau.sd is not None
    assert 0.003 < result.tau.sd < 0.01


@given(st.sampled_from([1e-6, 1e-2, 1e4]))
@settings(max_examples=3)
def test_a_change_of_unit_scales_the_posterior(unit: float) -> None:
    one = bayes(YI, VI, half_normal(0.5), mu_prior=(0.1, 1))
    two = bayes(YI * unit, VI * unit**2, half_normal(0.5 * unit), mu_prior=(0.1 * unit, unit))
    for name in ("mean", "sd", "median", "lb", "ub"):
        for part in ("mu", "tau", "predicted"):
            expected = getattr(getattr(one, part), name) * unit
            found = getattr(getattr(two, part), name)
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-8 * unit)
    assert two.log_evidence == pytest.approx(one.log_evidence - 4 * log(unit), abs=1e-8)


def test_the_shortest_interval_is_no_longer_than_the_central_one() -> None:
    short, central = (bayes(YI, VI, half_cauchy(0.5), interval=i) for i in ("shortest", "central"))
    for part in ("mu", "tau", "predicted"):
        a, b = getattr(short, part), getattr(central, part)
        assert a.ub - a.lb <= b.ub - b.lb
        assert a.median == b.median
    assert short.tau.lb == 0


def test_shrunken_effects_lie_between_study_and_mean() -> None:
    result = bayes(YI, VI, half_normal(0.5))
    mean = result.mu.mean
    assert mean is not None
    for y, v, study in zip(YI, VI, result.studies, strict=True):
        assert study.mean is not None
        assert study.sd is not None
        assert min(y, mean) - 0.05 < study.mean < max(y, mean) + 0.05
        assert study.sd < sqrt(v)
    assert result.predicted.ub > result.mu.ub


def test_the_same_call_gives_the_same_bytes() -> None:
    assert bayes(YI, VI, turner("pain", "drug-control")) == bayes(
        YI, VI, turner("pain", "drug-control")
    )


def test_moments_that_are_infinite_are_none() -> None:
    """Gelman (2006): a uniform prior needs three studies; of three tau has no mean."""
    three = bayes(YI[:3], VI[:3], uniform())
    assert (three.tau.mean, three.tau.sd, three.mu.mean, three.predicted.sd) == (None,) * 4
    assert three.tau.median > 0
    assert three.studies[0].mean is not None
    assert any("no sd" in note for note in three.notes)
    assert any("improper" in note for note in three.notes)
    five = bayes(np.append(YI, 0.2), np.append(VI, 0.1), uniform())
    assert five.tau.sd is not None
    assert five.log_evidence is None


def test_tables_of_priors_are_whole_and_additive() -> None:
    """Turner's Table IV adds a number of the outcome to one of the comparison, to rounding."""
    table = np.array([[cell[0] for cell in row if cell] for row in TURNER_OUTCOMES.values()])
    assert table.shape == (16, len(TURNER_COMPARISONS))
    residual = table - table.mean(axis=0) - table.mean(axis=1)[:, None] + table.mean()
    assert np.abs(residual).max() < 0.025
    assert all(len(row) == len(RHODES_COMPARISONS) for row in RHODES_OUTCOMES.values())
    whole = [row for row in RHODES_OUTCOMES.values() if None not in row]
    table = np.array([[cell[0] for cell in row if cell] for row in whole])
    residual = table - table.mean(axis=0) - table.mean(axis=1)[:, None] + table.mean()
    assert np.abs(residual).max() < 0.025


def test_priors_of_reviews_are_as_printed() -> None:
    """Turner et al. (2015), Table IV: pain, drug against placebo, N(-1.83, 1.52^2); medians of
    tau are exp(mu / 2). All reviews: N(-2.56, 1.74^2). Rhodes et al. (2015): t5(-3.44, 2.59^2)."""
    assert turner("pain", "drug-control").scale == pytest.approx(exp(-1.83 / 2))
    assert turner().scale == pytest.approx(exp(-2.56 / 2))
    assert rhodes().scale == pytest.approx(exp(-3.44 / 2))
    assert "2015" in turner().source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("half-normal(0.5)", half_normal(0.5)),
        (" Half-Cauchy( 1 ) ", half_cauchy(1)),
        ("half-t(0.5, 4)", half_t(0.5, 4)),
        ("uniform", uniform()),
        ("uniform(0, 10)", uniform(10)),
        ("log-normal(-2.56, 1.74)", log_normal(-2.56, 1.74)),
        ("log-t(-3.44, 2.59, 5)", log_t(-3.44, 2.59, 5)),
        ("Turner(pain, drug-drug)", turner("pain", "drug-drug")),
        ("turner", turner()),
        ("rhodes(subjective, other)", rhodes("subjective", "other")),
    ],
)
def test_reads_priors(text: str, expected: TauPrior) -> None:
    found = tau_prior(text)
    assert found.name == expected.name
    at = np.array([0.1, 0.7])
    assert found.log_density(at) == pytest.approx(expected.log_density(at))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gamma(1)", "known: " + ", ".join(PRIORS)),
        ("half-normal", "Invalid prior"),
        ("half-normal(x)", "Invalid prior"),
        ("half-normal(-1)", "must be positive"),
        ("uniform(1, 2)", "Invalid prior"),
        ("turner(headache, drug-drug)", "Unknown outcome 'headache'"),
        ("turner(pain, pills)", "Unknown comparison 'pills'"),
        ("rhodes(mental health, other)", "not known for sure"),
        ("(" * 5000, "Unknown prior"),
    ],
)
def test_refuses_priors(text: str, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        tau_prior(text)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((YI[:1], VI[:1], half_normal(1)), {}, "2 or more studies; got 1"),
        ((YI[:2], VI[:2], uniform()), {}, "leave tau without a posterior"),
        ((YI, VI, half_normal(1)), {"interval": "hpd"}, "Unknown interval hpd"),
        ((YI, -VI, half_normal(1)), {}, "variances positive"),
        ((YI, VI, half_normal(1)), {"mu_prior": (0, 0)}, "positive sd"),
    ],
)
def test_refuses(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        bayes(*arguments, **options)
