"""Draws GOSH plots: the estimates of many subsets of the studies, counted in cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite

from pipeline.report.canvas import BLUE, INK
from pipeline.report.data import MeasureView
from pipeline.report.figures.chart import Chart, Words, draw_chart
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key, draw_cross
from pipeline.report.figures.scale import effect_scale, limits, linear_scale, padded
from pipeline.report.figures.studies import model_text, pooled_text, sentences
from pipeline.report.wording import i2_of
from pipeline.schema import PooledEstimate

#: Cells across and up: each about 4 points wide.
ACROSS, UP = 108, 75
#: Height of the bars above and beside the plot area.
BARS = 42.0
#: Shades from few subsets in a cell to many.
SHADES = ("#c9daee", "#93b6dd", "#5c8fc7", "#2f69ab", "#0b3f80")

Cell = tuple[int, int]


@settled
def gosh_plot(
    estimates: Sequence[float],
    i2: Sequence[float],
    measure: MeasureView,
    pooled: PooledEstimate | None = None,
    *,
    title: str = "GOSH plot",
    note: str = "",
) -> Drawing:
    """Return the estimates of subsets against their I2, as shaded counts with bars at the sides.

    Parameters
    ----------
    estimates, i2 : sequence of float
        Of each subset, as `pool.robustness.gosh` gives them; I2 in percent.
    measure : MeasureView
        Names and scale.
    pooled : PooledEstimate, optional
        Of all studies: a cross, and the caption.
    note : str
        Ends the caption.

    References
    ----------
    Olkin, Dahabreh and Trikalinos (2012), *Res Synth Methods* 3:214. metafor: ``plot.gosh.rma``.
    """
    known = [(e, h) for e, h in zip(estimates, i2, strict=True) if isfinite(e) and isfinite(h)]
    keep = [] if pooled is None else [pooled.estimate]
    x = effect_scale(measure, *padded(*limits([e for e, _ in known], keep)))
    y = linear_scale(0.0, 100.0)
    inside = [(e, h) for e, h in known if x.holds(e)]
    cells = Counter(
        (min(int(x.position(e) * ACROSS), ACROSS - 1), min(int(y.position(h) * UP), UP - 1))
        for e, h in inside
    )
    steps = levels(max(cells.values(), default=1))
    keys = [Key("band", _count(steps, j), shade) for j, shade in enumerate(SHADES[: len(steps)])]
    keys += [Key("cross", "All studies", INK)] if pooled is not None else []
    n, out = len(known), len(known) - len(inside)
    caption = sentences(
        model_text(pooled, pooled.k) if pooled is not None else "",
        f"{n} subsets; shades: subsets in a cell; bars: their sums.",
        f"{out} beyond the axis." if out else "",
        note,
    )
    words = Words(title, measure.axis, "I², %", caption, tuple(keys))
    chart = draw_chart(x, y, words, right=BARS, above=BARS)
    _draw_cells(chart, cells, steps)
    _draw_bars(chart, cells)
    if pooled is not None:
        draw_cross(chart.page, chart.at(pooled.estimate, i2_of(pooled)), INK, "all")
    desc = sentences(
        f"Estimates of {n} subsets of the studies against their I².",
        pooled_text(measure, pooled) if pooled is not None else "",
    )
    return Drawing(chart.page.figure, title, desc)


def levels(most: int) -> tuple[int, ...]:
    """Return the smallest count of each shade, evenly spaced on a log scale, from 1."""
    top = max(most, 1)
    found = [round(top ** (j / len(SHADES))) for j in range(len(SHADES))]
    return tuple(dict.fromkeys(found))


def _count(steps: Sequence[int], j: int) -> str:
    """The counts of a shade in words."""
    if j + 1 == len(steps):
        return f"{steps[j]} or more"
    last = steps[j + 1] - 1
    return f"{steps[j]}" if last == steps[j] else f"{steps[j]} to {last}"


def _draw_cells(chart: Chart, cells: Mapping[Cell, int], steps: Sequence[int]) -> None:
    """Draw the cells, one element a shade."""
    wide, high = chart.width / ACROSS, chart.height / UP
    bottom = chart.top + chart.height
    shades: dict[int, list[list[tuple[float, float]]]] = {}
    for (i, j), n in sorted(cells.items()):
        shade = max(s for s, least in enumerate(steps) if n >= least)
        left, low = chart.left + i * wide, bottom - j * high
        shades.setdefault(shade, []).append(_box(left, low, wide, high))
    for shade, boxes in sorted(shades.items()):
        chart.page.shapes(boxes, fill=SHADES[shade], gid=f"cells-{shade}")


def _draw_bars(chart: Chart, cells: Mapping[Cell, int]) -> None:
    """Draw the sums of the columns above and of the rows on the right."""
    across: Counter[int] = Counter()
    up: Counter[int] = Counter()
    for (i, j), n in cells.items():
        across[i] += n
        up[j] += n
    wide, high, room = chart.width / ACROSS, chart.height / UP, BARS - 8
    bottom, right = chart.top + chart.height, chart.left + chart.width
    most = max(across.values(), default=1)
    bars = [
        _box(chart.left + i * wide, chart.top - 4, wide, room * n / most)
        for i, n in sorted(across.items())
    ]
    chart.page.shapes(bars, fill=BLUE, gid="bars-estimates")
    most = max(up.values(), default=1)
    bars = [
        _box(right + 4, bottom - j * high, room * n / most, high) for j, n in sorted(up.items())
    ]
    chart.page.shapes(bars, fill=BLUE, gid="bars-i2")


def _box(left: float, low: float, wide: float, high: float) -> list[tuple[float, float]]:
    """A rectangle by its lower left corner; the page's y runs downwards."""
    return [(left, low), (left + wide, low), (left + wide, low - high), (left, low - high)]
