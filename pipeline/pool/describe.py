"""Turns a fit into a `PooledEstimate`: intervals, heterogeneity, weights, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, sqrt

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.columns import IDENTICAL, heterogeneity, usable_test
from pipeline.pool.estimators import tau2_interval
from pipeline.pool.laws import of_q, quantile, two_sided
from pipeline.pool.linear import Array
from pipeline.schema import EffectSize, PooledEstimate

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """One data set as fitted, its numbers divided by `scale` or scale^2; an error for each test."""

    y: Array
    v: Array
    scale: float
    tau2: float
    q: float
    estimate: float
    errors: Mapping[str, float]

    @property
    def k(self) -> int:
        """The number of studies."""
        return self.y.size

    def df(self, test: str) -> int | None:
        """The degrees of freedom of a test; None where it is normal."""
        return None if test == "z" else self.k - 1

    def half(self, test: str, level: float) -> float:
        """Half the width of the confidence interval by a test."""
        return quantile(self.df(test), level) * self.errors[test]


def describe(fit: Fit, effects: Sequence[EffectSize], spec: ModelSpec) -> PooledEstimate:
    """Return the pooled estimate of a fit, in the unit of its effects.

    Raises
    ------
    PoolError
        If some number is not finite.
    """
    test, notes = _test(fit, spec)
    mean, se, df, k = fit.estimate, fit.errors[test], fit.df(test), fit.k
    half, adhoc = fit.half(test, spec.level), fit.half("adhoc", spec.level)
    tau2, q = np.array([fit.tau2]), np.array([fit.q])
    i2, h2 = heterogeneity(tau2, fit.v[:, np.newaxis], q, spec.method)
    q_df = k - 1
    counts = [effect.ni for effect in effects]
    weights = 1 / (fit.v + fit.tau2)
    s = fit.scale
    result = PooledEstimate(
        measure=effects[0].measure,
        method=spec.method,
        test=test,
        level=spec.level,
        k=k,
        n=None if None in counts else sum(n for n in counts if n),
        estimate=mean * s,
        se=se * s,
        ci_lb=(mean - half) * s,
        ci_ub=(mean + half) * s,
        stat=mean / se,
        df=df,
        pval=float(two_sided(np.array(mean / se), df)),
        ci_adhoc_lb=(mean - adhoc) * s,
        ci_adhoc_ub=(mean + adhoc) * s,
        tau2=fit.tau2 * s**2,
        q=fit.q,
        q_df=q_df,
        q_pval=float(stats.chi2.sf(fit.q, q_df)),
        i2=float(i2[0]),
        i2_q=float(of_q(q, q_df)[0][0]),
        h2=float(h2[0]),
        weights=tuple(float(w) for w in 100 * weights / weights.sum()),
        notes=(*notes, *_notes(fit, test, spec)),
        **_limits(fit, test, spec),
    )
    return _finite(result)


def of_model(
    measure: str,
    method: str,
    test: str,
    level: float,
    *,
    estimate: float,
    se: float,
    tau2: float | None,
    q: float,
    q_df: int,
    q_pval: float,
    heterogeneity: tuple[float, float],
    k: int,
    weights: tuple[float, ...] = (),
    notes: tuple[str, ...] = (),
) -> PooledEstimate:
    """Return what a model of counts gives; `heterogeneity` is its I2 and H2.

    The interval is that of z, or of t with k - 1 degrees of freedom; with a `tau2` there is a
    prediction interval, with None the effect is common to all studies.

    Raises
    ------
    PoolError
        If there is no standard error, or some number is not finite.
    """
    if not (isfinite(estimate) and isfinite(se) and se > 0):
        raise PoolError(f"{method} gives no standard error for these counts.")
    df = None if test == "z" else k - 1
    wide = quantile(df, level)
    low, high = estimate - wide * se, estimate + wide * se
    reach = None if tau2 is None else wide * sqrt(tau2 + se**2)
    result = PooledEstimate(
        measure=measure,
        method=method,
        test=test,
        level=level,
        k=k,
        n=None,
        estimate=estimate,
        se=se,
        ci_lb=low,
        ci_ub=high,
        stat=estimate / se,
        df=df,
        pval=float(two_sided(np.array(estimate / se), df)),
        ci_adhoc_lb=low,
        ci_adhoc_ub=high,
        tau2=tau2 or 0.0,
        tau2_ci_lb=None,
        tau2_ci_ub=None,
        q=q,
        q_df=q_df,
        q_pval=q_pval,
        i2=heterogeneity[0],
        i2_q=float(of_q(np.array(q), q_df)[0]) if q_df else 0.0,
        h2=heterogeneity[1],
        pi_lb=None if reach is None else estimate - reach,
        pi_ub=None if reach is None else estimate + reach,
        weights=weights,
        notes=notes,
    )
    return _finite(result)


def _limits(fit: Fit, test: str, spec: ModelSpec) -> dict[str, float | None]:
    """The limits of tau2 and of a new study's effect; none with equal effects, where tau2 is 0."""
    names = ("tau2_ci_lb", "tau2_ci_ub", "pi_lb", "pi_ub", "pi_k2_lb", "pi_k2_ub")
    if spec.method == "EE":
        return dict.fromkeys(names)
    low, high = tau2_interval(fit.y, fit.v, spec.level)
    s, known = fit.scale, isfinite(low) and isfinite(high)
    tau2 = (low * s**2, high * s**2) if known else (None, None)
    # metafor's default, predict(): the test's own quantile, df = k - 1 for knha and adhoc.
    own = _prediction(fit, test, fit.df(test), spec.level)
    by_k2 = _prediction(fit, test, fit.k - 2, spec.level) if fit.k > 2 else (None, None)
    return dict(zip(names, (*tau2, *own, *by_k2), strict=True))


