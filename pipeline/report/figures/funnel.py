"""Draws funnel plots: effects by standard error, with contours, filled studies and Egger's line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pipeline.report.canvas import BLUE, GREY, INK
from pipeline.report.data import MeasureView
from pipeline.report.figures.chart import Chart, Words, beyond, draw_chart
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key
from pipeline.report.figures.scale import Scale, effect_scale, limits, linear_scale, padded
from pipeline.report.figures.studies import (
    Studies,
    model_text,
    null_of,
    pooled_text,
    sentences,
)
from pipeline.report.figures.style import DASHES, DOTS, ORANGE
from pipeline.schema import PooledEstimate

#: Below so many studies a funnel's asymmetry tells little (Cochrane Handbook 13.3.5.4).
FEW = 10
#: The contours: confidence level of the edge, shade outside it, and what lies there.
CONTOURS = (
    (0.90, "#bdbdbd", "0.10 > P > 0.05"),
    (0.95, "#d6d6d6", "0.05 > P > 0.01"),
    (0.99, "#ececec", "P < 0.01"),
)
#: How many standard errors of the smallest study the axis shows on both sides of the middle.
_SHOWN = 1.96
#: Steps of a contour's edge.
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A regression line of effects on standard errors: the effect at 0, and its slope."""

    intercept: float
    slope: float


@settled
def funnel_plot(
    studies: Studies,
    pooled: PooledEstimate | None,
    measure: MeasureView,
    *,
    title: str = "Funnel plot",
    contours: bool = False,
    filled: Studies | None = None,
    centre: float | None = None,
    egger: Line | None = None,
    note: str = "",
) -> Drawing:
    """Return the funnel plot of an analysis.

    Parameters
    ----------
    studies : Studies
        The studies.
    pooled : PooledEstimate or None
        Gives the centre and the level; without it there is neither centre nor funnel.
    measure : MeasureView
        Names and scale.
    contours : bool
        Shade where a study's own test gives P above 0.10, 0.05, 0.01, around no effect, in place
        of the funnel around the centre; for measures that have a value of no effect.
    filled : Studies, optional
        What trim and fill adds: hollow points.
    centre : float, optional
        The pooled estimate with the filled studies: a dashed line.
    egger : Line, optional
        The line of Egger's test.
    note : str
        Ends the caption.
    """
    contours = contours and null_of(measure) is not None
    more = filled or Studies(("",), (0.0,), (1.0,))
    yi = (*studies.yi, *(more.yi if filled else ()))
    sei = (*studies.sei, *(more.sei if filled else ()))
    x, y = _scales(yi, sei, pooled, measure, contours)
    points = list(zip(yi, sei, strict=True))
    k = len(studies.yi)
    few = f"k = {k}: too few to judge asymmetry ({FEW} wanted)." if k < FEW else ""
    caption = sentences(
        model_text(pooled, k),
        "" if contours or pooled is None else "Dashed: pseudo 95% limits around the estimate.",
        f"Filled: {len(more.yi)}." if filled else "",
        few,
        beyond(x, y, points),
        note,
    )
    extra = (filled is not None, centre is not None, egger is not None)
    keys = _keys(pooled, null_of(measure), contours, *extra)
    chart = draw_chart(x, y, Words(title, measure.axis, "Standard error", caption, keys))
    if contours:
        _draw_contours(chart)
    _draw_lines(chart, pooled, null_of(measure), centre, funnel=not contours)
    if egger is not None:
        _draw_egger(chart, egger)
    for i, (effect, error) in enumerate(points):
        name = f"point-{i}" if i < k else f"filled-{i - k}"
        chart.dot(effect, error, hollow=i >= k, gid=name)
    desc = sentences(
        f"Funnel plot of {k} studies: effect against standard error.",
        pooled_text(measure, pooled),
        f"Trim and fill adds {len(more.yi)} studies." if filled else "",
        few,
    )
    return Drawing(chart.page.figure, title, desc)


