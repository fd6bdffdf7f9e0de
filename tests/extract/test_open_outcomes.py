"""Results that no rule names: their noun phrase, their arms, and numbers that are no results."""

from __future__ import annotations

import pytest

from pipeline.extract import local_arms, moods
from pipeline.extract.measurements import Measurement, build
from pipeline.extract.phrases import nearest, phrases
from pipeline.extract.quantities import scan
from pipeline.schema import Outcome, Study
from tests.extract.conftest import Read
from tests.extract.plain import ARMS, TRIAL

TAIL = "Both groups were alike in age."


def values(outcome: Outcome) -> tuple[float | None, float | None]:
    """What the arm and the comparator had: events where they are counted, else the value."""
    pairs = (
        (outcome.events, outcome.comparator_events),
        (outcome.value, outcome.comparator_value),
    )
    found = next((p for p in pairs if p[0] is not None or p[1] is not None), (None, None))
    return (
        None if found[0] is None else found[0].value,
        None if found[1] is None else found[1].value,
    )


def only(study: Study) -> Outcome:
    """The one outcome of a study."""
    (outcome,) = study.outcomes
    return outcome


@pytest.mark.parametrize(
    ("sentence", "measure", "kind", "pair"),
    [
        (
            "Hoarseness occurred in 12% of patients on IVIg and in 30% on placebo.",
            "Hoarseness",
            "proportion",
            (12, 30),
        ),
        (
            "Hoarseness was less frequent with IVIg than with placebo (12% v 30%; P = .01).",
            "Hoarseness",
            "proportion",
            (12, 30),
        ),
        ("The hoarseness rate was 12 vs 30%.", "hoarseness rate", "proportion", (12, 30)),
        (
            "Aseptic meningitis was seen in twelve percent on IVIg and 30% on placebo.",
            "Aseptic meningitis",
            "proportion",
            (12, 30),
        ),
        (
            "Median progression-free survival was 11.2 v 8.8 months (P = .03).",
            "progression-free survival",
            "median",
            (11.2, 8.8),
        ),
        (
            "Serum sodium was 140.1 ± 2.0 mmol/L with IVIg and 138.0 ± 2.2 with placebo.",
            "Serum sodium",
            "mean",
            (140.1, 138.0),
        ),
        (
            "There were 14 hospital admissions on IVIg and nine on placebo.",
            "hospital admissions",
            "count",
            (14, 9),
        ),
        (
            "Fewer strokes were seen with IVIg (three v 12 events; P = .02).",
            "strokes",
            "count",
            (3, 12),
        ),
        (
            "Skin rash was noted in 9 [15%] in the IVIg group and 2 [3%] in the placebo group.",
            "Skin rash",
            "count",
            (9, 2),
        ),
        (
            "The rates were 5% and 14% for hoarseness and were tested in the IVIg and placebo "
            "groups, respectively.",
            "hoarseness",
            "proportion",
            (5, 14),
        ),
    ],
)
def test_a_result_takes_the_noun_phrase_that_it_stands_with(
    read: Read, sentence: str, measure: str, kind: str, pair: tuple[float, float]
) -> None:
    outcome = only(read(ARMS + sentence, TRIAL))
    assert (outcome.measure, outcome.type, values(outcome)) == (measure, kind, pair)
    assert outcome.quote is not None


@pytest.mark.parametrize(
    "sentence",
    [
        "After a median follow-up of 5.1 years, hoarseness did not differ (P = .4).",
        "Patients were randomly assigned to receive 400 mg or 800 mg daily.",
        "The mean difference in serum sodium was 5.1 mmol/L with IVIg (P = .03).",
        "Hoarseness had a relative risk reduction of 28% with IVIg.",
        "Serum sodium was measured at 1, 3 and 6 months on IVIg and placebo.",
        "The 95% CI of hoarseness was wide on IVIg.",
        "Hoarseness was tested with a 2-sided test on IVIg.",
        "Serum sodium fell (r = 0.42) on IVIg.",
        "Hoarseness was worst in the 12th hour on IVIg.",
    ],
)
def test_numbers_of_methods_and_statistics_are_no_results(read: Read, sentence: str) -> None:
    assert read(ARMS + sentence, TRIAL).outcomes == ()