def _prediction(fit: Fit, test: str, df: int | None, level: float) -> Interval:
    """The prediction interval of a new study's true effect."""
    half = quantile(df, level) * sqrt(fit.tau2 + fit.errors[test] ** 2)
    return (fit.estimate - half) * fit.scale, (fit.estimate + half) * fit.scale


def _test(fit: Fit, spec: ModelSpec) -> tuple[str, tuple[str, ...]]:
    """The test that can be used, and why it is not the one asked for."""
    if usable_test(spec) != spec.test:
        return "z", ("The equal-effects model has no Hartung-Knapp test; the interval is normal.",)
    if spec.test == "knha" and fit.errors["knha"] <= IDENTICAL * fit.errors["z"]:
        return "adhoc", (
            "The effects are identical, so the Hartung-Knapp standard error is 0; the interval is "
            "that of the ad hoc variant.",
        )
    return spec.test, ()


def _notes(fit: Fit, test: str, spec: ModelSpec) -> list[str]:
    """What a reader of the numbers must know."""
    notes = []
    if spec.method != "EE" and fit.tau2 == 0:
        notes.append("tau2 is estimated at its boundary, 0.")
    ratio = fit.half(test, spec.level) / fit.half("z", spec.level)
    if fit.k == 2 and test != "z":
        more = "; see the ad hoc interval" if test == "knha" and ratio < 1 else ""
        notes.append(
            f"Two studies: 1 degree of freedom makes the interval {ratio:.1f} times as "
            f"wide as the normal one{more}."
        )
    elif test == "knha" and ratio < 1:
        notes.append(
            f"The Hartung-Knapp interval is narrower than the normal one ({ratio:.2f} "
            "times its width); see the ad hoc interval."
        )
    return notes


def _finite(result: PooledEstimate) -> PooledEstimate:
    """Refuse a result in which some number is not one."""
    for name, value in asdict(result).items():
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(x, float) and not isfinite(x) for x in values):
            raise PoolError(
                f"Pooling {result.k} studies by {result.method} gives {name} = {value}; "
                "the effect sizes or variances are too extreme."
            )
    return result
