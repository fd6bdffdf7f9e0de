"""A chart: a plot area between title and caption, and marks placed by their values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.report.canvas import BLUE, GREY, INK, Page, cut, text_width, wrap
from pipeline.report.figures.clip import Point, arrowhead, runs
from pipeline.report.figures.legend import Key, draw_keys, key_lines
from pipeline.report.figures.scale import Scale
from pipeline.report.figures.style import (
    AXIS_LIMIT,
    FOOT_LINE,
    HEIGHT,
    KEY_LINE,
    LINE,
    MARGIN,
    RADIUS,
    SIZE,
    SMALL,
    TICK,
    TITLE,
    TITLE_LINE,
    WIDTH,
)
from pipeline.report.plain import one_line


@dataclass(frozen=True, slots=True)
class Words:
    """What is written around a chart: title, names of the axes, caption and legend."""

    title: str
    x: str
    y: str
    caption: str
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot area on a page: where it stands and its axes; `y.lo` is at the bottom."""

    page: Page
    left: float
    top: float
    x: Scale
    y: Scale
    width: float = WIDTH
    height: float = HEIGHT

    def at(self, x: float, y: float) -> Point:
        """Return where a point is drawn on the page, kept inside the plot area."""
        return (
            self.left + self.width * self.x.position(x),
            self.top + self.height * (1 - self.y.position(y)),
        )

    def _free(self, x: float, y: float) -> Point:
        """Where a point lies on the page, also outside the plot area."""
        return (
            self.left + self.width * self.x.share(x),
            self.top + self.height * (1 - self.y.share(y)),
        )

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        color: str = INK,
        width: float = 0.9,
        dots: tuple[float, float] | None = None,
        gid: str = "",
    ) -> None:
        """Draw a line through points, cut where it leaves the plot area."""
        points = [self._free(x, y) for x, y in zip(xs, ys, strict=True)]
        box = (self.left, self.top, self.left + self.width, self.top + self.height)
        for i, run in enumerate(runs(points, box)):
            name = gid if i == 0 else f"{gid}-{i}"
            across, down = [p[0] for p in run], [p[1] for p in run]
            self.page.line(across, down, color=color, width=width, dots=dots, gid=name)

    def area(self, points: Iterable[Point], fill: str, gid: str) -> None:
        """Fill the inside of a line through points, each kept in the plot area."""
        self.page.shape([self.at(x, y) for x, y in points], fill=fill, gid=gid)

    def dot(
        self,
        x: float,
        y: float,
        *,
        radius: float = RADIUS,
        fill: str = BLUE,
        hollow: bool = False,
        gid: str = "",
    ) -> None:
        """Draw a study's point; an arrowhead at the edge where an axis does not reach it."""
        across, down = self.at(x, y)
        if not (self.x.holds(x) and self.y.holds(y)):
            out = self._free(x, y)
            points = arrowhead((across, down), (out[0] - across, out[1] - down))
            self.page.shapes([points], fill=fill, gid=gid)
        elif hollow:
            self.page.circle(across, down, radius, fill="white", edge=fill, width=1.1, gid=gid)
        else:
            self.page.circle(across, down, radius, fill=fill, edge="white", width=0.5, gid=gid)


def beyond(x: Scale, y: Scale, points: Iterable[Point]) -> str:
    """Return the sentence that says how many points lie beyond the axes; "" for none."""
    n = sum(not (x.holds(a) and y.holds(b)) for a, b in points)
    if n == 0:
        return ""
    return f"{n} point{'s lie' if n > 1 else ' lies'} beyond the axes (arrows)."


def draw_chart(
    x: Scale,
    y: Scale,
    words: Words,
    *,
    width: float = WIDTH,
    height: float = HEIGHT,
    right: float = 0.0,
    above: float = 0.0,
) -> Chart:
    """Return a chart with title, axes, legend and caption; `right`, `above`: room kept free."""
    left = MARGIN + max((text_width(t, TICK) for t in y.labels), default=0.0) + 8
    last = text_width(x.labels[-1], TICK) / 2 if x.labels else 0.0
    total = left + width + max(right, last) + MARGIN
    inner = total - 2 * MARGIN
    title = wrap(one_line(words.title), inner, TITLE, bold=True)
    name = wrap(one_line(words.y, AXIS_LIMIT), inner, SIZE)
    keys = key_lines(words.keys, inner)
    feet = wrap(one_line(words.caption), inner, SMALL)
    under = MARGIN + len(title) * TITLE_LINE + len(name) * LINE + 8
    top = under + above
    legend = top + height + 42
    foot = legend + len(keys) * KEY_LINE + 4
    page = Page(total, foot + len(feet) * FOOT_LINE + MARGIN - 6)
    page.lines(MARGIN, MARGIN + 9, title, TITLE_LINE, size=TITLE, bold=True, gid="title")
    page.lines(MARGIN, under - len(name) * LINE + 2, name, LINE, size=SIZE, gid="y-name")
    chart = Chart(page, left, top, x, y, width, height)
    draw_axes(chart, words.x)
    draw_keys(page, keys, legend)
    page.lines(MARGIN, foot + 4, feet, FOOT_LINE, size=SMALL, color=GREY, gid="foot")
    return chart


def draw_axes(chart: Chart, name: str, *, size: float = TICK, prefix: str = "") -> None:
    """Draw the left and lower side with ticks, and the x axis's name; `prefix` begins their ids."""
    page, left, top = chart.page, chart.left, chart.top
    right, bottom = left + chart.width, top + chart.height
    page.line((left, left, right), (top, bottom, bottom), gid=f"{prefix}axes")
    for i, (tick, text) in enumerate(zip(chart.x.ticks, chart.x.labels, strict=True)):
        x = chart.at(tick, chart.y.lo)[0]
        page.line((x, x), (bottom, bottom + 3.5))
        page.text(x, bottom + 12.5, text, size=size, align="center", gid=f"{prefix}x-tick-{i}")
    for i, (tick, text) in enumerate(zip(chart.y.ticks, chart.y.labels, strict=True)):
        y = chart.at(chart.x.lo, tick)[1]
        page.line((left - 3.5, left), (y, y))
        page.text(left - 6, y + 2.9, text, size=size, align="right", gid=f"{prefix}y-tick-{i}")
    middle = (left + right) / 2
    words = cut(one_line(name, AXIS_LIMIT), chart.width, SIZE)
    page.text(middle, bottom + 27, words, size=SIZE, align="center", gid=f"{prefix}x-name")
