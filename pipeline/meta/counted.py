"""Models of counts: Mantel-Haenszel, Peto and mixed models of whole tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from pipeline.config import COUNT_MODELS
from pipeline.effects.formulas import Array, Rules, escalc
from pipeline.effects.formulas.counts import two_by_two
from pipeline.errors import PoolError
from pipeline.meta.result import LeftOut, MetaAnalysis
from pipeline.pool import counts
from pipeline.pool.glmm import glmm


def of_counts(
    base: MetaAnalysis,
    columns: Mapping[str, Array],
    method: str,
    rules: Rules,
    level: float,
    model: str,
) -> MetaAnalysis:
    """Return the analysis with the model of those tables that are complete.

    Parameters
    ----------
    base : MetaAnalysis
        The table's effects, not pooled yet.
    columns : mapping of str to array
        The table's numbers.
    method : str
        A key of `COUNT_MODELS`.
    rules : Rules
        Zero cells and kinds of variance of the effects that Mantel and Haenszel's Q is made of.
    level : float
        Of all intervals.
    model : str
        metafor's model of a GLMM of two groups.

    Raises
    ------
    PoolError
        If the method does not pool the measure, or the studies cannot carry it.
    """
    if base.measure not in COUNT_MODELS[method]:
        known = ", ".join(COUNT_MODELS[method])
        raise PoolError(f"{method} pools {known}; not {base.measure}.")
    cells = cells_of(base.measure, columns)
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


def cells_of(measure: str, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Return the counts that a model pools: tables, events and times, or events and others."""
    if measure in ("IRR", "IRLN"):
        names = ("x1i", "t1i", "x2i", "t2i") if measure == "IRR" else ("xi", "ti")
        return {name: columns[name] for name in names}
    if measure == "PLO":
        return {"xi": columns["xi"], "mi": columns["ni"] - columns["xi"]}
    table = two_by_two(columns)
    return dict(zip(("ai", "bi", "ci", "di"), table, strict=True))


def sizes_of(columns: Mapping[str, Array], used: Sequence[int]) -> Array | None:
    """Return the size of each study, where the columns tell it."""
    parts = (("ni",), ("n1i", "n2i"), ("ai", "bi", "ci", "di"))
    for names in parts:
        if all(name in columns for name in names):
            sizes = np.sum([columns[name][list(used)] for name in names], axis=0)
            return sizes if np.isfinite(sizes).all() else None
    return None
