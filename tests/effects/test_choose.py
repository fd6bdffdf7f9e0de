"""Which result of a study enters a pool, and the reasons of those that do not."""

from __future__ import annotations

from collections import Counter
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any

import pytest
from scipy import stats

from pipeline.config import Condition, OutcomeDef, Question
from pipeline.effects.choose import Selection, check_questions, effects_for
from pipeline.errors import ConfigError
from pipeline.schema import Arm, Outcome, Quote, Reading, Study, Timepoint

RESPONDERS = OutcomeDef(
    name="responders",
    synonyms=("responder", "responders", "response"),
    kind="binary",
    direction="higher is better",
)
PAIN = OutcomeDef(
    name="pain",
    synonyms=("VAS pain", "pain score", "pain"),
    kind="continuous",
    unit="points",
    range=(0, 10),
    direction="lower is better",
)
STRENGTH = OutcomeDef(
    name="strength", synonyms=("grip strength",), kind="continuous", direction="higher is better"
)
DISABILITY = OutcomeDef(
    name="disability in GBS",
    synonyms=("GBS disability grade",),
    kind="continuous",
    unit="grades",
    range=(0, 6),
    direction="lower is better",
)
POPULATION = (
    Condition(name="CIDP", terms=("chronic inflammatory demyelinating polyneuropathy",)),
    Condition(name="Guillain-Barré syndrome", terms=("GBS",)),
)


def quote(text: str) -> Quote:
    return Quote("r", 0, len(text), text)


def row(measure: str = "responder", type_: str = "count", **values: Any) -> Outcome:
    """An outcome whose plain values become readings quoted with themselves."""
    own = {"arm": values.pop("arm", ""), "timepoint": values.pop("timepoint", None)}
    phrase = quote(values.pop("text", f"the phrase of {measure}"))
    readings = {name: Reading(v, quote(f"{name} {v}")) for name, v in values.items()}
    return Outcome(measure, type_, quote=phrase, **own, **readings)  # type: ignore[arg-type]


def study(*outcomes: Outcome, record_id: str = "pmid1", **values: Any) -> Study:
    design = values.pop("design", "rct_parallel")
    compared = values.pop("comparison", "Ig vs placebo")
    condition = values.pop("condition", "CIDP")
    n = values.pop("n", None)
    return Study(
        record_id,
        Reading(design),
        slab=values.pop("slab", "Hughes 2008"),
        comparison_class=Reading(compared),
        condition=Reading(condition) if condition else None,
        n_total=Reading(n) if n else None,
        outcomes=outcomes,
        **values,
    )


def question(measure: str = "RR", **values: Any) -> Question:
    plain = {"id": "q", "title": "Q", "comparisons": ("Ig vs placebo",), "outcome": "responders"}
    return Question(**{**plain, "measure": measure, **values})


def single(measure: str, **values: Any) -> Question:
    return question(measure, comparisons=("none (single-arm)",), **values)


def series(*outcomes: Outcome, **values: Any) -> Study:
    values = {"design": "case_series", "comparison": "none (single-arm)", **values}
    return study(*outcomes, **values)


def chosen(
    asked: Question, *studies: Study, outcome: OutcomeDef = RESPONDERS, min_n: int = 1
) -> Selection:
    return effects_for(asked, outcome, POPULATION, studies, min_n=min_n)


def reason(asked: Question, one: Study, outcome: OutcomeDef = RESPONDERS) -> str:
    """The reason why a study is not pooled."""
    selection = chosen(asked, one, outcome=outcome)
    assert selection.effects == ()
    (refused,) = selection.not_pooled
    return refused.reason


ICE = row(events=32, n=59, comparator_events=12, comparator_n=58)  # PMID 18178525


def test_counts_of_two_arms() -> None:
    """ICE trial, 32/59 v 12/58: RR 2.62 by hand, with columns in RevMan's order."""
    (effect,) = chosen(question(), study(ICE)).effects
    assert effect.yi == pytest.approx(log((32 / 59) / (12 / 58)))
    assert effect.vi == pytest.approx(1 / 32 - 1 / 59 + 1 / 12 - 1 / 58)
    assert effect.columns == (
        ("Events 1", "32"),
        ("Total 1", "59"),
        ("Events 2", "12"),
        ("Total 2", "58"),
    )
    assert (effect.ni, effect.outcome, effect.slab) == (117, "responder", "Hughes 2008")
    assert [q.text for q in effect.quotes][:2] == ["events 32", "n 59"]
    assert effect.recovered == ()


@pytest.mark.parametrize(
    ("asked", "one"),
    [
        (question(conditions=("Guillain-Barré syndrome",)), study(ICE)),
        (question(conditions=("CIDP",)), study(ICE, condition=None)),
        (question(), study(ICE, comparison="Ig vs active")),
        (question(designs=("rct_crossover",)), study(ICE)),
        (question(comparator=("plasma exchange",)), study(ICE)),
    ],
)
def test_studies_of_another_question_are_neither_pooled_nor_listed(
    asked: Question, one: Study
) -> None:
    assert chosen(asked, one) == Selection((), (), ())


