"""Turns what the stages found into what the report and the terminal show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline import __version__
from pipeline.config import Config
from pipeline.effects.measures import MEASURES
from pipeline.report import MeasureView, ReportData
from pipeline.report.update_data import pooled_text
from pipeline.report.wording import i2_of
from pipeline.review import checked
from pipeline.schema import (
    Evidence,
    Flow,
    PooledEstimate,
    QuestionResult,
    Sensitivity,
    SmallStudyTest,
)
from pipeline.screen import reasons

#: How the report leads each scale of analysis back to the printed one.
_BACK = {"log": "exp", "logit": "expit", "arcsine": "squared sine", "identity": "identity"}


def flow_of(evidence: Evidence, results: Sequence[QuestionResult]) -> Flow:
    """Count the records through the stages, as PRISMA 2020's boxes."""
    pooled = {e.record_id for r in results if r.pooled is not None for e in r.effects}
    excluded = reasons(evidence.screenings)
    n = len(evidence.records)
    return Flow(
        identified=n + evidence.search.duplicates,
        duplicates=evidence.search.duplicates,
        screened=n,
        excluded=excluded,
        included=n - sum(count for _, count in excluded),
        in_meta_analysis=len(pooled),
        extra=(("not fetched", evidence.missing),) if evidence.missing else (),
    )


def report_data(
    config: Config, evidence: Evidence, flow: Flow, results: tuple[QuestionResult, ...]
) -> ReportData:
    """Return what the report is written from."""
    return ReportData(
        title=config.title,
        search=evidence.search,
        flow=flow,
        version=__version__,
        style=config.report.style,
        records=evidence.records,
        studies=evidence.studies,
        screenings=evidence.screenings,
        results=results,
        measures=measure_views(),
        favours={q.id: q.favours for q in config.questions if q.favours},
        problems=evidence.problems,
        assumptions=tuple(dict.fromkeys(a for r in results for a in r.assumptions)),
        reviewed=frozenset(s.record_id for s in evidence.studies if checked(s)),
    )


def measure_view(code: str) -> MeasureView:
    """Return how the report shows a measure."""
    measure = MEASURES[code]
    return MeasureView(
        code=code,
        name=measure.name,
        axis=measure.axis,
        null=measure.null,
        ratio=measure.scale == "log" and measure.data != "count",
        back=_BACK[measure.scale],
        percent=measure.data == "count",
        groups=("Intervention", "Comparator") if "Total 2" in measure.columns else None,
    )


def measure_views() -> dict[str, MeasureView]:
    """Return how the report shows each measure, by code."""
    return {code: measure_view(code) for code in MEASURES}


def history_rows(runs: Sequence[tuple[str, str, QuestionResult]]) -> list[dict[str, Any]]:
    """Return a row a run: its estimate of one question, on the printed scale."""
    return [_history_row(run_id, day, result) for run_id, day, result in runs]


def _history_row(run_id: str, day: str, result: QuestionResult) -> dict[str, Any]:
    """What a run answered."""
    pooled, view = result.pooled, measure_view(result.measure)
    row: dict[str, Any] = {
        "date": day,
        "run_id": run_id,
        "measure": result.measure,
        "k": len(result.effects),
        "n": sum(e.ni or 0 for e in result.effects),
        "text": pooled_text(pooled, view) if pooled else result.reason,
        "tau2_text": f"{pooled.tau2:.2f}" if pooled else "",
        "i2_text": f"{i2_of(pooled):.0f}%" if pooled else "",
    }
    if pooled is None:
        return row
    names = ("estimate", "ci_lb", "ci_ub", "pi_lb", "pi_ub")
    values = ((name, getattr(pooled, name)) for name in names)
    row |= {name: None if v is None else view.natural(v) for name, v in values}
    return row | {"tau2": pooled.tau2, "i2": i2_of(pooled)}


def summary(results: Sequence[QuestionResult]) -> list[dict[str, object]]:
    """Return one row a question, on the printed scale, for the terminal and for machines."""
    return [_summary_row(r) for r in results]


def _summary_row(result: QuestionResult) -> dict[str, object]:
    """A question's estimate, or why there is none."""
    view, pooled = measure_view(result.measure), result.pooled
    row: dict[str, object] = {
        "question": result.question_id,
        "measure": result.measure,
        "k": len(result.effects),
        "n": sum(e.ni or 0 for e in result.effects),
        "not_pooled": len(result.not_pooled),
        "numbers": result.numbers,
        "recovered_numbers": sum(result.unprinted.values()),
        "recovered": result.unprinted,
        "sensitivity": [_sensitivity_row(one, view) for one in result.sensitivity],
        "small_studies": [_test_row(one, view) for one in result.small_studies],
        "influence": [asdict(one) for one in result.influence],
        "check_notes": list(result.check_notes),
        "reason": result.reason,
        "text": result.reason,
        "prediction": "",
        "i2": "",
    }
    if pooled is None:
        return row
    unit = " %" if view.percent else ""
    shown = _natural(pooled, view)
    row |= shown | {"tau2": pooled.tau2, "method": pooled.method, "test": pooled.test}
    interval = f"[{shown['ci_lb']:.2f}, {shown['ci_ub']:.2f}]"
    row["text"] = f"{result.measure} {shown['estimate']:.2f}{unit} {interval}"
    row["i2"] = f"{pooled.i2:.0f} %"
    if pooled.pi_lb is not None and pooled.pi_ub is not None:
        row |= {"pi_lb": view.natural(pooled.pi_lb), "pi_ub": view.natural(pooled.pi_ub)}
        row["prediction"] = f"[{row['pi_lb']:.2f}, {row['pi_ub']:.2f}]"
    return row


def _sensitivity_row(one: Sensitivity, view: MeasureView) -> dict[str, object]:
    """A variation's estimate on the printed scale, or why there is none."""
    row: dict[str, object] = {"label": one.label, "reason": one.reason}
    if one.pooled is not None:
        row |= {"k": one.pooled.k, "method": one.pooled.method, "test": one.pooled.test}
        row |= _natural(one.pooled, view)
    return row


def _test_row(one: SmallStudyTest, view: MeasureView) -> dict[str, object]:
    """A test of small-study effects, what it leaves on the printed scale."""
    return asdict(one) | (_natural(one, view) if one.estimate is not None else {})


def _natural(pooled: PooledEstimate | SmallStudyTest, view: MeasureView) -> dict[str, float]:
    """An estimate and its interval on the printed scale."""
    return {k: view.natural(getattr(pooled, k)) for k in ("estimate", "ci_lb", "ci_ub")}
