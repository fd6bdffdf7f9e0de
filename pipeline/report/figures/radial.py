"""Draws radial (Galbraith) plots: z values by precision, where a ray from 0 is an effect."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from pipeline.report.canvas import BLUE, GREY, cut
from pipeline.report.data import MeasureView
from pipeline.report.figures.chart import Chart, Words, beyond, draw_chart
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key
from pipeline.report.figures.scale import (
    Scale,
    effect_scale,
    limits,
    linear_scale,
    padded,
    zero_scale,
)
from pipeline.report.figures.studies import Studies, model_text, pooled_text, sentences
from pipeline.report.figures.style import DASHES, LINE, SIZE, TICK
from pipeline.report.plain import one_line
from pipeline.schema import PooledEstimate

#: Room for the labels of the axis of effects.
_RIGHT = 46.0


@settled
def radial_plot(
    studies: Studies,
    pooled: PooledEstimate,
    measure: MeasureView,
    *,
    title: str = "Radial (Galbraith) plot",
    note: str = "",
) -> Drawing:
    """Return the radial plot of an analysis.

    A study stands at x = 1 / sqrt(vi + tau2), y = yi / sqrt(vi + tau2); the slope of the line from
    0 through it is its effect, read off on the right side. The pooled estimate is such a line,
    with a band of the normal quantile on both sides.

    Parameters
    ----------
    studies : Studies
        The studies.
    pooled : PooledEstimate
        Estimate, tau2 and level.
    measure : MeasureView
        Names and scale.
    note : str
        Ends the caption.

    References
    ----------
    Galbraith (1988), *Stat Med* 7:889. metafor: ``radial``.
    """
    spread = [sqrt(v + pooled.tau2) for v in studies.vi]
    points = [(1 / s, y / s) for s, y in zip(spread, studies.yi, strict=True)]
    z = NormalDist().inv_cdf(0.5 + pooled.level / 2)
    x = zero_scale([p[0] for p in points])
    y = _y_scale([p[1] for p in points], pooled.estimate * x.hi, z)
    under = "" if pooled.tau2 == 0 else " with tau²"
    caption = sentences(
        model_text(pooled, len(points)),
        f"Dashed: {z:.2f} either side of the estimate.",
        beyond(x, y, points),
        note,
    )
    words = Words(title, f"Precision: 1 / standard error{under}", "z value", caption, _KEYS)
    chart = draw_chart(x, y, words, right=_RIGHT)
    chart.line((0.0, x.hi), (0.0, 0.0), color=GREY, width=0.6, gid="zero")
    for shift, name in ((-z, "band-low"), (0.0, "pooled-line"), (z, "band-high")):
        ends = (shift, shift + pooled.estimate * x.hi)
        color, width, dots = (GREY, 0.9, DASHES) if shift else (BLUE, 1.3, None)
        chart.line((0.0, x.hi), ends, color=color, width=width, dots=dots, gid=name)
    for i, (across, up) in enumerate(points):
        chart.dot(across, up, gid=f"point-{i}")
    _draw_effects(chart, measure)
    desc = f"Radial plot of {len(points)} studies. {pooled_text(measure, pooled)}"
    return Drawing(chart.page.figure, title, desc)


_KEYS = (
    Key("point", "Study", BLUE),
    Key("line", "Pooled estimate", BLUE),
    Key("dashes", "Band", GREY),
)


def _y_scale(values: list[float], end: float, z: float) -> Scale:
    """The axis of z values: all usual ones, and the whole band."""
    return linear_scale(*padded(*limits(values, (-z, z, end - z, end + z))))


def _draw_effects(chart: Chart, measure: MeasureView) -> None:
    """Draw the right side: the effect of the line from 0 to each of its places."""
    right = chart.left + chart.width
    chart.page.line((right, right), (chart.top, chart.top + chart.height), gid="effects")
    scale = effect_scale(measure, chart.y.lo / chart.x.hi, chart.y.hi / chart.x.hi)
    last = chart.top + 2 * chart.height
    for i, (tick, text) in enumerate(zip(scale.ticks, scale.labels, strict=True)):
        y = chart.at(chart.x.hi, tick * chart.x.hi)[1]
        if last - y < LINE:  # a scale that ends before the axis does has its ticks in a heap
            continue
        last = y
        chart.page.line((right, right + 3.5), (y, y))
        chart.page.text(right + 6, y + 2.9, text, size=TICK, gid=f"effect-tick-{i}")
    name = cut(one_line(measure.axis), chart.width / 2, SIZE)
    chart.page.text(right + 30, chart.top - 10, name, size=SIZE, align="right", gid="effect-name")
