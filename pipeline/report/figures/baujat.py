"""Draws Baujat's plot: what each study adds to heterogeneity, and how far it moves the estimate."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.report.canvas import BLUE
from pipeline.report.figures.chart import Words, beyond, draw_chart
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key
from pipeline.report.figures.names import name_points
from pipeline.report.figures.scale import zero_scale
from pipeline.report.figures.studies import model_text, sentences
from pipeline.report.figures.style import RADIUS
from pipeline.schema import PooledEstimate

#: Studies that get their name; more would hide the points.
NAMED = 12


@settled
def baujat_plot(
    slab: Sequence[str],
    x: Sequence[float],
    y: Sequence[float],
    pooled: PooledEstimate | None = None,
    *,
    title: str = "Baujat plot",
    note: str = "",
) -> Drawing:
    """Return Baujat's plot.

    Parameters
    ----------
    slab : sequence of str
        The studies' names; those farthest from the corner are written.
    x, y : sequence of float
        As `pool.robustness.baujat` gives them: squared Pearson residuals, and squared changes of
        the estimate in units of its variance without the study.
    pooled : PooledEstimate, optional
        For the caption.
    note : str
        Ends the caption.

    References
    ----------
    Baujat, Mahé, Pignon and Hill (2002), *Stat Med* 21:2641. metafor: ``baujat``.
    """
    points = list(zip(x, y, strict=True))
    across, up = zero_scale((), x), zero_scale((), y)  # outliers are what it is for
    caption = sentences(model_text(pooled, len(points)), beyond(across, up, points), note)
    names = ("Squared Pearson residual", "Influence on the pooled estimate")
    words = Words(title, *names, caption, (Key("point", "Study", BLUE),))
    chart = draw_chart(across, up, words)
    for i, point in enumerate(points):
        chart.dot(*point, gid=f"point-{i}")
    order = sorted(
        range(len(points)), key=lambda i: -(across.position(x[i]) ** 2 + up.position(y[i]) ** 2)
    )
    placed = [(*points[i], RADIUS) for i in order]
    name_points(chart, placed, [slab[i] for i in order], NAMED)
    far = ", ".join(slab[i] for i in order[:3])
    desc = f"Baujat plot of {len(points)} studies; farthest from the corner: {far}."
    return Drawing(chart.page.figure, title, desc)
