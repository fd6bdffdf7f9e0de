"""Screening: each rule with the least that breaks it, its code and reason, and the rules' order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.config import Config
from pipeline.schema import (
    DESIGNS,
    Arm,
    Correction,
    Problem,
    Reading,
    Record,
    Screening,
    Section,
    Study,
)
from pipeline.screen import RULES, reasons, screen

IG = Arm("IVIg", "intervention", "Immunoglobulin")
PLACEBO = Arm("placebo", "comparator", "placebo")
STEROIDS = Arm("prednisolone", "comparator", "corticosteroids")

RECORD = Record("r1", "IVIg in CIDP", (Section("Sixty patients had IVIg or placebo."),))
#: A study that breaks no rule.
STUDY = Study(
    record_id="r1",
    design=Reading("rct_parallel", RECORD.quote(0, 4)),
    comparison_class=Reading("Ig vs placebo"),
    condition=Reading("CIDP"),
    n_total=Reading(60),
    arms=(IG, PLACEBO),
)
SINGLE: dict[str, Any] = {
    "design": Reading("single_arm_prospective"),
    "comparison_class": Reading("none (single-arm)"),
    "arms": (IG,),
}


def judged(config: Config, study: Study = STUDY, record: Record = RECORD) -> Screening:
    """The screening by the shipped protocol."""
    return screen(record, study, config.eligibility)


def text(abstract: str, title: str = "IVIg in CIDP") -> Record:
    """A record that holds a text."""
    return Record("r1", title, (Section(abstract),))


def test_a_study_that_breaks_no_rule_is_eligible_and_says_as_what(config: Config) -> None:
    found = judged(config)
    assert (found.include, found.code) == (True, "eligible")
    assert found.reason == "primary study (rct parallel; Ig vs placebo)"
    assert found.quote == STUDY.design.quote


# retracted


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORD, publication_types=("Journal Article", "Retracted Publication")),
        replace(RECORD, corrections=(Correction("RetractionIn", "99"),)),
        replace(RECORD, corrections=(Correction("RetractedandRepublishedIn", "99"),)),
        replace(RECORD, title="RETRACTED: IVIg in CIDP"),
    ],
)
def test_a_retracted_publication(config: Config, record: Record) -> None:
    found = judged(config, record=record)
    assert (found.include, found.code, found.reason) == (False, "retracted", "retracted")


@pytest.mark.parametrize("link", ["ErratumIn", "CommentIn", "RetractionOf", "UpdateIn"])
def test_another_link_is_no_retraction(config: Config, link: str) -> None:
    assert judged(config, record=replace(RECORD, corrections=(Correction(link, "99"),))).include


# not_primary


@pytest.mark.parametrize(
    ("design", "word"),
    [
        ("protocol", "protocol"),
        ("guideline", "guideline"),
        ("systematic_review", "systematic review"),
        ("narrative_review", "review"),
        ("animal", "animal"),
        ("other", "no primary study"),
    ],
)
def test_what_reports_no_patients_of_its_own(config: Config, design: str, word: str) -> None:
    found = judged(config, replace(STUDY, design=Reading(design, RECORD.quote(0, 4))))
    assert (found.include, found.code) == (False, "not_primary")
    assert word in found.reason
    assert found.quote == RECORD.quote(0, 4)


# population


def test_another_condition(config: Config) -> None:
    quote = RECORD.quote(8, 12)
    found = judged(config, replace(STUDY, condition=Reading("Kawasaki disease", quote)))
    assert (found.code, found.quote) == ("population", quote)
    assert found.reason == "not the protocol's population (Kawasaki disease)"


def test_no_condition(config: Config) -> None:
    found = judged(config, replace(STUDY, condition=None))
    assert (found.code, found.quote) == ("population", None)


# design


def test_a_design_that_the_protocol_does_not_pool(config: Config) -> None:
    found = judged(config, replace(STUDY, **SINGLE | {"design": Reading("case_report")}))
    assert (found.code, found.reason) == ("design", "design case report: narrative only")


def test_the_protocol_says_which_designs_are_pooled(config: Config) -> None:
    """Of every design: pooled, or excluded for what it is."""
    kept = {d for d in DESIGNS if judged(config, replace(STUDY, design=Reading(d))).include}
    assert kept == set(config.eligibility.designs)
    fewer = config.eligibility.model_copy(update={"designs": ("rct_crossover",)})
    assert screen(RECORD, STUDY, fewer).code == "design"


# intervention


def test_no_arm_with_the_intervention(config: Config) -> None:
    study = replace(
        STUDY,
        comparison_class=Reading("plasma exchange vs placebo"),
        arms=(replace(IG, treatment="plasma exchange"), PLACEBO),
    )
    found = judged(config, study)
    assert (found.code, found.reason) == ("intervention", "no arm with immunoglobulin")


def test_a_comparison_of_the_intervention_is_enough(config: Config) -> None:
    """Arms named by dose, route or brand do not repeat the drug's name."""
    arms = (Arm("1 g/kg", "intervention", "1 g/kg"), Arm("2 g/kg", "comparator", "2 g/kg"))
    study = replace(STUDY, comparison_class=Reading("Ig dose regimen"), arms=arms)
    assert judged(config, study).include


