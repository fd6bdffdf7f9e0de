"""Turns a fit into a `PooledEstimate`: intervals, heterogeneity, weights, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, sqrt

from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.estimators import Inference, tau2_interval
from pipeline.pool.linear import Array
from pipeline.schema import EffectSize, PooledEstimate

#: A Hartung-Knapp standard error this small beside the normal one comes from identical effects.
_IDENTICAL = 1e-6

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """One data set as fitted, its numbers divided by `scale` or scale^2; one inference a test."""

    y: Array
    v: Array
    scale: float
    tau2: float
    q: float
    inferences: Mapping[str, Inference]

    @property
    def weights(self) -> Array:
        """Inverse variances, of the random-effects model."""
        return 1 / (self.v + self.tau2)


def describe(fit: Fit, effects: Sequence[EffectSize], spec: ModelSpec) -> PooledEstimate:
    """Return the pooled estimate of a fit, in the unit of its effects.

    Raises
    ------
    PoolError
        If some number is not finite.
    """
    test, notes = _test(fit, spec)
    used = fit.inferences[test]
    s, k = fit.scale, len(effects)
    low, high = _interval(used, spec.level)
    adhoc = _interval(fit.inferences["adhoc"], spec.level)
    tau2_low, tau2_high = _tau2_limits(fit, spec)
    pi_low, pi_high = _prediction(fit, used, spec, used.df)
    k2_low, k2_high = _prediction(fit, used, spec, k - 2) if k > 2 else (None, None)
    i2, h2 = _heterogeneity(fit, spec.method)
    stat = used.estimate / used.se
    counts = [effect.ni for effect in effects]
    weights = 100 * fit.weights / fit.weights.sum()
    result = PooledEstimate(
        measure=effects[0].measure,
        method=spec.method,
        test=test,
        level=spec.level,
        k=k,
        n=None if None in counts else sum(n for n in counts if n),
        estimate=used.estimate * s,
        se=used.se * s,
        ci_lb=low * s,
        ci_ub=high * s,
        stat=stat,
        df=used.df,
        pval=_p_value(stat, used.df),
        ci_adhoc_lb=adhoc[0] * s,
        ci_adhoc_ub=adhoc[1] * s,
        tau2=fit.tau2 * s**2,
        tau2_ci_lb=None if tau2_low is None else tau2_low * s**2,
        tau2_ci_ub=None if tau2_high is None else tau2_high * s**2,
        q=fit.q,
        q_df=k - 1,
        q_pval=float(stats.chi2.sf(fit.q, k - 1)),
        i2=i2,
        i2_q=_i2_of_q(fit),
        h2=h2,
        pi_lb=None if pi_low is None else pi_low * s,
        pi_ub=None if pi_high is None else pi_high * s,
        weights=tuple(float(w) for w in weights),
        notes=(*notes, *_notes(fit, test, spec)),
        pi_k2_lb=None if k2_low is None else k2_low * s,
        pi_k2_ub=None if k2_high is None else k2_high * s,
    )
    return _finite(result)


def _test(fit: Fit, spec: ModelSpec) -> tuple[str, tuple[str, ...]]:
    """The test that can be used, and why it is not the one asked for."""
    if spec.test in ("z", "t"):
        return spec.test, ()
    if spec.method == "EE":
        return "z", ("The equal-effects model has no Hartung-Knapp test; the interval is normal.",)
    if spec.test == "knha" and fit.inferences["knha"].se <= _IDENTICAL * fit.inferences["z"].se:
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
    k = fit.y.size
    wide, normal = (_width(fit.inferences[t], spec.level) for t in (test, "z"))
    if k == 2 and test != "z":
        notes.append(
            f"Two studies: 1 degree of freedom makes the interval {wide / normal:.1f} times as "
            "wide as the normal one."
        )
    elif test == "knha" and wide < normal:
        notes.append(
            f"The Hartung-Knapp interval is narrower than the normal one ({wide / normal:.2f} "
            "times its width); see the ad hoc interval."
        )
    return notes


def _quantile(df: int | None, level: float) -> float:
    """The two-sided quantile of t, or of the normal distribution where `df` is None."""
    upper = 0.5 + level / 2
    return float(stats.norm.ppf(upper) if df is None else stats.t.ppf(upper, df))


def _interval(inference: Inference, level: float) -> Interval:
    """The confidence interval of an inference."""
    half = _quantile(inference.df, level) * inference.se
    return inference.estimate - half, inference.estimate + half


def _width(inference: Inference, level: float) -> float:
    """The width of the confidence interval."""
    return 2 * _quantile(inference.df, level) * inference.se


def _p_value(stat: float, df: int | None) -> float:
    """The two-sided p value."""
    return float(2 * (stats.norm.sf(abs(stat)) if df is None else stats.t.sf(abs(stat), df)))


def _tau2_limits(fit: Fit, spec: ModelSpec) -> tuple[float | None, float | None]:
    """The Q-profile interval of tau2; none with equal effects, where tau2 is 0 by assumption."""
    if spec.method == "EE":
        return None, None
    low, high = tau2_interval(fit.y, fit.v, spec.level)
    return (low, high) if isfinite(low) and isfinite(high) else (None, None)


def _prediction(
    fit: Fit, used: Inference, spec: ModelSpec, df: int | None
) -> tuple[float | None, float | None]:
    """The prediction interval of a new study's true effect; none with equal effects."""
    if spec.method == "EE":
        return None, None
    # metafor's default, predict(): the test's own quantile, df = k - 1 for knha and adhoc.
    half = _quantile(df, spec.level) * sqrt(fit.tau2 + used.se**2)
    return used.estimate - half, used.estimate + half


def _heterogeneity(fit: Fit, method: str) -> tuple[float, float]:
    """I2 in percent and H2, from tau2; with equal effects from Q, as metafor does."""
    df = fit.y.size - 1
    if method == "EE":
        return _i2_of_q(fit), fit.q / df
    w = 1 / fit.v
    typical = df * w.sum() / (w.sum() ** 2 - (w**2).sum())  # Higgins and Thompson 2002, eq. 9
    return float(100 * fit.tau2 / (fit.tau2 + typical)), float(fit.tau2 / typical + 1)


def _i2_of_q(fit: Fit) -> float:
    """I2 in percent from Q: Higgins and Thompson (2002), Stat Med 21:1539, section 3.3."""
    df = fit.y.size - 1
    return 100 * (fit.q - df) / fit.q if fit.q > df else 0.0


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
