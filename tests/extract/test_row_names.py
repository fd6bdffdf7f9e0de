"""Which words of a sentence name the outcome of a number, where several could."""

from __future__ import annotations

import pytest

from pipeline.extract.phrases import phrases, tied
from pipeline.schema import Outcome
from tests.extract.conftest import Read
from tests.extract.plain import ARMS, TRIAL


def rows(read: Read, sentence: str) -> tuple[Outcome, ...]:
    """The outcomes of a trial's sentence."""
    return read(ARMS + sentence, TRIAL).outcomes


@pytest.mark.parametrize(
    ("sentence", "measure"),
    [
        ("Hoarseness, the commonest adverse event, was noted in 12% v 30%.", "Hoarseness"),
        ("In both groups, hoarseness with pain was seen in 12% v 30%.", "hoarseness"),
        ("The main sign was hoarseness, which occurred in 12% on IVIg v 30% on placebo.", "hoarse"),
        ("Many improved, whereas 12% on IVIg and 30% on placebo had hoarseness.", "hoarseness"),
        ("12% on IVIg had hoarseness compared with 30% on placebo.", "hoarseness"),
        ("Deaths were 3% v 4% and 12% and 30% for hoarseness on IVIg and placebo.", "hoarseness"),
        ("The voice loss rate was better with IVIg than with placebo (12% v 30%).", "voice loss"),
        ("Pain was alike; hoarseness was less common with IVIg (12% v 30%).", "hoarseness"),
        (
            "IVIg was better in voice pitch (VR) (hazard ratio, 0.8; median, 6.1 v 4.2 months) "
            "and in weight (hazard ratio, 0.9; median, 3 v 4 months).",
            "voice pitch",
        ),
        ("IVIg improved the change from baseline in voice pitch (12% v 30%; P = .2).", "voice"),
        (
            "The volume to reach and hold the tone was 12 ± 2 ml with IVIg, 30 ± 3 on placebo.",
            "vol",
        ),
    ],
)
def test_the_words_that_a_number_stands_with_name_it(
    read: Read, sentence: str, measure: str
) -> None:
    assert measure in [o.measure[: len(measure)] for o in rows(read, sentence)]


def test_the_noun_behind_a_count_names_it(read: Read) -> None:
    found = rows(read, "There were 10 bone fractures and 4 hip infections with IVIg.")
    assert [o.measure for o in found] == ["bone fractures", "hip infections"]


def test_two_values_of_a_move_are_read(read: Read) -> None:
    (found,) = rows(read, "With IVIg the voice pitch increased from 0.26 to 0.31 (P = .01).")
    assert found.baseline_value is not None
    assert found.value is not None
    assert (found.baseline_value.value, found.value.value) == (0.26, 0.31)


def test_the_time_that_something_needed_is_a_value(read: Read) -> None:
    found = rows(read, "The time required was 1.4 minutes with IVIg and 4.5 with placebo.")
    assert found[0].value is not None
    assert found[0].value.value == 1.4


@pytest.mark.parametrize(
    "sentence", ["Overall survival was 12% with IVIg.", "Overall mean tone was 12 ± 3 on IVIg."]
)
def test_overall_before_a_noun_is_not_all_patients(read: Read, sentence: str) -> None:
    assert rows(read, sentence)[0].arm is not None


@pytest.mark.parametrize("unit", ["mmol/mol", "mg/dl", "bpm", "ml/kg/min", "thirty-two"])
def test_units_and_numbers_in_words_are_no_phrase(unit: str) -> None:
    text = f"it was 12 {unit} with"
    assert [p.text(text) for p in phrases(text, 0, len(text), ())] == []


def test_a_bracket_behind_who_is_tied_to_nobody() -> None:
    text = "it was lower in adults (12% v 30%)"
    assert tied(text, text.index("12"), phrases(text, 0, len(text), ())) is None
