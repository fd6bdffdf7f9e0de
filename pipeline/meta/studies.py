"""The studies of a table: their effect sizes, and which of them can be part of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas as pd

from pipeline.effects.formulas import FORMULAS, Array, Rules, escalc
from pipeline.effects.formulas.cluster import effective
from pipeline.effects.formulas.recover import Filled, completed
from pipeline.effects.formulas.trend import trends
from pipeline.errors import InputError
from pipeline.meta.counted import cells_of, sizes_of
from pipeline.meta.result import LeftOut, MetaAnalysis
from pipeline.meta.table import column, labels, numbers, require
from pipeline.schema import EffectSize


@dataclass(frozen=True, slots=True)
class Studies:
    """A row a study: the table, its numbers, and effect sizes with their variances (NaN: none).

    `filled` names the numbers that the table does not hold and that were recovered or assumed.
    """

    measure: str
    table: pd.DataFrame
    columns: Mapping[str, Array]
    yi: Array
    vi: Array
    rules: Rules
    filled: tuple[Filled, ...] = ()

    def analysis(self, needed: Sequence[str]) -> MetaAnalysis:
        """Return the effects, not pooled yet; a study without one of these columns is left out."""
        slab = labels(self.table)
        found = _left_out(self, slab, needed)
        out = {row.row for row in found}
        used = tuple(i for i in range(len(self.table)) if i not in out)
        return MetaAnalysis(
            self.measure,
            slab,
            _values(self.yi),
            _values(self.vi),
            used,
            found,
            recovered=tuple(self._recovered(used)),
            counts=self.counts(used),
        )

    def effects(self, used: Sequence[int], subgroup: str | None) -> list[EffectSize]:
        """Return the effect sizes of some rows, each with its value of a column."""
        slab = labels(self.table)
        groups = self.cells(used, subgroup)
        return [
            EffectSize(
                str(i), slab[i], self.measure, float(self.yi[i]), float(self.vi[i]), subgroup=group
            )
            for i, group in zip(used, groups, strict=True)
        ]

    def names(self, used: Sequence[int]) -> list[str]:
        """Return what some rows are called."""
        slab = labels(self.table)
        return [slab[i] for i in used]

    def recovered_rows(self) -> frozenset[int]:
        """Return the rows with a number that was recovered or assumed."""
        return frozenset(row for one in self.filled for row in one.rows)

    def _recovered(self, used: Sequence[int]) -> Iterator[str]:
        """A sentence a column that was filled in for studies of the model."""
        slab = labels(self.table)
        for one in self.filled:
            rows = [slab[i] for i in one.rows if i in used]
            if rows:
                said = f"all {len(rows)}" if len(rows) == len(used) else ", ".join(rows)
                yield f"{one.column} of {said}: {one.how}."

    def cells(self, used: Sequence[int], name: str | None) -> list[str]:
        """Return a column's cells as texts; "" for each row without a column."""
        return ["" if name is None else str(self.table[name].iloc[i]) for i in used]

    def counts(self, used: Sequence[int]) -> dict[str, Array]:
        """Return `ai bi ci di` of some rows; empty where the table has no such counts."""
        if not all(name in self.columns for name in ("ai", "ci")):
            return {}
        return {name: cell[list(used)] for name, cell in cells_of("OR", self.columns).items()}

    def sizes(self, used: Sequence[int]) -> Array | None:
        """Return how many patients the studies have, None where that is not known of each."""
        return sizes_of(self.columns, used)

    def order(self, used: Sequence[int], name: str | None) -> tuple[int, ...]:
        """Return the positions of some rows in the order of a column, ties as they stand."""
        if name is None:
            return tuple(range(len(used)))
        values = column(self.table.iloc[list(used)], name)
        return tuple(int(i) for i in np.argsort(values, kind="stable"))


def of_studies(
    table: pd.DataFrame, measure: str, rules: Rules, *, ri: float | None = None
) -> Studies:
    """Return the studies of a table with a row a study.

    Parameters
    ----------
    table : DataFrame
    measure : str
    rules : Rules
    ri : float, optional
        The correlation of two measurements of one patient where the table has none.
    """
    ratio = measure in FORMULAS and FORMULAS[measure].scale == "log"
    made, filled = completed(numbers(table), ratio=ratio, ri=ri)
    columns = effective(made)
    yi, vi = escalc(measure, columns, rules)
    wanted = {name for names in FORMULAS[measure].columns for name in names}
    known = tuple(one for one in filled if one.column in wanted)
    return Studies(measure, table, columns, yi, vi, rules, known)


def of_arms(table: pd.DataFrame, measure: str, rules: Rules, study: str, dose: str) -> Studies:
    """Return the studies of a table with a row an arm: effects are slopes per unit of dose.

    Parameters
    ----------
    table : DataFrame
    measure : str
        A key of `effects.formulas.trend.ARM_MEASURES`.
    rules : Rules
    study, dose : str
        Columns: which arms belong together, and the dose of each.

    Raises
    ------
    InputError
        If a column is missing, or an arm has no study.
    """
    require(table, [study, dose])
    for row in np.flatnonzero(table[study].isna()):
        raise InputError(f"Column {study}, row {row + 1}: an arm without a study.")
    names = [str(name) for name in table[study]]
    found = trends(measure, numbers(table), column(table, dose), names, rules)
    made = pd.DataFrame({"slab": found.study, "lowest": found.lowest, "highest": found.highest})
    return Studies(measure, made, {}, found.yi, found.vi, rules)


def _left_out(studies: Studies, slab: Sequence[str], needed: Sequence[str]) -> tuple[LeftOut, ...]:
    """The rows without an effect, a variance above 0, or a value of a needed column."""
    require(studies.table, needed)
    found = []
    for i, name in enumerate(slab):
        missing = [c for c in needed if pd.isna(studies.table[c].iloc[i])]
        if not isfinite(studies.yi[i]):
            reason = "a number is missing, or the effect is not defined for these"
        elif not studies.vi[i] > 0:
            reason = f"its variance is {studies.vi[i]:g}; it must be above 0"
        elif missing:
            reason = f"{missing[0]} is missing"
        else:
            continue
        found.append(LeftOut(i, name, reason))
    return tuple(found)


def _values(column: Array) -> tuple[float | None, ...]:
    """Numbers, None where there is none."""
    return tuple(float(x) if isfinite(x) else None for x in column)
