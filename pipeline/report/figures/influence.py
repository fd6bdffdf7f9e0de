"""Draws what each study does to a fit: eight small charts, one a measure of influence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import NormalDist

from pipeline.report.canvas import BLUE, GREY, Page, wrap
from pipeline.report.figures.chart import Chart, draw_axes
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.scale import Scale, label, limits, linear_scale, padded
from pipeline.report.figures.studies import model_text, sentences
from pipeline.report.figures.style import (
    DASHES,
    DOTS,
    FOOT_LINE,
    MARGIN,
    ORANGE,
    SIZE,
    SMALL,
    TITLE,
    TITLE_LINE,
)
from pipeline.report.plain import one_line
from pipeline.schema import PooledEstimate

#: A small chart's plot area, and the room around it for its name and labels.
PANEL_WIDTH, PANEL_HEIGHT, SIDE, UNDER = 210.0, 84.0, 48.0, 46.0
#: Corners of a small point, around (0, 0): eight for a round one.
_ROUND = tuple(
    (1.9 * a, 1.9 * b)
    for a, b in (
        *((1.0, 0.41), (0.41, 1.0), (-0.41, 1.0), (-1.0, 0.41)),
        *((-1.0, -0.41), (-0.41, -1.0), (0.41, -1.0), (1.0, -0.41)),
    )
)
_SHARP = ((0.0, -4.2), (4.2, 0.0), (0.0, 4.2), (-4.2, 0.0))
#: The median of chi-squared with 1 degree of freedom: Cook's distance beyond it is large.
_COOK = NormalDist().inv_cdf(0.75) ** 2
#: Names of influential studies in the caption, and letters of each.
_NAMED, _LETTERS = 12, 40


@dataclass(frozen=True, slots=True)
class Case:
    """A study's influence, by the names of `pool.influence.Influence`; numbers may be NaN."""

    slab: str
    rstudent: float
    dffits: float
    cook_d: float
    cov_r: float
    tau2_del: float
    qe_del: float
    hat: float
    weight: float
    is_infl: bool


@dataclass(frozen=True, slots=True)
class _Panel:
    """A small chart: the measure, its name, where to expect it (dotted) and its bounds (dashed)."""

    name: str
    title: str
    middle: float
    bounds: tuple[float, ...] = ()
    zero: bool = False


