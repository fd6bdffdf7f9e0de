"""Draws the samples of docs/figures.md from the BCG vaccine trials: `figures_sample.py FOLDER`.

The trials are those of `conftest.BCG` (Colditz et al. 1994, JAMA 271:698, as in metafor's dat.bcg),
with the absolute latitude of each place. The dose-response curve is invented.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from conftest import BCG

from pipeline.config import ModelSpec
from pipeline.effects.formulas import FORMULAS, escalc
from pipeline.pool import pool, regression, subgroups
from pipeline.pool.bias import egger
from pipeline.pool.influence import influence
from pipeline.pool.profile import loglik, profile_interval
from pipeline.pool.robustness import Refit, baujat, cumul, gosh, leave1out
from pipeline.pool.trimfill import trimfill
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
from pipeline.schema import EffectSize

#: Degrees from the equator (metafor's dat.bcg), in the order of BCG.
LATITUDE = (44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33)
SLAB = tuple(f"{row[0]} {row[1]}" for row in BCG)
SPEC = ModelSpec(test="knha")
NOTE = "Data: BCG vaccine trials (Colditz et al. 1994)."
_COUNTS = {
    name: np.array([float(row[i]) for row in BCG])  # type: ignore[misc]
    for i, name in enumerate(("ai", "n1i", "ci", "n2i"), start=2)
}
YI, VI = escalc("RR", _COUNTS)
EFFECTS = [
    EffectSize(
        *(str(i), SLAB[i], "RR", float(y), float(v)),
        subgroup="Above 35 degrees" if LATITUDE[i] > 35 else "Below 35 degrees",
    )
    for i, (y, v) in enumerate(zip(YI, VI, strict=True))
]
POOLED = pool(EFFECTS, SPEC)
MEASURE = view_of("RR", FORMULAS["RR"].name, FORMULAS["RR"].scale)
STUDIES = Studies(SLAB, tuple(YI.tolist()), tuple(VI.tolist()), POOLED.weights)


def samples() -> dict[str, Drawing]:
    """Every kind of figure once, by the name of its file."""
    return {**_forests(), **_funnels(), **_robustness(), **_curves()}


def refitted(refits: tuple[Refit, ...]) -> list[Refitted]:
    """Refits with their studies' names."""
    return [Refitted(SLAB[r.row], r.k, r.estimate, r.ci_lb, r.ci_ub, r.tau2, r.i2) for r in refits]


def _forests() -> dict[str, Drawing]:
    """Studies, subgroups, leave-one-out, cumulative."""
    heads = ("Events 1", "Total 1", "Events 2", "Total 2")
    columns = [tuple(zip(heads, map(str, row[2:]), strict=True)) for row in BCG]
    found, difference = subgroups(EFFECTS, SPEC)
    order = sorted(range(len(BCG)), key=lambda i: BCG[i][1])
    sides = ("vaccine", "no vaccine")
    common = {"favours": sides, "note": NOTE}
    made = cumul(YI, VI, SPEC, order)
    forest = forest_plot(STUDIES, POOLED, MEASURE, columns=columns, **common)  # type: ignore[arg-type]
    grouped = forest_plot(
        STUDIES,
        POOLED,
        MEASURE,
        title="Forest plot by latitude",
        subgroups=found,
        subgroup_test=difference,
        note=NOTE,
    )
    loo = leave1out_forest(refitted(leave1out(YI, VI, SPEC)), POOLED, MEASURE, note=NOTE)
    added = cumulative_forest(
        refitted(made), POOLED, MEASURE, title="Cumulative meta-analysis by year", note=NOTE
    )
    return {"forest": forest, "forest_subgroups": grouped, "loo": loo, "cumulative": added}


