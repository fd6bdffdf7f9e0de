"""Rules on conclusions: what is refused, where they stand, when a flag is raised."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config import Conclusion, Question
from pipeline.errors import ConfigError
from pipeline.living import check_conclusions
from pipeline.living.rules import flags, on_scale
from pipeline.pool import pool
from pipeline.schema import EffectSize, PooledEstimate


def question(measure: str = "RR", **rule: Any) -> Question:
    """A question with a rule."""
    return Question(
        id="q",
        title="Q",
        comparisons=("Ig vs placebo",),
        outcome="responders",
        measure=measure,
        conclusion=Conclusion(**rule),
    )


def pooled(*ratios: float, vi: float = 0.01) -> PooledEstimate:
    """The pool of studies with these risk ratios."""
    effects = [EffectSize(f"pmid{i}", f"S{i}", "RR", log(r), vi, 100) for i, r in enumerate(ratios)]
    return pool(effects, question().model)


@pytest.mark.parametrize(
    ("before", "after", "raised"),
    [
        ((1.5, 1.5, 1.5), (1.6, 1.6, 1.6), set()),
        ((1.5, 1.5, 1.5), (1.5, 1.0, 0.8), {"no_effect", "mid"}),
        ((1.8, 1.0, 0.6), (1.6, 1.0, 0.6), {"direction"}),
        ((1.4, 1.4, 1.4), (1.1, 1.1, 1.1), {"mid"}),
    ],
)
def test_a_flag_is_raised_where_a_state_changes(
    before: tuple[float, ...], after: tuple[float, ...], raised: set[str]
) -> None:
    asked = question(flags=("direction", "no_effect", "mid"), mid=1.25)
    found = flags(asked, pooled(*before, vi=1e-4), pooled(*after, vi=1e-4))
    assert {f.rule for f in found if f.raised} == raised
    assert all((f.before != f.after) == f.raised for f in found)


def test_an_estimate_that_appears_or_vanishes_is_a_change() -> None:
    (one, two) = flags(question(), None, pooled(1.5, 1.6))
    assert one.raised
    assert two.raised
    assert one.before == "no pooled estimate"
    assert not any(f.raised for f in flags(question(), None, None))


def test_a_question_without_a_rule_raises_no_flag() -> None:
    asked = question().model_copy(update={"conclusion": None})
    assert flags(asked, pooled(0.5, 0.6), pooled(1.5, 1.6)) == ()


@pytest.mark.parametrize(
    ("measure", "rule", "said"),
    [
        ("PLO", {}, "no value of no effect"),
        ("RR", {"mid": 1.0}, "mid 1 is no effect"),
        ("RR", {"mid": -2.0}, "RR has no such value"),
        ("RR", {"mid": 1.2, "sd": 2.0}, "sd belongs to MD"),
        ("MD", {"mid": 1.2, "risk": 0.2}, "risk belongs to RR, OR, RD"),
    ],
)
def test_a_rule_that_does_not_fit_the_measure_is_refused(
    measure: str, rule: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check_conclusions([question(measure, **rule)])


@pytest.mark.parametrize("rule", [{"flags": ["mid"]}, {"risk": 0.3}, {"flags": []}])
def test_a_rule_without_what_it_rests_on_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Conclusion(**rule)


def test_a_printed_value_goes_to_the_scale_of_analysis() -> None:
    assert on_scale("RR", 2.0) == pytest.approx(log(2))
    assert on_scale("PLO", 0.5) == 0
    assert on_scale("MD", -1.5) == -1.5
    check_conclusions([question("PLO", flags=("mid",), mid=0.5)])