@settled
def influence_plot(
    cases: Sequence[Case],
    pooled: PooledEstimate,
    *,
    title: str = "Influence of each study",
    note: str = "",
) -> Drawing:
    """Return the panel of influence measures, studies in order on each x axis.

    Parameters
    ----------
    cases : sequence of Case
        A study each, in the order of the table.
    pooled : PooledEstimate
        The fit of all studies.
    note : str
        Ends the caption.

    References
    ----------
    Viechtbauer and Cheung (2010), *Res Synth Methods* 1:112; bounds as in metafor's
    ``plot.infl.rma.uni``.
    """
    panels = _panels(len(cases), pooled)
    width = 2 * (SIDE + PANEL_WIDTH) + 2 * MARGIN
    inner = width - 2 * MARGIN
    heading = wrap(one_line(title), inner, TITLE, bold=True)
    feet = wrap(one_line(_caption(cases, pooled, note)), inner, SMALL)
    top = MARGIN + len(heading) * TITLE_LINE
    foot = top + (len(panels) + 1) // 2 * (PANEL_HEIGHT + UNDER) + 12
    page = Page(width, foot + len(feet) * FOOT_LINE + MARGIN - 6)
    page.lines(MARGIN, MARGIN + 9, heading, TITLE_LINE, size=TITLE, bold=True, gid="title")
    for i, panel in enumerate(panels):
        left = MARGIN - 6 + (i % 2) * (SIDE + PANEL_WIDTH) + SIDE
        _draw_panel(page, left, top + i // 2 * (PANEL_HEIGHT + UNDER) + 20, panel, cases)
    page.lines(MARGIN, foot, feet, FOOT_LINE, size=SMALL, color=GREY, gid="foot")
    found = _names(cases) or "none"
    desc = f"Eight measures of influence of {len(cases)} studies. Influential: {found}."
    return Drawing(page.figure, title, desc)


def _panels(k: int, pooled: PooledEstimate) -> tuple[_Panel, ...]:
    """The small charts with the bounds that metafor draws."""
    z, fits = NormalDist().inv_cdf(0.975), 3 * sqrt(1 / max(k - 1, 1))
    return (
        _Panel("rstudent", "Studentised deleted residual", 0.0, (-z, z)),
        _Panel("dffits", "DFFITS", 0.0, (-fits, fits)),
        _Panel("cook_d", "Cook's distance", 0.0, (_COOK,), zero=True),
        _Panel("cov_r", "Covariance ratio", 1.0),
        _Panel("tau2_del", "tau² without the study", pooled.tau2),
        _Panel("qe_del", "Q without the study", pooled.q),
        _Panel("hat", "Hat value", 1 / k, (3 / k,), zero=True),
        _Panel("weight", "Weight, %", 100 / k, zero=True),
    )


def _draw_panel(page: Page, left: float, top: float, panel: _Panel, cases: Sequence[Case]) -> None:
    """Draw one small chart."""
    values = [float(getattr(case, panel.name)) for case in cases]
    chart = Chart(page, left, top, _x_scale(len(cases)), _y_scale(panel, values))
    chart = Chart(page, left, top, chart.x, chart.y, PANEL_WIDTH, PANEL_HEIGHT)
    page.text(left, top - 6, panel.title, size=SIZE, bold=True, gid=f"panel-{panel.name}")
    draw_axes(chart, "", size=SMALL, prefix=f"{panel.name}-")
    ends = (chart.x.lo, chart.x.hi)
    chart.line(ends, (panel.middle,) * 2, color=GREY, dots=DOTS, gid=f"middle-{panel.name}")
    for j, bound in enumerate(panel.bounds):
        chart.line(ends, (bound,) * 2, color=GREY, dots=DASHES, gid=f"bound-{panel.name}-{j}")
    known = [(i + 1.0, v) for i, v in enumerate(values) if isfinite(v)]
    chart.line([p[0] for p in known], [p[1] for p in known], width=0.6, gid=f"line-{panel.name}")
    for infl, fill, shape in ((False, BLUE, _ROUND), (True, ORANGE, _SHARP)):
        mine = [chart.at(*p) for p in known if cases[int(p[0]) - 1].is_infl is infl]
        marks = [[(x + a, y + b) for a, b in shape] for x, y in mine]
        kind = "influential" if infl else "points"
        page.shapes(marks, fill=fill, gid=f"{kind}-{panel.name}")


def _x_scale(k: int) -> Scale:
    """The studies' numbers, with whole ticks."""
    made = linear_scale(0.5, k + 0.5)
    ticks = tuple(t for t in made.ticks if t == int(t) and 1 <= t <= k) or (1.0,)
    return Scale(0.5, k + 0.5, ticks, tuple(label(t, 1.0) for t in ticks))


def _y_scale(panel: _Panel, values: Sequence[float]) -> Scale:
    """The axis of a measure: its values, and the bounds that lie near."""
    lo, hi = limits((), (*values, panel.middle, *((0.0,) if panel.zero else ())))
    for bound in panel.bounds:
        near = abs(bound - panel.middle) <= 2 * max(hi - panel.middle, panel.middle - lo)
        lo, hi = (min(lo, bound), max(hi, bound)) if near else (lo, hi)
    low, high = padded(lo, hi)
    return linear_scale(max(low, 0.0) if panel.zero else low, high, most=6)


def _names(cases: Sequence[Case]) -> str:
    """The influential studies with their numbers."""
    found = [f"{i} {one_line(c.slab, _LETTERS)}" for i, c in enumerate(cases, 1) if c.is_infl]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def _caption(cases: Sequence[Case], pooled: PooledEstimate, note: str) -> str:
    """The caption: model, what the lines are, which studies are influential."""
    missing = sum(
        not isfinite(float(getattr(c, p.name))) for c in cases for p in _panels(1, pooled)
    )
    return sentences(
        model_text(pooled, len(cases)),
        "x axes: the studies' numbers in the table. Dotted: no influence or the value of all "
        "studies; dashed: bounds of what is large.",
        f"Influential (diamonds): {_names(cases)}." if _names(cases) else "None is influential.",
        f"{missing} values are not defined." if missing else "",
        note,
    )
