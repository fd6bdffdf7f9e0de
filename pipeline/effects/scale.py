"""Brings scores to the scale of the protocol's outcome, where the paper states its own."""

from __future__ import annotations

import re

from pipeline.config import OutcomeDef
from pipeline.effects.match import holds
from pipeline.errors import EffectSizeError
from pipeline.schema import Outcome

#: Measures without a unit: any scale will do.
UNIT_FREE = ("SMD", "SMCC", "ROM", "ROMC", "HR")

_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
_POINTS = {word: i for i, word in enumerate(_WORDS, start=2)}
#: The length of a visual analogue scale stands for its range.
_LINES = {"100 mm": (0.0, 100.0), "10 cm": (0.0, 10.0)}


def unit_factor(row: Outcome, outcome: OutcomeDef, code: str) -> tuple[float, str]:
    """Return what a row's scores are multiplied with to be in the outcome's unit.

    Parameters
    ----------
    row : Outcome
        The result; its `scale` or `measure` says "0-100", "100 mm" or "seven-point".
    outcome : OutcomeDef
        With `range`, the scale of the pool, in `unit`.
    code : str
        The effect measure; those without a unit take any scale.

    Returns
    -------
    factor : float
        1, or 0.1 for scores of 0 to 100 where the outcome's are 0 to 10.
    sentence : str
        What was converted; "" for nothing.

    Raises
    ------
    EffectSizeError
        If the paper does not state the scale, or it is neither of the two.
    """
    if code in UNIT_FREE:
        return 1.0, ""
    stated = row.scale.value if row.scale else ""
    if outcome.range is None:
        _check_unit(stated, row, outcome)
        return 1.0, ""
    low, high = outcome.range
    bounds = _bounds(f"{stated} {row.measure}")
    if bounds == (low, high) or _points(stated) == high - low + 1:
        return 1.0, ""
    if (low, high) == (0, 10) and bounds == (0, 100):
        return 0.1, "scores of a 0-100 scale divided by 10"
    if bounds is None and not stated and _names_unit(row.measure, outcome):
        return 1.0, ""
    wanted = f"{low:g} to {high:g}"
    if stated:
        raise EffectSizeError(f"the scale {stated!r} is not shown to be {wanted}")
    raise EffectSizeError(f"the scale is not stated; it must be {wanted}")


def check_range(value: float, outcome: OutcomeDef, code: str, *, change: bool) -> None:
    """Refuse a score outside the outcome's range, or a change larger than that range is wide.

    Raises
    ------
    EffectSizeError
        Naming the value and the range.
    """
    if code in UNIT_FREE or outcome.range is None:
        return
    low, high = outcome.range
    least, most = (low - high, high - low) if change else (low, high)
    if not least <= value <= most:
        what = "change" if change else "value"
        raise EffectSizeError(f"the {what} {value:g} lies outside {least:g} to {most:g}")


def _check_unit(stated: str, row: Outcome, outcome: OutcomeDef) -> None:
    """Where the protocol gives a unit without a range, the paper must name it."""
    if outcome.unit and not holds(f"{stated} {row.measure}", outcome.unit):
        raise EffectSizeError(f"the unit is not shown to be {outcome.unit}")


def _bounds(text: str) -> tuple[float, float] | None:
    """The ends of a scale: "0-100" or "100 mm"."""
    found = re.search(r"(?<![\d.])(\d+)\s*(?:-|–|‐|−|to)\s*(\d+)(?![\d.])", text)
    if found:
        return float(found[1]), float(found[2])
    lines = (bounds for line, bounds in _LINES.items() if holds(text, line))
    return next(lines, None)


def _points(text: str) -> int | None:
    """How many points a scale has: "seven-point" or "7 point"."""
    found = re.search(rf"\b(\d+|{'|'.join(_POINTS)})[\s-]points?\b", text, re.IGNORECASE)
    if found is None:
        return None
    return int(found[1]) if found[1].isdigit() else _POINTS[found[1].lower()]


def _names_unit(measure: str, outcome: OutcomeDef) -> bool:
    """Whether the instrument's own name holds the unit: "GBS disability grade", in grades."""
    return outcome.unit is not None and outcome.unit != "points" and holds(measure, outcome.unit)
