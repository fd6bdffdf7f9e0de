"""A meta-analysis of a table of studies: metafor's columns in, effects and estimates out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from pipeline.config import ModelSpec
from pipeline.effects.formulas import FORMULAS, Array, Rules, escalc
from pipeline.effects.formulas.counts import two_by_two
from pipeline.errors import InputError, PoolError
from pipeline.metachecks import Pooled, Table, check, or_refusal, plain
from pipeline.metatable import column, design, labels, moderator, numbers
from pipeline.pool import counts, pool, regression, subgroups
from pipeline.pool.bayes import bayes
from pipeline.pool.glmm import glmm
from pipeline.pool.multilevel import three_level
from pipeline.pool.priors import tau_prior
from pipeline.pool.robust import robust
from pipeline.schema import EffectSize, PooledEstimate, Regression, Subgroup, SubgroupTest

#: Models of counts beside the estimators of tau2, with the measures that each pools.
COUNT_MODELS = {
    "MH": ("RR", "OR", "RD", "IRR"),
    "PETO": ("PETO",),
    "GLMM": ("OR", "IRR", "PLO", "IRLN"),
}

#: Other names of the equal-effects model.
_EQUAL = {"FE": "EE", "CE": "EE"}


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
    tables: Mapping[str, Table] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Return a row a study: slab, yi, vi, sei, its 95 % interval, and its weight in percent."""
        frame = pd.DataFrame({"slab": self.slab, "yi": self.yi, "vi": self.vi}).astype(
            {"yi": float, "vi": float}
        )
        frame["sei"] = np.sqrt(frame["vi"])
        frame["ci_lb"] = frame["yi"] - _NORMAL * frame["sei"]
        frame["ci_ub"] = frame["yi"] + _NORMAL * frame["sei"]
        weights = dict(zip(self.used, self._weights(), strict=False))
        frame["weight"] = [weights.get(i, np.nan) for i in range(len(frame))]
        return frame

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; the pooled estimate's fields are on top."""
        shown: dict[str, Any] = {"measure": self.measure, "k": len(self.used)}
        if self.pooled is not None:
            shown |= asdict(self.pooled)
        shown |= {"yi": self.yi, "vi": self.vi, "slab": self.slab, "used": self.used}
        shown["left_out"] = [asdict(row) for row in self.left_out]
        shown["reason"] = self.reason
        if self.regression is not None:
            shown |= _regression_dict(self.regression)
        if self.subgroups:
            shown["subgroups"] = [asdict(group) for group in self.subgroups]
            shown["subgroup_test"] = asdict(self.subgroup_test) if self.subgroup_test else None
        return {key: plain(value) for key, value in (shown | dict(self.tables)).items()}

    def _weights(self) -> tuple[float, ...]:
        """The weights of the studies in the model."""
        fit = self.pooled or self.regression
        return fit.weights if fit is not None else ()


_NORMAL = 1.959963984540054


