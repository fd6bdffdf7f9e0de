"""What a meta-analysis of a table gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.effects.formulas import Array
from pipeline.schema import PooledEstimate, Regression, Subgroup, SubgroupTest

#: A table beside an estimate: a row a study, or results by name.
Table = list[dict[str, Any]] | dict[str, Any]

#: The normal quantile of a study's own 95 % interval.
_NORMAL = 1.959963984540054


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of the table that is no part of the model, with the reason."""

    row: int
    slab: str
    reason: str


@dataclass(frozen=True, slots=True)
class MetaAnalysis:
    """A table's effect sizes and what they give together, on the scale of analysis.

    `yi` and `vi` hold a value a row of the table, None where a row gives none; `used` are the rows
    (from 0) in the model. One of `pooled` and `regression` is there, or `reason` says why neither.
    `recovered` names numbers of the model that the table does not hold, and how they were found;
    `counts` are `ai bi ci di` of the studies in the model where the table has such.
    """

    measure: str
    slab: tuple[str, ...]
    yi: tuple[float | None, ...]
    vi: tuple[float | None, ...]
    used: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    pooled: PooledEstimate | None = None
    regression: Regression | None = None
    subgroups: tuple[Subgroup, ...] = ()
    subgroup_test: SubgroupTest | None = None
    reason: str = ""
    recovered: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    counts: Mapping[str, Array] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Return a row a study: slab, yi, vi, sei, its 95 % interval, and its weight in percent."""
        frame = pd.DataFrame({"slab": self.slab, "yi": self.yi, "vi": self.vi}).astype(
            {"yi": float, "vi": float}
        )
        frame["sei"] = np.sqrt(frame["vi"])
        frame["ci_lb"] = frame["yi"] - _NORMAL * frame["sei"]
        frame["ci_ub"] = frame["yi"] + _NORMAL * frame["sei"]
        weights = dict(zip(self.used, self.weights(), strict=False))
        frame["weight"] = [weights.get(i, np.nan) for i in range(len(frame))]
        return frame

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; the pooled estimate's fields are on top."""
        shown: dict[str, Any] = {"measure": self.measure, "k": len(self.used)}
        if self.pooled is not None:
            shown |= asdict(self.pooled) | {"h2_q": self.pooled.h2_q}
        shown |= {"yi": self.yi, "vi": self.vi, "slab": self.slab, "used": self.used}
        shown["left_out"] = [asdict(row) for row in self.left_out]
        shown |= {"reason": self.reason, "recovered": self.recovered}
        if self.regression is not None:
            shown |= _regression_dict(self.regression)
        if self.subgroups:
            shown["subgroups"] = [asdict(group) for group in self.subgroups]
            shown["subgroup_test"] = asdict(self.subgroup_test) if self.subgroup_test else None
        return {key: plain(value) for key, value in (shown | dict(self.tables)).items()}

    def weights(self) -> tuple[float, ...]:
        """Return the weights of the studies in the model, in percent; () if it has none."""
        fit = self.pooled or self.regression
        return fit.weights if fit is not None else ()


def _regression_dict(fit: Regression) -> dict[str, Any]:
    """A regression as plain values; `estimate`, `se` ... are lists, a value a coefficient."""
    shown = asdict(fit)
    rows = shown.pop("coefficients")
    for name in ("estimate", "se", "ci_lb", "ci_ub", "stat", "df", "pval"):
        shown[name] = [row[name] for row in rows]
    return shown | {"names": [row["name"] for row in rows]}


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: arrays as lists, numbers that are none as null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