def _scales(
    yi: Sequence[float],
    sei: Sequence[float],
    pooled: PooledEstimate | None,
    measure: MeasureView,
    contours: bool,
) -> tuple[Scale, Scale]:
    """The axes; standard errors run downwards from 0."""
    null = null_of(measure)
    middle = null if contours else pooled.estimate if pooled is not None else None
    deepest = 1.05 * limits(sei)[1]
    keep = [v for v in (null, pooled.estimate if pooled else None) if v is not None]
    if middle is not None:
        keep += [middle - _SHOWN * deepest, middle + _SHOWN * deepest]
    lo, hi = limits(yi, keep)
    return effect_scale(measure, *padded(lo, hi)), linear_scale(deepest, 0.0, most=6)


def _draw_contours(chart: Chart) -> None:
    """Shade the plot area by the P value of a study there, darkest next to no significance."""
    low, high = chart.x.lo, chart.x.hi
    deep = chart.y.lo
    corners = [(low, 0.0), (high, 0.0), (high, deep), (low, deep)]
    chart.area(corners, CONTOURS[-1][1], "contour-0.99-outside")
    inner = ("white", CONTOURS[0][1], CONTOURS[1][1])
    for (level, _, _), shade in reversed(list(zip(CONTOURS, inner, strict=True))):
        z = NormalDist().inv_cdf(0.5 + level / 2)
        depth = [deep * i / _STEPS for i in range(_STEPS + 1)]
        edge = [(-z * se, se) for se in depth] + [(z * se, se) for se in reversed(depth)]
        chart.area(edge, shade, f"contour-{level:g}")


def _draw_lines(
    chart: Chart,
    pooled: PooledEstimate | None,
    null: float | None,
    centre: float | None,
    *,
    funnel: bool,
) -> None:
    """Draw no effect (solid), the estimate (dotted), and the funnel around it (dashed)."""
    deep = chart.y.lo
    if null is not None:
        chart.line((null, null), (0.0, deep), width=0.8, gid="null")
    if centre is not None:
        chart.line(
            (centre, centre), (0.0, deep), color=ORANGE, dots=DASHES, width=1.2, gid="centre"
        )
    if pooled is None:
        return
    middle, z = pooled.estimate, NormalDist().inv_cdf(0.975)
    chart.line((middle, middle), (0.0, deep), color=BLUE, dots=DOTS, width=1.2, gid="pooled-line")
    if funnel:
        for side, name in ((-z, "funnel-low"), (z, "funnel-high")):
            ends = (middle, middle + side * deep)
            chart.line(ends, (0.0, deep), color=GREY, dots=DASHES, gid=name)


def _draw_egger(chart: Chart, egger: Line) -> None:
    """Draw Egger's line from an endless study down to the smallest."""
    deep = chart.y.lo
    ends = (egger.intercept, egger.intercept + egger.slope * deep)
    chart.line(ends, (0.0, deep), color=ORANGE, width=1.4, gid="egger")


def _keys(
    pooled: PooledEstimate | None,
    null: float | None,
    contours: bool,
    filled: bool,
    centre: bool,
    egger: bool,
) -> tuple[Key, ...]:
    """The legend."""
    keys = [Key("point", "Study", BLUE)]
    if null is not None:
        keys.append(Key("line", "No effect", INK))
    if filled:
        keys.append(Key("hollow", "Filled in", BLUE))
    if pooled is not None:
        keys.append(Key("dots", "Pooled estimate", BLUE))
    if centre:
        keys.append(Key("dashes", "Estimate with filled", ORANGE))
    if egger:
        keys.append(Key("line", "Egger's regression", ORANGE))
    if contours:
        keys.append(Key("band", "P > 0.10", "white"))
        keys += [Key("band", words, shade) for _, shade, words in CONTOURS]
    elif pooled is not None:
        keys.append(Key("dashes", "Pseudo 95% limits", GREY))
    return tuple(keys)