def test_the_protocols_own_intervention_counts(config: Config) -> None:
    other = config.eligibility.intervention.model_copy(update={"name": "Rituximab", "short": "R"})
    eligibility = config.eligibility.model_copy(update={"intervention": other})
    found = screen(RECORD, STUDY, eligibility)
    assert (found.code, found.reason) == ("intervention", "no arm with rituximab")


# too_small


@pytest.mark.parametrize(("n", "include"), [(1, False), (2, False), (3, True), (4, True)])
def test_fewer_patients_than_the_protocol_asks_for(config: Config, n: int, include: bool) -> None:
    quote = RECORD.quote(13, 18)
    found = judged(config, replace(STUDY, **SINGLE, n_total=Reading(n, quote)))
    assert found.include is include
    if not include:
        assert (found.code, found.quote) == ("too_small", quote)
        assert found.reason == f"n = {n}, below the protocol's minimum of 3: narrative only"


def test_an_unknown_n_is_not_small(config: Config) -> None:
    assert judged(config, replace(STUDY, n_total=None)).include


# secondary_report


@pytest.mark.parametrize("code", ["combined_treatment", "mixed_series"])
def test_what_the_extractor_could_not_tell_apart(config: Config, code: str) -> None:
    problem = Problem(code, "not its own", RECORD.quote(0, 4))
    found = judged(config, replace(STUDY, **SINGLE, problems=(problem,)))
    assert (found.include, found.code) == (False, "not_separable")
    assert found.quote == problem.quote


def test_a_cross_sectional_study_has_no_effect_to_pool(config: Config) -> None:
    problem = Problem("cross_sectional", "looks at one time", RECORD.quote(0, 4))
    found = judged(config, replace(STUDY, comparison_class=None, arms=(IG,), problems=(problem,)))
    assert (found.include, found.code, found.quote) == (False, "cross_sectional", problem.quote)


def test_another_problem_does_not_exclude(config: Config) -> None:
    problem = Problem("unlabelled_interval", "what it is")
    assert judged(config, replace(STUDY, **SINGLE, problems=(problem,))).include


def test_the_intervention_in_both_arms_is_not_compared(config: Config) -> None:
    study = replace(STUDY, comparison_class=Reading("add-on (Ig in both arms)"))
    found = judged(config, study)
    assert (found.include, found.code) == (False, "not_separable")


@pytest.mark.parametrize(
    ("text", "included"),
    [
        ("In a secondary analysis of the first period 12 improved.", True),
        ("This open-label extension of the trial had 20 patients.", True),
        ("This was a secondary analysis of the trial.", False),
        ("A post hoc analysis: 20 patients improved.", False),
    ],
)
def test_which_words_make_a_secondary_report(config: Config, text: str, included: bool) -> None:
    assert judged(config, STUDY, replace(RECORD, title=text)).include is included


# The rules together

#: The rules in their order, each with a change to record or study that breaks it.
BREAKS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("retracted", {"publication_types": ("Retracted Publication",)}, {}),
    ("not_primary", {}, {"design": Reading("guideline")}),
    ("population", {}, {"condition": Reading("Kawasaki disease")}),
    ("design", {}, {"design": Reading("case_report")}),
    ("intervention", {}, {"arms": (), "comparison_class": None}),
    ("too_small", {}, {"n_total": Reading(2)}),
    ("secondary_report", {"title": "A post hoc analysis"}, {}),
    ("not_separable", {}, {"arms": (IG, STEROIDS), "comparison_class": None}),
    (
        "cross_sectional",
        {},
        {
            "arms": (IG,),
            "comparison_class": None,
            "problems": (Problem("cross_sectional", "looks at one time"),),
        },
    ),
)


def test_every_rule_is_tried_here() -> None:
    assert [code for code, _ in RULES] == [code for code, _, _ in BREAKS]


@pytest.mark.parametrize("first", range(len(BREAKS)))
def test_a_rule_breaks_alone(config: Config, first: int) -> None:
    code, in_record, in_study = BREAKS[first]
    found = judged(config, replace(STUDY, **in_study), replace(RECORD, **in_record))
    assert (found.include, found.code) == (False, code)


@pytest.mark.parametrize("first", range(len(BREAKS)))
def test_the_first_rule_that_is_broken_gives_the_reason(config: Config, first: int) -> None:
    """Break a rule and all behind it (as far as one study can) and the first is named."""
    in_record: dict[str, Any] = {}
    in_study: dict[str, Any] = {}
    for _, of_record, of_study in reversed(BREAKS[first:]):
        in_record |= of_record
        in_study |= of_study
    found = judged(config, replace(STUDY, **in_study), replace(RECORD, **in_record))
    assert found.code == BREAKS[first][0]


def test_exclusions_are_counted_in_the_order_of_the_rules() -> None:
    codes = ["too_small", "retracted", "eligible", "too_small", "population"]
    screenings = [Screening(f"r{i}", c == "eligible", c, "") for i, c in enumerate(codes)]
    assert reasons(screenings) == (("retracted", 1), ("population", 1), ("too_small", 2))


def test_nothing_excluded_counts_nothing() -> None:
    assert reasons([Screening("r1", True, "eligible", "")]) == ()
    assert reasons([]) == ()
