"""The legend under a chart: each kind of mark beside its meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.canvas import INK, Page, text_width
from pipeline.report.figures.clip import Point
from pipeline.report.figures.style import DASHES, DOTS, KEY_LINE, MARGIN, RADIUS, SIZE


@dataclass(frozen=True, slots=True)
class Key:
    """A line of the legend: `mark` is point, hollow, band, line, dots, dashes or cross."""

    mark: str
    text: str
    color: str = INK


def key_lines(keys: Sequence[Key], width: float) -> list[list[tuple[float, Key]]]:
    """Return the legend's lines: each key with the place it begins at."""
    lines: list[list[tuple[float, Key]]] = []
    x = width + 1
    for key in keys:
        needs = 24 + text_width(key.text, SIZE) + 14
        if not lines or x + needs - 14 > width:
            lines.append([])
            x = 0.0
        lines[-1].append((x, key))
        x += needs
    return lines


def draw_keys(page: Page, lines: Sequence[Sequence[tuple[float, Key]]], top: float) -> None:
    """Draw the legend."""
    i = 0
    for row, line in enumerate(lines):
        y = top + row * KEY_LINE + 6
        for x, key in line:
            _draw_key(page, key, MARGIN + x, y - 3, i)
            page.text(MARGIN + x + 24, y, key.text, size=SIZE, gid=f"key-{i}")
            i += 1


def _draw_key(page: Page, key: Key, x: float, y: float, i: int) -> None:
    """Draw one mark of the legend, 18 points wide."""
    gid = f"key-mark-{i}"
    if key.mark == "point":
        page.circle(x + 9, y, RADIUS, fill=key.color, gid=gid)
    elif key.mark == "hollow":
        page.circle(x + 9, y, RADIUS, fill="white", edge=key.color, width=1.1, gid=gid)
    elif key.mark == "band":
        corners = [(x, y - 4), (x + 18, y - 4), (x + 18, y + 4), (x, y + 4)]
        page.shape(corners, fill=key.color, edge="#8a8a8a", width=0.5, gid=gid)
    elif key.mark == "cross":
        draw_cross(page, (x + 9, y), key.color, gid)
    else:
        dots = {"dots": DOTS, "dashes": DASHES}.get(key.mark)
        page.line((x, x + 18), (y, y), width=1.2, color=key.color, dots=dots, gid=gid)


def draw_cross(page: Page, at: Point, color: str, gid: str) -> None:
    """Draw a cross with a white edge, to be seen on any ground."""
    for half, reach, ink, name in ((2.8, 7.0, "white", ""), (1.1, 5.3, color, gid)):
        page.shapes([_plus(at, half, reach)], fill=ink, gid=name)


def _plus(at: Point, half: float, reach: float) -> list[Point]:
    """The corners of a plus sign: half the breadth of its bars, and how far they reach."""
    h, r = half, reach
    corner = ((-h, -r), (h, -r), (h, -h), (r, -h), (r, h), (h, h))
    return [(at[0] + s * a, at[1] + s * b) for s in (1, -1) for a, b in corner]
