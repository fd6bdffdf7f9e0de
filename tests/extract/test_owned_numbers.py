"""What another number, part, group or time owns is no reading of this one."""

from __future__ import annotations

import time

import pytest

from pipeline.schema import Study
from tests.extract.conftest import Read
from tests.extract.plain import ARMS, SERIES, TRIAL, TWENTY


def values(study: Study) -> set[tuple[float, str]]:
    """The numbers of a study's rows with the names that they stand with."""
    return {(float(v.value), o.measure) for o in study.outcomes for v in (o.events, o.value) if v}


@pytest.mark.parametrize(
    ("sentence", "number", "name"),
    [
        ("Progression to the nadir took place in 12 (60%) cases.", 12, "worse"),
        (
            "Nine patients (45%) had a rash, mild in most, which improved.",
            9,
            "responder",
        ),
        (
            "At a year 8 (40%) patients were still treated and five (25%) were in remission.",
            8,
            "remission",
        ),
        (
            "Strength declined in none, and the IgM levels decreased between 35% and 80%.",
            35,
            "worse",
        ),
        ("The dose had increased in 4 patients and remained unchanged in 6.", 6, "stable"),
        (
            "Pain improved in 6 patients (p = 0.01), 2 patients entered the next step.",
            2,
            "responder",
        ),
        ("Two patients with myasthenia gravis had a stroke.", 2, "myasthenia gravis"),
        ("One relapse occurred in four (20%).", 1, "relapse"),
        ("Pain ranged from 2 to 8.", 8, "pain"),
        (
            "Six improved and eight patients with cramps of the calf were given a cast.",
            8,
            "responder",
        ),
    ],
)
def test_a_number_of_others_has_no_name(
    read: Read, sentence: str, number: float, name: str
) -> None:
    assert (number, name) not in values(read(f"{TWENTY}{sentence}", SERIES))


@pytest.mark.parametrize(
    ("sentence", "number", "name"),
    [
        ("14 (70%) patients were better by week 3.", 14, "responder"),
        ("Five (25%) patients relapsed.", 5, "relapse"),
        ("Headache occurred in 5 (25%) at week 2 and in 7 (35%) at week 6.", 7, "headache"),
    ],
)
def test_a_number_of_its_own_keeps_its_name(
    read: Read, sentence: str, number: float, name: str
) -> None:
    assert (number, name) in values(read(f"{TWENTY}{sentence}", SERIES))


@pytest.mark.parametrize(
    "text",
    [
        "Six patients with CIDP had IVIg. Two MMN patients received a weekly dose.",
        "Nine patients with CIDP were followed. Strength improved in 3 patients.",
        "Nine patients with CIDP were followed. Clots included 2 cases of stroke.",
    ],
)
def test_a_part_is_not_the_study(read: Read, text: str) -> None:
    total = read(text, SERIES).n_total
    assert total is None or total.value > 3


def test_two_arms_are_the_study(read: Read) -> None:
    text = "Thirty-seven patients were assigned to receive IVIg and 40 to receive placebo."
    total = read(f"We did a trial in CIDP. {text}", TRIAL).n_total
    assert total is not None
    assert total.value == 77


def test_those_compared_to_others_are_not_the_study(read: Read) -> None:
    text = "Forty patients were treated with IVIg and compared to 60 control patients."
    total = read(text, SERIES).n_total
    assert total is None or total.value != 40


def test_each_of_two_rows_has_its_time(read: Read) -> None:
    text = (
        "The mean pain score was 9.1 (SD 2) on IVIg and 6.7 (SD 2) on placebo after 8 weeks and"
        " 6.8 (SD 2) on IVIg and 2.8 (SD 2) on placebo after 4 weeks."
    )
    found = [o.timepoint.text for o in read(f"{ARMS}{text}", TRIAL).outcomes if o.timepoint]
    assert found == ["8 weeks", "4 weeks"]


def test_a_class_of_antibodies_is_no_treatment(read: Read) -> None:
    text = (
        "Thirteen patients with anti-MAG immunoglobulin M neuropathy had rituximab. Six improved."
    )
    found = read(text, "Rituximab in neuropathy with anti-MAG immunoglobulin M")
    assert [a.label for a in found.arms] != ["immunoglobulin"]


def test_the_treatment_of_the_title_is_what_was_studied(read: Read) -> None:
    text = (
        "We compared methotrexate with placebo in 60 patients with CIDP requiring intravenous"
        " immunoglobulin. Remission occurred in 14 of 30 on methotrexate and 10 of 30 on placebo."
    )
    found = read(text, "Randomised trial of methotrexate for CIDP")
    assert "immunoglobulin" not in {a.label for a in found.arms}


def test_a_harm_is_not_the_condition(read: Read) -> None:
    text = "Twenty patients had IVIg. Complications in two (10%) included heart failure."
    assert read(text, "Safety of IVIg: a series").condition is None


@pytest.mark.parametrize(
    "text",
    [
        "12 patients were " * 600,
        "a and 3 (4%) " * 700,
        "in those on x " * 700,
        "compared to 3 " * 700,
    ],
)
def test_hostile_text_is_read_in_time(read: Read, text: str) -> None:
    begun = time.perf_counter()
    read(f"{TWENTY}{text[:10_000]}", SERIES)
    assert time.perf_counter() - begun < 5
