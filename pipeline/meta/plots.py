"""The figures of a meta-analysis of a table, from its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from pipeline.effects.formulas import FORMULAS
from pipeline.meta.result import MetaAnalysis
from pipeline.pool.profile import profile
from pipeline.report.data import MeasureView
from pipeline.report.figures.baujat import baujat_plot
from pipeline.report.figures.bubble import Curve, bubble_plot
from pipeline.report.figures.drawing import Drawing
from pipeline.report.figures.forest import (
    Refitted,
    cumulative_forest,
    forest_plot,
    leave1out_forest,
)
from pipeline.report.figures.funnel import Line, funnel_plot
from pipeline.report.figures.gosh import gosh_plot
from pipeline.report.figures.influence import Case, influence_plot
from pipeline.report.figures.labbe import labbe_plot
from pipeline.report.figures.profile import profile_plot
from pipeline.report.figures.radial import radial_plot
from pipeline.report.figures.studies import Studies, view_of

#: Below so many studies a funnel shows nothing.
_LEAST = 3


def drawings(result: MetaAnalysis) -> Iterator[tuple[str, Drawing]]:
    """Yield the figures of an analysis by name: those of its model, and of each table it holds.

    Parameters
    ----------
    result : MetaAnalysis
        "forest" is drawn of every one with an effect; "funnel" and "radial" of a pool of three
        studies or more; "labbe" of two arms' counts; the others of the tables of their names,
        "curve" of a regression over a dose.
    """
    if not result.used:
        return
    formula = FORMULAS[result.measure]
    measure = view_of(result.measure, formula.name, formula.scale)
    studies = _studies(result)
    pooled = result.pooled
    yield (
        "forest",
        forest_plot(
            studies,
            pooled,
            measure,
            columns=_columns(result),
            subgroups=result.subgroups,
            subgroup_test=result.subgroup_test,
            reason=result.reason or ("a meta-regression" if pooled is None else ""),
        ),
    )
    if pooled is not None and len(result.used) >= _LEAST:
        yield "funnel", _funnel(result, studies, measure)
        yield "radial", radial_plot(studies, pooled, measure)
    if pooled is not None and result.counts:
        yield "labbe", _labbe(result, studies, measure)
    yield from _beside(result, measure)
    if "curve" in result.tables:
        yield "curve", _curve(result, studies, measure)


def _studies(result: MetaAnalysis) -> Studies:
    """The studies of the model."""
    weights = result.weights()
    yi, vi = (tuple(float(c[i] or 0.0) for i in result.used) for c in (result.yi, result.vi))
    whole = weights if len(weights) == len(yi) else ()
    return Studies(tuple(result.slab[i] for i in result.used), yi, vi, whole)


def _columns(result: MetaAnalysis) -> list[tuple[tuple[str, str], ...]]:
    """The counts of each study, as a forest plot prints them."""
    if not result.counts:
        return []
    a, b, c, d = (result.counts[name] for name in ("ai", "bi", "ci", "di"))
    heads = ("Events 1", "Total 1", "Events 2", "Total 2")
    rows = zip(a, a + b, c, c + d, strict=True)
    return [tuple(zip(heads, (f"{x:g}" for x in row), strict=True)) for row in rows]


def _funnel(result: MetaAnalysis, studies: Studies, measure: MeasureView) -> Drawing:
    """The funnel; with the tests of bias its contours, filled studies and Egger's line."""
    bias: Any = result.tables.get("bias")
    if bias is None:
        return funnel_plot(studies, result.pooled, measure)
    fill, egger = bias["trimfill_L0"], bias["egger"]
    made = fill.get("k0", 0)
    filled = Studies(("",) * made, tuple(fill["yi_fill"]), tuple(fill["vi_fill"])) if made else None
    return funnel_plot(
        studies,
        result.pooled,
        measure,
        contours=True,
        filled=filled,
        centre=fill["estimate"] if made else None,
        egger=None if egger.get("est") is None else Line(egger["est"], egger["slope"]),
    )


def _labbe(result: MetaAnalysis, studies: Studies, measure: MeasureView) -> Drawing:
    """Risks of both arms."""
    a, b, c, d = (result.counts[name] for name in ("ai", "bi", "ci", "di"))
    treated, control = ((x / (x + y)).tolist() for x, y in ((a, b), (c, d)))
    return labbe_plot(
        studies.slab,
        treated,
        control,
        weights=studies.weights,
        pooled=result.pooled,
        measure=measure,
        arms=("group 1", "group 2"),
    )


def _beside(result: MetaAnalysis, measure: MeasureView) -> Iterator[tuple[str, Drawing]]:
    """The figures of the tables beside a pool."""
    tables: Mapping[str, Any] = result.tables
    pooled = result.pooled
    if pooled is None:
        return
    if "loo" in tables:
        yield "loo", leave1out_forest(_refitted(tables["loo"]), pooled, measure)
    if "cumulative" in tables:
        yield "cumulative", cumulative_forest(_refitted(tables["cumulative"]), pooled, measure)
    if "influence" in tables:
        rows = tables["influence"]
        names = [field.name for field in fields(Case)]
        cases = [Case(**{name: row[name] for name in names}) for row in rows]
        yield "influence", influence_plot(cases, pooled)
        slab, x, y = ([row[name] for row in rows] for name in ("slab", "baujat_x", "baujat_y"))
        yield "baujat", baujat_plot(slab, x, y, pooled)
    if "gosh" in tables:
        estimates, i2 = ([row[name] for row in tables["gosh"]] for name in ("estimate", "i2"))
        yield "gosh", gosh_plot(estimates, i2, measure, pooled)
    if "heterogeneity" in tables:
        yield "profile", _profile(result, tables["heterogeneity"])


def _refitted(rows: Sequence[Mapping[str, Any]]) -> list[Refitted]:
    """Refits as the forest plot takes them."""
    names = [field.name for field in fields(Refitted)]
    return [Refitted(**{name: row[name] for name in names}) for row in rows]


def _profile(result: MetaAnalysis, limits: Mapping[str, Any]) -> Drawing:
    """The profile likelihood of tau2."""
    studies, tau2 = _studies(result), limits["tau2"]
    at, heights = profile(np.array(studies.yi), np.array(studies.vi), limits["method"], tau2["ub"])
    return profile_plot(
        at.tolist(),
        heights.tolist(),
        k=len(studies.yi),
        estimate=tau2["estimate"],
        ci_lb=tau2["lb"],
        ci_ub=tau2["ub"],
        method=limits["method"],
    )


def _curve(result: MetaAnalysis, studies: Studies, measure: MeasureView) -> Drawing:
    """The effect over a dose."""
    table: Any = result.tables["curve"]
    names = [field.name for field in fields(Curve)]
    columns = {name: tuple(point[name] for point in table["points"]) for name in names}
    fit = result.regression
    return bubble_plot(
        studies,
        table["at"],
        Curve(**columns),
        measure,
        x_name=table["over"],
        title="Dose-response curve",
        names=True,
        knots=table["knots"],
        caption=f"{fit.method}, test {fit.test}." if fit else "",
        level=fit.level if fit else 0.95,
    )
