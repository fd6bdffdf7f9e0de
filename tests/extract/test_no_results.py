"""What stands among the numbers of results and is none; whose size a count is out of."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import ARMS, SERIES, TRIAL, TWENTY, plain


def events(read: Read, sentence: str, title: str = SERIES, before: str = TWENTY) -> list[object]:
    """The counts and the percentages that a sentence's rows hold."""
    rows = [plain(o) for o in read(f"{before}{sentence}", title).outcomes]
    return [v for r in rows for v in (r.get("events"), r.get("value")) if v is not None]


@pytest.mark.parametrize(
    "sentence",
    [
        "Almost all patients improved.",
        "All patients who improved had a fever before.",
        "After 20 patients had been treated, strength had improved.",
        "Of 48 adverse events, 40 (83.3%) improved within a day.",
        "Four infusions (0.4%) were stopped.",
        "Improvement was better in the group of 12 patients with pain (p = 0.02).",
        "The responders had had 10% liquid human immunoglobulin.",
        "The response was the median (25%-75% quantile) of all visits.",
        "Forty patients were screened for a response.",
        "It was stopped after 17 of 36 planned patients because of adverse events.",
        "Twelve patients had no sign of clinical deterioration.",
        "Two patients had additional infusions and improved.",
        "Except for a girl all patients improved.",
        "None of the scores alone showed improvement in all patients.",
        "Across all patients, the scores improved.",
        "A response was seen on 50% of the maintenance dose.",
        "Of those who relapsed the median dose could be cut by 10%.",
        "In general 80% of patients recover and improve.",
    ],
)
def test_a_number_that_is_no_result(read: Read, sentence: str) -> None:
    assert events(read, sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Fifty-nine patients (50%) received IVIg and 58 (50%) received placebo.",
        "We sent 59 (50%) to the IVIg group and 58 (50%) to the placebo group.",
    ],
)
def test_who_went_to_an_arm_is_no_event(read: Read, sentence: str) -> None:
    assert events(read, sentence, TRIAL, ARMS) == []


def test_a_count_of_all_patients_without_a_word_of_all_is_their_number(read: Read) -> None:
    assert events(read, "In 20 patients the response was rated.") == []
    assert events(read, "All 20 patients improved.") == [20]


def test_who_did_not_complete_discontinued(read: Read) -> None:
    (row,) = read(f"{TWENTY}Six patients did not complete the study.", SERIES).outcomes
    assert row.measure == "treatment discontinuation" and row.events is not None


def test_a_breakdown_in_brackets_is_no_comparison(read: Read) -> None:
    sentence = "Ten patients were stable (eight with diabetes and two with cancer)."
    assert events(read, sentence) == [10]


def test_a_correlation_is_no_outcome(read: Read) -> None:
    sentence = "There was a correlation between protein and the pain score (p = 0.03)."
    assert read(f"{TWENTY}{sentence}", SERIES).outcomes == ()


@pytest.mark.parametrize(
    ("sentence", "n"),
    [
        ("Twelve patients improved.", 20),
        ("Of the 15 who stayed, 12 improved.", 15),
        ("Of these, 12 improved.", None),
        ("Pain fell in nine, and four of these patients improved.", None),
        ("Improvement was seen in 60% in patients with pain.", None),
        ("Of 15 adverse events, two improved.", None),
    ],
)
def test_whose_number_a_count_is_out_of(read: Read, sentence: str, n: int | None) -> None:
    rows = [plain(o) for o in read(f"{TWENTY}{sentence}", SERIES).outcomes]
    assert [r.get("n") for r in rows][-1:] in ([n], [] if n is None else [n])


@pytest.mark.parametrize(
    "sentence",
    [
        "Seven mild adverse events worsened.",
        "In the first group, four worsened.",
        "Two of the patients with weakness improved.",
        "Four of the 10 men improved, and two worsened.",
        "The relapse rate was 35%.",
    ],
)
def test_a_part_or_things_have_no_known_size(read: Read, sentence: str) -> None:
    found = read(f"{TWENTY}{sentence}", SERIES).outcomes
    assert found
    assert 20 not in {o.n.value for o in found if o.n}


