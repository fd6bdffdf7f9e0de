"""Effects on moderators: a meta-regression, and its curve over one of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient of a meta-regression with its test; `df` as of `PooledEstimate`."""

    name: str
    estimate: float
    se: float
    ci_lb: float
    ci_ub: float
    stat: float
    df: float | None
    pval: float


@dataclass(frozen=True, slots=True)
class Regression:
    """A meta-regression: effects on moderators, on the scale of analysis.

    `tau2`, `i2` (percent) and `h2` are what the moderators leave; `q` is the test of that residual
    heterogeneity (QE), `qm` the joint test of all moderators: chi-squared with `qm_df` degrees of
    freedom where `qm_df2` is None, else F. `r2` is the share of tau2, in percent, that they
    explain; None without an intercept. `weights` as of `PooledEstimate`.
    """

    measure: str
    method: str
    test: str
    level: float
    k: int
    coefficients: tuple[Coefficient, ...]
    tau2: float
    tau2_ci_lb: float | None
    tau2_ci_ub: float | None
    i2: float
    h2: float
    q: float
    q_df: int
    q_pval: float
    qm: float
    qm_df: int
    qm_df2: int | None
    qm_pval: float
    r2: float | None
    weights: tuple[float, ...]
    vcov: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean effect at one value of the moderator, with its interval, on the scale of analysis.

    `pi_*` is the prediction interval of a study's own effect there.
    """

    x: float
    estimate: float
    ci_lb: float
    ci_ub: float
    pi_lb: float
    pi_ub: float


@dataclass(frozen=True, slots=True)
class WaldTest:
    """Whether some coefficients are all 0: chi-squared where `df2` is None, else F."""

    stat: float
    df: int
    df2: int | None
    pval: float


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """The effect over the dose of a course, across studies; `reason` says why there is none.

    `doses` are those of the effects by position, None where the text gives no single one;
    `nonlinearity` tests a spline (`knots`) against a straight line.
    """

    unit: str
    doses: tuple[float | None, ...]
    fit: Regression | None = None
    knots: tuple[float, ...] = ()
    points: tuple[CurvePoint, ...] = ()
    nonlinearity: WaldTest | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""
