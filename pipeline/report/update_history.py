"""Draws what the runs of a review answered over time, as a forest plot of their estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.report.data import MeasureView
from pipeline.report.figures.drawing import Drawing
from pipeline.report.figures.forest import Refitted, cumulative_forest
from pipeline.report.wording import i2_of
from pipeline.schema import QuestionResult


def history_plot(
    runs: Sequence[tuple[str, str, QuestionResult]],
    measures: Mapping[str, MeasureView],
    title: str,
) -> Drawing | None:
    """Return the plot, None where no run has a pooled estimate.

    Parameters
    ----------
    runs : sequence of (run id, day of the evidence, result)
        By day; of one day and one estimate the last run is shown.
    measures : mapping
        How each measure is shown, by code.
    title : str
        The question's.
    """
    by_day = {(day, _key(result)): result for _, day, result in runs if result.pooled is not None}
    pooled = [(day, r.pooled, r.measure) for (day, _), r in by_day.items() if r.pooled is not None]
    if not pooled:
        return None
    last = pooled[-1]
    steps = [
        Refitted(day, p.k, p.estimate, p.ci_lb, p.ci_ub, p.tau2, i2_of(p)) for day, p, _ in pooled
    ]
    return cumulative_forest(steps, last[1], measures[last[2]], title=f"{title}: runs over time")


def _key(result: QuestionResult) -> tuple[float, int]:
    """What tells two estimates of one day apart."""
    pooled = result.pooled
    return (pooled.estimate, pooled.k) if pooled else (0.0, 0)
