"""What moved between two runs as plain data, for update.json and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

from pipeline.report.data import MeasureView
from pipeline.report.wording import estimate_text, number
from pipeline.schema import Movement, PooledEstimate, QuestionMove, StudyChange

#: The format of update.json; a change that breaks its readers raises it.
FORMAT = 1


def update_facts(moved: Movement, measures: Mapping[str, MeasureView]) -> dict[str, Any]:
    """Return what moved as JSON data, estimates on the printed scale.

    Parameters
    ----------
    moved : Movement
    measures : mapping
        How each measure is shown, by code.
    """
    facts = {
        "format": FORMAT,
        "before": {"run_id": moved.before_run, "date": moved.before_date},
        "after": {"run_id": moved.after_run, "date": moved.after_date},
        "nothing_new": moved.nothing,
        "conclusion_changed": [q.question_id for q in moved.raised],
        "records": [asdict(change) for change in moved.records],
        "questions": [question_facts(q, measures[q.measure]) for q in moved.questions],
    }
    return dict(_finite(facts))


def question_facts(move: QuestionMove, view: MeasureView) -> dict[str, Any]:
    """Return one question before and after."""
    return {
        "question": move.question_id,
        "title": move.title,
        "measure": move.measure,
        "moved": move.moved,
        "before": _side(move.before, view, move.k_before, move.n_before, move.reason_before),
        "after": _side(move.after, view, move.k_after, move.n_after, move.reason_after),
        "studies": [_study(s, view, move) for s in move.studies],
        "flags": [asdict(flag) for flag in move.flags],
        "cumulative": [
            asdict(step)
            | {name: view.natural(getattr(step, name)) for name in ("estimate", "ci_lb", "ci_ub")}
            for step in move.cumulative
        ],
        "monitoring": asdict(move.monitoring) if move.monitoring else None,
    }


def _side(
    pooled: PooledEstimate | None, view: MeasureView, k: int, n: int, reason: str
) -> dict[str, Any]:
    """A question at one time."""
    side: dict[str, Any] = {"k": k, "n": n, "reason": reason, "text": pooled_text(pooled, view)}
    if pooled is None:
        return side
    names = ("estimate", "ci_lb", "ci_ub", "ci_adhoc_lb", "ci_adhoc_ub", "pi_lb", "pi_ub")
    values = ((name, getattr(pooled, name)) for name in names)
    side |= {name: None if v is None else view.natural(v) for name, v in values}
    i2 = pooled.i2 if pooled.random else pooled.i2_q
    return side | {"tau2": pooled.tau2, "i2": i2, "method": pooled.method, "test": pooled.test}


def _study(change: StudyChange, view: MeasureView, move: QuestionMove) -> dict[str, Any]:
    """A study that came, changed or left, its effect on the printed scale."""
    before, after = (
        None if effect is None else view.natural(effect[0])
        for effect in (change.before, change.after)
    )
    return {
        "record_id": change.record_id,
        "study": change.slab,
        "kind": change.kind,
        "reason": change.reason,
        "effect_before": before,
        "effect_after": after,
        "pull_on_analysis_scale": change.pull,
        "pull": pull_text(change, view, move.after),
    }


def pooled_text(pooled: PooledEstimate | None, view: MeasureView) -> str:
    """Return an estimate with its interval, or that there is none."""
    if pooled is None:
        return "not pooled"
    text = estimate_text(view, pooled.estimate, pooled.ci_lb, pooled.ci_ub, style="revman")
    return f"{text} %" if view.percent else text


def pull_text(change: StudyChange, view: MeasureView, after: PooledEstimate | None) -> str:
    """Return what a study does to the estimate: a factor of a ratio, else a difference."""
    if change.pull is None or after is None:
        return ""
    if view.ratio:
        return f"× {number(view.natural(change.pull))}"
    moved = view.natural(after.estimate) - view.natural(after.estimate - change.pull)
    sign, unit = "+" if moved > 0 else "", " %" if view.percent else ""
    return f"{sign}{number(moved, 1 if view.percent else 2)}{unit}"


def _finite(value: Any) -> Any:
    """The same data with None for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value
