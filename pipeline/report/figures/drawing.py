"""What a figure's function returns: a page with a name and a description, as SVG or PNG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec
from xml.sax.saxutils import escape

from matplotlib.figure import Figure

from pipeline.report.canvas import figure_bytes, settings
from pipeline.report.files import write_file
from pipeline.report.plain import one_line

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn figure; `title` names it and `desc` says in words what it shows."""

    figure: Figure
    title: str
    desc: str

    def svg(self) -> str:
        """Return the figure as SVG with its name and description for screen readers."""
        text = figure_bytes(self.figure, "svg").decode("utf-8")
        before, root, after = text.partition("<svg ")
        attributes, _, content = after.partition(">")
        return (
            f'{before}{root}role="img" aria-labelledby="figure-title figure-desc" {attributes}>\n'
            f' <title id="figure-title">{escape(one_line(self.title))}</title>\n'
            f' <desc id="figure-desc">{escape(one_line(self.desc))}</desc>{content}'
        )

    def png(self) -> bytes:
        """Return the figure as PNG."""
        return figure_bytes(self.figure, "png")

    def save(self, path: Path) -> Path:
        """Write the figure as SVG or PNG, by the path's suffix.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        return write_file(path, self.png() if path.suffix == ".png" else self.svg().encode())


def settled(draw: Callable[P, Drawing]) -> Callable[P, Drawing]:
    """Let a figure be drawn with our settings, whatever a user's matplotlibrc says."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Drawing:
        with settings():
            return draw(*args, **kwargs)

    return drawn
