"""What names an open outcome, what names a group, and which numbers are values of no arm."""

from __future__ import annotations

import pytest

from pipeline.extract import local_arms
from pipeline.extract.measurements import Measurement, build
from pipeline.extract.phrases import object_of, phrases, tied
from pipeline.extract.quantities import scan
from pipeline.schema import Outcome
from tests.extract.conftest import Read
from tests.extract.plain import ARMS, TRIAL


def rows(read: Read, sentence: str) -> tuple[Outcome, ...]:
    """The outcomes of a trial's sentence."""
    return read(ARMS + sentence, TRIAL).outcomes


def measured(sentence: str) -> list[Measurement]:
    """The measurements of a sentence."""
    return build(sentence, list(scan(sentence)), clocks=False)


@pytest.mark.parametrize(
    ("sentence", "measure"),
    [
        ("Hoarseness after the first infusion was 12% with IVIg and 30% with placebo.", None),
        ("The rate of hoarseness was 12% v 30%; all of them improved.", "hoarseness"),
        ("For hoarseness, there were 12 cases on IVIg and 30 cases on placebo.", "hoarseness"),
        ("The primary end point occurred in 12% on IVIg and 30% on placebo.", "primary end point"),
        ("12% and 30% of patients on IVIg and placebo, respectively, had a rash.", "rash"),
    ],
)
def test_the_phrase_that_is_tied_to_a_value_names_it(
    read: Read, sentence: str, measure: str | None
) -> None:
    (outcome,) = rows(read, sentence)[:1]
    assert (measure or "Hoarseness") in outcome.measure
    assert "infusion" not in outcome.measure


def test_a_verb_ties_a_phrase_to_its_value() -> None:
    text = "At entry sleep latency was 12 and rose."
    found = tied(text, text.index("12"), phrases(text, 0, len(text), ()))
    assert found is not None
    assert found.text(text) == "sleep latency"


def test_what_those_counted_had_stands_behind_them() -> None:
    text = "12% and 30%, respectively, had severe headache."
    found = object_of(text, text.index(","), phrases(text, 0, len(text), ()))
    assert found is not None
    assert found.text(text).endswith("headache")


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        (
            "Sleep was 8.1 and 7.2 at 2 weeks, and 8.4 and 7.3 at 6 months for zopiclone and "
            "melatonin, respectively.",
            ["zopiclone", "melatonin"],
        ),
        ("Zopiclone lengthened it, but melatonin reduced sleep by 3.", []),
        (
            "Zopiclone reduced latency by 9.1 min, whereas melatonin reduced latency by 4.0 min.",
            ["Zopiclone", "melatonin"],
        ),
        ("Zopiclone lowered latency by 9.1 min and melatonin by 4.0 min.", None),
        ("Latency was alike (zopiclone: 9.1; melatonin: 9.3).", ["zopiclone", "melatonin"]),
        ("Falls were seen in 9% (zopiclone) and 3% (melatonin).", ["zopiclone", "melatonin"]),
        (
            "Latency achieved with zopiclone (9.1) was longer than that produced with melatonin "
            "(4.0).",
            ["zopiclone", "melatonin"],
        ),
        (
            "Falls were less frequent on zopiclone than on melatonin (3% v 9%).",
            ["zopiclone", "melatonin"],
        ),
        ("Side effects were more common in the treated (29%).", []),
    ],
)
def test_groups_are_named_as_subjects_in_brackets_or_respectively(
    sentence: str, names: list[str] | None
) -> None:
    found = local_arms.find(sentence, 0, len(sentence), measured(sentence))
    wanted = ["Zopiclone", "melatonin"] if names is None else names
    assert [a.label for a in found] == wanted


@pytest.mark.parametrize(
    "sentence",
    [
        "Falls were less frequent after IVIg, which reduced falls by 41%.",
        "Between-group differences in falls were 4.1 points (P = .03).",
        "There were 48 falls in all.",
        "The 48 patients on IVIg walked.",
        "The hazard ratio of relapse for high risk, 2.73, was similar.",
        "Falls were 13% lower than with placebo.",
    ],
)
def test_effects_totals_and_people_are_no_values_of_an_arm(read: Read, sentence: str) -> None:
    found = rows(read, sentence)
    assert all(o.value is None and o.events is None for o in found)


def test_a_total_of_two_printed_parts_is_no_count_of_an_arm(read: Read) -> None:
    found = rows(read, "Twelve patients relapsed (10 on placebo and 2 on IVIg).")
    assert 12 not in {o.events.value for o in found if o.events is not None}


@pytest.mark.parametrize(
    ("sentence", "pairs"),
    [
        (
            "Sleep was 6.0 ± 4.5 and 5.9 ± 4.6 with IVIg and 4.8 ± 3.0 and 4.6 ± 3.1 with placebo.",
            [(6.0, 4.8), (5.9, 4.6)],
        ),
        (
            "Rash was seen in 12% and 14% with IVIg and in 30% and 31% with placebo.",
            [(12, 30), (14, 31)],
        ),
        ("Rash rates were 12 and 30%.", [(12, 30)]),
        ("Rash was alike in the IVIg (12%) and saline (30%) groups.", [(12, 30)]),
    ],
)
def test_values_in_a_row_are_paired_across_arms(
    read: Read, sentence: str, pairs: list[tuple[float, float]]
) -> None:
    found = [
        (o.value.value, o.comparator_value.value)
        for o in rows(read, sentence)
        if o.value is not None and o.comparator_value is not None
    ]
    assert found == pairs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("an IOP of 21 mm Hg or less", "threshold"),
        ("a fall of > or =20% was seen", "threshold"),
        ("a target weight of 70 kg", "threshold"),
        ("it exceeded 10% in most", "threshold"),
        ("cycle 2 was given", "level"),
        ("RR 1.2 (CI95 %: 0.9-1.4)", "level"),
    ],
)
def test_limits_and_levels_are_no_values(text: str, kind: str) -> None:
    assert kind in {q.kind for q in scan(text)}


def test_a_labelled_spread_needs_no_bracket() -> None:
    (value,) = measured("(M = 9.99, SE = 0.93)")
    assert value.value is not None
    assert value.spread is not None
    assert (value.value.value, value.spread.high or value.spread.value) == (9.99, 0.93)


def test_events_among_people_are_a_fraction() -> None:
    (count,) = measured("we saw 35 DFS events among 246 women on it")
    assert count.events is not None
    assert (count.events.value, count.events.high) == (35, 246)