def test_a_condition_may_be_named_by_a_term() -> None:
    asked = question(conditions=("Guillain-Barré syndrome",), subgroup="condition")
    (effect,) = chosen(asked, study(ICE, condition="gbs")).effects
    assert effect.subgroup == "Guillain-Barré syndrome"


def test_subgroup_by_design() -> None:
    (effect,) = chosen(question(subgroup="design"), study(ICE)).effects
    assert effect.subgroup == "rct_parallel"


@pytest.mark.parametrize(
    ("label", "matches"), [("PE", True), ("Plasma Exchange", True), ("PEG", False), ("Drug", False)]
)
def test_the_comparator_must_show_a_phrase_as_whole_words(label: str, matches: bool) -> None:
    asked = question(comparator=("plasma exchange", "PE"))
    arms = (Arm("IVIg", "intervention"), Arm(label, "comparator"))
    assert len(chosen(asked, study(ICE, arms=arms)).effects) == matches


def test_a_phrase_of_the_treated_arm_is_not_the_comparators() -> None:
    arms = (Arm("PE", "intervention"), Arm("Placebo", "comparator"))
    assert chosen(question(comparator=("PE",)), study(ICE, arms=arms)).effects == ()


@pytest.mark.parametrize(
    ("measure", "belongs"),
    [
        ("INCAT responder", True),
        ("Responders at week 24", True),
        ("treatment responses", True),
        ("responsiveness", False),
        ("non-responder", False),
        ("no response", False),
        ("loss of response", False),
        ("time to response", False),
        ("relapse", False),
    ],
)
def test_which_names_are_of_the_outcome(measure: str, belongs: bool) -> None:
    one = study(row(measure, events=1, n=9, comparator_events=1, comparator_n=9))
    assert len(chosen(question(), one).effects) == belongs


def test_a_count_is_no_score() -> None:
    """ "pain present" in 26/121 is not a pain score: the study has no result on pain."""
    asked = single("MC", ri=0.5)
    one = series(row("pain present", events=26, n=121))
    assert chosen(asked, one, outcome=PAIN) == Selection((), (), ())


def test_each_patient_counts_once() -> None:
    """Of three usable rows the phrase listed first wins, before n, time and order."""
    rows = [
        row("good response", events=9, n=20),
        row("responder", events=8, n=10),
        row("responder at 4 weeks", events=7, n=12),
    ]
    (effect,) = chosen(single("PLO"), series(*rows)).effects
    assert effect.outcome == "responder at 4 weeks"
    assert effect.ni == 12


def test_of_equal_rows_the_latest_then_the_first_wins() -> None:
    def at(name: str, days: Any) -> Outcome:
        when = Timepoint(name, days) if days else None
        return row(f"responder {name}", events=5, n=9, timepoint=when)

    late = series(at("early", 7), at("late", (20.0, 28.0)), at("unknown", None))
    (effect,) = chosen(single("PLO"), late).effects
    assert effect.outcome == "responder late"
    (effect,) = chosen(single("PLO"), series(at("a", 7), at("b", 7))).effects
    assert effect.outcome == "responder a"
    larger = row("responder, all", events=5, n=10)
    (effect,) = chosen(single("PLO"), series(at("late", 28), larger)).effects
    assert effect.outcome == "responder, all"


def test_a_row_with_data_goes_before_a_better_named_one_without() -> None:
    rows = [row("responder", "proportion", value=83.5, n=38), row("response", events=3, n=9)]
    (effect,) = chosen(single("PLO"), series(*rows)).effects
    assert effect.outcome == "response"


def test_the_reported_row_of_a_refused_study_is_the_best_named_one() -> None:
    """PMID 19168191: VAS pain fell by 73.4 %, n = 5, without a spread."""
    one = series(
        row("pain at rest", "qualitative"),
        row("VAS pain", "percent_change", value=-73.4, n=5, text="reduced by 73.4%"),
    )
    (refused,) = chosen(single("MC", ri=0.5), one, outcome=PAIN).not_pooled
    assert refused.reason == (
        "percent change without a spread (SD, SE or CI): a mean change cannot be computed"
    )
    assert refused.printed == "-73.4 %, n = 5"
    assert refused.quote is not None
    assert refused.quote.text == "reduced by 73.4%"


def test_a_small_study_stays_narrative() -> None:
    """By its own size or that of the result: n = 2 below 3."""
    for one in (series(row(events=1, n=2)), series(row(events=1, n=5), n=2)):
        (refused,) = chosen(single("PLO"), one, min_n=3).not_pooled
        assert refused.reason == "n = 2 is below the protocol's minimum of 3: narrative only"
    assert len(chosen(single("PLO"), series(row(events=1, n=3), n=3), min_n=3).effects) == 1


