"""Arms of several doses -> the slope of the effect over the dose in each study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from pipeline.effects.formulas import escalc
from pipeline.effects.formulas.table import Array, Columns, Rules
from pipeline.errors import EffectSizeError

#: Measures between arms, with the measure of a single arm whose difference each is.
ARM_MEASURES = MappingProxyType(
    {"RR": "PLN", "OR": "PLO", "RD": "PR", "MD": "MN", "ROM": "MNLN", "IRR": "IRLN"}
)


@dataclass(frozen=True, slots=True)
class Trends:
    """Slopes per unit of dose with their variances, and the lowest and highest dose of each study.

    A study with a single dose, or without an effect in all but one arm, has NaN.
    """

    study: tuple[str, ...]
    yi: Array
    vi: Array
    lowest: Array
    highest: Array


def trends(
    measure: str,
    arms: Columns,
    dose: Array,
    study: Sequence[str],
    rules: Rules = Rules(),  # noqa: B008
) -> Trends:
    """Return the slope of an effect over the dose within each study.

    The effects of several doses against one reference arm are correlated. Generalised least
    squares through the reference (Greenland and Longnecker 1992, *Am J Epidemiol* 135:1301; for
    means Crippa and Orsini 2016, *BMC Med Res Methodol* 16:91) is the same as the weighted
    regression of the arms' own values on the dose with an intercept, which is what is done here:
    crude counts and means give the covariances without their approximation.

    Parameters
    ----------
    measure : str
        A key of `ARM_MEASURES`; ratios are on the log scale.
    arms : mapping of str to array of shape (n,)
        `xi ni`, `mi sdi ni` or `xi ti`, a row an arm.
    dose : array of shape (n,)
        The dose of each arm, in any unit: slopes are per unit.
    study : sequence of str
        The study of each arm; rows of one study need not be neighbours.
    rules : Rules
        Where one arm of a study has an empty cell, all its arms get `rules.add` ("only0"), so that
        two arms give the slope that their effect has.

    Raises
    ------
    EffectSizeError
        If the measure is none of two arms with values of their own, or a number is impossible.
    """
    if measure not in ARM_MEASURES:
        known = ", ".join(ARM_MEASURES)
        raise EffectSizeError(f"No slope over doses for {measure}; must be one of {known}.")
    escalc(ARM_MEASURES[measure], arms, rules)
    names = list(dict.fromkeys(study))
    within = replace(rules, to="if0all" if rules.to == "only0" else rules.to)
    slopes = []
    for name in names:
        rows = np.array([i for i, one in enumerate(study) if one == name])
        yi, vi = escalc(ARM_MEASURES[measure], {c: arms[c][rows] for c in arms}, within)
        slopes.append(_slope(yi, vi, dose[rows]))
    return Trends(tuple(names), *(np.array(column) for column in zip(*slopes, strict=True)))


def _slope(yi: Array, vi: Array, dose: Array) -> tuple[float, float, float, float]:
    """The weighted slope over the dose, its variance, and the range of doses."""
    known = np.isfinite(yi) & np.isfinite(dose) & (vi > 0)
    if not known.any():
        return (np.nan,) * 4
    y, x, w = yi[known], dose[known], 1 / vi[known]
    away = x - np.average(x, weights=w)
    spread = float((w * away**2).sum())
    lowest, highest = float(x.min()), float(x.max())
    if lowest == highest:
        return np.nan, np.nan, lowest, highest
    return float((w * away * y).sum()) / spread, 1 / spread, lowest, highest
