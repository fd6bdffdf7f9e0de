"""Answers to a question: what k = 0, 1, 2 and more studies give, and what a reader is told.

The studies are invented but for the counts of the ICE trial (PMID 18178525: 32 of 59 against 12
of 58 responders). Pools are of equal effects, whose closed form stands in the test: the mean
weighted by 1/vi, with variance 1/sum(1/vi) (Borenstein et al. 2009, *Introduction to
Meta-Analysis*, eqs 11.2-11.5).
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.answer import answer
from pipeline.config import Config, Question
from pipeline.effects.choose import check_questions
from pipeline.errors import ConfigError
from pipeline.pool.bias import egger
from pipeline.schema import Outcome, QuestionResult, Quote, Reading, Study

EQUAL = {"method": "EE", "test": "z"}
QUESTION = {
    "id": "q",
    "title": "Responders",
    "comparisons": ["Ig vs placebo"],
    "outcome": "responders",
    "measure": "RR",
    "model": EQUAL,
}
PROTOCOL = {
    "title": "A review",
    "eligibility": {
        "intervention": {"name": "Immunoglobulin", "short": "Ig", "terms": ["IVIg"]},
        "population": [{"name": "CIDP"}, {"name": "Multifocal motor neuropathy"}],
        "designs": ["rct_parallel"],
        "min_n": 3,
    },
    "outcomes": [{"name": "responders", "synonyms": ["responder"], "kind": "binary"}],
}


def quote(text: str) -> Quote:
    return Quote("r", 0, len(text), text)


def study(name: str, *counts: int, registered: tuple[str, ...] = (), **values: Any) -> Study:
    """A trial with events and n of both arms, or with a percentage of 20 in each."""
    fields = ("events", "n", "comparator_events", "comparator_n")
    if "percent" in values:
        first, second = values.pop("percent")
        readings = {"value": first, "n": 20, "comparator_value": second, "comparator_n": 20}
    else:
        readings = dict(zip(fields, counts, strict=False))
    read = {k: Reading(v, quote(str(v))) for k, v in readings.items()}
    kind = "count" if "events" in readings else "proportion"
    outcome = Outcome("responder", kind, quote=quote("responders"), **read)  # type: ignore[arg-type]
    return Study(
        record_id=name,
        slab=name,
        design=Reading(values.pop("design", "rct_parallel")),
        comparison_class=Reading("Ig vs placebo"),
        condition=Reading(values.pop("condition", "CIDP")),
        outcomes=(outcome,),
        registry_ids=tuple(Reading(r, quote(r)) for r in registered),
    )


ICE = study("ICE", 32, 59, 12, 58)
SECOND = study("Second", 10, 20, 5, 20)
THIRD = study("Third", 12, 30, 9, 30)


def ask(*studies: Study, **changes: Any) -> QuestionResult:
    """What studies say to the question, with some of its keys changed."""
    question = Question.model_validate({**QUESTION, **changes})
    config = Config.model_validate({**PROTOCOL, "questions": [question.model_dump()]})
    return answer(question, config, studies)


def effect(a: int, n1: int, c: int, n2: int) -> tuple[float, float]:
    """The log risk ratio and its variance (Borenstein et al. 2009, eqs 5.1-5.3)."""
    return log((a / n1) / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2


def equal_effects(*effects: tuple[float, float]) -> tuple[float, float]:
    """The pooled estimate of equal effects and its standard error."""
    weights = [1 / vi for _, vi in effects]
    mean = sum(w * yi for w, (yi, _) in zip(weights, effects, strict=True)) / sum(weights)
    return mean, sqrt(1 / sum(weights))


# How many studies


def test_no_study_is_answered_with_the_reason_and_without_an_estimate() -> None:
    result = ask()
    assert (result.effects, result.not_pooled, result.pooled) == ((), (), None)
    assert result.reason == "No eligible study reports this outcome for this comparison."
    assert result.warnings == ()


def test_a_study_without_usable_data_is_listed_and_the_reason_points_to_it() -> None:
    result = ask(study("Percent", percent=(50.0, 25.0)))
    assert (result.effects, result.pooled) == ((), None)
    assert [n.record_id for n in result.not_pooled] == ["Percent"]
    assert result.reason == "No study is poolable: see the reason of each."


def test_one_study_is_shown_and_not_pooled() -> None:
    result = ask(ICE, subgroup="condition")
    (only,) = result.effects
    assert (only.yi, only.vi) == pytest.approx(effect(32, 59, 12, 58))
    assert result.pooled is None
    assert "One study" in result.reason
    assert (result.subgroups, result.subgroup_test) == ((), None)


def test_two_studies_are_pooled() -> None:
    result = ask(ICE, SECOND)
    assert result.pooled is not None
    assert result.reason == ""
    wanted = equal_effects(effect(32, 59, 12, 58), effect(10, 20, 5, 20))
    assert (result.pooled.estimate, result.pooled.se) == pytest.approx(wanted)
    assert (result.pooled.k, result.pooled.n) == (2, 157)  # 59 + 58 + 20 + 20


def test_a_study_below_the_protocols_smallest_n_stays_narrative() -> None:
    """1 of 1 against 0 of 1: two patients, the protocol wants three."""
    result = ask(ICE, SECOND, study("Tiny", 1, 1, 0, 1))
    assert [e.record_id for e in result.effects] == ["ICE", "Second"]
    (tiny,) = result.not_pooled
    assert "n = 2" in tiny.reason


def test_the_answer_carries_the_questions_own_words() -> None:
    result = ask(ICE)
    assert (result.question_id, result.title, result.measure) == ("q", "Responders", "RR")


# Subgroups


def test_subgroups_are_named_by_the_condition_and_compared() -> None:
    other = study("Other", 10, 20, 5, 20, condition="Multifocal motor neuropathy")
    result = ask(ICE, other, subgroup="condition")
    assert [(g.label, g.members) for g in result.subgroups] == [
        ("CIDP", (0,)),
        ("Multifocal motor neuropathy", (1,)),
    ]
    assert result.subgroup_test is not None
    (y1, v1), (y2, v2) = effect(32, 59, 12, 58), effect(10, 20, 5, 20)
    assert result.subgroup_test.q == pytest.approx((y1 - y2) ** 2 / (v1 + v2))
    assert result.subgroup_test.df == 1


def test_without_a_subgroup_in_the_question_there_is_none() -> None:
    result = ask(ICE, SECOND)
    assert (result.subgroups, result.subgroup_test) == ((), None)


# Models of counts


def mantel_haenszel(*tables: tuple[int, int, int, int]) -> float:
    """The log risk ratio of Mantel and Haenszel, from events and n of both arms."""
    top = sum(a * n2 / (n1 + n2) for a, n1, c, n2 in tables)
    return log(top / sum(c * n1 / (n1 + n2) for a, n1, c, n2 in tables))


def test_a_question_may_be_pooled_by_mantel_and_haenszel() -> None:
    result = ask(ICE, SECOND, THIRD, model={"method": "MH"}, sensitivity=[])
    assert result.pooled is not None
    wanted = mantel_haenszel((32, 59, 12, 58), (10, 20, 5, 20), (12, 30, 9, 30))
    assert result.pooled.estimate == pytest.approx(wanted)
    assert (result.pooled.method, result.pooled.test, result.pooled.n) == ("MH", "z", 217)
    assert result.pooled.notes == (
        "Mantel-Haenszel has no Hartung-Knapp test; the interval is normal.",
    )
    assert sum(result.pooled.weights) == pytest.approx(100)


def test_a_variation_may_be_one_of_counts() -> None:
    by_mh = [{"label": "Mantel-Haenszel", "method": "MH"}]
    result = ask(ICE, SECOND, sensitivity=by_mh)
    varied = result.sensitivity[0].pooled
    assert varied is not None
    assert varied.estimate == pytest.approx(mantel_haenszel((32, 59, 12, 58), (10, 20, 5, 20)))
    assert result.pooled == ask(ICE, SECOND).pooled


@pytest.mark.parametrize(
    ("measure", "model"),
    [
        ("RD", {"method": "MH"}),
        ("OR", {"method": "MH"}),
        ("PETO", {"method": "PETO", "test": "z"}),
        ("OR", {"method": "GLMM", "test": "z"}),
        ("OR", {"method": "GLMM", "glmm_model": "CM.EL", "test": "t"}),
    ],
)
def test_each_model_of_counts_pools_its_measures(measure: str, model: dict[str, str]) -> None:
    """Near the inverse-variance estimate of the same measure: the studies are large enough."""
    result = ask(ICE, SECOND, THIRD, measure=measure, model=model)
    near = ask(ICE, SECOND, THIRD, measure=measure)
    assert result.pooled is not None
    assert near.pooled is not None
    assert result.pooled.method == model["method"]
    assert result.pooled.estimate == pytest.approx(near.pooled.estimate, rel=0.2)


def test_a_model_of_counts_needs_no_rule_for_zero_cells() -> None:
    """One study has no event under placebo: its own effect needs the rule, the pool does not."""
    zero = study("Zero", 3, 20, 0, 20)
    result = ask(ICE, SECOND, zero, model={"method": "MH"})
    assert result.pooled is not None
    assert result.pooled.estimate == pytest.approx(
        mantel_haenszel((32, 59, 12, 58), (10, 20, 5, 20), (3, 20, 0, 20))
    )
    assert "the pool takes the counts as printed (1 of 3 studies)" in result.assumptions[0]
    assert "counts as printed" not in ask(ICE, SECOND, zero).assumptions[0]


def test_subgroups_are_pooled_by_the_model_of_counts() -> None:
    other = study("Other", 10, 20, 5, 20, condition="Multifocal motor neuropathy")
    result = ask(ICE, THIRD, other, subgroup="condition", model={"method": "MH"})
    group, single = result.subgroups
    assert group.pooled == ask(ICE, THIRD, model={"method": "MH"}).pooled
    assert single.pooled is None
    assert group.pooled is not None
    assert result.subgroup_test is not None
    (y2, v2), variance = effect(10, 20, 5, 20), group.pooled.se**2
    assert result.subgroup_test.q == pytest.approx(
        (group.pooled.estimate - y2) ** 2 / (variance + v2)
    )


def test_counts_without_an_estimate_are_told_with_the_reason() -> None:
    """No event under placebo anywhere: the odds ratio of a GLMM is infinite."""
    none = [study(f"S{i}", 3 + i, 20, 0, 20) for i in range(3)]
    result = ask(*none, measure="OR", model={"method": "GLMM"}, subgroup="condition")
    assert result.pooled is None
    assert "infinite" in result.reason
    assert [(g.pooled, "infinite" in g.reason) for g in result.subgroups] == [(None, True)]
    assert result.subgroup_test is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"measure": "PLO", "model": {"method": "MH"}}, "MH pools RR, OR, RD, IRR; not PLO"),
        ({"model": {"method": "PETO"}}, "PETO pools PETO; not RR"),
        ({"sensitivity": [{"label": "x", "method": "GLMM"}]}, "GLMM pools OR, IRR, PLO, IRLN"),
        ({"sensitivity": [{"label": "x", "glmm_model": "UM.RS"}]}, "belongs to the method GLMM"),
    ],
)
def test_a_model_that_does_not_pool_the_measure_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    question = Question.model_validate({**QUESTION, **changes})
    with pytest.raises(ConfigError, match=re.escape(said)):
        check_questions([question])


def test_only_a_glmm_has_a_glmm_model() -> None:
    with pytest.raises(ValidationError, match="belongs to the method GLMM"):
        Question.model_validate({**QUESTION, "model": {"method": "MH", "glmm_model": "UM.FS"}})


# Sensitivity analyses


def test_leaving_one_out_takes_three_studies() -> None:
    analyses = [{"label": "Leave one out", "leave_one_out": True}]
    assert ask(ICE, SECOND, sensitivity=analyses).sensitivity == ()
    left = ask(ICE, SECOND, THIRD, sensitivity=analyses).sensitivity
    assert [s.label for s in left] == ["Without ICE", "Without Second", "Without Third"]
    wanted = equal_effects(effect(10, 20, 5, 20), effect(12, 30, 9, 30))
    assert left[0].pooled is not None
    assert (left[0].pooled.estimate, left[0].pooled.se) == pytest.approx(wanted)


def test_another_model_changes_the_variation_alone() -> None:
    result = ask(ICE, SECOND, THIRD, sensitivity=[{"label": "Random", "method": "DL"}])
    varied = result.sensitivity[0]
    assert result.pooled is not None
    assert varied.pooled is not None
    assert varied.label == "Random"
    assert (result.pooled.method, varied.pooled.method) == ("EE", "DL")
    assert result.pooled == ask(ICE, SECOND, THIRD).pooled


@pytest.mark.parametrize("method", ["DL", "REML"])
def test_a_variation_is_what_the_question_with_that_model_gives(method: str) -> None:
    varied = {"method": method, "test": "knha"}
    result = ask(ICE, SECOND, THIRD, sensitivity=[{"label": "Varied", **varied}])
    assert result.sensitivity[0].pooled == ask(ICE, SECOND, THIRD, model=varied).pooled
    assert result.sensitivity[0].pooled != result.pooled


def test_a_variation_without_recovery_leaves_out_what_was_recovered_and_says_why() -> None:
    """50 % and 25 % of 20 are 10 and 5: allowed by the question, not by its variation."""
    percent = study("Percent", percent=(50.0, 25.0))
    printed_only = [{"label": "Printed events only", "recover": []}]
    result = ask(ICE, percent, recover=["events_from_percent"], sensitivity=printed_only)
    assert result.pooled is not None
    wanted = equal_effects(effect(32, 59, 12, 58), effect(10, 20, 5, 20))
    assert (result.pooled.estimate, result.pooled.se) == pytest.approx(wanted)
    (varied,) = result.sensitivity
    assert varied.pooled is None
    assert "One study" in varied.reason
    assert any("percentage" in sentence for sentence in result.assumptions)


def test_leaving_one_out_goes_with_the_model_of_its_variation() -> None:
    analyses = [{"label": "Leave one out", "leave_one_out": True, "method": "DL"}]
    left = ask(ICE, SECOND, THIRD, sensitivity=analyses).sensitivity
    assert left[0].pooled == ask(SECOND, THIRD, model={**EQUAL, "method": "DL"}).pooled


def test_a_variation_may_keep_some_designs_only() -> None:
    loose = study("Loose", 10, 20, 5, 20, design="nonrandomised_controlled")
    randomised = [{"label": "Randomised", "designs": ["rct_parallel"]}]
    result = ask(ICE, THIRD, loose, sensitivity=randomised)
    assert result.pooled is not None
    assert result.pooled.k == 3
    assert result.sensitivity[0].pooled == ask(ICE, THIRD).pooled


# What a pool gets without being asked


def labels(result: QuestionResult) -> list[str]:
    return [s.label for s in result.sensitivity]


def test_three_studies_are_shown_without_each_unasked() -> None:
    assert ask(ICE, SECOND).sensitivity == ()
    result = ask(ICE, SECOND, THIRD)
    assert labels(result) == ["Without ICE", "Without Second", "Without Third"]
    assert result.sensitivity[0].pooled == ask(SECOND, THIRD).pooled
    assert ask(ICE, SECOND, THIRD, checks=[]).sensitivity == ()
    by_glmm = {"method": "GLMM", "test": "z"}
    assert ask(ICE, SECOND, THIRD, measure="OR", model=by_glmm).sensitivity == ()


def test_a_pool_with_recovered_numbers_is_shown_from_printed_ones() -> None:
    percent = study("Percent", percent=(50.0, 25.0))
    allowed = {"recover": ["events_from_percent"], "checks": []}
    (printed,) = ask(ICE, SECOND, percent, **allowed).sensitivity
    assert (printed.label, printed.pooled) == ("Printed numbers only", ask(ICE, SECOND).pooled)
    (one,) = ask(ICE, percent, **allowed).sensitivity
    assert one.reason == "One study prints all its numbers: no pool."
    (none,) = ask(percent, study("Other", percent=(60.0, 25.0)), **allowed).sensitivity
    assert none.reason == "No study prints all its numbers: no pool."
    assert ask(percent, **allowed).sensitivity == ()


def test_a_variation_of_the_protocol_is_not_repeated() -> None:
    percent = study("Percent", percent=(50.0, 25.0))
    named = [{"label": "As printed", "recover": []}]
    allowed = {"recover": ["events_from_percent"], "checks": [], "sensitivity": named}
    assert labels(ask(ICE, SECOND, percent, **allowed)) == ["As printed"]
    other = [{"label": "As printed, DL", "recover": [], "method": "DL"}]
    twice = ask(ICE, SECOND, percent, **{**allowed, "sensitivity": other})
    assert labels(twice) == ["As printed, DL", "Printed numbers only"]


PAIN = {"name": "pain", "kind": "continuous", "direction": "lower is better"}


def pain(*studies: Study, **changes: Any) -> QuestionResult:
    """What studies say to a question on pain, in which nobody names a scale."""
    asked = {**QUESTION, "outcome": "pain", "measure": "ROMC", "ri": 0.5, "checks": [], **changes}
    question = Question.model_validate(asked)
    protocol = {**PROTOCOL, "outcomes": [PAIN], "questions": [question.model_dump()]}
    return answer(question, Config.model_validate(protocol), studies)


def of_pain(name: str, kind: str, **values: float) -> Study:
    read = {k: Reading(v, quote(str(v))) for k, v in values.items()}
    outcome = Outcome("pain", kind, quote=quote("pain"), **read)  # type: ignore[arg-type]
    return replace(ICE, record_id=name, slab=name, outcomes=(outcome,))


BEFORE_AFTER = [
    of_pain("A", "mean", value=3.0, sd=1.5, n=20, baseline_value=6.0, baseline_sd=1.5),
    of_pain("B", "mean", value=4.0, sd=2.0, n=30, baseline_value=6.5, baseline_sd=1.8),
]


def test_an_assumed_correlation_is_varied_over_the_grid() -> None:
    result = pain(*BEFORE_AFTER)
    assert labels(result) == ["Printed numbers only", "r = 0.3", "r = 0.7", "r = 0.9"]
    (seven,) = [s.pooled for s in result.sensitivity if s.label == "r = 0.7"]
    assert seven == pain(*BEFORE_AFTER, ri=0.7).pooled
    assert seven is not None
    assert result.pooled is not None
    assert seven.se < result.pooled.se  # the more they correlate, the less a change varies


def test_the_grid_is_the_protocols_and_what_it_names_is_not_repeated() -> None:
    named = [{"label": "weakly correlated", "ri": 0.1}]
    result = pain(*BEFORE_AFTER, ri_grid=[0.1, 0.8], sensitivity=named)
    assert labels(result) == ["weakly correlated", "Printed numbers only", "r = 0.8"]
    assert labels(pain(*BEFORE_AFTER, ri_grid=[])) == ["Printed numbers only"]


def test_a_borrowed_cv_is_halved_and_doubled() -> None:
    borrowed = {
        "recover": ["log_ratio_from_percent"],
        **{"cv": 0.4, "cv_source": "two trials", "ri_grid": []},
    }
    percent = of_pain("C", "percent_change", value=-40.0, n=12)
    result = pain(*BEFORE_AFTER, percent, **borrowed)
    assert labels(result) == ["Printed numbers only", "CV = 0.2", "CV = 0.8"]
    half, double = (s.pooled for s in result.sensitivity[1:])
    assert half is not None
    assert double is not None
    assert half.weights[2] > double.weights[2]
    assert result.unprinted == {"assumed correlations": 3, "borrowed coefficients of variation": 1}


# Checks


TEN = [study(f"S{i}", 5 + i, 20 + 7 * i, 4 + i % 3, 19 + 6 * i) for i in range(10)]


def test_ten_studies_are_tested_for_small_study_effects() -> None:
    result = ask(*TEN)
    assert [t.name for t in result.small_studies] == [
        "Egger's regression",
        "Harbord's test, of odds ratios",
        "Peters' test, of odds ratios",
        "Begg's rank correlation",
        "Trim and fill (L0)",
        "PET-PEESE",
    ]
    yi, vi = np.array([e.yi for e in result.effects]), np.array([e.vi for e in result.effects])
    wanted, found = egger(yi, vi), result.small_studies[0]
    assert (found.stat, found.df, found.pval) == (wanted.stat, 8, wanted.pval)
    assert (found.estimate, found.ci_lb, found.ci_ub) == (wanted.est, wanted.ci_lb, wanted.ci_ub)
    assert (result.influence, result.check_notes) == ((), ())


def test_fewer_studies_are_not_and_a_line_says_why() -> None:
    result = ask(*TEN[:9])
    assert result.small_studies == ()
    assert result.check_notes == (
        "Tests of small-study effects want 10 or more studies (Cochrane Handbook 13.3.5.4); "
        "this pool has 9.",
    )
    assert (
        ask(ICE, SECOND).check_notes[1] == "Leaving one study out needs 3 or more; this pool has 2."
    )
    assert ask(ICE).check_notes == ()


def test_a_question_may_name_its_checks() -> None:
    result = ask(*TEN[:5], checks=["influence", "bias"])
    assert [one.slab for one in result.influence] == ["S0", "S1", "S2", "S3", "S4"]
    assert result.small_studies[0].note == ""
    assert result.sensitivity == ()
    (few,) = result.check_notes
    assert few.startswith("5 studies are too few")
    assert ask(*TEN, checks=[]).small_studies == ()
    two = ask(ICE, SECOND, checks=["influence", "bias"])
    assert (two.influence, two.small_studies, len(two.check_notes)) == ((), (), 2)


def test_checks_of_a_pool_of_counts_rest_on_effect_sizes() -> None:
    result = ask(*TEN, model={"method": "MH"}, checks=["bias", "influence"])
    assert len(result.influence) == 10
    assert "by REML" in result.check_notes[0]
    assert result.small_studies[4].estimate is not None


def test_a_test_that_fails_leaves_its_reason() -> None:
    """Effects of studies of one size: no test by size can be made."""
    alike = [study(f"S{i}", 10, 20, 5, 20) for i in range(10)]
    tests = ask(*alike).small_studies
    assert tests[0].stat is None
    assert "does not vary" in tests[0].note


def test_proportions_are_tested_by_their_size() -> None:
    names = {"comparisons": ["none (single-arm)"], "measure": "PLO"}
    alone = [replace(s, comparison_class=Reading("none (single-arm)")) for s in TEN]
    assert ask(*alone, **names).small_studies[1].name == "Regression on 1 / n"


# Numbers that are not printed


def test_an_answer_counts_the_numbers_that_are_not_printed() -> None:
    percent = study("Percent", percent=(50.0, 25.0))
    result = ask(ICE, percent, recover=["events_from_percent"])
    assert result.numbers == 8
    assert result.unprinted == {"events from percentages": 2}
    assert (ask(ICE).numbers, ask(ICE).unprinted) == (4, {})


# What a reader is told


def test_a_reader_is_told_how_many_studies_nobody_reviewed() -> None:
    warnings = ask(ICE, SECOND).warnings
    assert "2 of 2 studies rest on machine-read, unreviewed values." in warnings


def test_a_reader_is_told_of_studies_with_one_registration() -> None:
    """Two reports of one trial would count its patients twice."""
    twins = [
        study("Part 1", 10, 20, 5, 20, registered=("NCT00666263", "NCT00666263")),
        study("Part 2", 12, 30, 9, 30, registered=("NCT00666263",)),
        study("Alone", 32, 59, 12, 58, registered=("NCT00000001",)),
    ]
    (warning,) = (w for w in ask(*twins).warnings if "NCT" in w)
    assert "Part 1 and Part 2" in warning
    assert "NCT00666263" in warning


def test_a_shared_registration_outside_the_pool_is_no_warning() -> None:
    check_notes = study("Percent", percent=(50.0, 25.0), registered=("NCT00666263",))
    one = study("Part 1", 10, 20, 5, 20, registered=("NCT00666263",))
    assert not any("NCT" in w for w in ask(one, ICE, check_notes).warnings)


def test_the_notes_of_a_pool_stay_with_it_and_are_told_once() -> None:
    """The report prints them beside the estimate."""
    result = ask(ICE, SECOND, model={"method": "REML", "test": "knha"})
    assert result.pooled is not None
    assert any("Two studies" in note for note in result.pooled.notes)
    assert not set(result.pooled.notes) & set(result.warnings)
