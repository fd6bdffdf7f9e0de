"""The effect over the dose of a course: sentences, table and figure."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.report.csv_table import Cell, CsvTable
from pipeline.report.data import MeasureView, ReportData
from pipeline.report.figures.bubble import Curve, bubble_plot
from pipeline.report.figures.drawing import Drawing
from pipeline.report.figures.studies import Studies
from pipeline.report.html_table import HtmlTable, make_table, solid
from pipeline.report.wording import (
    estimate_text,
    level_text,
    number,
    p_text,
    unreviewed_text,
)
from pipeline.schema import DoseResponse, QuestionResult

#: Points of a curve that the page's table shows.
_SHOWN = 6


def dose_words(result: QuestionResult, style: str) -> list[str]:
    """Return what must be known of a dose-response, a sentence each; [] where none was asked."""
    found = result.dose_response
    if found is None:
        return []
    missing = [e.slab for e, x in zip(result.effects, found.doses, strict=True) if x is None]
    words = [f"No single dose in {found.unit} is read of: {', '.join(missing)}."] if missing else []
    if found.fit is None:
        return [*words, f"No curve: {found.reason}"]
    fit = found.fit
    slope = fit.coefficients[1]
    words.append(f"{fit.method}, k = {fit.k}; studies are compared, not patients within a study.")
    if found.nonlinearity is None:
        words.append(f"Slope over the dose: {p_text(slope.pval, style=style)}.")
    else:
        at = ", ".join(f"{knot:g}" for knot in found.knots)
        straight = p_text(found.nonlinearity.pval, style=style)
        whole = p_text(fit.qm_pval, style=style)
        words.append(f"Knots at {at}. Any effect of the dose: {whole}; a bend in it: {straight}.")
    return [*words, *found.notes]


def dose_table(data: ReportData, result: QuestionResult) -> HtmlTable | None:
    """Return the mean effect at some doses."""
    found = result.dose_response
    if found is None or found.fit is None:
        return None
    measure, level = data.measures[result.measure], level_text(found.fit.level)
    points = found.points[:: (len(found.points) - 1) // (_SHOWN - 1)]
    rows = tuple(
        (
            number(p.x),
            solid(estimate_text(measure, p.estimate, p.ci_lb, p.ci_ub, style=data.style)),
            solid(estimate_text(measure, None, p.pi_lb, p.pi_ub, style=data.style)),
        )
        for p in points
    )
    header = (found.unit, f"{measure.name} ({level} CI)", f"{level} prediction interval")
    flag = unreviewed_text(result.effects)
    return make_table(f"Dose-response: {result.title}", header, rows, flag)


def dose_csv(data: ReportData) -> CsvTable | None:
    """Return the curves of all questions, None where the protocol asks for none."""
    asked = [r for r in data.results if r.dose_response is not None]
    if not asked:
        return None
    rows = tuple(row for result in asked for row in _csv_rows(data, result))
    header = ("question", "unit", "dose", "effect", "ci_lb", "ci_ub", "pi_lb", "pi_ub")
    return CsvTable("dose_response", header, rows)


def _csv_rows(data: ReportData, result: QuestionResult) -> Iterator[tuple[Cell, ...]]:
    """The points of one question's curve, on the printed scale."""
    found, natural = result.dose_response, data.measures[result.measure].natural
    if found is None:
        return
    for p in found.points:
        effects = (p.estimate, p.ci_lb, p.ci_ub, p.pi_lb, p.pi_ub)
        yield (result.question_id, found.unit, p.x, *map(natural, effects))


def dose_figure(result: QuestionResult, measure: MeasureView) -> Drawing | None:
    """Return the studies and the curve over the dose."""
    found = result.dose_response
    if found is None or found.fit is None:
        return None
    known = [(e, x) for e, x in zip(result.effects, found.doses, strict=True) if x is not None]
    studies = Studies(
        tuple(e.slab for e, _ in known),
        tuple(e.yi for e, _ in known),
        tuple(e.vi for e, _ in known),
        found.fit.weights,
    )
    return bubble_plot(
        studies,
        [x for _, x in known],
        _curve(found),
        measure,
        x_name=f"Dose, {found.unit}",
        title="Dose-response",
        names=True,
        knots=found.knots,
        caption=" ".join([f"{found.fit.method}.", *found.notes]),
        level=found.fit.level,
    )


def _curve(found: DoseResponse) -> Curve:
    """The curve as the figure takes it."""
    names = ("x", "estimate", "ci_lb", "ci_ub", "pi_lb", "pi_ub")
    return Curve(*(tuple(getattr(p, name) for p in found.points) for name in names))
