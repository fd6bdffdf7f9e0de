"""Draws effects against a moderator or a dose, sized by weight, with a fitted curve and band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pipeline.report.canvas import BLUE, GREY, INK
from pipeline.report.data import MeasureView
from pipeline.report.figures.chart import Chart, Words, beyond, draw_chart
from pipeline.report.figures.clip import Point
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key
from pipeline.report.figures.names import name_points
from pipeline.report.figures.scale import Scale, effect_scale, limits, linear_scale, padded
from pipeline.report.figures.studies import Studies, null_of, radii, sentences
from pipeline.report.figures.style import DASHES, RADIUS

#: Shade of the band, light in grey too.
BAND = "#d6e2f0"
#: Places along the line of no effect that names keep away from.
_STEPS = 80
#: Studies that get their name where asked for.
NAMED = 15


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve on the scale of analysis: grid, estimates, limits, prediction limits."""

    x: tuple[float, ...]
    estimate: tuple[float, ...]
    ci_lb: tuple[float, ...]
    ci_ub: tuple[float, ...]
    pi_lb: tuple[float, ...] = ()
    pi_ub: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.x)
        parts = (self.estimate, self.ci_lb, self.ci_ub)
        more = (self.pi_lb, self.pi_ub)
        if n < 2 or any(len(p) != n for p in parts) or any(len(p) not in (0, n) for p in more):
            raise ValueError(f"Invalid curve of {n} values of x; all its parts need as many, >= 2.")


@settled
def bubble_plot(
    studies: Studies | None,
    x: Sequence[float],
    curve: Curve | None,
    measure: MeasureView,
    *,
    x_name: str,
    title: str = "Meta-regression",
    names: bool = False,
    knots: Sequence[float] = (),
    caption: str = "",
    level: float = 0.95,
) -> Drawing:
    """Return effects against a moderator, with a fitted curve.

    Parameters
    ----------
    studies : Studies or None
        The studies; their weights give the areas of the points. None: the curve alone.
    x : sequence of float
        The moderator or the dose, a value a study.
    curve : Curve or None
        The fit; None: the studies alone.
    measure : MeasureView
        Names and scale of the effect.
    x_name : str
        The moderator with its unit: "Dose, g/kg".
    names : bool
        Write the names of the heaviest studies.
    knots : sequence of float
        Of a spline: small marks on the x axis.
    caption : str
        The model, its tests, k.
    level : float
        Of the curve's limits.
    """
    points = _points(studies, x)
    across, up = _scales(points, curve, measure)
    k = len(points)
    words = Words(
        title,
        x_name,
        measure.axis,
        sentences(
            f"k = {k}." if k else "",
            caption,
            "Marks on the x axis: knots." if len(knots) else "",
            beyond(across, up, points),
        ),
        _keys(studies, curve, level),
    )
    chart = draw_chart(across, up, words)
    if curve is not None:
        _draw_curve(chart, curve)
    null = null_of(measure)
    if null is not None and chart.y.holds(null):
        chart.line((across.lo, across.hi), (null, null), color=GREY, width=0.7, gid="null")
    for i, knot in enumerate(knots):
        _draw_knot(chart, knot, i)
    _draw_studies(chart, studies, points)
    if names and studies is not None:
        _draw_names(chart, studies, points, _lines(chart, curve, null))
    desc = sentences(
        f"{measure.name} of {k} studies against {x_name}." if k else f"{measure.name} by {x_name}.",
        _course(measure, curve),
    )
    return Drawing(chart.page.figure, title, desc)


def _points(studies: Studies | None, x: Sequence[float]) -> list[tuple[float, float]]:
    """The studies' places."""
    return [] if studies is None else list(zip(x, studies.yi, strict=True))