def meta(
    table: pd.DataFrame,
    *,
    measure: str = "GEN",
    method: str = "REML",
    test: str = "knha",
    level: float = 0.95,
    mods: Sequence[str] = (),
    subgroup: str | None = None,
    cluster: str | None = None,
    prior: str | None = None,
    checks: Sequence[str] = (),
    order: str | None = None,
    glmm_model: str = "UM.FS",
    rules: Rules = Rules(),  # noqa: B008
) -> MetaAnalysis:
    """Compute effect sizes of a table of studies and pool them.

    Parameters
    ----------
    table : DataFrame
        A row a study, columns by metafor's names (`ai bi ci di`, `m1i sd1i n1i` ..., `yi vi`),
        as numbers or as texts; `slab`, `study` or `author` name the studies.
    measure : str
        metafor's code; see `effects.formulas.FORMULAS`.
    method : str
        An estimator of tau2 (`pool.ESTIMATORS`; FE and CE are EE), or MH, PETO or GLMM.
    test : {"knha", "adhoc", "t", "z"}
        metafor's tests; equal effects, MH and PETO have the normal test.
    level : float
        Of all intervals.
    mods : sequence of str
        Moderators for a meta-regression: columns; `factor(name)` for categories.
    subgroup : str, optional
        A column: each of its values is pooled on its own, and the differences are tested.
    cluster : str, optional
        A column: effects with one value of it come from the same patients or place. A three-level
        model and cluster-robust errors (CR2) stand beside the estimate.
    prior : str, optional
        Of tau, e.g. "half-normal(0.5)": a Bayesian model stands beside the estimate.
    checks : sequence of str
        Tables beside the estimate: `metachecks.CHECKS`.
    order : str, optional
        The column by which studies are added in a cumulative analysis; else the table's order.
    glmm_model : {"UM.FS", "UM.RS", "CM.EL", "CM.AL"}
        metafor's model of a GLMM of two groups.
    rules : Rules
        Zero cells and kinds of variance.

    Returns
    -------
    MetaAnalysis

    Raises
    ------
    InputError, EffectSizeError, PoolError
        For a missing column, an impossible value, a model that the studies cannot carry.
    """
    method = _EQUAL.get(method, method)
    spec = _spec(method, test, level)
    if (checks or cluster or prior) and (mods or method in COUNT_MODELS):
        raise InputError(
            "Tables and models beside an estimate are those of a pool of effect sizes; "
            f"they do not go with {'moderators' if mods else method}."
        )
    columns = numbers(table)
    yi, vi = escalc(measure, columns, rules)
    needed = (*mods, *(name for name in (subgroup, cluster, order) if name))
    left_out = _left_out(table, yi, vi, needed)
    slab = labels(table)
    out = {row.row for row in left_out}
    used = [i for i in range(len(table)) if i not in out]
    base = MetaAnalysis(measure, slab, _values(yi), _values(vi), tuple(used), left_out)
    if method in COUNT_MODELS:
        return _of_counts(base, columns, method, rules, level, glmm_model)
    if len(used) < 2:
        said = f"{len(used)} of {len(table)} studies can be pooled; a pool needs two"
        return replace(base, reason=said)
    groups = [_cell(table, subgroup, i) for i in used]
    effects = [
        EffectSize(str(i), slab[i], measure, float(yi[i]), float(vi[i]), subgroup=group)
        for i, group in zip(used, groups, strict=True)
    ]
    if mods:
        matrix, names = design(table.iloc[used], mods)
        return replace(base, regression=regression(effects, matrix, names, _plain(spec)))
    found, difference = subgroups(effects, spec)
    pooled = pool(effects, spec)
    data = _pooled(effects, spec, columns, used, _order(table, order, used))
    tables = {name: check(name, data) for name in checks}
    if cluster:
        tables |= _clustered(data, [_cell(table, cluster, i) for i in used], pooled.tau2)
    if prior:
        tables["bayes"] = asdict(bayes(data.yi, data.vi, tau_prior(prior), level=level))
    return replace(base, pooled=pooled, subgroups=found, subgroup_test=difference, tables=tables)


def _pooled(
    effects: Sequence[EffectSize],
    spec: ModelSpec,
    columns: Mapping[str, Array],
    used: Sequence[int],
    order: tuple[int, ...],
) -> Pooled:
    """What was pooled, for the tables beside it."""
    tabled = all(name in columns for name in ("ai", "ci"))
    cells = {name: cell[used] for name, cell in _cells("OR", columns).items()} if tabled else {}
    return Pooled(
        slab=tuple(e.slab for e in effects),
        yi=np.array([e.yi for e in effects]),
        vi=np.array([e.vi for e in effects]),
        spec=_plain(spec),
        order=order,
        counts=cells,
        ni=_sizes(columns, used),
    )


def _sizes(columns: Mapping[str, Array], used: Sequence[int]) -> Array | None:
    """The size of each study, where the columns tell it."""
    parts = (("ni",), ("n1i", "n2i"), ("ai", "bi", "ci", "di"))
    for names in parts:
        if all(name in columns for name in names):
            sizes = np.sum([columns[name][used] for name in names], axis=0)
            return sizes if np.isfinite(sizes).all() else None
    return None


def _order(table: pd.DataFrame, name: str | None, used: Sequence[int]) -> tuple[int, ...]:
    """The positions of the pooled studies in the order of a column, ties as they stand."""
    if name is None:
        return tuple(range(len(used)))
    values = column(table.iloc[list(used)], name)
    return tuple(int(i) for i in np.argsort(values, kind="stable"))


def _clustered(data: Pooled, clusters: Sequence[str], tau2: float) -> dict[str, Any]:
    """The three-level model, and the estimate with cluster-robust errors."""
    spec = data.spec
    method, test = ("ML" if spec.method == "ML" else "REML"), ("z" if spec.test == "z" else "t")
    level = spec.level
    yi, vi = data.yi, data.vi
    deep = partial(three_level, yi, vi, clusters, method=method, test=test, level=level)
    made = partial(robust, yi, vi, clusters, sigma2=(0.0, tau2), level=level)
    return {"three_level": or_refusal(deep), "robust": or_refusal(made)}


def default_measure(table: pd.DataFrame) -> str:
    """Return GEN for a table with effects; else the measure must be named."""
    if "yi" in table.columns:
        return "GEN"
    raise InputError(f"The table has no yi: name a measure; one of {', '.join(FORMULAS)}.")


