"""Judges by the protocol's rules, set beforehand, whether a conclusion changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import asin, log, sqrt
from types import MappingProxyType

from pipeline.config import Conclusion, Question
from pipeline.effects.measures import MEASURES
from pipeline.errors import ConfigError
from pipeline.schema import Flag, PooledEstimate

#: To each scale of analysis from the printed one.
_ONTO: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "identity": float,
        "log": log,
        "logit": lambda p: log(p / (1 - p)),
        "arcsine": lambda p: asin(sqrt(p)),
    }
)
#: Measures whose required size rests on the controls' risk, and on a patient's SD.
BY_RISK, BY_SD = ("RR", "OR", "RD"), ("MD",)
NO_ESTIMATE = "no pooled estimate"


def on_scale(measure: str, value: float) -> float:
    """Return a printed value (a ratio, a proportion) on the measure's scale of analysis.

    Raises
    ------
    ConfigError
        If the measure has no such value.
    """
    try:
        return _ONTO[MEASURES[measure].scale](value)
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"Invalid mid {value:g}; {measure} has no such value.") from error


def check_conclusions(questions: Iterable[Question]) -> None:
    """Refuse a rule that the question's measure cannot answer.

    Raises
    ------
    ConfigError
        Naming the question and what does not fit.
    """
    for question in questions:
        rule = question.conclusion
        if rule is None or question.measure not in MEASURES:
            continue
        for said in _misfits(question, rule):
            raise ConfigError(f"Question {question.id}: conclusion: {said}.")
        if rule.mid is not None:
            on_scale(question.measure, rule.mid)


def _misfits(question: Question, rule: Conclusion) -> Iterable[str]:
    """What of a rule does not fit the measure."""
    measure = question.measure
    null = MEASURES[measure].null
    if null is None and {"direction", "no_effect"} & set(rule.flags):
        yield f"{measure} has no value of no effect; flags may be [mid]"
    if rule.mid is not None and rule.mid == null:
        yield f"mid {rule.mid:g} is no effect"
    if rule.risk is not None and measure not in BY_RISK:
        yield f"risk belongs to {', '.join(BY_RISK)}, not to {measure}"
    if rule.sd is not None and measure not in BY_SD:
        yield f"sd belongs to {', '.join(BY_SD)}, not to {measure}"


def flags(
    question: Question, before: PooledEstimate | None, after: PooledEstimate | None
) -> tuple[Flag, ...]:
    """Return where each rule of a question stood and stands; a change of either is a flag."""
    if question.conclusion is None:
        return ()
    found = []
    for rule in question.conclusion.flags:
        stood, stands = (_STATES[rule](question, pooled) for pooled in (before, after))
        found.append(Flag(rule, stood, stands, stood != stands))
    return tuple(found)


def _direction(question: Question, pooled: PooledEstimate | None) -> str:
    """On which side of no effect the estimate lies."""
    if pooled is None:
        return NO_ESTIMATE
    null = _null(question)
    if pooled.estimate == null:
        return "the estimate is no effect"
    return f"the estimate is {'above' if pooled.estimate > null else 'below'} no effect"


def _null_held(question: Question, pooled: PooledEstimate | None) -> str:
    """Whether the interval holds no effect."""
    return _held(pooled, _null(question), "no effect")


def _mid_held(question: Question, pooled: PooledEstimate | None) -> str:
    """Whether the interval holds the smallest effect that matters."""
    rule = question.conclusion
    mid = rule.mid if rule is not None and rule.mid is not None else 0.0
    return _held(pooled, on_scale(question.measure, mid), f"{mid:g}")


def _held(pooled: PooledEstimate | None, value: float, name: str) -> str:
    """Where the interval lies against a value."""
    if pooled is None:
        return NO_ESTIMATE
    if pooled.ci_lb > value:
        return f"the interval lies above {name}"
    if pooled.ci_ub < value:
        return f"the interval lies below {name}"
    return f"the interval holds {name}"


def _null(question: Question) -> float:
    """No effect, on the scale of analysis."""
    return on_scale(question.measure, MEASURES[question.measure].null or 0.0)


_STATES: Mapping[str, Callable[[Question, PooledEstimate | None], str]] = MappingProxyType(
    {"direction": _direction, "no_effect": _null_held, "mid": _mid_held}
)
