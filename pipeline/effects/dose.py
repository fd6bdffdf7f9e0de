"""Doses in one unit: grams per kilogram of body weight and course."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.schema import Dose, Number

#: Grams per kilogram in one of each unit. Absolute grams are missing: without the weight of the
#: patients they cannot be converted.
G_PER_KG: Mapping[str, float] = {"g/kg": 1.0, "mg/kg": 0.001}


def total_g_per_kg(dose: Dose) -> tuple[Number, str] | None:
    """Return the total dose of one course and how it follows from what is printed.

    Parameters
    ----------
    dose : Dose
        As read; amount and duration may be (low, high) pairs, and so may then the total.

    Returns
    -------
    total : float or (float, float)
        Grams per kilogram and course.
    method : str
        "as printed", "amount per course" or "amount x days".

    None where it does not follow: absolute grams, a dose per week or infusion, or one of which
    the text does not say whether it is that of a day or of the course.
    """
    if dose.total_per_course_g_per_kg is not None:
        return dose.total_per_course_g_per_kg.value, "as printed"
    factor = G_PER_KG.get(dose.unit or "")
    if dose.amount is None or factor is None:
        return None
    if dose.per == "course":
        return _times(dose.amount.value, factor), "amount per course"
    if dose.per == "day" and dose.duration_days is not None:
        daily = _times(dose.amount.value, factor)
        return _times(daily, dose.duration_days.value), "amount x days"
    return None


def _times(a: Number, b: Number) -> Number:
    """Multiply two positive numbers or ranges; a product of ranges runs from low to high."""
    low_a, high_a = a if isinstance(a, tuple) else (a, a)
    low_b, high_b = b if isinstance(b, tuple) else (b, b)
    low, high = round(low_a * low_b, 9), round(high_a * high_b, 9)
    return low if low == high else (low, high)
