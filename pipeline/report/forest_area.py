"""Draws the right side of a forest plot: axis, squares, intervals and diamonds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from pipeline.report.canvas import BLUE, GREY, INK, Page, cut, wrap
from pipeline.report.data import MeasureView
from pipeline.report.forest_axis import Axis, Interval, fit_axis
from pipeline.report.forest_rows import Row
from pipeline.report.forest_table import LINE, SIZE, SMALL
from pipeline.report.plain import one_line

WIDTH = 250.0
#: Size of the ticks' labels.
TICK = 8.0
#: Side of the heaviest square and of the lightest, in points; area follows the weight between.
LARGEST, SMALLEST = 11.0, 3.0
#: Side where there are no weights, because nothing is pooled.
UNWEIGHTED = 6.0
#: Half the height of a diamond, and the length of an arrowhead.
DIAMOND, ARROW = 5.0, 5.0
#: Free space beside a side's words.
PAD = 8.0


@dataclass(frozen=True, slots=True)
class Area:
    """The plot area of one figure: where it stands, its axis, and the heaviest weight."""

    page: Page
    left: float
    axis: Axis
    heaviest: float

    def x(self, value: float) -> float:
        """Return where a value stands on the page."""
        return self.left + WIDTH * self.axis.position(value)


def rows_axis(measure: MeasureView, rows: Sequence[Row]) -> Axis:
    """Return the axis that fits these rows."""
    studies = [r.interval for r in rows if r.kind == "study" and r.interval]
    pooled = [r.interval for r in rows if r.kind in ("pooled", "interval") and r.interval]
    return fit_axis(measure, studies, pooled)


def square_side(weight: float | None, heaviest: float) -> float:
    """Return a square's side in points: its area is proportional to the weight, with a floor."""
    if weight is None or heaviest <= 0:
        return UNWEIGHTED
    return max(SMALLEST, LARGEST * sqrt(weight / heaviest))


def draw_axis(
    area: Area, measure: MeasureView, rows: Sequence[Row], top: float, bottom: float
) -> None:
    """Draw axis, ticks, the line of no effect (solid) and of the pooled effect (dotted)."""
    page, axis = area.page, area.axis
    page.line((area.left, area.left + WIDTH), (bottom, bottom), gid="axis")
    for i, (tick, label) in enumerate(zip(axis.ticks, axis.labels(), strict=True)):
        x = area.x(tick)
        page.line((x, x), (bottom, bottom + 3.5))
        page.text(x, bottom + 12.5, label, size=TICK, align="center", gid=f"tick-{i}")
    if measure.null is not None:
        x = area.x(measure.null)
        page.line((x, x), (top - 2, bottom), gid="null")
    for i, row in enumerate(rows):
        if row.name == "total" and row.interval:
            x, end = area.x(row.interval[1]), top + (bottom - top - 2) * i / len(rows)
            page.line((x, x), (top, end), color=GREY, dots=(1.2, 1.8), gid="pooled-line")
    middle = area.left + WIDTH / 2
    label = cut(measure.axis, WIDTH, SMALL)
    page.text(middle, bottom + 23, label, size=SMALL, align="center", color=GREY, gid="axis-label")


def draw_mark(area: Area, row: Row, y: float) -> None:
    """Draw what a row shows at height `y`: square and line, diamond, or prediction interval."""
    if row.interval is None:
        return
    if row.kind == "pooled":
        _diamond(area, row.interval, y, row.name)
    elif row.kind == "interval":
        _whisker(area, row.interval, y, width=2.2, color=BLUE, gid=row.name)
    else:
        x, half = area.x(row.interval[1]), square_side(row.weight, area.heaviest) / 2
        box(area.page, x, y, half, reviewed=row.reviewed, gid=f"square-{row.name}")
        _whisker(area, row.interval, y, width=0.9, color=INK, gid=f"ci-{row.name}")


def box(page: Page, x: float, y: float, half: float, *, reviewed: bool, gid: str) -> None:
    """Draw a study's square around (x, y): filled where reviewed, else hollow and grey-edged."""
    corners = [
        (x - half, y - half),
        (x + half, y - half),
        (x + half, y + half),
        (x - half, y + half),
    ]
    if reviewed:
        page.shape(corners, fill=BLUE, gid=gid)
    else:
        page.shape(corners, fill="white", edge="#6b6b6b", width=1.0, gid=gid)


def _whisker(
    area: Area, interval: Interval, y: float, *, width: float, color: str, gid: str
) -> None:
    """The line of an interval, with an arrowhead where the axis ends before it does."""
    lo, _, hi = interval
    left, right = area.x(lo), area.x(hi)
    area.page.line((left, right), (y, y), width=width, color=color, gid=gid)
    _arrows(area, interval, y, color, gid)


def _arrows(area: Area, interval: Interval, y: float, color: str, gid: str) -> None:
    """Arrowheads at the ends of the axis that an interval runs over."""
    lo, _, hi = interval
    ends = [(area.left, 1, "low")] if lo < area.axis.lo else []
    ends += [(area.left + WIDTH, -1, "high")] if hi > area.axis.hi else []
    for x, inward, end in ends:
        back = x + inward * ARROW
        points = [(x, y), (back, y - ARROW / 2), (back, y + ARROW / 2)]
        area.page.shape(points, fill=color, gid=f"arrow-{end}-{gid}")


def _diamond(area: Area, interval: Interval, y: float, name: str) -> None:
    """The diamond of a pooled estimate, cut where the axis ends."""
    lo, est, hi = interval
    left, middle, right = area.x(lo), area.x(est), area.x(hi)
    cut_left = DIAMOND / 2 if lo < area.axis.lo else 0.0
    cut_right = DIAMOND / 2 if hi > area.axis.hi else 0.0
    points = [
        (left, y - cut_left),
        (middle, y - DIAMOND),
        (right, y - cut_right),
        (right, y + cut_right),
        (middle, y + DIAMOND),
        (left, y + cut_left),
    ]
    area.page.shape(points, fill=INK, gid=f"diamond-{name}")
    _arrows(area, interval, y, INK, f"diamond-{name}")


def favours_lines(
    axis: Axis, null: float | None, favours: tuple[str, str] | None
) -> tuple[list[str], list[str]]:
    """Return "Favours ..." for either side of no effect, in lines that fit the room it has."""
    if null is None or favours is None:
        return [], []
    left = WIDTH * axis.position(null)
    words = [one_line(f"Favours {f}") for f in favours]
    return wrap(words[0], left - PAD, SIZE), wrap(words[1], WIDTH - left - PAD, SIZE)


def draw_favours(
    area: Area, null: float | None, sides: tuple[list[str], list[str]], y: float
) -> None:
    """Write the lines of `favours_lines`, each side in the middle of its room."""
    middle = area.x(null) if null is not None else area.left
    for j, (lines, end) in enumerate(zip(sides, (area.left, area.left + WIDTH), strict=True)):
        for i, line in enumerate(lines):
            gid = f"favours-{j}-{i}"
            x = (middle + end) / 2
            area.page.text(x, y + i * LINE, line, size=SIZE, align="center", gid=gid)