def test_zero_cells_are_named() -> None:
    one = study(row(events=5, n=16, comparator_events=0, comparator_n=16))
    selection = chosen(question(), one)
    assert "zero cell in 5/16 and 0/16" in selection.effects[0].recovered[0]
    assert selection.assumptions == (
        "Where a cell is 0, 1/2 is added to every cell of that study (1 of 1 study).",
    )


def test_events_without_the_comparators_are_refused() -> None:
    assert (
        reason(question(), study(row(events=9, n=16))) == "no count of events in the comparator arm"
    )


def test_events_without_a_denominator_are_refused() -> None:
    assert "no number of patients" in reason(single("PLO"), series(row(events=9)))


def test_percentages_are_recovered_only_where_the_question_says_so() -> None:
    """PMID 33766992, 40 % v 30 % of 30 each: 12/30 v 9/30, RR 1.3333 (metafor 5.0-1)."""
    one = study(
        row("NRS responder", "proportion", value=40, n=30, comparator_value=30, comparator_n=30)
    )
    assert "does not allow events_from_percent" in reason(question(), one)
    selection = chosen(question(recover=("events_from_percent",)), one)
    assert exp(selection.effects[0].yi) == pytest.approx(4 / 3)
    assert len(selection.effects[0].recovered) == 2
    assert "events_from_percent" not in selection.assumptions[0]
    assert "exactly one whole number" in selection.assumptions[0]


def test_a_percentage_that_fits_no_count_is_refused() -> None:
    """PMID 29781817: 83.5 % of 38."""
    one = series(row("responder", "proportion", value=83.5, n=38))
    told = reason(single("PLO", recover=("events_from_percent",)), one)
    assert told == "a percentage without a count; 83.5 % of 38 is not a whole number of patients"


def test_the_printed_digits_decide_which_counts_fit() -> None:
    """40 % of 250 is 99 to 101 patients, 40.0 % of 250 only 100."""
    asked = single("PLO", recover=("events_from_percent",))
    plain = row("responder", "proportion", value=40, n=250)
    assert "fits 99 to 101" in reason(asked, series(plain))
    twice = Outcome("responder", "proportion", value=Reading(40.0, quote("40.0%, 40")), n=plain.n)
    assert "fits 99 to 101" in reason(asked, series(twice))
    value = Reading(40.0, quote("40.0% of 250"))
    exact = Outcome("responder", "proportion", value=value, n=Reading(250))
    (effect,) = chosen(asked, series(exact)).effects
    assert effect.columns[0] == ("Events", "100")


def test_a_percentage_that_contradicts_its_count_is_named() -> None:
    """8 of 40 printed as 22 %: the count is used as printed, and the reader is told."""
    (effect,) = chosen(single("PLO"), series(row(events=8, n=40, value=22))).effects
    assert effect.recovered == ("8/40 is printed as 22 %; the count is used",)
    assert chosen(single("PLO"), series(row(events=8, n=40, value=20))).effects[0].recovered == ()


def two_means(**values: Any) -> Outcome:
    plain = {"value": 4.0, "sd": 2.0, "n": 20, "comparator_value": 5.0, "comparator_sd": 2.5}
    return row("VAS pain", "mean", **{**plain, "comparator_n": 25, "scale": "0-10", **values})


def test_means_of_two_arms() -> None:
    (effect,) = chosen(question("MD"), study(two_means()), outcome=PAIN).effects
    assert (effect.yi, effect.vi) == pytest.approx((-1.0, 4 / 20 + 6.25 / 25))
    assert dict(effect.columns)["SD 2"] == "2.5"
    assert effect.recovered == ()


@pytest.mark.parametrize("scale", ["0-100", "0–100 mm", "0 to 100", "100 mm", "100-mm VAS"])
def test_a_100_mm_scale_is_divided_by_10(scale: str) -> None:
    asked = question("MD")
    wide = two_means(value=40.0, sd=20.0, comparator_value=50.0, comparator_sd=25.0, scale=scale)
    selection = chosen(asked, study(wide), outcome=PAIN)
    (narrow,) = chosen(asked, study(two_means()), outcome=PAIN).effects
    assert selection.effects[0].yi == pytest.approx(narrow.yi)
    assert selection.effects[0].vi == pytest.approx(narrow.vi)
    assert "0-100 scale divided by 10" in selection.effects[0].recovered[0]
    assert "divided by 10 (1 of 1 study)." in selection.assumptions[0]


