"""Draws how well confidences hold: what was said of readings against how many were right."""

from __future__ import annotations

from io import BytesIO
from math import pi, sqrt

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.train.confidence import Calibration

#: The area of a dot for one reading, in square points.
DOT = 2.0


def reliability(found: Calibration) -> bytes:
    """Return a PNG of a reliability diagram (Niculescu-Mizil and Caruana 2005).

    Parameters
    ----------
    found : Calibration
        Each of its bins is a dot, its area the number of readings; on the line, what was said is
        what was true.
    """
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    said, right = [b.said for b in found.bins], [b.right for b in found.bins]
    areas = [20 + DOT * b.n for b in found.bins]
    axes.scatter(said, right, s=areas, color="#20639b", alpha=0.75)
    for b, area in zip(found.bins, areas, strict=True):
        below = (0, -11 - sqrt(area / pi))
        axes.annotate(
            str(b.n), (b.said, b.right), xytext=below, textcoords="offset points", ha="center"
        )
    axes.set(xlim=(0, 1.05), ylim=(-0.08, 1.05), xlabel="confidence", ylabel="share that is right")
    axes.set_title(f"{found.n} readings, 5-fold: ECE {found.ece:.3f}", fontsize=10)
    file = BytesIO()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return file.getvalue()
