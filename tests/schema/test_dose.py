"""Doses in grams per kilogram and course."""

from __future__ import annotations

import pytest

from pipeline.schema import Number, course_g_per_kg


@pytest.mark.parametrize(
    ("amount", "unit", "per", "days", "total"),
    [
        (0.4, "g/kg", "day", 5.0, 2.0),  # the standard course
        (400.0, "mg/kg", "day", 5.0, 2.0),
        (2.0, "g/kg", "course", None, 2.0),
        (1.0, "g/kg", "infusion", None, 1.0),  # a course of one infusion
        (1.0, "g/kg", "month", None, 1.0),
    ],
)
def test_a_course_is_days_times_amount_or_the_whole_amount(
    amount: float, unit: str, per: str, days: float | None, total: float
) -> None:
    assert course_g_per_kg(amount, unit, per, days) == total


@pytest.mark.parametrize(
    ("amount", "unit", "per", "days"),
    [
        (30.0, "g", "day", 5.0),  # nobody knows the weight
        (1.0, "g/kg", None, 2.0),  # a day's, or in total?
        (1.0, "g/kg", "week", None),
        (0.4, "g/kg", "day", None),
        (0.4, "g/kg", "day", (3.0, 6.0)),
        ((1.0, 2.0), "g/kg", "course", None),
        (400.0, "mg/m2", "day", 5.0),
    ],
)
def test_what_does_not_follow_is_none(
    amount: Number, unit: str, per: str | None, days: Number | None
) -> None:
    assert course_g_per_kg(amount, unit, per, days) is None