def test_a_value_of_a_crossover_that_some_left_has_no_n(read: Read) -> None:
    title = "IVIg in CIDP: a randomised placebo-controlled crossover trial"
    text = "We randomised 30 patients. 25 patients completed the trial. "
    told = "Grip strength was 24.4 (SD 5.4) kg with IVIg and 20.1 (SD 4.2) kg with placebo."
    found = read(f"{text}{told}", title)
    assert [o.n for o in found.outcomes] == [None]


def test_an_arm_far_too_small_for_the_total_gives_no_denominator(read: Read) -> None:
    text = "We randomised 90 patients to IVIg or placebo (n = 9). Relapse occurred in 4 on placebo."
    (row,) = read(text, TRIAL).outcomes
    assert row.n is None


def test_a_percentage_that_fits_any_large_number_gives_no_denominator(read: Read) -> None:
    text = "We gave IVIg to 245 patients. The response rate was 91%."
    rows = [plain(o) for o in read(text, SERIES).outcomes]
    assert all("n" not in r for r in rows)


def test_the_p_value_of_two_arms_is_the_one_between_them(read: Read) -> None:
    sentence = (
        "Grip strength increased by 7.4 kg (p = 0.001) with IVIg and by 6.9 kg (p = 0.02) with "
        "placebo, with no difference between them (p = 0.80)."
    )
    found = [plain(o).get("p_value") for o in read(f"{ARMS}{sentence}", TRIAL).outcomes]
    assert found[0] == "0.80"


@pytest.mark.parametrize(
    ("sentence", "direction"),
    [
        ("Relapse occurred in 12 of 59 on IVIg and 30 of 58 on placebo.", "improved"),
        ("Relapse occurred in 30 of 59 on IVIg and 12 of 58 on placebo.", "worsened"),
        ("30 of 59 on IVIg improved and 12 of 58 on placebo.", "improved"),
        ("12 of 59 on IVIg improved and 30 of 58 on placebo.", "worsened"),
        ("30 of 59 on IVIg improved and 12 of 58 on placebo (p = 0.3).", "no difference"),
        ("30 of 59 on IVIg improved and 12 of 58 on placebo, not significant.", "no difference"),
    ],
)
def test_of_two_arms_the_direction_speaks_for_the_tried_one(
    read: Read, sentence: str, direction: str
) -> None:
    (row,) = read(f"{ARMS}{sentence}", TRIAL).outcomes
    assert row.direction is not None and row.direction.value == direction


def test_quantiles_are_an_interquartile_range(read: Read) -> None:
    sentence = "The median (25%-75% quantile) INCAT score was 2.5 (1.0-3.0) points."
    rows = [plain(o) for o in read(f"{TWENTY}{sentence}", SERIES).outcomes]
    assert [r["iqr"] for r in rows if "iqr" in r] == [(1.0, 3.0)]


def test_completion_may_say_when(read: Read) -> None:
    (row,) = read(f"{TWENTY}The responder rate at completion was 60.0%.", SERIES).outcomes
    assert row.measure == "responder"


def test_the_arms_of_an_add_on_trial_are_left_open(read: Read) -> None:
    text = (
        "After IVIg we assigned 80 patients to prednisone or placebo. "
        "The odds ratio for improvement was 1.7 (95% CI 1.0 to 2.9)."
    )
    study = read(text, "Prednisone added to IVIg in GBS: a randomised trial")
    assert [o.arm for o in study.outcomes if o.effect is not None] == [""]


def test_who_stopped_is_counted_among_the_enrolled(read: Read) -> None:
    text = (
        "Twenty-five patients were included. The analysis was on 22 patients. Three discontinued."
    )
    (row,) = read(text, SERIES).outcomes
    assert row.n is not None and row.n.value == 25


@pytest.mark.parametrize(
    "sentence",
    [
        "The pain score was 2.9 (SD 1.2) in the treatment group.",
        "Improvement was commoner in patients with pain (60%) than in those without (40%).",
    ],
)
def test_groups_that_are_no_arms_have_no_known_size(read: Read, sentence: str) -> None:
    rows = [plain(o) for o in read(f"{TWENTY}{sentence}", SERIES).outcomes]
    assert rows and all("n" not in r for r in rows)
