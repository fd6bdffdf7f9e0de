"""Counts and shares of patients: events, and the denominators that they are out of."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import ARMS, RELAPSES, SERIES, TRIAL, TWENTY, Row, rows, series, trial


@pytest.mark.parametrize(
    "sentence",
    [
        "Relapse occurred in 12 of 59 patients on IVIg and 30 of 58 patients on placebo.",
        "Relapse occurred in 30 of 58 patients on placebo and 12 of 59 patients on IVIg.",
        "Relapse occurred in 12/59 patients on IVIg versus 30/58 on placebo.",
        "Twelve of 59 patients on IVIg relapsed compared with 30 of 58 on placebo.",
        "With IVIg 12 of the 59 patients relapsed, with placebo 30 of the 58.",
        "Relapse occurred in 12 patients on IVIg and 30 patients on placebo.",
    ],
)
def test_counts_of_two_arms_are_one_row(read: Read, sentence: str) -> None:
    trial(read, sentence, [RELAPSES])


@pytest.mark.parametrize(
    "sentence",
    [
        "Relapse occurred in 12 of 59 (20%) patients on IVIg and 30 of 58 (52%) on placebo.",
        "Relapse occurred in 12 (20%) patients on IVIg and 30 (52%) patients on placebo.",
        "Relapse occurred in 20% (12/59) on IVIg and 52% (30/58) on placebo.",
    ],
)
def test_a_printed_percentage_stands_beside_the_count(read: Read, sentence: str) -> None:
    trial(read, sentence, [RELAPSES | {"value": 20, "comparator_value": 52}])


def test_events_are_never_made_from_a_percentage(read: Read) -> None:
    sentence = "Relapse occurred in 33.5% of patients on IVIg and 51.2% of patients on placebo."
    trial(
        read,
        sentence,
        [{"measure": "relapse", "type": "proportion", "value": 33.5, "comparator_value": 51.2}],
    )


def test_a_denominator_agrees_with_the_printed_percentage_or_stays_open(read: Read) -> None:
    """12 of 59 is 20 %, so "12 (40%)" is out of another, unsaid number."""
    abstract = ARMS + "Relapse occurred in 12 (40%) patients on IVIg."
    study = read(abstract, TRIAL)
    assert rows(study, [{}]) == [{"events": 12, "value": 40}]
    assert [p.code for p in study.problems] == ["denominator_unclear"]


def test_a_contradiction_is_kept_as_printed_and_flagged(read: Read) -> None:
    """8 of 40 is 20 %."""
    study = read(TWENTY + "Improvement was seen in 8 of 40 patients (32%).", SERIES)
    assert rows(study, [{}]) == [{"events": 8, "n": 40, "value": 32}]
    assert [p.code for p in study.problems] == ["contradiction"]
    assert study.problems[0].quote is not None


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Improvement was seen in 14 of 20 patients.",
            {"measure": "responder", "type": "count", "events": 14, "n": 20},
        ),
        (
            "Fourteen patients (70%) improved.",
            {"measure": "responder", "type": "count", "events": 14, "n": 20, "value": 70},
        ),
        (
            "Improvement was seen in 9 (47%) of the 19 patients with data.",
            {"measure": "responder", "type": "count", "events": 9, "n": 19, "value": 47},
        ),
        (
            "Seven of the nine patients with data responded.",
            {"measure": "responder", "type": "count", "events": 7, "n": 9},
        ),
        ("All twenty patients improved.", {"measure": "responder", "events": 20, "n": 20}),
        ("All patients improved.", {"measure": "responder", "events": 20, "n": 20}),
        ("None of the 20 patients died.", {"measure": "death", "events": 0, "n": 20}),
        ("The treatment was stopped in 3 patients.", {"type": "count", "events": 3, "n": 20}),
    ],
)
def test_counts_of_an_uncontrolled_study(read: Read, sentence: str, expected: Row) -> None:
    series(read, sentence, [expected])


@pytest.mark.parametrize(
    ("sentence", "direction"),
    [
        ("Fourteen of 20 patients improved.", "improved"),
        ("Four of 20 patients deteriorated.", "worsened"),
        ("Two of 20 patients were stable.", "no difference"),
        ("Three of 20 patients did not respond.", "no difference"),
    ],
)
def test_an_event_says_which_way_it_goes(read: Read, sentence: str, direction: str) -> None:
    (outcome,) = read(TWENTY + sentence, SERIES).outcomes
    assert outcome.direction is not None
    assert outcome.direction.value == direction


@pytest.mark.parametrize(
    "sentence",
    [
        "Improvement was seen in 14 of 20 muscle groups.",
        "Conduction block resolved in 12 of 30 nerve segments.",
        "Conduction block resolved in 12 nerves.",
    ],
)
def test_muscles_and_nerves_are_no_patients(read: Read, sentence: str) -> None:
    assert [o for o in read(TWENTY + sentence, SERIES).outcomes if o.events or o.n] == []


def test_both_are_two_of_two_and_not_of_all(read: Read) -> None:
    study = read(TWENTY + "Both patients with vasculitis improved.", SERIES)
    assert [(o.events.value, o.n.value) for o in study.outcomes if o.events and o.n] in (
        [],
        [(2, 2)],
    )


def test_the_story_of_one_patient_is_no_rate(read: Read) -> None:
    study = read(TWENTY + "One patient showed an improvement of superficial sensation.", SERIES)
    assert all(o.n is None for o in study.outcomes)


def test_a_named_subset_is_the_denominator(read: Read) -> None:
    series(
        read,
        "Among 8 responders, 6 patients relapsed.",
        [{"measure": "relapse", "events": 6, "n": 8}],
    )


def test_a_denominator_named_first_is_not_the_events(read: Read) -> None:
    """Of the 59, 32 responded: not all of them."""
    (outcome,) = read(ARMS + "Of 59 patients on IVIg, 32 responded.", TRIAL).outcomes
    assert outcome.events is not None
    assert outcome.events.value == 32
    assert outcome.n is None or outcome.n.value == 59


def test_a_comparison_in_brackets_is_of_counts_or_unread(read: Read) -> None:
    study = read(ARMS + "More patients on placebo (30) than on IVIg (12) relapsed.", TRIAL)
    assert [o.measure for o in study.outcomes if o.measure != "relapse"] == []
    assert [o.type for o in study.outcomes if o.type != "count"] == []


def test_where_an_effect_was_absent_nobody_responded(read: Read) -> None:
    """PMID 11087764: "absent in five patients" counts those without the gain."""
    sentence = "The gain was dramatic in nine and absent in five patients."
    outcomes = read(TWENTY + sentence, SERIES).outcomes
    found = {o.events.value: o.measure for o in outcomes if o.events}
    assert found[5] == "non-responder"
    assert found[9] == "responder"


@pytest.mark.parametrize(
    ("sizes", "direction"),
    [
        (("(n = 90)", "(n = 30)"), "worsened"),
        (("(n = 30)", "(n = 30)"), "improved"),
    ],
    ids=["more-of-a-smaller-arm", "arms-alike"],
)
def test_which_way_two_counts_speak_hangs_on_the_arms_sizes(
    read: Read, sizes: tuple[str, str], direction: str
) -> None:
    a, b = sizes
    said = f"We randomised patients with CIDP to IVIg {a} or placebo {b}. "
    study = read(
        said + "Improvement was seen in 12 patients on IVIg and 9 patients on placebo.", TRIAL
    )
    found = study.outcomes[0].direction
    assert found is not None
    assert found.value == direction


LEWIS = "We treated 16 patients with IVIg. After 1 year, 9 patients had improved. "


@pytest.mark.parametrize(
    "sentence",
    [
        "After 4 years, 5 patients had improved.",
        "At 30 months, 5 patients had improved.",
        "After 4 years few were seen. Five patients had improved.",
    ],
)
def test_how_many_came_to_a_later_visit_is_not_known(read: Read, sentence: str) -> None:
    rows = [o for o in read(LEWIS + sentence, SERIES).outcomes if o.events is not None]
    assert [(o.events.value, o.n and o.n.value) for o in rows if o.events] == [(9, 16), (5, None)]


@pytest.mark.parametrize(
    "sentence",
    [
        "These 7 patients stayed on, and 3 patients improved.",
        "In the second period, 3 patients improved.",
        "In the late period, 3 patients improved.",
        "In the small cohort, 3 patients improved.",
    ],
)
def test_all_are_not_the_size_of_a_period_or_of_these(read: Read, sentence: str) -> None:
    rows = read(f"We treated 16 patients with IVIg. {sentence}", SERIES).outcomes
    improved = [o for o in rows if o.events is not None and o.events.value == 3]
    assert improved
    assert all(o.n is None for o in improved)


def test_the_ends_of_a_range_of_percentages_are_no_results(read: Read) -> None:
    text = "We treated 16 patients with IVIg. Nine had relief between 25% and 70%."
    values = [o.value for o in read(text, SERIES).outcomes if o.value is not None]
    assert not values
