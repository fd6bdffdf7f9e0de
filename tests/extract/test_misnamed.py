"""What would name a row and does not belong to its numbers; whose the numbers are is left open."""

from __future__ import annotations

import time

import pytest

from pipeline.extract.measurements import Measurement
from pipeline.extract.misnamed import is_misnamed
from pipeline.extract.naming import Name
from pipeline.extract.no_names import says_nothing
from pipeline.schema import Study
from tests.extract.conftest import Read
from tests.extract.plain import ARMS, SERIES, TRIAL, TWENTY, plain


def measures(study: Study) -> list[str]:
    """The names of a study's rows."""
    return [o.measure for o in study.outcomes]


@pytest.mark.parametrize(
    ("sentence", "number", "name"),
    [
        ("Patients without pain (8 of 13) had a fever.", 8, "pain"),
        ("Six of the 12 completers had a fever.", 6, "completion"),
        ("Pain relief was seen in six, whereas 9 patients (45%) stayed so.", 9, "pain"),
        ("Six relapsed, and 4 patients (20%) were on steroids.", 4, "relapse"),
        ("A fever was found in 5 (25%) whereas most relapsed.", 5, "relapse"),
        ("At inclusion, 98% walked.", 98, "inclusion"),
        ("There were steroids, 13/20 (65%).", 13, "steroids"),
        ("The mean age at onset of pain was 38.8 years.", 38.8, "pain"),
        ("Onset of recovery of grip strength was 14.8 (6.8) days.", 14.8, "grip strength"),
        ("Adverse events were a rash in 3 patients and a cough in 5.", 3, "adverse events"),
    ],
)
def test_a_name_of_something_else_names_no_row(
    read: Read, sentence: str, number: float, name: str
) -> None:
    found = read(f"{TWENTY}{sentence}", SERIES).outcomes
    assert (number, name) not in {
        (v.value, o.measure) for o in found for v in (o.events, o.value) if v
    }


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("Twelve of 20 patients improved.", "responder"),
        ("14 (70%) patients were better by week 3 and 16 (80%) patients at week 6.", "responder"),
        ("Headache occurred in 5 of 20.", "headache"),
        ("Adverse events were seen in 3 of 20.", "adverse events"),
    ],
)
def test_a_name_of_its_own_stays(read: Read, sentence: str, name: str) -> None:
    assert name in measures(read(f"{TWENTY}{sentence}", SERIES))


def test_a_trial_keeps_the_numbers_whose_name_is_not_said(read: Read) -> None:
    found = read(f"{ARMS}In patients with pain, 12 of 59 on IVIg and 30 of 58 on placebo.", TRIAL)
    assert [o.n.value for o in found.outcomes if o.n] == [59]


def test_two_scores_respectively_are_no_two_arms(read: Read) -> None:
    text = f"{ARMS}INCAT and VAS scores improved an average of 50% and 21%, respectively."
    assert not [o for o in read(text, TRIAL).outcomes if "comparator_value" in plain(o)]


@pytest.mark.parametrize(
    ("title", "sentence", "arm"),
    [
        ("IVIg in CIDP: an open-label study", "Twelve of 20 improved.", "IVIg"),
        ("Treatment of CIDP: an open-label study", "Twelve of 20 improved.", ""),
        ("Treatment of CIDP: an open-label study", "Twelve of 20 improved on IVIg.", "IVIg"),
        ("Treatment of CIDP: an open-label study", "Of 20, 12 improved on IVIg or steroids.", ""),
        ("Steroids and IVIg in CIDP: a case series", "Twelve of 20 improved.", ""),
    ],
)
def test_the_arm_of_a_study_of_one_is_said_by_its_title(
    read: Read, title: str, sentence: str, arm: str
) -> None:
    text = f"Twenty patients with CIDP were followed prospectively; IVIg was given. {sentence}"
    assert {o.arm for o in read(text, title).outcomes} == {arm}


@pytest.mark.parametrize(
    ("title", "n"), [("IVIg in CIDP: a cohort", 20), ("Treatment of CIDP: a cohort", None)]
)
def test_all_patients_are_the_arm_where_the_title_names_it(
    read: Read, title: str, n: int | None
) -> None:
    arms = read("We reviewed the records of 20 patients with CIDP. IVIg helped.", title).arms
    assert [a.n.value if a.n else None for a in arms] == [n]


@pytest.mark.parametrize("text", ["of the " * 2000, "patients who " * 900, "; and " * 1800])
def test_hostile_text_is_read_quickly(text: str) -> None:
    m = Measurement("count", len(text) - 2, len(text) - 1)
    start = time.perf_counter()
    is_misnamed(text, 0, m, Name("relapse", (len(text) - 8, len(text) - 4)))
    assert time.perf_counter() - start < 1


def test_three_counts_of_two_arms_are_not_compared(read: Read) -> None:
    low = "36 (63%) patients on placebo, 22 (39%) on low-dose IVIg, "
    text = f"{low}and 19 (33%) on high-dose IVIg relapsed."
    found = read(f"{ARMS}{text}", TRIAL).outcomes
    assert not [o for o in found if "comparator_events" in plain(o)]


def test_a_list_of_times_holds_no_counts(read: Read) -> None:
    found = read(f"{TWENTY}They were stable for six, eight, and more than 48 months.", SERIES)
    assert not [o for o in found.outcomes if o.events is not None]


@pytest.mark.parametrize(
    ("words", "is_open", "nothing"),
    [
        ("low-dose", False, True),
        ("mg/kg", False, True),
        ("follow-up", False, False),
        ("follow-up", True, True),
        ("at baseline", True, True),
        ("upper limbs", True, True),
        ("grip of the upper limbs", True, False),
    ],
)
def test_words_that_name_no_outcome(words: str, is_open: bool, nothing: bool) -> None:
    assert says_nothing(words, is_open=is_open) is nothing