def _funnels() -> dict[str, Drawing]:
    """Funnel plots, radial plot, L'Abbé's plot."""
    fill, test = trimfill(YI, VI, SPEC), egger(YI, VI)
    assert test.est is not None
    filled = Studies(("",) * fill.k0, fill.yi_fill, fill.vi_fill)
    contour = funnel_plot(
        STUDIES,
        POOLED,
        MEASURE,
        title="Contour-enhanced funnel plot",
        contours=True,
        filled=filled,
        centre=fill.estimate,
        egger=Line(test.est, test.slope),
        note=NOTE,
    )
    risks = [(_COUNTS[a] / _COUNTS[n]).tolist() for a, n in (("ai", "n1i"), ("ci", "n2i"))]
    labbe = labbe_plot(
        SLAB,
        *risks,
        weights=POOLED.weights,
        pooled=POOLED,
        measure=MEASURE,
        arms=("vaccinated", "unvaccinated"),
        note=NOTE,
    )
    funnel = funnel_plot(STUDIES, POOLED, MEASURE, note=NOTE)
    radial = radial_plot(STUDIES, POOLED, MEASURE, note=NOTE)
    return {"funnel": funnel, "funnel_contours": contour, "radial": radial, "labbe": labbe}


def _robustness() -> dict[str, Drawing]:
    """Baujat, influence, GOSH, profile of tau2."""
    places, subsets = baujat(YI, VI, SPEC), gosh(YI, VI, SPEC)
    names = [n for n in Case.__dataclass_fields__ if n != "slab"]
    cases = [
        Case(SLAB[one.row], **{n: getattr(one, n) for n in names})
        for one in influence(YI, VI, SPEC)
    ]
    limits = profile_interval(YI, VI).tau2
    grid = np.linspace(0, 1.3 * limits.ub, 80)
    ones = np.ones((YI.size, 1))
    heights = [loglik(YI[:, None], VI[:, None], ones, t, restricted=True) for t in grid]
    profile = profile_plot(
        grid.tolist(),
        heights,
        k=YI.size,
        estimate=limits.estimate,
        ci_lb=limits.lb,
        ci_ub=limits.ub,
        note=NOTE,
    )
    across, up = [p.x for p in places], [p.y for p in places]
    estimates, i2 = [s.estimate for s in subsets], [s.i2 for s in subsets]
    return {
        "baujat": baujat_plot(SLAB, across, up, POOLED, note=NOTE),
        "influence": influence_plot(cases, POOLED, note=NOTE),
        "gosh": gosh_plot(estimates, i2, MEASURE, POOLED, note=NOTE),
        "profile": profile,
    }


def _curves() -> dict[str, Drawing]:
    """A meta-regression on latitude, and an invented dose-response curve."""
    x = np.array(LATITUDE, dtype=float)
    fit = regression(
        EFFECTS, np.column_stack([np.ones(x.size), x]), ("intercept", "latitude"), SPEC
    )
    grid = np.linspace(x.min(), x.max(), 60)
    rows = np.column_stack([np.ones(grid.size), grid])
    line = rows @ np.array([c.estimate for c in fit.coefficients])
    se = np.sqrt(((rows @ np.array(fit.vcov)) * rows).sum(axis=1))
    t = 2.200985160082949  # of 11 degrees of freedom
    wide = np.sqrt(se**2 + fit.tau2)
    bubble = bubble_plot(
        Studies(SLAB, STUDIES.yi, STUDIES.vi, fit.weights),
        x.tolist(),
        _curve(grid, line, t * se, t * wide),
        MEASURE,
        x_name="Absolute latitude, degrees",
        names=True,
        caption=f"Tau²: REML; 95% CI: Hartung-Knapp. {NOTE}",
    )
    doses = np.linspace(0, 2.4, 60)
    effect, error = 0.18 * doses**2 - 0.6 * doses, 0.12 * doses
    dose = bubble_plot(
        Studies(("A", "B", "C"), (-0.3, -0.5, -0.2), (0.1, 0.1, 0.1), (20.0, 30.0, 50.0)),
        [0.4, 1.0, 2.0],
        _curve(doses, effect, 1.96 * error),
        MEASURE,
        x_name="Dose, g/kg per course",
        title="Dose-response curve",
        knots=(0.4, 1.0, 2.0),
        caption="Invented: a quadratic curve, reference 0 g/kg.",
    )
    return {"bubble": bubble, "dose": dose}


def _curve(x: np.ndarray, y: np.ndarray, half: np.ndarray, wide: np.ndarray | None = None) -> Curve:  # type: ignore[type-arg]
    """A curve with symmetric limits."""
    parts = [x, y, y - half, y + half, *([] if wide is None else [y - wide, y + wide])]
    return Curve(*(tuple(float(v) for v in part) for part in parts))


if __name__ == "__main__":
    for name, drawing in samples().items():
        drawing.save(Path(sys.argv[1]) / f"{name}.svg")
