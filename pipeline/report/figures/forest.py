"""Draws forest plots of a table: its studies, or its estimates without and with each study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pipeline.report.data import MeasureView
from pipeline.report.figures.drawing import Drawing
from pipeline.report.figures.studies import Studies, model_text, pooled_text, sentences
from pipeline.report.forest import draw_table
from pipeline.report.forest_rows import LABEL_LIMIT, Row, Table, build_table
from pipeline.report.plain import one_line
from pipeline.report.wording import (
    estimate_text,
    heterogeneity_text,
    i2_of,
    interval_head,
    level_text,
    method_note,
    number,
)
from pipeline.schema import EffectSize, PooledEstimate, QuestionResult, Subgroup, SubgroupTest


@dataclass(frozen=True, slots=True)
class Refitted:
    """A pooled estimate of some studies; `slab` is the study left out, or added last."""

    slab: str
    k: int
    estimate: float
    ci_lb: float
    ci_ub: float
    tau2: float
    i2: float


def forest_plot(
    studies: Studies,
    pooled: PooledEstimate | None,
    measure: MeasureView,
    *,
    title: str = "Forest plot",
    columns: Sequence[tuple[tuple[str, str], ...]] = (),
    subgroups: tuple[Subgroup, ...] = (),
    subgroup_test: SubgroupTest | None = None,
    reason: str = "",
    favours: tuple[str, str] | None = None,
    style: str = "revman",
    note: str = "",
) -> Drawing:
    """Return the forest plot of an analysis.

    Parameters
    ----------
    studies : Studies
        The studies; the weights shown are those of `pooled`.
    pooled : PooledEstimate or None
        The diamond and the prediction interval; None: no diamond, and `reason` says why.
    measure : MeasureView
        Names, scale and axis.
    columns : sequence of tuples of (header, cell)
        The printed data of each study, as ("Events 1", "32"); none by default.
    subgroups, subgroup_test : as of `QuestionResult`
        Studies by position.
    favours : (str, str), optional
        The two sides of no effect; none are guessed.
    style : {"revman", "bmj", "jama"}
        How numbers and tests are printed.
    note : str
        Ends the footnote: software, date.
    """
    cells = columns or [()] * len(studies.yi)
    effects = tuple(
        EffectSize(str(i), slab, measure.code, y, v, columns=cell, reviewed=True)
        for i, (slab, y, v, cell) in enumerate(
            zip(studies.slab, studies.yi, studies.vi, cells, strict=True)
        )
    )
    result = QuestionResult(
        *("table", title, measure.code, effects, (), pooled, reason, subgroups, subgroup_test)
    )
    table = build_table(result, measure, style=style)
    foot = one_line(sentences(method_note(result, measure), *_notes(pooled), note))
    figure = draw_table(title, measure, table, favours=favours, foot=foot)
    k = len(effects)
    told = pooled_text(measure, pooled) or "Not pooled."
    desc = f"Forest plot of {k} {'studies' if k > 1 else 'study'}. {told}"
    return Drawing(figure, title, desc)


def leave1out_forest(
    refits: Sequence[Refitted],
    pooled: PooledEstimate,
    measure: MeasureView,
    *,
    title: str = "Leave-one-out analysis",
    favours: tuple[str, str] | None = None,
    note: str = "",
) -> Drawing:
    """Return the estimates without each study, above that of all.

    Parameters
    ----------
    refits : sequence of Refitted
        As `pool.robustness.leave1out` gives them, with names.
    pooled : PooledEstimate
        Of all studies.
    measure : MeasureView
        Names, scale and axis.
    favours, note : as of `forest_plot`

    References
    ----------
    metafor: ``leave1out``.
    """
    return _refit_forest(refits, pooled, measure, title, "Study left out", favours, note)


def cumulative_forest(
    refits: Sequence[Refitted],
    pooled: PooledEstimate,
    measure: MeasureView,
    *,
    title: str = "Cumulative meta-analysis",
    favours: tuple[str, str] | None = None,
    note: str = "",
) -> Drawing:
    """Return the estimates as studies were added, above that of all.

    Parameters
    ----------
    refits : sequence of Refitted
        As `pool.robustness.cumul` gives them, with names.
    pooled, measure, favours, note : as of `leave1out_forest`

    References
    ----------
    metafor: ``forest.cumul.rma``.
    """
    return _refit_forest(refits, pooled, measure, title, "Study added", favours, note)


def _refit_forest(
    refits: Sequence[Refitted],
    pooled: PooledEstimate,
    measure: MeasureView,
    title: str,
    first: str,
    favours: tuple[str, str] | None,
    note: str,
) -> Drawing:
    """A forest plot whose rows are pooled estimates."""
    rows = [_refit_row(measure, refit, i) for i, refit in enumerate(refits)]
    label = f"All studies ({level_text(pooled.level)} CI)"
    cells = (str(pooled.k), number(pooled.tau2), f"{i2_of(pooled):.0f}%")
    total = _row(measure, "pooled", label, cells, (pooled.ci_lb, pooled.estimate, pooled.ci_ub))
    table = Table(
        ("k", "Tau²", "I²"),
        (measure.name, interval_head(pooled)),
        (*rows, total),
        (heterogeneity_text(pooled, style="revman"),),
        first,
    )
    foot = sentences(model_text(pooled, pooled.k), *_notes(pooled), note)
    figure = draw_table(title, measure, table, favours=favours, foot=one_line(foot))
    desc = sentences(f"{title}: {len(refits)} estimates.", _range(measure, refits))
    return Drawing(figure, title, sentences(desc, pooled_text(measure, pooled)))


def _notes(pooled: PooledEstimate | None) -> tuple[str, ...]:
    """What must be known of an estimate: few studies, tau2 at its boundary."""
    return () if pooled is None else pooled.notes


def _refit_row(measure: MeasureView, refit: Refitted, i: int) -> Row:
    """The row of one estimate."""
    cells = (str(refit.k), number(refit.tau2), f"{refit.i2:.0f}%")
    label = one_line(refit.slab, LABEL_LIMIT)
    interval = (refit.ci_lb, refit.estimate, refit.ci_ub)
    return _row(measure, "study", label, cells, interval, f"refit-{i}")


def _row(
    measure: MeasureView,
    kind: str,
    label: str,
    cells: tuple[str, ...],
    interval: tuple[float, float, float],
    name: str = "total",
) -> Row:
    """A row with an interval given on the scale of analysis; without one, it says so."""
    if not all(isfinite(v) for v in interval):
        return Row(kind, label, cells, text="not defined", name=name)
    lo, estimate, hi = interval
    text = estimate_text(measure, estimate, lo, hi, style="revman")
    natural = (measure.natural(lo), measure.natural(estimate), measure.natural(hi))
    return Row(kind, label, cells, None, text, natural, name=name)


def _range(measure: MeasureView, refits: Sequence[Refitted]) -> str:
    """The smallest and the largest estimate in words."""
    found = sorted(r.estimate for r in refits if isfinite(r.estimate))
    if not found:
        return ""
    lo, hi = (number(measure.natural(v)) for v in (found[0], found[-1]))
    return f"They lie between {lo} and {hi}."
