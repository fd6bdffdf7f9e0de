"""A page to draw on in points, with text that is measured before it is placed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path as Outline
from matplotlib.textpath import text_to_path

from pipeline.report.files import write_file

#: DejaVu Sans comes with matplotlib, so columns are as wide on every machine; a reader without it
#: sees one of the others, none of which is wider.
FONTS = ["DejaVu Sans", "Verdana", "Arial", "Helvetica"]
#: matplotlib's own settings, whatever a user's matplotlibrc says: same bytes out.
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evipool",
    "font.family": ["sans-serif"],
    "font.sans-serif": FONTS,
    "text.usetex": False,
    "text.parse_math": False,
    "text.hinting": "none",
    "path.simplify": False,
}
INK, GREY, BLUE = "#1a1a1a", "#595959", "#0b4f9e"
DPI = 200
#: matplotlib draws patches at 1, lines at 2 and texts at 3.
_OVER_LINES = 2.5
#: Where the control points of a curve that stands for a quarter of a circle lie.
_BEND = 4 / 3 * (2**0.5 - 1)
#: A circle of radius 1 as four such curves.
_CIRCLE = (
    *((1.0, 0.0), (1.0, _BEND), (_BEND, 1.0), (0.0, 1.0), (-_BEND, 1.0), (-1.0, _BEND)),
    *((-1.0, 0.0), (-1.0, -_BEND), (-_BEND, -1.0), (0.0, -1.0), (_BEND, -1.0), (1.0, -_BEND)),
    (1.0, 0.0),
)


@contextmanager
def settings() -> Iterator[None]:
    """Set matplotlib's settings for a drawing, and put the old ones back."""
    with mpl.rc_context(), warnings.catch_warnings():
        # A letter that DejaVu lacks is a box in the PNG and itself in the SVG: no reason to stop.
        warnings.filterwarnings("ignore", message=".*missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


@lru_cache
def font(size: float, bold: bool = False) -> FontProperties:
    """Return DejaVu Sans as it comes with matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / name
    weight = "bold" if bold else "normal"
    return FontProperties(family="sans-serif", size=size, weight=weight, fname=str(path))


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text in points."""
    prop = font(size, bold)
    return float(text_to_path.get_text_width_height_descent(text, prop, ismath=False)[0])


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines of at most `width` points; a word wider than that is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
            continue
        lines.append(word)
        while len(lines[-1]) > 1 and text_width(lines[-1], size, bold=bold) > width:
            fits = _fitting(lines[-1], width, size, bold)
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return [line for line in lines if line]


def cut(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text that is at most `width` points wide, with an ellipsis where it was longer."""
    if text_width(text, size, bold=bold) <= width:
        return text
    room = width - text_width("…", size, bold=bold)
    return f"{text[: _fitting(text, room, size, bold)].rstrip()}…"


def _fitting(word: str, width: float, size: float, bold: bool) -> int:
    """How many letters of a word fit, at least one."""
    n = 1
    while n < len(word) and text_width(word[: n + 1], size, bold=bold) <= width:
        n += 1
    return n


class Page:
    """A figure whose coordinates are points, from the top left corner downwards."""

    def __init__(self, width: float, height: float) -> None:
        width, height = ceil(width), ceil(height)
        self.figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(height, 0)
        self.axes.axis("off")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        align: str = "left",
        bold: bool = False,
        color: str = INK,
        gid: str = "",
    ) -> None:
        """Write a text; `y` is its baseline."""
        if text:
            drawn = self.axes.text(
                x,
                y,
                text,
                fontproperties=font(size, bold),
                color=color,
                ha=align,
                va="baseline",
                parse_math=False,
            )
            drawn.set_gid(gid or None)

    def lines(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        step: float,
        *,
        size: float,
        bold: bool = False,
        color: str = INK,
        gid: str = "",
    ) -> None:
        """Write lines of text under each other, `step` points apart."""
        for i, line in enumerate(lines):
            self.text(x, y + i * step, line, size=size, bold=bold, color=color, gid=f"{gid}-{i}")

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        width: float = 0.8,
        color: str = INK,
        dots: tuple[float, float] | None = None,
        gid: str = "",
    ) -> None:
        """Draw a line through the points."""
        drawn = Line2D(xs, ys, linewidth=width, color=color, linestyle=(0, dots) if dots else "-")
        drawn.set_solid_capstyle("butt")
        drawn.set_clip_on(False)
        drawn.set_gid(gid or None)
        self.axes.add_line(drawn)

    def shape(
        self,
        points: Sequence[tuple[float, float]],
        *,
        fill: str,
        edge: str = "none",
        width: float = 0.0,
        gid: str = "",
    ) -> None:
        """Draw a filled polygon."""
        drawn = Polygon(list(points), closed=True, facecolor=fill, edgecolor=edge, linewidth=width)
        drawn.set_gid(gid or None)
        self.axes.add_patch(drawn)
        drawn.set_clip_on(False)

    def shapes(
        self, polygons: Sequence[Sequence[tuple[float, float]]], *, fill: str, gid: str = ""
    ) -> None:
        """Draw many filled polygons as one element, to a hundredth of a point: a small file."""
        parts = [Outline([(round(x, 2), round(y, 2)) for x, y in one]) for one in polygons]
        if parts:
            self._outline(Outline.make_compound_path(*parts), fill, "none", 0.0, gid)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: str,
        edge: str = "none",
        width: float = 0.0,
        gid: str = "",
    ) -> None:
        """Draw a circle around (x, y), over the lines, to a hundredth of a point."""
        points = [(round(x + radius * a, 2), round(y + radius * b, 2)) for a, b in _CIRCLE]
        codes = [Outline.MOVETO, *[Outline.CURVE4] * (len(points) - 1)]
        self._outline(Outline(points, codes), fill, edge, width, gid)

    def _outline(self, outline: Outline, fill: str, edge: str, width: float, gid: str) -> None:
        """Draw an outline over the lines."""
        drawn = PathPatch(outline, facecolor=fill, edgecolor=edge, linewidth=width)
        drawn.set_gid(gid or None)
        drawn.set_zorder(_OVER_LINES)
        self.axes.add_patch(drawn)
        drawn.set_clip_on(False)


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as SVG or PNG, the same bytes for the same figure."""
    out = io.BytesIO()
    nothing = {"svg": ("Date", "Creator", "Format", "Type"), "png": ("Software",)}[kind]
    with settings():
        figure.savefig(out, format=kind, dpi=DPI, metadata=dict.fromkeys(nothing))
    return out.getvalue()


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as SVG or PNG, by the path's suffix.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    return write_file(path, figure_bytes(figure, path.suffix.removeprefix(".")))
