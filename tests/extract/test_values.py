"""Values of a score or a time: spreads, baselines, changes with their signs, times."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import ARMS, SERIES, TRIAL, TWENTY, rows, series, trial


def test_means_of_two_arms_with_a_labelled_spread(read: Read) -> None:
    sentence = (
        "Mean grip strength was 54.2 kPa (SD 12.1) on IVIg and 48.0 kPa (SD 11.3) on placebo."
    )
    expected = {
        "measure": "grip strength",
        "type": "mean",
        "value": 54.2,
        "sd": 12.1,
        "n": 59,
        "comparator_value": 48.0,
        "comparator_sd": 11.3,
        "comparator_n": 58,
    }
    trial(read, sentence, [expected])


def test_whole_numbers_with_a_decimal_are_values_and_no_patients(read: Read) -> None:
    """ "and 48.0 kPa" counts nobody."""
    sentence = "Grip strength was 54.0 kPa on IVIg and 48.0 kPa on placebo."
    expected = {"value": 54, "n": 59, "comparator_value": 48, "comparator_n": 58}
    trial(read, sentence, [expected])


def test_a_standard_error_may_share_its_brackets_with_p(read: Read) -> None:
    sentence = "The NDS improved by 12.3 points (SE 2.1; p = 0.01)."
    series(read, sentence, [{"value": 12.3, "se": 2.1, "n": 20, "p_value": "0.01"}])


def test_a_plus_minus_that_nobody_labels_stays_unlabelled(read: Read) -> None:
    sentence = "The mean NDS was 28.1 ± 4.4 on IVIg and 31.0 ± 5.2 on placebo (p = 0.03)."
    study = read(ARMS + sentence, TRIAL)
    expected = {
        "measure": "NDS",
        "value": 28.1,
        "spread_unlabelled": 4.4,
        "n": 59,
        "comparator_value": 31.0,
        "comparator_spread_unlabelled": 5.2,
        "comparator_n": 58,
        "p_value": "0.03",
    }
    assert rows(study, [expected]) == [expected]
    assert {p.code for p in study.problems} == {"unlabelled_spread"}


def test_a_label_given_once_holds_for_the_brackets_behind_it(read: Read) -> None:
    sentence = "Mean (SD) grip strength was 54.2 (12.1) kPa on IVIg and 48.0 (11.3) on placebo."
    expected = {
        "value": 54.2,
        "sd": 12.1,
        "n": 59,
        "comparator_value": 48.0,
        "comparator_sd": 11.3,
        "comparator_n": 58,
    }
    trial(read, sentence, [expected])


def test_standard_errors_are_not_standard_deviations(read: Read) -> None:
    sentence = "Mean grip strength was 54.2 ± 2.1 (SEM) on IVIg and 48.0 ± 1.3 (SEM) on placebo."
    expected = {
        "value": 54.2,
        "se": 2.1,
        "n": 59,
        "comparator_value": 48.0,
        "comparator_se": 1.3,
        "comparator_n": 58,
    }
    trial(read, sentence, [expected])


@pytest.mark.parametrize(
    "sentence",
    [
        "Mean VAS pain fell from 7.2 to 3.1 at 12 weeks.",
        "Mean VAS pain was 7.2 before and 3.1 after 12 weeks of IVIg.",
        "Mean VAS pain was 7.2 at baseline and 3.1 at 12 weeks.",
        "Mean VAS pain fell from a baseline of 7.2 to 3.1 at 12 weeks.",
    ],
)
def test_baseline_and_follow_up_are_no_two_arms(read: Read, sentence: str) -> None:
    expected = {
        "measure": "VAS pain",
        "type": "mean",
        "arm": "IVIg",
        "timepoint": 84,
        "value": 3.1,
        "baseline_value": 7.2,
        "n": 20,
    }
    series(read, sentence, [expected])


def test_baseline_and_follow_up_keep_their_own_spread(read: Read) -> None:
    sentence = "Mean VAS pain fell from 7.2 (SD 1.1) to 3.1 (SD 2.0) (p < 0.001)."
    expected = {
        "value": 3.1,
        "sd": 2.0,
        "baseline_value": 7.2,
        "baseline_sd": 1.1,
        "n": 20,
        "p_value": "<0.001",
    }
    series(read, sentence, [expected])


def test_medians_with_their_quartiles(read: Read) -> None:
    sentence = "Median INCAT score was 3 (IQR 2-5) on IVIg and 4 (IQR 3-6) on placebo."
    expected = {
        "measure": "INCAT",
        "type": "median",
        "value": 3,
        "iqr": (2, 5),
        "n": 59,
        "comparator_value": 4,
        "comparator_iqr": (3, 6),
        "comparator_n": 58,
    }
    trial(read, sentence, [expected])


def test_a_fall_in_percent_is_negative(read: Read) -> None:
    sentence = "The mean VAS score fell by 73.4% after treatment."
    expected = {"measure": "VAS pain", "type": "percent_change", "value": -73.4, "n": 20}
    series(read, sentence, [expected])


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("Mean VAS pain decreased by 2.4 points.", -2.4),
        ("Mean VAS pain was reduced by 2.4 points.", -2.4),
        ("Mean grip strength rose by 6.4 kg.", 6.4),
        ("Mean NDS improved by 6.7 points.", 6.7),
        ("Mean VAS pain changed by −2.4 points.", -2.4),
        ("The mean change in VAS pain was -2.4 points.", -2.4),
    ],
)
def test_a_change_has_its_sign_and_an_improvement_keeps_the_printed_one(
    read: Read, sentence: str, value: float
) -> None:
    series(read, sentence, [{"type": "mean_change", "value": value, "n": 20}])


def test_a_change_lies_in_its_interval(read: Read) -> None:
    """Where a fall is made negative its interval turns with it, or is not read."""
    (outcome,) = read(TWENTY + "VAS pain fell by 32 mm (95% CI 24 to 40).", SERIES).outcomes
    assert outcome.value is not None
    if outcome.ci_low is not None and outcome.ci_high is not None:
        assert outcome.ci_low.value <= outcome.value.value <= outcome.ci_high.value


@pytest.mark.parametrize(
    "sentence",
    [
        "The mean pain score was 32% lower after treatment.",
        "Mean pain decreased by 32% after treatment.",
        "There was a 32% reduction in mean pain score after treatment.",
    ],
)
def test_a_percent_reduction_of_a_score_is_no_share_of_patients(read: Read, sentence: str) -> None:
    for outcome in read(TWENTY + sentence, SERIES).outcomes:
        assert (outcome.type, outcome.value and outcome.value.value) == ("percent_change", -32)


def test_percent_changes_of_two_arms_keep_their_own_signs(read: Read) -> None:
    sentence = "Mean grip strength fell 31.4% with placebo and rose 3.8% with IVIg (p = 0.005)."
    expected = {
        "measure": "grip strength",
        "type": "percent_change",
        "arm": "IVIg",
        "value": 3.8,
        "n": 59,
        "comparator_value": -31.4,
        "comparator_n": 58,
        "p_value": "0.005",
    }
    trial(read, sentence, [expected])


# Times


def test_a_time_is_a_result_where_a_time_was_measured(read: Read) -> None:
    sentence = "Median time to walking was 19 days on IVIg and 32 days on placebo (p = 0.01)."
    expected = {
        "measure": "time to walking",
        "type": "median",
        "scale": "days",
        "value": 19,
        "n": 59,
        "comparator_value": 32,
        "comparator_n": 58,
        "p_value": "0.01",
    }
    trial(read, sentence, [expected])


def test_a_time_to_relapse_is_no_time_to_response(read: Read) -> None:
    """The longer the better for one, the shorter for the other."""
    sentence = "Median time to relapse was 30 weeks on IVIg and 12 weeks on placebo."
    (outcome,) = read(ARMS + sentence, TRIAL).outcomes
    assert outcome.measure != "time to response"


def test_how_long_a_benefit_lasted(read: Read) -> None:
    expected = {
        "measure": "duration of benefit",
        "type": "range",
        "scale": "months",
        "range": (2, 6),
        "direction": "improved",
    }
    series(read, "The benefit lasted 2 to 6 months.", [expected])


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("at week 24", 168),
        ("at 24 weeks", 168),
        ("after 6 months", 180),
        ("at 1 year", 365),
        ("on day 8", 8),
        ("between days 2-14", (2, 14)),
    ],
)
def test_when_a_result_was_measured_is_in_days(read: Read, words: str, days: object) -> None:
    sentence = f"Fourteen of 20 patients had improved {words}."
    series(read, sentence, [{"timepoint": days, "events": 14, "n": 20}])


@pytest.mark.parametrize(
    "sentence",
    [
        "Strength rose after 3, 6 and 12 months in 12 of 20.",
        "Twelve of 20 improved; at 6 months they were followed again.",
        "Every 4 weeks they had it and 12 of 20 improved.",
    ],
)
def test_a_time_of_something_else_is_not_the_results(read: Read, sentence: str) -> None:
    assert {o.timepoint for o in read(TWENTY + sentence, SERIES).outcomes} == {None}


@pytest.mark.parametrize(
    "sentence",
    [
        "Grip strength rose (48.2 ± 9.1 to 55.4 ± 8.7, p < 0.001).",
        "Grip strength rose (48.2 ± 9.1 kPa to 55.4 ± 8.7 kPa, p < 0.001).",
        "Grip strength rose (48.2 ± 9.1/kPa to 55.4 ± 8.7/kPa, p < 0.001).",
    ],
)
def test_two_values_with_spreads_joined_by_to_are_before_and_after(
    read: Read, sentence: str
) -> None:
    found = [(o.baseline_value, o.value) for o in read(f"{TWENTY}{sentence}", SERIES).outcomes]
    assert [(b and b.value, v and v.value) for b, v in found] == [(48.2, 55.4)]