def _spec(method: str, test: str, level: float) -> ModelSpec:
    """The model; a count model has the normal test and no tau2."""
    try:
        if method in COUNT_MODELS:
            return ModelSpec(method="EE", test="z", level=level)
        return ModelSpec.model_validate({"method": method, "test": test, "level": level})
    except ValidationError as wrong:
        error = wrong.errors()[0]
        raise InputError(f"{error['loc'][0]} = {error['input']!r}: {error['msg']}.") from None


def _plain(spec: ModelSpec) -> ModelSpec:
    """The model of a regression: with equal effects the test is the normal one, as in a pool."""
    if spec.method == "EE" and spec.test in ("knha", "adhoc"):
        return spec.model_copy(update={"test": "z"})
    return spec


def _left_out(
    table: pd.DataFrame, yi: Array, vi: Array, needed: Sequence[str]
) -> tuple[LeftOut, ...]:
    """The rows without an effect, a variance above 0, or a value of a moderator or subgroup."""
    columns = [moderator(table, name)[0] for name in needed]
    slab, found = labels(table), []
    for i in range(len(table)):
        missing = [c for c in columns if pd.isna(table[c].iloc[i])]
        if not isfinite(yi[i]):
            reason = "a number is missing, or the effect is not defined for these"
        elif not vi[i] > 0:
            reason = f"its variance is {vi[i]:g}; it must be above 0"
        elif missing:
            reason = f"{missing[0]} is missing"
        else:
            continue
        found.append(LeftOut(i, slab[i], reason))
    return tuple(found)


def _cell(table: pd.DataFrame, name: str | None, row: int) -> str:
    """The subgroup of a study, "" without one."""
    return "" if name is None else str(table[name].iloc[row])


def _values(column: Array) -> tuple[float | None, ...]:
    """Numbers, None where there is none."""
    return tuple(float(x) if isfinite(x) else None for x in column)


def _of_counts(
    base: MetaAnalysis,
    columns: Mapping[str, Array],
    method: str,
    rules: Rules,
    level: float,
    model: str,
) -> MetaAnalysis:
    """The model of tables that are complete: Mantel-Haenszel, Peto, or a mixed model."""
    if base.measure not in COUNT_MODELS[method]:
        known = ", ".join(COUNT_MODELS[method])
        raise PoolError(f"{method} pools {known}; not {base.measure}.")
    cells = _cells(base.measure, columns)
    whole = np.asarray(np.isfinite(np.stack(list(cells.values()))).all(axis=0))
    used = tuple(int(i) for i in np.flatnonzero(whole))
    if len(used) < 2:
        return replace(base, reason=f"{len(used)} of {whole.size} tables are complete")
    tables = {name: cell[whole] for name, cell in cells.items()}
    left_out = tuple(
        LeftOut(i, base.slab[i], "a count is missing") for i in range(whole.size) if not whole[i]
    )
    base = replace(base, used=used, left_out=left_out)
    if method == "PETO":
        return replace(base, pooled=counts.peto(tables, level=level))
    if method == "GLMM":
        made = glmm(tables, base.measure, model=model, level=level)
        more = {"glmm": {"model": made.model, "sigma2": made.sigma2, **asdict(made.tests)}}
        return replace(base, pooled=made.pooled, tables=more)
    yi, vi = escalc(base.measure, tables, replace(rules, drop00=True))
    pooled = counts.mantel_haenszel(tables, yi, vi, base.measure, level=level)
    return replace(base, pooled=pooled)


def _cells(measure: str, columns: Mapping[str, Array]) -> dict[str, Array]:
    """The counts that a model pools: tables, events and times, or events and others."""
    if measure in ("IRR", "IRLN"):
        names = ("x1i", "t1i", "x2i", "t2i") if measure == "IRR" else ("xi", "ti")
        return {name: columns[name] for name in names}
    if measure == "PLO":
        return {"xi": columns["xi"], "mi": columns["ni"] - columns["xi"]}
    table = two_by_two(columns)
    return dict(zip(("ai", "bi", "ci", "di"), table, strict=True))


def _regression_dict(fit: Regression) -> dict[str, Any]:
    """A regression as plain values; `estimate`, `se` ... are lists, a value a coefficient."""
    shown = asdict(fit)
    rows = shown.pop("coefficients")
    for name in ("estimate", "se", "ci_lb", "ci_ub", "stat", "df", "pval"):
        shown[name] = [row[name] for row in rows]
    return shown | {"names": [row["name"] for row in rows]}
