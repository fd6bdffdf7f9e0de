"""Doses in grams per kilogram and course."""

from __future__ import annotations

import pytest

from pipeline.effects.dose import total_g_per_kg
from pipeline.schema import Dose, Reading


def dose(amount: object, unit: str, per: str | None, days: object = None) -> Dose:
    duration = None if days is None else Reading(days)
    return Dose("IVIg", Reading(amount), unit, per, duration)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "total"),
    [
        (dose(0.4, "g/kg", "day", 5), 2.0),  # the standard course, 0.4 g/kg/day for 5 days
        (dose(400, "mg/kg", "day", 5), 2.0),
        (dose(2, "g/kg", "course"), 2.0),
        (dose((1, 2), "g/kg", "course"), (1, 2)),
        (dose(0.4, "g/kg", "day", (3, 6)), (1.2, 2.4)),  # "for 3 or 6 days"
        (dose((0.4, 0.5), "g/kg", "day", (4, 5)), (1.6, 2.5)),
    ],
)
def test_totals(given: Dose, total: object) -> None:
    found = total_g_per_kg(given)
    assert found is not None
    assert found[0] == total


@pytest.mark.parametrize(
    "given",
    [
        dose(30, "g", "day", 5),  # absolute grams: nobody knows the weight
        dose(1, "g/kg", None, 2),  # "1 g/kg over 2 days": a day, or in total?
        dose(1, "g/kg", "week"),
        dose(0.4, "g/kg", "infusion"),
        dose(0.4, "g/kg", "day"),
        Dose("IVIg"),
    ],
)
def test_what_does_not_follow_is_none(given: Dose) -> None:
    assert total_g_per_kg(given) is None


def test_a_printed_total_comes_first() -> None:
    printed = Dose("IVIg", total_per_course_g_per_kg=Reading(2.0))
    assert total_g_per_kg(printed) == (2.0, "as printed")


def test_the_method_is_named() -> None:
    found = total_g_per_kg(dose(0.4, "g/kg", "day", 5))
    assert found is not None
    assert found[1] == "amount x days"
