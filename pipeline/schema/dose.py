"""Doses in one unit: grams per kilogram of body weight and course."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.schema.study import Number

#: Grams per kilogram in one of each unit. Absolute grams are missing: without the weight of the
#: patients they cannot be converted.
G_PER_KG: Mapping[str, float] = {"g/kg": 1.0, "mg/kg": 0.001}
#: What an amount may be for so that it is a course's by itself: a course of one infusion is one.
_WHOLE = ("course", "infusion", "month")


def course_g_per_kg(
    amount: Number, unit: str, per: str | None, days: Number | None
) -> float | None:
    """Return the total dose of one course where it follows from what is printed.

    Parameters
    ----------
    amount : float or (float, float)
    unit, per : str
        As in `Dose`.
    days : float or (float, float), optional
        How long a daily amount is given.

    Returns
    -------
    float or None
        Grams per kilogram and course. None where it does not follow: ranges, absolute grams, a
        dose per week, or one of which the text does not say whether it is a day's or the course's.
    """
    factor = G_PER_KG.get(unit)
    if factor is None or isinstance(amount, tuple):
        return None
    if per == "day":
        return round(amount * factor * days, 6) if isinstance(days, float) else None
    return round(amount * factor, 6) if per in _WHOLE else None
