"""Turns a printed time into days."""

from __future__ import annotations

from pipeline.extract.quantities import Quantity

#: Days in a unit. A month has 30 and a year 365: the nominal time of a visit, not a calendar's.
DAYS = {"day": 1, "week": 7, "wk": 7, "month": 30, "mo": 30, "year": 365, "yr": 365}


def days(quantity: Quantity) -> float | tuple[float, float] | None:
    """Return the days of a timepoint quantity: a number, a (first, last) pair, or None.

    >>> days(Quantity("timepoint", 0, 7, 24.0, label="week"))
    168.0
    """
    unit = DAYS.get(quantity.label.rstrip("s"))
    if unit is None or quantity.value is None:
        return None
    if quantity.high is None:
        return quantity.value * unit
    return (quantity.value * unit, quantity.high * unit)