def test_an_unstated_scale_is_refused() -> None:
    asked = question("MD")
    unstated = Outcome(
        "VAS pain",
        "mean",
        value=Reading(4.0),
        sd=Reading(1.0),
        n=Reading(9),
        comparator_value=Reading(5.0),
        comparator_sd=Reading(1.0),
        comparator_n=Reading(9),
    )
    assert reason(asked, study(unstated), PAIN) == "the scale is not stated; it must be 0 to 10"
    assert "'0-5'" in reason(asked, study(two_means(scale="0-5")), PAIN)
    other = row("GBS disability grade", "mean", scale="0-60", **PSGBS)
    assert "'0-60'" in reason(plasma_exchange(), psgbs(other), DISABILITY)
    assert len(chosen(question("SMD"), study(unstated), outcome=PAIN).effects) == 1


def test_a_value_outside_the_range_is_refused() -> None:
    told = reason(question("MD"), study(two_means(value=40.0)), PAIN)
    assert told == "the value 40 lies outside 0 to 10"


def test_an_unlabelled_spread_is_never_an_sd() -> None:
    one = Outcome(
        "VAS pain",
        "mean",
        scale=Reading("0-10"),
        value=Reading(4.8),
        n=Reading(19),
        spread_unlabelled=Reading(2.0),
        comparator_value=Reading(4.5),
        comparator_n=Reading(19),
        comparator_spread_unlabelled=Reading(1.8),
        p_value=Reading("0.70"),
    )
    (refused,) = chosen(question("MD"), study(one), outcome=PAIN).not_pooled
    assert refused.reason == "the spread is not labelled SD or SE"
    assert refused.printed == "4.8 ± 2 v 4.5 ± 1.8, n = 19, p = 0.70"


def test_an_sd_from_a_standard_error_or_interval_is_named() -> None:
    """SE 0.5 of 16 is SD 2; 3 to 5 of 16 is SD 4 * 2 / (2 * 2.1314)."""
    plain = {"value": 4.0, "n": 16, "comparator_value": 4.0, "comparator_n": 16, "scale": "0-10"}
    spreads = {"se": 0.5, "comparator_ci_low": 3.0, "comparator_ci_high": 5.0}
    (effect,) = chosen(
        question("MD"), study(row("VAS pain", "mean", **plain, **spreads)), outcome=PAIN
    ).effects
    assert effect.vi == pytest.approx(0.5**2 + (1 / stats.t.ppf(0.975, 15)) ** 2)
    assert len(effect.recovered) == 2


def test_an_interval_that_is_not_symmetric_is_refused() -> None:
    plain = {"value": 4.0, "n": 16, "comparator_value": 4.0, "comparator_n": 16, "scale": "0-10"}
    skewed = row("VAS pain", "mean", **plain, ci_low=3.5, ci_high=9.0)
    assert "not symmetric" in reason(question("MD"), study(skewed), PAIN)


def test_a_reported_difference_stands_in_for_means() -> None:
    """-0.47 (-1.24 to 0.31), PMID 35139161: SE 0.3954 = 1.55 / (2 x 1.95996)."""
    values = {
        "effect_measure": "MD",
        "effect": -0.47,
        "effect_ci_low": -1.24,
        "effect_ci_high": 0.31,
    }
    one = study(row("pain score", "difference", scale="0-10", n=29, comparator_n=31, **values))
    selection = chosen(question("MD"), one, outcome=PAIN)
    (effect,) = selection.effects
    assert (effect.yi, sqrt(effect.vi)) == pytest.approx(
        (-0.47, 1.55 / (2 * stats.norm.ppf(0.975)))
    )
    assert effect.ni == 60
    assert "stand in for arm data" in effect.recovered[0]
    (generic,) = chosen(question("GEN"), one, outcome=PAIN).effects
    assert (generic.yi, generic.vi) == (effect.yi, effect.vi)


def test_a_reported_odds_ratio_is_not_a_difference() -> None:
    values = {"effect_measure": "adjusted OR", "effect": 0.7, "effect_ci_low": 0.16}
    one = study(row("pain score", "ratio", effect_ci_high=3.04, **values))
    assert reason(question("GEN"), one, PAIN) == "the reported effect is adjusted OR, not MD"


def test_a_difference_whose_sign_contradicts_its_direction_is_refused() -> None:
    """ "1.55 units lower (1.29 to 1.82)", with the sign left behind in the words."""
    values = {"effect": 1.55, "effect_ci_low": 1.29, "effect_ci_high": 1.82, "n": 16}
    values = {**values, "effect_measure": "MD", "direction": "improved"}
    lower = study(row("pain score", "difference", scale="0-10", **values))
    assert "contradicts the direction 'improved'" in reason(question("MD"), lower, PAIN)
    weaker = {**values, "direction": "worsened"}
    paired = crossover(row("grip strength", "difference", **weaker))
    assert "contradicts" in reason(question("SMCC"), paired, STRENGTH)


def test_a_value_that_is_no_percentage_is_no_count() -> None:
    one = series(row("response", "ratio", value=1.5, n=100))
    assert reason(single("PLO"), one) == "no count of events in the treated arm"


