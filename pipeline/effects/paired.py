"""Paired t statistics: of a crossover's two treatments, or of a group's change."""

from __future__ import annotations

from math import copysign, sqrt

from pipeline.effects import convert
from pipeline.effects.means import changes_of, refuse_type
from pipeline.effects.reported import refuse_skew
from pipeline.effects.source import Computed, Source
from pipeline.errors import EffectSizeError


def paired_t(source: Source) -> Computed:
    """Compute the effect of a paired t: printed data first, then what the question allows."""
    t, n = _crossover(source) if source.design == "rct_crossover" else _single(source)
    return source.computed(source.measure.compute(t, n), n, f"{t:.2f}", n)


def _single(source: Source) -> tuple[float, int]:
    """The t and n of a group's change."""
    change = changes_of(source)
    if change.sd == 0:
        raise EffectSizeError("SMCC needs a standard deviation above 0")
    return change.mean * sqrt(change.n) / change.sd, change.n


def _crossover(source: Source) -> tuple[float, int]:
    """The t and n of a crossover's two treatments."""
    refuse_type(source, ("mean", "mean_change", "percent_change", "difference"))
    n = source.take("n")
    if not n:
        raise EffectSizeError("no number of patients behind the paired comparison")
    row = source.row
    if row.effect is not None and row.effect_ci_low is not None and row.effect_ci_high is not None:
        return _from_interval(source, n), n
    if "t_from_p" not in source.question.recover:
        raise EffectSizeError(
            "a crossover without a paired difference and its CI; "
            "the question does not allow t_from_p"
        )
    return _from_p(source, n), n


def _from_interval(source: Source, n: int) -> float:
    """The t behind a paired difference and its CI."""
    if source.take("effect_measure") != "MD":
        raise EffectSizeError("the reported effect is not a difference of means")
    effect, low, high = (source.take(f"effect{part}") for part in ("", "_ci_low", "_ci_high"))
    source.check_sign(effect)
    refuse_skew(effect, low, high)
    sd, sentence = convert.sd_from_ci(low, high, n)
    source.recover("sd", sentence, "t")
    return float(effect * sqrt(n) / sd)


def _from_p(source: Source, n: int) -> float:
    """The t behind an exact p value, with the sign of treated minus comparator as printed."""
    value, other, printed = (source.take(x) for x in ("value", "comparator_value", "p_value"))
    p = convert.exact_p(printed or "")
    if p is None:
        shown = f"it is printed as {printed!r}" if printed else "none is printed"
        raise EffectSizeError(f"no exact p value of the paired comparison: {shown}")
    if value is None or other is None or value == other:
        raise EffectSizeError("the sign of the effect is unknown: it needs two differing values")
    source.check_sign(value - other)
    t, sentence = convert.t_from_p(p, n)
    source.recover("t_from_p", sentence, "t")
    return copysign(t, value - other)
