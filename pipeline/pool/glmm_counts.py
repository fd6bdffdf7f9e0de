"""The counts of generalised linear mixed models: who says something."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.linear import Array

#: The columns of each measure, by metafor's names.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "OR": ("ai", "bi", "ci", "di"),
    "IRR": ("x1i", "t1i", "x2i", "t2i"),
    "PLO": ("xi", "mi"),
    "IRLN": ("xi", "ti"),
}


def usable(counts: Mapping[str, Array], measure: str) -> tuple[Array, list[str]]:
    """Return the counts (columns, studies) of studies that say something, and notes on the others.

    Raises
    ------
    PoolError
        If a column is missing, a count is negative or not whole, or fewer than two studies remain.
    """
    missing = [name for name in COLUMNS[measure] if name not in counts]
    if missing:
        raise PoolError(f"A GLMM of {measure} needs {', '.join(missing)}.")
    table = np.array([counts[name] for name in COLUMNS[measure]], dtype=float)
    known = np.isfinite(table).all(axis=0)
    if (table[:, known] < 0).any():
        raise PoolError(f"Invalid count {table[:, known].min():g}; must not be negative.")
    events = [i for i, name in enumerate(COLUMNS[measure]) if name[0] != "t"]
    parts = table[events][:, known] % 1
    if parts.any():
        fraction = float(table[events][:, known][parts > 0][0])
        raise PoolError(f"Invalid count {fraction:g}; must be whole.")
    said = known & _informative(np.where(known, table, 0), measure)
    notes = []
    for number, why in ((~known, "without counts"), (known & ~said, _SILENT[measure])):
        if number.any():
            notes.append(f"Left out: {int(number.sum())} of {known.size} studies, {why}.")
    if said.sum() < 2:
        raise PoolError(f"A GLMM needs 2 or more studies; got {int(said.sum())}.")
    return table[:, said], notes


_SILENT = {
    "OR": "with no events, or nothing but events, in both groups",
    "IRR": "with no events in both groups, or no time at risk in one",
    "PLO": "without participants",
    "IRLN": "without time at risk",
}


def _informative(table: Array, measure: str) -> Array:
    """Which studies carry information on the measure."""
    if measure == "OR":
        a, b, c, d = table
        return np.asarray((a + c > 0) & (b + d > 0) & (a + b > 0) & (c + d > 0))
    if measure == "IRR":
        x1, t1, x2, t2 = table
        return np.asarray((x1 + x2 > 0) & (t1 > 0) & (t2 > 0))
    return np.asarray((table.sum(axis=0) if measure == "PLO" else table[1]) > 0)


def refuse_separation(table: Array, measure: str, model: str) -> None:
    """Refuse counts whose estimate is infinite (PoolError)."""
    if measure == "IRLN":
        low, high = table[0] == 0, np.zeros(table.shape[1], dtype=bool)
    elif measure in ("PLO", "IRR"):
        low, high = table[0] == 0, table[1 if measure == "PLO" else 2] == 0
    else:
        a, b, c, d = table
        strict = model == "CM.AL"  # It knows events alone, no patients without one.
        low = (a == 0) if strict else (a == 0) | (d == 0)
        high = (c == 0) if strict else (b == 0) | (c == 0)
    if low.all() or high.all():
        raise PoolError(
            f"The {measure} of these {table.shape[1]} studies is infinite: every study is without "
            f"{'events' if low.all() else 'its complement'} on the same side."
        )


def sampling_variances(table: Array, measure: str) -> Array:
    """Return variances of the studies' own estimates, 1/2 added to zero cells: for I2 alone."""
    cells = {"OR": [0, 1, 2, 3], "IRR": [0, 2], "PLO": [0, 1], "IRLN": [0]}[measure]
    n = table[cells]
    return np.asarray((1 / (n + 0.5 * (n == 0).any(axis=0))).sum(axis=0))