def test_a_hazard_ratio_is_pooled_as_log() -> None:
    values = {"effect_measure": "HR", "effect": 0.5, "effect_ci_low": 0.25, "effect_ci_high": 1.0}
    (effect,) = chosen(question("HR"), study(row("response", "ratio", **values))).effects
    assert effect.yi == pytest.approx(log(0.5))
    assert sqrt(effect.vi) == pytest.approx(log(4) / (2 * stats.norm.ppf(0.975)))


def test_an_effect_outside_its_interval_is_refused() -> None:
    values = {"effect_measure": "MD", "effect": 2.0, "effect_ci_low": -1.0, "effect_ci_high": 1.0}
    one = study(row("pain score", "difference", scale="0-10", **values))
    assert "outside its CI" in reason(question("MD"), one, PAIN)


def change(value: float, **values: Any) -> Outcome:
    plain = {"value": value, "sd": 2.0, "n": 16, "scale": "0-10"}
    return row("VAS pain", "mean_change", **{**plain, **values})


@pytest.mark.parametrize(
    ("printed", "direction", "yi"),
    [
        (-3.0, "improved", -3.0),
        (3.0, "worsened", 3.0),
        (3.0, "improved", -3.0),  # "improved by 3 points" on a scale where lower is better
        (-3.0, "no difference", -3.0),
    ],
)
def test_a_change_has_the_sign_of_the_score(printed: float, direction: str, yi: float) -> None:
    selection = chosen(single("MC"), series(change(printed, direction=direction)), outcome=PAIN)
    (effect,) = selection.effects
    assert (effect.yi, effect.vi) == pytest.approx((yi, 4 / 16))
    assert bool(effect.recovered) == (printed != yi)


def test_a_change_that_contradicts_its_direction_is_refused() -> None:
    assert "contradicts" in reason(single("MC"), series(change(-3.0, direction="worsened")), PAIN)


def test_a_change_wider_than_the_scale_is_refused() -> None:
    assert (
        reason(single("MC"), series(change(-11.0)), PAIN) == "the change -11 lies outside -10 to 10"
    )


def test_before_and_after_with_the_protocols_correlation() -> None:
    """Series A of the syn_prepost reference: 7.4 (1.1) -> 1.97 (1.4), n = 5, r = 0.3: -5.43,
    vi 0.4492 (metafor 5.0-1, escalc measure="MC")."""
    values = {"value": 1.97, "sd": 1.4, "n": 5, "baseline_value": 7.4, "baseline_sd": 1.1}
    one = series(row("VAS pain", "mean", scale="0-10", **values))
    selection = chosen(single("MC", ri=0.3), one, outcome=PAIN)
    assert (selection.effects[0].yi, selection.effects[0].vi) == pytest.approx((-5.43, 0.4492))
    assert "r = 0.3" in selection.effects[0].recovered[0]
    assert "correlation" in selection.assumptions[0]
    assert "no ri" in reason(single("MC"), one, PAIN)


def test_a_mean_without_baseline_or_its_sd_is_no_change() -> None:
    """Werhagen 2011: VAS 53 -> 42 without SDs."""
    asked = single("MC", ri=0.5)
    alone = series(row("VAS pain", "mean", scale="0-10", value=4.0, sd=1.0, n=9))
    assert reason(asked, alone, PAIN) == "no baseline: a mean alone is not a change"
    bare = series(row("VAS pain", "mean", scale="0-100", value=42, n=45, baseline_value=53))
    assert reason(asked, bare, PAIN) == "no spread (SD, SE or CI) of the result"
    half = {"value": 4.0, "sd": 1.0, "n": 9, "baseline_value": 6.0, "scale": "0-10"}
    assert reason(asked, series(row("VAS pain", "mean", **half)), PAIN) == (
        "no spread (SD, SE or CI) of the baseline"
    )


def test_a_crossover_is_paired_by_the_assumed_correlation() -> None:
    """SDs 2 and 2.5, r = 0.5, 20 patients: (4 + 6.25 - 2 x 0.5 x 2 x 2.5) / 20."""
    periods = study(two_means(comparator_n=20), design="rct_crossover")
    assert "paired data needed" in reason(question("MD"), periods, PAIN)
    (effect,) = chosen(question("MD", ri=0.5), periods, outcome=PAIN).effects
    assert (effect.yi, effect.vi) == pytest.approx((-1.0, (4 + 6.25 - 5) / 20))
    assert any("r = 0.5" in sentence for sentence in effect.recovered)
    uneven = study(two_means(), design="rct_crossover")
    assert "same patients" in reason(question("MD", ri=0.5), uneven, PAIN)


