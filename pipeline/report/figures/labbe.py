"""Draws L'Abbé's plot: the risk in the treated arm against that in the control arm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp

from pipeline.report.canvas import BLUE, INK
from pipeline.report.data import MeasureView
from pipeline.report.figures.chart import Words, draw_chart
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key
from pipeline.report.figures.names import name_points
from pipeline.report.figures.scale import linear_scale
from pipeline.report.figures.studies import model_text, pooled_text, radii, sentences
from pipeline.report.figures.style import DASHES, HEIGHT, RADIUS
from pipeline.schema import PooledEstimate

#: Steps of the pooled effect's line, and studies that get their name.
_STEPS, NAMED = 100, 15


def _odds(y: float, p: float) -> float:
    """The risk under treatment for a log odds ratio."""
    ratio = exp(min(y, 700.0))
    return ratio * p / (1 - p + ratio * p)


#: The risk under treatment of a pooled effect and a control risk, by measure.
TREATED: Mapping[str, Callable[[float, float], float]] = {
    "RR": lambda y, p: exp(min(y, 700.0)) * p,
    "OR": _odds,
    "PETO": _odds,
    "RD": lambda y, p: p + y,
}


@settled
def labbe_plot(
    slab: Sequence[str],
    treated: Sequence[float],
    control: Sequence[float],
    *,
    weights: Sequence[float] = (),
    pooled: PooledEstimate | None = None,
    measure: MeasureView | None = None,
    arms: tuple[str, str] = ("treated", "control"),
    names: bool = True,
    title: str = "L'Abbé plot",
    note: str = "",
) -> Drawing:
    """Return L'Abbé's plot of studies with two arms.

    Parameters
    ----------
    slab : sequence of str
        The studies' names.
    treated, control : sequence of float
        The shares with an event, 0 to 1.
    weights : sequence of float
        Areas of the points; all alike without.
    pooled, measure : PooledEstimate and MeasureView, optional
        The pooled effect, drawn as a line where the measure is one of `TREATED`.
    arms : (str, str)
        The arms' names for the axes.
    names : bool
        Write the names of the heaviest studies.
    note : str
        Ends the caption.

    References
    ----------
    L'Abbé, Detsky and O'Rourke (1987), *Ann Intern Med* 107:224. metafor: ``labbe``.
    """
    points = [(100 * c, 100 * t) for t, c in zip(treated, control, strict=True)]
    top = min(100.0, 1.1 * max(max(p) for p in points) or 1.0)
    scale = linear_scale(0.0, top, most=6)
    line = None if pooled is None or measure is None else TREATED.get(measure.code)
    keys = [Key("point", "Study (area: weight)" if weights else "Study", BLUE)]
    keys.append(Key("line", "No difference", INK))
    keys += [Key("dashes", "Pooled effect", BLUE)] if line else []
    caption = sentences(model_text(pooled, len(points)) if pooled else f"k = {len(points)}.", note)
    axes = (f"Events, {arms[1]} arm, %", f"Events, {arms[0]} arm, %")
    chart = draw_chart(scale, scale, Words(title, *axes, caption, tuple(keys)), width=HEIGHT)
    grid = [i / _STEPS * top for i in range(_STEPS + 1)]
    around = list(zip(grid, grid, strict=True))
    chart.line((0.0, top), (0.0, top), width=0.8, gid="diagonal")
    if line is not None and pooled is not None:
        risks = [100 * line(pooled.estimate, p / 100) for p in grid]
        chart.line(grid, risks, color=BLUE, dots=DASHES, width=1.3, gid="pooled-line")
        around += [(c, t) for c, t in zip(grid, risks, strict=True) if scale.holds(t)]
    sizes = radii(weights, len(points), RADIUS)
    order = sorted(range(len(points)), key=lambda i: (-sizes[i], i))
    for i in order:
        chart.dot(*points[i], radius=sizes[i], gid=f"point-{i}")
    if names:
        placed = [(*points[i], sizes[i]) for i in order]
        name_points(chart, placed, [slab[i] for i in order], NAMED, around)
    above = sum(t > c for c, t in points)
    desc = sentences(
        f"L'Abbé plot of {len(points)} studies; higher risk in the {arms[0]} arm in {above}.",
        pooled_text(measure, pooled) if measure else "",
    )
    return Drawing(chart.page.figure, title, desc)
