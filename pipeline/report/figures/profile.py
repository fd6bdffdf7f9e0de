"""Draws the profile likelihood of tau2, with its estimate and the interval it gives."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import NormalDist

from pipeline.report.canvas import BLUE, GREY
from pipeline.report.figures.chart import Words, draw_chart
from pipeline.report.figures.drawing import Drawing, settled
from pipeline.report.figures.legend import Key
from pipeline.report.figures.scale import linear_scale, padded
from pipeline.report.figures.studies import sentences
from pipeline.report.figures.style import DASHES, DOTS
from pipeline.report.wording import level_text, number

#: How far below its top a likelihood is shown, in times the drop that ends the interval.
DEPTH = 3.0


@settled
def profile_plot(
    tau2: Sequence[float],
    loglik: Sequence[float],
    *,
    k: int,
    estimate: float,
    ci_lb: float | None = None,
    ci_ub: float | None = None,
    level: float = 0.95,
    method: str = "REML",
    title: str = "Profile likelihood of tau²",
    note: str = "",
) -> Drawing:
    """Return the profile likelihood of tau2.

    Parameters
    ----------
    tau2, loglik : sequence of float
        A rising grid, and the log-likelihood at each of its values, up to a constant.
    k : int
        Number of studies.
    estimate : float
        The maximum.
    ci_lb, ci_ub : float, optional
        Limits of the profile-likelihood interval; an infinite one is said, not drawn.
    level : float
        Of the interval; its drop is half the quantile of chi-squared with 1 degree of freedom.
    method : {"REML", "ML"}
        The likelihood.
    note : str
        Ends the caption.
    """
    top = max(v for v in loglik if isfinite(v))
    fallen = [v - top for v in loglik]
    drop = NormalDist().inv_cdf(0.5 + level / 2) ** 2 / 2
    lowest = min(v for v in fallen if isfinite(v))
    y = linear_scale(*padded(max(lowest, -DEPTH * drop, -1e6) if lowest < -drop else -drop, 0.0))
    x = linear_scale(min(tau2), max(tau2))
    limits = _limits(ci_lb, ci_ub, level)
    caption = sentences(
        f"k = {k}. {method} estimate of tau² {number(estimate)}{limits}.",
        f"Dashed: the maximum less {drop:.2f}.",
        note,
    )
    name = "restricted log-likelihood" if method == "REML" else "log-likelihood"
    words = Words(title, "tau²", f"Change of the {name} from its maximum", caption, _KEYS)
    chart = draw_chart(x, y, words)
    chart.line((x.lo, x.hi), (-drop, -drop), color=GREY, dots=DASHES, gid="cut")
    for value, end in ((ci_lb, "low"), (ci_ub, "high")):
        if value is not None and x.holds(value):
            chart.line((value, value), (y.lo, -drop), color=GREY, width=0.7, gid=f"limit-{end}")
    if x.holds(estimate):
        chart.line((estimate,) * 2, (y.lo, 0.0), color=BLUE, dots=DOTS, width=1.2, gid="estimate")
    chart.line(tau2, fallen, width=1.5, gid="profile")
    desc = f"Profile of the {name} over tau², k = {k}: highest at {number(estimate)}{limits}."
    return Drawing(chart.page.figure, title, desc)


_KEYS = (
    Key("line", "Profile"),
    Key("dots", "Estimate", BLUE),
    Key("dashes", "Drop that ends the interval", GREY),
)


def _limits(ci_lb: float | None, ci_ub: float | None, level: float) -> str:
    """The interval in words, "" where there is none."""
    if ci_lb is None or ci_ub is None:
        return ""
    return f", {level_text(level)} CI [{number(ci_lb)}, {number(ci_ub)}]"