def test_sds_behind_p_values_only_where_the_question_says_so() -> None:
    """Handbook 6.5.2.3's example: a difference of 3.8 with p = 0.008, 25 and 22 patients, is an SE
    of 1.3691 (metafor's inputs: _conversions.json, sd_diff_from_p)."""
    arms = {"value": 8.8, "n": 25, "comparator_value": 5.0, "comparator_n": 22}
    bare = row("VAS pain", "mean", **arms, p_value="0.008", scale="0-10")
    assert "no spread" in reason(question("MD"), study(bare), PAIN)
    (effect,) = chosen(question("MD", recover=("sd_from_p",)), study(bare), outcome=PAIN).effects
    assert (effect.yi, effect.vi**0.5) == pytest.approx((3.8, 1.36910030070529))
    vague = row("VAS pain", "mean", **arms, p_value="<0.05", scale="0-10")
    assert "no exact p" in reason(question("MD", recover=("sd_from_p",)), study(vague), PAIN)


def test_ses_behind_p_values_only_where_the_question_says_so() -> None:
    """An HR of 0.5 with p = 0.013: SE = |log 0.5| / 2.4838 (Handbook 6.3.3)."""
    bare = row("responders", "ratio", effect=0.5, effect_measure="HR", p_value="0.013", n=20)
    assert "no confidence interval" in reason(question("HR"), study(bare))
    (effect,) = chosen(question("HR", recover=("se_from_p",)), study(bare)).effects
    z = NormalDist().inv_cdf(1 - 0.013 / 2)
    assert (effect.yi, effect.vi**0.5) == pytest.approx((log(0.5), -log(0.5) / z))


def test_medians_give_means_only_where_the_question_says_so() -> None:
    """Luo et al. (2018) and Wan et al. (2014) for symmetric quartiles: the median itself, and
    IQR / (2 z), z = Phi^-1((0.75 n - 0.125) / (n + 0.25))."""
    arms = {"n": 40, "iqr": (3.0, 5.0), "comparator_n": 40, "comparator_iqr": (4.0, 6.0)}
    medians = row("VAS pain", "median", value=4.0, comparator_value=5.0, scale="0-10", **arms)
    assert "median" in reason(question("MD"), study(medians), PAIN)
    asked = question("MD", recover=("mean_from_median",))
    (effect,) = chosen(asked, study(medians), outcome=PAIN).effects
    sd = 2 / (2 * NormalDist().inv_cdf((0.75 * 40 - 0.125) / 40.25))
    assert (effect.yi, effect.vi) == pytest.approx((-1.0, 2 * sd**2 / 40))
    assert any("median" in sentence for sentence in effect.recovered)


GRIP = {"value": 6.4, "spread_unlabelled": 1.9, "n": 16, "comparator_value": -1.0}
_PERCENT = {"value": 40, "n": 30, "comparator_value": 30, "comparator_n": 30}
_MEANS = {"value": 4.0, "n": 16, "comparator_value": 5.0, "comparator_n": 20, "scale": "0-10"}
_PAIR = {"value": 4.0, "n": 9, "sd": 1.0, "baseline_value": 6.0, "scale": "0-10"}
_MEDIANS = {"iqr": (3.0, 5.0), "comparator_iqr": (4.0, 6.0)}
SDS = "SDs from SEs or intervals"


@pytest.mark.parametrize(
    ("asked", "one", "outcome", "numbers", "unprinted"),
    [
        (question(), study(ICE), RESPONDERS, 4, {}),
        (
            question(recover=("events_from_percent",)),
            study(row("responder", "proportion", **_PERCENT)),
            RESPONDERS,
            4,
            {"events from percentages": 2},
        ),
        (
            question("MD"),
            study(row("pain", "mean", **_MEANS, se=0.5, comparator_sd=2.0)),
            PAIN,
            6,
            {SDS: 1},
        ),
        (
            question("MD", recover=("sd_from_p",)),
            study(row("pain", "mean", **_MEANS, p_value="0.04")),
            PAIN,
            6,
            {"SDs from P values": 2},
        ),
        (
            question("MD", recover=("mean_from_median",)),
            study(row("pain", "median", **_MEANS, **_MEDIANS)),
            PAIN,
            6,
            {"means and SDs from medians": 4},
        ),
        (
            single("MC", ri=0.5),
            series(row("pain", "mean", **_PAIR, baseline_se=0.4)),
            PAIN,
            3,
            {"SDs of changes with an assumed correlation": 1},
        ),
        (
            question("MD", ri=0.5),
            study(two_means(comparator_n=20), design="rct_crossover"),
            PAIN,
            7,
            {"assumed correlations": 1},
        ),
        (
            question("HR", recover=("se_from_p",)),
            study(row("responders", "ratio", effect=0.5, effect_measure="HR", p_value="0.01")),
            RESPONDERS,
            2,
            {"intervals from P values": 1},
        ),
        (
            question("SMCC", recover=("t_from_p",)),
            study(
                row("grip strength", "mean_change", p_value="0.0021", **GRIP),
                design="rct_crossover",
            ),
            STRENGTH,
            2,
            {"paired t statistics from P values": 1},
        ),
    ],
)
def test_each_number_that_is_not_printed_is_counted(
    asked: Question, one: Study, outcome: OutcomeDef, numbers: int, unprinted: dict[str, int]
) -> None:
    (effect,) = chosen(asked, one, outcome=outcome).effects
    assert effect.numbers == numbers
    assert Counter(effect.unprinted) == unprinted


