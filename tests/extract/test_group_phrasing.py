"""How one sentence names its groups, and which of two numbers a lone group had."""

from __future__ import annotations

import pytest

from pipeline.extract import linking, local_arms
from pipeline.extract.measurements import Measurement, build
from pipeline.extract.quantities import scan


def measured(sentence: str) -> list[Measurement]:
    """The measurements of a sentence."""
    return build(sentence, list(scan(sentence)), clocks=False)


def groups(sentence: str) -> list[str]:
    """The groups that a sentence names."""
    found = local_arms.find(sentence, 0, len(sentence), measured(sentence))
    return [g.label for g in found]


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        (
            "The risk of relapse with drainage and clipping was 12% and 30%.",
            ["drainage", "clipping"],
        ),
        ("Hoarseness was less common after clipping (12% v 30%).", ["clipping"]),
        ("Sleep time favoured the high-dose drops (12% v 30%).", ["high-dose drops"]),
        ("Drops lowered the pressure (12% v 30%).", ["Drops"]),
        ("Drops and gel were comparable in terms of relapse (12% v 30%).", ["Drops", "gel"]),
        (
            "Both drops and gel required a rescue dose in 12% and 30%, respectively.",
            ["drops", "gel"],
        ),
        (
            "Patients with a pump had fewer strokes than the clip group (12% v 30%).",
            ["pump", "clip"],
        ),
        ("In vehicle treated men it was 12%, with 30% in the gel group.", ["vehicle", "gel"]),
        (
            'Fever rose in the "late start" group (12%) and the gel group (30%).',
            ["late start", "gel"],
        ),
        ("It was 12% in the IT gel group and 30% in the drops group.", ["IT gel", "drops"]),
        ("The rate was better with DRX 100 than with DRX 75 (12% v 30%).", ["DRX 100", "DRX 75"]),
        ("There was a 12% increase from baseline with gel and 30% with drops.", ["gel", "drops"]),
        ("It was 12% of those on gel and 30% of those on drops.", ["gel", "drops"]),
        ("Pain fell after use of gel compared with drops (12% v 30%).", ["gel", "drops"]),
    ],
)
def test_groups_are_named_in_many_phrasings(sentence: str, names: list[str]) -> None:
    assert groups(sentence) == names


@pytest.mark.parametrize(
    ("sentence", "strange"),
    [
        ("It was alike in the two treatment groups: 12% for gel and 30% for drops.", "treatment"),
        ("A fall of 3.9 points on the Rye scale (SD 2.0) in the gel group v 2.9.", "Rye scale"),
        ("The rates with gel and drops were 12% and 30% for leaks with the drops group.", "leaks"),
        ("It was measured in the evening was 12% with gel and 30% with drops.", "evening"),
        ("Leaks were seen in 12% with gel and in none with drops.", "none"),
    ],
)
def test_what_is_no_group_is_not_taken_for_one(sentence: str, strange: str) -> None:
    assert strange not in groups(sentence)


def test_a_digit_names_a_group_only_where_it_is_called_one() -> None:
    text = "Group 1 had 12% on scale 1 and group 2 had 30%."
    found = local_arms.find(text, 0, len(text), measured(text))
    assert [text[a:b] for g in found for a, b in g.mentions] == ["1", "2"]
    assert found[0].mentions == ((6, 7),)


@pytest.mark.parametrize(
    ("sentence", "order"),
    [
        ("Leaks were rarer than with the gel group (12% v 30%).", [None, 0]),
        ("Leaks were rare with the gel group (12% v 30%).", [0, None]),
    ],
)
def test_a_lone_group_behind_than_had_the_second_number(
    sentence: str, order: list[int | None]
) -> None:
    values = measured(sentence)
    found = local_arms.find(sentence, 0, len(sentence), values)
    places = linking.mentions(found, 0, len(sentence))
    assert linking.arms_of(sentence, values, places, values) == order


def test_respectively_keeps_the_order_of_the_names() -> None:
    text = "Against the gel group it rose in the drops group (12% v 30%, respectively)."
    values = measured(text)
    found = local_arms.find(text, 0, len(text), values)
    places = linking.mentions(found, 0, len(text))
    assert linking.arms_of(text, values, places, values) == [0, 1]
