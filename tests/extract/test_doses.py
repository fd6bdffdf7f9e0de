"""Doses: what was given, per what, for how long, and grams per kilogram a course."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import plain

TITLE = "Open-label study of IVIg in small fibre neuropathy"

Dose = dict[str, Any]


def doses(read: Read, sentence: str) -> list[Dose]:
    """The doses of a sentence: amount, unit, per, days, g/kg a course."""
    names = {"duration_days": "days", "total_per_course_g_per_kg": "course"}
    kept = ("amount", "unit", "per", "duration_days", "total_per_course_g_per_kg")
    return [
        {names.get(k, k): v for k, v in plain(d).items() if k in kept}
        for d in read(sentence, TITLE).doses
    ]


def dose(amount: Any, unit: str, per: str | None = None, **more: Any) -> Dose:
    """An expected dose; what is None is not read."""
    return {k: v for k, v in {"amount": amount, "unit": unit, "per": per, **more}.items() if v}


FIVE_DAYS = dose(0.4, "g/kg", "day", days=5, course=2.0)


@pytest.mark.parametrize(
    "sentence",
    [
        "Patients received IVIg (0.4 g/kg/day for 5 days).",
        "Patients received IVIg 0.4 g/kg/d for 5 days.",
        "Patients received IVIg 0·4 g/kg daily for 5 days.",
        "Patients received IVIg 0.4 g/kg body weight per day for five days.",
        "Patients received IVIg (0.4 g/kg for 5 consecutive days).",
        "Patients received IVIg (0.4 g/kg bodyweight for 5 days).",
        "Patients received IVIg at 0.4 g per kg per day over 5 days.",
        "Patients received 0.4 g/kg of IVIg daily for 5 days.",
        "Patients received IVIg 0.4 gm/kg/day for 5 days.",
        "Patients received IVIg 0.4g/kg/day x 5 days.",
        "Patients received IVIg .4 g/kg/day for 5 days.",
        "Patients had IVIg (0.4 g/kg) or placebo daily for 5 days.",
    ],
)
def test_days_times_amount_is_the_course(read: Read, sentence: str) -> None:
    assert doses(read, sentence) == [FIVE_DAYS]


def test_milligrams_make_the_same_course(read: Read) -> None:
    found = doses(read, "Patients received IVIg 400 mg/kg/day for 5 days.")
    assert found == [dose(400, "mg/kg", "day", days=5, course=2.0)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Patients had IVIg 1 g/kg over 2 days.", [dose(1, "g/kg", days=2)]),
        ("Patients had IVIg 2 g/kg.", [dose(2, "g/kg")]),
        ("Patients had IVIg at 2-g/kg.", [dose(2, "g/kg")]),
        ("Patients had IVIg 2g/kg.", [dose(2, "g/kg")]),
        (
            "Patients had IVIg at a total dose of 2 g/kg.",
            [dose(2, "g/kg", "course", course=2.0)],
        ),
        (
            "Patients had IVIg 0.4 g/kg per day for 3 or 6 days.",
            [
                dose(0.4, "g/kg", "day", days=3, course=1.2),
                dose(0.4, "g/kg", "day", days=6, course=2.4),
            ],
        ),
        (
            "Patients had IVIg 0.5, 1.0 or 2.0 g/kg every 3 weeks.",
            [dose(x, "g/kg", "infusion", course=x) for x in (0.5, 1.0, 2.0)],
        ),
        (
            "Patients had IVIg 7 to 48 g every 4 weeks.",
            [dose((7, 48), "g", "infusion")],
        ),
        ("Patients had IVIg 30 g daily for 3 days.", [dose(30, "g", "day", days=3)]),
        ("Patients had IVIg 90 g (30 g daily for 3 days).", [dose(30, "g", "day", days=3)]),
        ("Patients had SCIg 0.4 g/kg weekly.", [dose(0.4, "g/kg", "week")]),
    ],
)
def test_only_what_follows_from_the_text_is_a_course(
    read: Read, sentence: str, expected: list[Dose]
) -> None:
    assert doses(read, sentence) == expected


def test_loading_and_maintenance_stay_apart(read: Read) -> None:
    sentence = (
        "Patients had an IVIg loading dose of 2 g/kg, then maintenance infusions of 1 g/kg "
        "every 3 weeks."
    )
    study = read(sentence, TITLE)
    first, then = map(plain, study.doses)
    assert (first["amount"], first["phase"], first["total_per_course_g_per_kg"]) == (
        2.0,
        "loading",
        2.0,
    )
    assert (then["amount"], then["phase"], then["per"], then["frequency"]) == (
        1.0,
        "maintenance",
        "infusion",
        "every 3 weeks",
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "Serum IgG rose to 12 g/L on IVIg.",
        "The IgG level on IVIg was 18.5 g/l.",
        "Plasma exchange of 50 mL/kg was followed by IVIg.",
        "IVIg as a 10% solution was given at 4 mL/kg/h.",
        "Patients had had IVIg at <2 g/kg before.",
        "Patients had less than 2 g/kg of IVIg before.",
        "IVIg was stopped after 5 days.",
        "Serum creatinine on IVIg was 1.2 mg/dL.",
        "Trough IgG was 8 g per litre on IVIg.",
        "Nobody named a drug at 2 o'clock.",
    ],
)
def test_what_is_no_dose(read: Read, sentence: str) -> None:
    assert doses(read, sentence) == []


def test_one_of_several_infusions_is_not_the_course(read: Read) -> None:
    """Five infusions of 0.4 g/kg are 2 g/kg; if that is not added up, no total is given."""
    (found,) = doses(read, "Patients received five daily infusions of IVIg 0.4 g/kg.")
    assert found["amount"] == 0.4
    assert found.get("course") in (None, 2.0)


def test_a_cap_is_no_dose(read: Read) -> None:
    found = doses(read, "Patients had IVIg 2 g/kg (maximum 140 g).")
    assert [d["amount"] for d in found] == [2.0]


def test_a_comma_for_a_decimal_point_makes_no_tenfold_dose(read: Read) -> None:
    """ "0,4 g/kg" may be left unread, but must not become 4 g/kg."""
    found = doses(read, "Patients received IVIg 0,4 g/kg/day for 5 days.")
    assert found in ([], [FIVE_DAYS])


@pytest.mark.parametrize(
    ("sentence", "route"),
    [
        ("Patients had intravenous immunoglobulin 2 g/kg.", "IV"),
        ("Patients had IVIg 2 g/kg.", "IV"),
        ("Patients had subcutaneous immunoglobulin 0.4 g/kg weekly.", "SC"),
        ("Patients had SCIg 0.4 g/kg weekly.", "SC"),
        ("Patients had immunoglobulin 2 g/kg.", None),
    ],
)
def test_the_route_is_what_the_drugs_name_says(
    read: Read, sentence: str, route: str | None
) -> None:
    assert [d.route for d in read(sentence, TITLE).doses] == [route]


def test_each_dose_has_the_drug_it_stands_beside(read: Read) -> None:
    sentence = "Patients had IVIg 0.4 g/kg/day for 5 days and methylprednisolone 500 mg/day."
    found = [(d.drug, plain(d)["amount"]) for d in read(sentence, TITLE).doses]
    assert found == [("Immunoglobulin", 0.4), ("methylprednisolone", 500.0)]


def test_a_dose_said_twice_is_one_dose(read: Read) -> None:
    sentence = "Patients received IVIg (0.4 g/kg/day for 5 days)."
    assert doses(read, f"{sentence} {sentence}") == [FIVE_DAYS]


def test_a_derived_course_names_its_rule_and_quotes_the_dose(read: Read) -> None:
    (found,) = read("Patients received IVIg (0.4 g/kg/day for 5 days).", TITLE).doses
    total = found.total_per_course_g_per_kg
    assert total is not None
    assert total.quote is not None
    assert (total.derived, total.quote.text) == ("days x amount", "0.4 g/kg/day for 5 days")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Patients received IVIg 0.2 g/kg or 0.4 g/kg weekly.",
            [dose(0.2, "g/kg", "week"), dose(0.4, "g/kg", "week")],
        ),
        (
            "Patients received IVIg 2 g/kg, then 1 g/kg every 3 weeks.",
            [dose(2.0, "g/kg", "course", course=2.0), dose(1.0, "g/kg", "infusion", course=1.0)],
        ),
        (
            "Patients received a five-day course of IVIg (0.4 g/kg/day).",
            [FIVE_DAYS],
        ),
        (
            "Patients had had IVIg (0.4 g/kg). Patients received IVIg 0.4 g/kg/day for 5 days.",
            [FIVE_DAYS],
        ),
        (
            "Patients received IVIg 30 g at intervals of 14-35 days.",
            [dose(30.0, "g", "infusion")],
        ),
        ("Patients received prednisone, which was tapered from 60 mg to 10 mg daily.", []),
    ],
)
def test_what_amounts_of_a_text_share(read: Read, sentence: str, expected: list[Dose]) -> None:
    assert doses(read, sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Two patients had 20 infusions (1900 g IVIg) in all.",
        "They got a combined total of 30 infusions of IVIg, 2400 g.",
        "The dose of IVIg needed was 1.10 g/kg with the drug (1.20 g/kg; p = 0.40).",
        "IVIg given later was alike (1.10 g/kg) compared with placebo (1.30 g/kg; p = 0.6).",
        "Plasma was exchanged until a discard of 50 ml/kg was reached, then IVIg.",
    ],
)
def test_what_was_used_up_tested_or_discarded_is_no_dose(read: Read, sentence: str) -> None:
    amounts = {d["amount"] for d in doses(read, sentence)}
    assert not amounts & {1900.0, 2400.0, 1.2, 1.3, 50.0}


def test_micrograms_are_not_the_intervention_s(read: Read) -> None:
    found = read("Patients were on IVIg. They received 30 microg once weekly.", TITLE).doses
    assert [d.drug for d in found] == [""]