def test_medians_and_words_are_refused() -> None:
    asked = single("MC", ri=0.5)
    assert "median" in reason(asked, series(row("pain", "median", value=3.0, n=9)), PAIN)
    assert "words" in reason(asked, series(row("pain", "qualitative", direction="improved")), PAIN)


def crossover(*outcomes: Outcome) -> Study:
    return study(*outcomes, design="rct_crossover")


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_a_crossover_is_never_two_independent_arms(measure: str) -> None:
    assert "paired data needed" in reason(question(measure), crossover(ICE))


@pytest.mark.parametrize("measure", ["MD", "SMD", "ROM"])
def test_a_crossovers_means_are_not_independent(measure: str) -> None:
    assert "paired data needed" in reason(question(measure), crossover(two_means()), PAIN)


def test_a_crossovers_t_from_p() -> None:
    """PMID 11087764: grip strength 6.4 v -1.0 kg, n = 16, p = 0.0021: t of 15 df, positive as
    treated minus comparator; d = J t / 4, where J is about 1 - 3 / (4 x 15 - 1) (Hedges 1981)."""
    one = crossover(row("grip strength", "mean_change", p_value="0.0021", **GRIP))
    selection = chosen(question("SMCC", recover=("t_from_p",)), one, outcome=STRENGTH)
    (effect,) = selection.effects
    t = float(stats.t.isf(0.00105, 15))
    assert effect.yi == pytest.approx((1 - 3 / 59) * t / 4, rel=1e-3)
    assert effect.vi == pytest.approx(1 / 16 + effect.yi**2 / 32)
    assert effect.columns == (("t", f"{t:.2f}"), ("Total", "16"))
    assert "paired t test" in effect.recovered[0]
    assert "does not allow t_from_p" in reason(question("SMCC"), one, STRENGTH)


def test_the_sign_of_t_is_that_of_the_values() -> None:
    values = {**GRIP, "value": -1.0, "comparator_value": 6.4}
    one = crossover(row("grip strength", "mean_change", p_value="0.0021", **values))
    (effect,) = chosen(question("SMCC", recover=("t_from_p",)), one, outcome=STRENGTH).effects
    assert effect.yi < 0


@pytest.mark.parametrize("p", ["<0.001", "NS", "> 0.05"])
def test_a_p_value_that_is_a_bound_gives_no_t(p: str) -> None:
    one = crossover(row("grip strength", "mean_change", p_value=p, **GRIP))
    told = reason(question("SMCC", recover=("t_from_p",)), one, STRENGTH)
    assert told.startswith("no exact p value") and p in told


def test_a_crossover_without_n_or_sign_gives_no_t() -> None:
    """PMID 24725024 prints no n with 3.75 v -31.38 %, p = 0.005."""
    asked = question("SMCC", recover=("t_from_p",))
    values = {"value": 3.75, "comparator_value": -31.38, "p_value": "0.005"}
    assert "no number of patients" in reason(
        asked, crossover(row("grip strength", "percent_change", **values)), STRENGTH
    )
    alone = {"value": 3.75, "n": 16, "p_value": "0.005"}
    assert "sign" in reason(
        asked, crossover(row("grip strength", "mean_change", **alone)), STRENGTH
    )


def test_a_paired_difference_needs_no_recovery() -> None:
    """2 (1 to 3) of n = 16: t = 2 / (1 / 2.1314) = 4.2629."""
    values = {"effect_measure": "MD", "effect": 2.0, "effect_ci_low": 1.0, "effect_ci_high": 3.0}
    one = crossover(row("grip strength", "difference", n=16, **values))
    (effect,) = chosen(question("SMCC"), one, outcome=STRENGTH).effects
    assert dict(effect.columns)["t"] == "4.26"


def test_a_single_arm_change_is_standardised() -> None:
    one = series(row("grip strength", "mean_change", value=2.0, sd=4.0, n=16))
    (effect,) = chosen(single("SMCC"), one, outcome=STRENGTH).effects
    assert dict(effect.columns)["t"] == "2.00"


PSGBS = {
    **{"value": 0.8, "sd": 1.3, "n": 130},
    **{"comparator_value": 0.9, "comparator_sd": 1.3, "comparator_n": 121},
}


def psgbs(*outcomes: Outcome, **values: Any) -> Study:
    arms = (Arm("IVIg", "intervention"), Arm("PE", "comparator"), Arm("PE+IVIg", "intervention"))
    values = {"condition": "GBS", "comparison": "Ig vs active", "arms": arms, **values}
    return study(*outcomes, **values)


def plasma_exchange(**values: Any) -> Question:
    return question("MD", comparisons=("Ig vs active",), comparator=("PE",), **values)


