"""A table of study data as columns, and what every formula shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lgamma

import numpy as np
import numpy.typing as npt

from pipeline.errors import EffectSizeError

Array = npt.NDArray[np.float64]

#: Columns by metafor's names (`ai`, `n1i`, `m1i` ...), a row a study, NaN where nothing is known.
Columns = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a formula may do where it has a choice; the defaults are metafor's.

    `add` is added to the cells of a table of counts: `to` says to which studies ("only0": those
    with an empty cell; "if0all": all if one has; "all"; "none"). `drop00` leaves out studies in
    which none, or all, of both arms have the event. `vtype` is the kind of variance: "LS" (large
    sample), "UB" (unbiased) or, for SMD, "LS2". `correct` asks for the correction of log ratios of
    means for small samples.
    """

    add: float = 0.5
    to: str = "only0"
    drop00: bool = False
    vtype: str = "LS"
    correct: bool = True


TO = ("only0", "if0all", "all", "none")
VTYPES = ("LS", "UB", "LS2")


def small_sample_factor(df: Array) -> Array:
    """Return J, which makes a standardised mean unbiased; NaN below 2 degrees of freedom.

    References
    ----------
    Hedges (1981), *J Educ Stat* 6:107, eq. 6e: the exact form, by the gamma function.
    """
    return np.array([_factor(float(x)) for x in df])


def _factor(df: float) -> float:
    """J of one number of degrees of freedom."""
    if not df > 1:
        return float("nan")
    return float(np.exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / np.sqrt(df / 2))


def with_added(cells: tuple[Array, ...], zero: Array, rules: Rules) -> tuple[Array, ...]:
    """Return the cells of tables of counts with `rules.add` where `rules.to` asks for it."""
    if rules.to == "none":
        return cells
    where = {"only0": zero, "all": np.ones_like(zero), "if0all": np.full_like(zero, zero.any())}
    added = np.where(where[rules.to], rules.add, 0.0)
    return tuple(cell + added for cell in cells)


def check(columns: Columns, rules: Rules) -> None:
    """Refuse values that no study can have.

    Raises
    ------
    EffectSizeError
        Naming the column, the row (from 1) and the rule.
    """
    if rules.to not in TO:
        raise EffectSizeError(f"Unknown rule to={rules.to!r}; must be one of {', '.join(TO)}.")
    if rules.vtype not in VTYPES:
        known = ", ".join(VTYPES)
        raise EffectSizeError(f"Unknown vtype {rules.vtype!r}; must be one of {known}.")
    for name, least in _LEAST.items():
        if name in columns:
            refuse(name, columns[name], columns[name] < least, f"must be {least:g} or more")
    for part, whole in _PARTS:
        if part in columns and whole in columns:
            rule = f"cannot be above {whole}"
            refuse(part, columns[part], columns[part] > columns[whole], rule)
    if "ri" in columns:
        refuse("ri", columns["ri"], np.abs(columns["ri"]) > 1, "must lie in [-1, 1]")


#: The least value of columns that have one.
_LEAST = {
    **dict.fromkeys(("ai", "bi", "ci", "di", "n1i", "n2i", "ni", "xi", "x1i", "x2i"), 0.0),
    **dict.fromkeys(("t1i", "t2i", "sd1i", "sd2i", "sdi", "sei", "vi"), 0.0),
}

_PARTS = (("ai", "n1i"), ("ci", "n2i"), ("xi", "ni"))


def refuse(name: str, values: Array, wrong: npt.NDArray[np.bool_], rule: str) -> None:
    """Refuse the first wrong value of a column.

    Raises
    ------
    EffectSizeError
        Naming the column, the value, its row (from 1) and the rule.
    """
    for row in np.flatnonzero(wrong):
        raise EffectSizeError(f"Invalid {name} {values[row]:g} in row {row + 1}; {rule}.")
