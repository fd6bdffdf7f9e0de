"""Keeps lines and marks inside a plot area."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot, isfinite

from pipeline.report.figures.style import ARROW

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def arrowhead(tip: Point, way: Point) -> list[Point]:
    """Return a triangle whose tip points along `way`."""
    size = hypot(*way) or 1.0
    dx, dy = way[0] / size, way[1] / size
    back = (tip[0] - ARROW * dx, tip[1] - ARROW * dy)
    half = ARROW / 2
    left = (back[0] - half * dy, back[1] + half * dx)
    right = (back[0] + half * dy, back[1] - half * dx)
    return [tip, left, right]


def runs(points: Sequence[Point], box: Box) -> list[list[Point]]:
    """Return the parts of a line that lie in a box (left, top, right, bottom)."""
    found: list[list[Point]] = []
    for a, b in pairwise(points):
        part = _inside(a, b, box)
        if part is None:
            continue
        if found and found[-1][-1] == part[0]:
            found[-1].append(part[1])
        else:
            found.append(list(part))
    return found


def _inside(a: Point, b: Point, box: Box) -> tuple[Point, Point] | None:
    """The part of a segment inside a box (Liang and Barsky 1984), None where there is none."""
    if not all(isfinite(v) for v in (*a, *b)):
        return None
    dx, dy = b[0] - a[0], b[1] - a[1]
    sides = ((-dx, a[0] - box[0]), (dx, box[2] - a[0]), (-dy, a[1] - box[1]), (dy, box[3] - a[1]))
    start, end = 0.0, 1.0
    for p, q in sides:
        if abs(p) < 1e-12:
            if q < -1e-6:
                return None
        elif p < 0:
            start = max(start, q / p)
        else:
            end = min(end, q / p)
    if start > end:
        return None
    first = a if start == 0 else (a[0] + start * dx, a[1] + start * dy)
    last = b if end == 1 else (a[0] + end * dx, a[1] + end * dy)
    return first, last