def test_a_grade_is_a_stated_scale_and_improvements_keep_their_sign() -> None:
    """PSGBS 1997: 0.8 (1.3) of 130 v 0.9 (1.3) of 121: -0.1, as printed, named as improvement."""
    one = row("GBS disability grade", "mean_change", text="mean improvement of", **PSGBS)
    selection = chosen(plasma_exchange(), psgbs(one), outcome=DISABILITY)
    assert selection.effects[0].yi == pytest.approx(-0.1)
    assert "improvements as printed" in selection.assumptions[0]


def test_falling_scores_are_no_improvements_with_the_sign_turned() -> None:
    """ "improved by -0.8 grades": the sign is the score's, whatever the words."""
    falls = {**PSGBS, "value": -0.8, "comparator_value": -0.9}
    one = row("GBS disability grade", "mean_change", text="improved by", **falls)
    (effect,) = chosen(plasma_exchange(), psgbs(one), outcome=DISABILITY).effects
    assert effect.yi == pytest.approx(0.1)
    assert effect.recovered == ("Differences of changes stand for differences of final scores",)


def test_improvements_do_not_mix_with_scores() -> None:
    """Their signs are opposite where lower is better: -0.1 grades better, and -1 grade."""
    improved = row("GBS disability grade", "mean_change", text="improvement", **PSGBS)
    final = row("GBS disability grade", "mean", **PSGBS)
    studies = psgbs(improved), psgbs(final, record_id="pmid2")
    selection = chosen(plasma_exchange(), *studies, outcome=DISABILITY)
    assert [e.record_id for e in selection.effects] == ["pmid2"]
    assert "the pool holds scores" in selection.not_pooled[0].reason


def test_standardised_changes_do_not_mix_with_final_scores() -> None:
    """Cochrane Handbook 10.5.2: MD may mix them, SMD may not."""
    other = {"comparator_value": -1.0, "comparator_sd": 2.0, "comparator_n": 9}
    studies = study(two_means()), study(change(-2.0, **other), record_id="pmid2")
    assert len(chosen(question("MD"), *studies, outcome=PAIN).effects) == 2
    selection = chosen(question("SMD"), *studies, outcome=PAIN)
    assert [e.record_id for e in selection.effects] == ["pmid1"]


@pytest.mark.parametrize("scale", ["seven-point", "7-point scale, improvement", "0-6"])
def test_points_state_a_scale(scale: str) -> None:
    one = row("GBS disability grade", "mean", scale=scale, **PSGBS)
    assert len(chosen(plasma_exchange(), psgbs(one), outcome=DISABILITY).effects) == 1


def test_an_add_on_arm_is_not_the_treatment() -> None:
    """PE+IVIg against PE does not compare IVIg with PE, whatever its n."""
    both = row("GBS disability grade", "mean_change", arm="PE+IVIg vs PE", **PSGBS)
    assert "add-on" in reason(plasma_exchange(), psgbs(both), DISABILITY)


def test_a_row_of_the_comparator_is_not_the_treatments() -> None:
    """PMID 24725024 prints placebo first, 35.7 % v 11.9 %: its roles are reversed."""
    arms = (Arm("IVIG", "intervention"), Arm("Placebo", "comparator"))
    one = study(
        row(arm="Placebo", events=15, n=42, comparator_events=5, comparator_n=42), arms=arms
    )
    assert reason(question(), one) == "the result is that of the comparator, Placebo"


def test_a_ratio_of_changes_is_refused() -> None:
    values = {"comparator_value": 1.0, "comparator_sd": 2.0, "comparator_n": 9}
    assert "ratio of changes" in reason(question("ROM"), study(change(2.0, **values)), PAIN)


def test_a_standard_deviation_of_zero_is_refused() -> None:
    flat = two_means(sd=0.0, comparator_sd=0.0)
    said = reason(question("MD"), study(flat), PAIN)
    assert said.startswith("MD needs a variance above 0; got mean 1 = 4, SD 1 = 0, n 1 = 20")


def test_results_stand_in_the_order_of_the_studies() -> None:
    studies = [study(ICE, record_id=f"pmid{i}") for i in (3, 1, 2)]
    assert [e.record_id for e in chosen(question(), *studies).effects] == [
        "pmid3",
        "pmid1",
        "pmid2",
    ]


def test_unknown_measures_and_recoveries_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"Question q: unknown measure 'XX'; must be one of RR, OR"
    ):
        check_questions([question("XX")])
    with pytest.raises(ConfigError, match="unknown name 'guess' in recover"):
        check_questions([question(recover=("guess",))])
    check_questions([question("PLO", recover=("t_from_p", "events_from_percent"))])


def test_a_measure_of_counts_does_not_fit_a_score() -> None:
    with pytest.raises(ConfigError, match="RR needs a binary outcome; 'pain' is continuous"):
        chosen(question("RR"), outcome=PAIN)