def _scales(
    points: Sequence[tuple[float, float]], curve: Curve | None, measure: MeasureView
) -> tuple[Scale, Scale]:
    """The axes: the studies, the whole curve, and what of its band is not far off."""
    grid = curve.x if curve else ()
    across = linear_scale(*padded(*limits([p[0] for p in points], grid)))
    fitted = curve.estimate if curve else ()
    lo, hi = limits([p[1] for p in points], fitted)
    room = hi - lo or 1.0
    bounds = [v for v in (*curve.ci_lb, *curve.ci_ub) if isfinite(v)] if curve else []
    lo = min([lo, *(max(v, lo - room) for v in bounds)])
    hi = max([hi, *(min(v, hi + room) for v in bounds)])
    return across, effect_scale(measure, *padded(lo, hi))


def _draw_curve(chart: Chart, curve: Curve) -> None:
    """Draw band, prediction limits and curve."""
    upper, lower = _finite(chart, curve.ci_ub), _finite(chart, curve.ci_lb)
    edge = [*zip(curve.x, upper, strict=True)]
    edge += reversed([*zip(curve.x, lower, strict=True)])
    chart.area(edge, BAND, "band")
    for bounds, name in ((curve.pi_lb, "pi-low"), (curve.pi_ub, "pi-high")):
        if bounds:
            chart.line(curve.x, bounds, color=GREY, dots=DASHES, gid=name)
    chart.line(curve.x, curve.estimate, width=1.5, gid="curve")


def _finite(chart: Chart, bounds: Sequence[float]) -> list[float]:
    """Limits of the band, kept on the axis."""
    return [min(max(v, chart.y.lo), chart.y.hi) for v in bounds]


def _draw_knot(chart: Chart, knot: float, i: int) -> None:
    """Draw a knot of a spline: a tick upwards on the x axis."""
    if chart.x.holds(knot):
        x, bottom = chart.at(knot, chart.y.lo)
        chart.page.line((x, x), (bottom, bottom - 6), width=1.2, color=INK, gid=f"knot-{i}")


def _draw_studies(
    chart: Chart, studies: Studies | None, points: Sequence[tuple[float, float]]
) -> None:
    """Draw the points, the heaviest first so that none hides a lighter one."""
    if studies is None:
        return
    sizes = radii(studies.weights, len(points), RADIUS)
    for i in sorted(range(len(points)), key=lambda i: (-sizes[i], i)):
        chart.dot(*points[i], radius=sizes[i], gid=f"point-{i}")


def _draw_names(
    chart: Chart, studies: Studies, points: Sequence[Point], around: Sequence[Point]
) -> None:
    """Write the names of the heaviest studies clear of the lines."""
    sizes = radii(studies.weights, len(points), RADIUS)
    order = sorted(range(len(points)), key=lambda i: (-sizes[i], i))
    placed = [(*points[i], sizes[i]) for i in order]
    name_points(chart, placed, [studies.slab[i] for i in order], NAMED, around)


def _lines(chart: Chart, curve: Curve | None, null: float | None) -> list[Point]:
    """Places along the curve and the line of no effect."""
    found = [] if curve is None else list(zip(curve.x, curve.estimate, strict=True))
    if null is not None:
        step = (chart.x.hi - chart.x.lo) / _STEPS
        found += [(chart.x.lo + i * step, null) for i in range(_STEPS + 1)]
    return [p for p in found if chart.y.holds(p[1])]


def _keys(studies: Studies | None, curve: Curve | None, level: float) -> tuple[Key, ...]:
    """The legend."""
    keys = []
    if studies is not None:
        sized = "Study (area: weight)" if studies.weights else "Study"
        keys.append(Key("point", sized, BLUE))
    if curve is not None:
        keys += [Key("line", "Fitted", INK), Key("band", f"{100 * level:g}% CI", BAND)]
        if curve.pi_lb:
            keys.append(Key("dashes", f"{100 * level:g}% prediction limits", GREY))
    return tuple(keys)


def _course(measure: MeasureView, curve: Curve | None) -> str:
    """The curve in words: its ends."""
    if curve is None:
        return ""
    ends = [f"{measure.natural(curve.estimate[i]):.3g} at {curve.x[i]:.3g}" for i in (0, -1)]
    return f"Fitted: {ends[0]}, {ends[1]}."
