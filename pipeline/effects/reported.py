"""Effects as the authors computed them: a difference or a ratio with its interval."""

from __future__ import annotations

from math import exp, log

from pipeline.effects import convert
from pipeline.effects.measures import MEASURES
from pipeline.effects.source import ASSUMPTIONS, Computed, Source
from pipeline.effects.study import RATIOS
from pipeline.errors import EffectSizeError
from pipeline.schema import ReportedEffect

#: How far, in half widths, a value may lie off the middle of its interval: rounding of the printed
#: digits moves it less, an interval computed on another scale (log, bootstrap) more.
MAX_SKEW = 0.2

#: The normal quantile of a 95 % interval.
_NORMAL = 1.959963984540054


def reported(source: Source) -> Computed:
    """Compute the effect size of a reported hazard ratio (HR) or difference (GEN)."""
    effect = _effect(source, "HR" if source.measure.code == "HR" else "MD")
    interval = f"{effect.ci_low:g} to {effect.ci_high:g}"
    return source.computed(source.measure.compute(effect), _total(source), effect.effect, interval)


def reported_difference(source: Source) -> Computed:
    """Compute the effect size of a reported mean difference, in the columns of two means."""
    effect = _effect(source, "MD")
    n1, n2 = source.take("n"), source.take("comparator_n")
    result = MEASURES["GEN"].compute(effect)
    cells = (None, None, n1, None, None, n2)
    return source.computed(result, _total(source), *cells, numbers=2)  # effect and interval


def _limits_by_p(source: Source, wanted: str, effect: float) -> list[float | None]:
    """The limits of a 95 % interval behind an exact p value, where the question allows them."""
    p = convert.exact_p(source.take("p_value") or "")
    ratio = wanted in RATIOS
    if "se_from_p" not in source.question.recover or p is None or (ratio and effect <= 0):
        return [None, None]
    middle = log(effect) if ratio else effect
    se, sentence = convert.se_from_p(middle, p)
    source.recover("se_from_p", sentence, "interval")
    ends = (middle - _NORMAL * se, middle + _NORMAL * se)
    return [exp(end) if ratio else end for end in ends]


def refuse_skew(middle: float, low: float, high: float) -> None:
    """Refuse an interval that is not symmetric: its SE cannot be taken from its width."""
    if abs((low + high) / 2 - middle) > MAX_SKEW * (high - low) / 2:
        raise EffectSizeError(
            f"the interval {low:g} to {high:g} is not symmetric around {middle:g}: "
            "its SE cannot be computed"
        )


def _total(source: Source) -> int:
    """The patients of both arms; 0 where one number is not printed."""
    n1, n2 = source.take("n"), source.take("comparator_n")
    return n1 + n2 if n1 and n2 else 0


def _effect(source: Source, wanted: str) -> ReportedEffect:
    """The reported effect, in the outcome's unit; only if it is named as the wanted one."""
    named = source.take("effect_measure")
    values = [source.take(f"effect{part}") for part in ("", "_ci_low", "_ci_high")]
    if named != wanted:
        raise EffectSizeError(f"the reported effect is {named or 'not named'}, not {wanted}")
    if None in values[1:] and values[0] is not None:
        values[1:] = _limits_by_p(source, wanted, values[0])
    if None in values:
        raise EffectSizeError(f"the reported {wanted} has no confidence interval")
    factor = source.factor()
    effect, low, high = (factor * value for value in values)
    if not low <= effect <= high:
        raise EffectSizeError(f"the effect {effect:g} lies outside its CI {low:g} to {high:g}")
    if wanted == "MD":
        source.check_range(effect, change=True)
        source.check_sign(effect)
        refuse_skew(effect, low, high)
    source.note("effect", ASSUMPTIONS["effect"])
    return ReportedEffect(wanted, effect, low, high)
