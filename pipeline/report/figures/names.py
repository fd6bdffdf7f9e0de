"""Writes studies' names beside their points, where nothing is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from pipeline.report.canvas import text_width
from pipeline.report.figures.chart import Chart
from pipeline.report.figures.clip import Box, Point
from pipeline.report.figures.style import NAME_LIMIT, SMALL
from pipeline.report.plain import one_line

#: How near to a line's place a name may come.
_NEAR = 3.0


def name_points(
    chart: Chart,
    points: Sequence[tuple[float, float, float]],
    names: Sequence[str],
    most: int,
    around: Sequence[Point] = (),
) -> None:
    """Write names beside points where nothing is in the way, at most `most` of them.

    Parameters
    ----------
    points : sequence of (x, y, radius)
        All points, the most important first.
    names : sequence of str
        A name a point; those after the first `most` stay unnamed.
    around : sequence of (x, y)
        Places along lines that no name may cross.
    """
    circles = [(*chart.at(x, y), r) for x, y, r in points]
    blocked = [*circles, *((*chart.at(x, y), _NEAR) for x, y in around)]
    taken: list[Box] = []
    for i, ((x, y, r), name) in enumerate(zip(circles, names, strict=True)):
        if i >= most:
            break
        text = one_line(name, NAME_LIMIT)
        box = _free_place(chart, (x, y, r), text_width(text, SMALL), blocked, taken)
        if box is not None:
            taken.append(box)
            chart.page.text(box[0], box[3] - 2, text, size=SMALL, gid=f"name-{i}")


def _free_place(
    chart: Chart,
    circle: tuple[float, float, float],
    width: float,
    circles: Sequence[tuple[float, float, float]],
    taken: Sequence[Box],
) -> Box | None:
    """A box (left, top, right, bottom) beside a point that covers no point and no other name."""
    x, y, r = circle
    high = 9.0
    for left, top in (
        (x + r + 2, y - high / 2),
        (x - r - 2 - width, y - high / 2),
        (x - width / 2, y - r - 2 - high),
        (x - width / 2, y + r + 2),
    ):
        box = (left, top, left + width, top + high)
        inside = chart.left <= box[0] and box[2] <= chart.left + chart.width
        inside = inside and chart.top <= box[1] and box[3] <= chart.top + chart.height
        if inside and not _covers(box, circles, taken):
            return box
    return None


def _covers(
    box: Box,
    circles: Sequence[tuple[float, float, float]],
    taken: Sequence[Box],
) -> bool:
    """Whether a box touches a point or a box."""
    left, top, right, bottom = box
    for x, y, r in circles:
        near = (min(max(x, left), right) - x, min(max(y, top), bottom) - y)
        if hypot(*near) < r:
            return True
    return any(left < b[2] and b[0] < right and top < b[3] and b[1] < bottom for b in taken)