def test_an_open_name_needs_an_arm_or_a_partner(read: Read) -> None:
    assert read(ARMS + "Hoarseness occurred in 21% of patients.", TRIAL).outcomes == ()


def test_one_value_may_be_that_of_both_arms(read: Read) -> None:
    outcome = only(read(ARMS + "Hoarseness occurred in 12% in both groups.", TRIAL))
    assert values(outcome) == (12, 12)


def test_p_values_in_a_list_are_no_values() -> None:
    kinds = [q.kind for q in scan("pain and mood fell (P = .01, .007, and .03, respectively)")]
    assert kinds == ["p_value"] * 3


@pytest.mark.parametrize(
    ("sentence", "pair"),
    [
        ("In the placebo group hoarseness was more frequent (30% v 12%).", (12, 30)),
        (
            "Hoarseness was seen in 30% and 12% in the placebo and IVIg groups, respectively.",
            (12, 30),
        ),
        ("Hoarseness: placebo, 30%; IVIg, 12%.", (12, 30)),
        ("Hoarseness was rarer on IVIg, with rates of 12% versus 30%.", (12, 30)),
    ],
)
def test_a_bare_comparison_follows_the_order_of_the_arms(
    read: Read, sentence: str, pair: tuple[float, float]
) -> None:
    (outcome,) = read(ARMS + sentence, TRIAL).outcomes[:1]
    assert (outcome.arm, values(outcome)) == ("IVIg", pair)


def test_the_order_of_the_last_sentence_that_named_both_arms_goes_on(read: Read) -> None:
    abstract = "Hoarseness occurred in 30% on placebo and 12% on IVIg. Nausea occurred in 20% v 8%."
    found = [values(o) for o in read(ARMS + abstract, TRIAL).outcomes]
    assert found == [(12, 30), (8, 20)]


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("The rates of arm A and arm B were 22.0 and 28.9%, respectively.", ["A", "B"]),
        (
            "Relief was had by 12% with gabapentin and 6% with lidocaine.",
            ["gabapentin", "lidocaine"],
        ),
        (
            "Relief was more common in the cooled group than in controls (3 v 1).",
            ["cooled", "controls"],
        ),
        ("Relief for bandage and splint was 4% and 9%, respectively.", ["bandage", "splint"]),
    ],
)
def test_a_sentence_may_name_its_groups_itself(sentence: str, names: list[str]) -> None:
    found = local_arms.find(sentence, 0, len(sentence), measured(sentence))
    assert [a.label for a in found] == names


def measured(sentence: str) -> list[Measurement]:
    """The measurements of a sentence."""
    return build(sentence, list(scan(sentence)), clocks=False)


@pytest.mark.parametrize(
    ("sentence", "plan"),
    [
        ("Ninety women were randomly assigned to yoga or to a wait list.", True),
        ("Sleep was assessed at 3 and 6 months.", True),
        ("Sleep was significantly better at 6 months.", False),
        ("Sleep was assessed as good in 30% and 12% of them.", False),
        ("Of the women assigned to yoga 12 slept well (P = .02).", False),
    ],
)
def test_methods_are_told_from_results(sentence: str, plan: bool) -> None:
    assert moods.is_plan(sentence, 0, len(sentence), scan(sentence)) is plan


def test_a_phrase_before_a_value_is_nearer_than_one_behind() -> None:
    text = "The rate of death from any cause was 12% and relapse came later."
    found = nearest(text, (37, 40), phrases(text, 0, len(text), ()))
    assert found is not None
    assert found.text(text) == "rate of death from any cause"
