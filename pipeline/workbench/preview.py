"""Pools what people have checked, as a preview: nothing of it is written to a report."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pipeline.answer.pooling import pooled, select
from pipeline.config import Question
from pipeline.present import measure_view
from pipeline.report.canvas import figure_bytes
from pipeline.report.data import MeasureView
from pipeline.report.forest import forest_plot
from pipeline.report.html_question import alt_text
from pipeline.report.plain import one_line, visible
from pipeline.report.wording import estimate_text
from pipeline.review.paths import plain_of
from pipeline.review.resolve import live
from pipeline.schema import Decision, EffectSize, Event, PooledEstimate, QuestionResult, Study
from pipeline.workbench.desk import Desk, address, grouped

#: matplotlib's settings are those of the process: one figure at a time.
_DRAWING = threading.Lock()
#: How a question's kept analyses are named among the decisions.
OF_QUESTION, SENSITIVITY = "question:", "sensitivity:"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a preview holds: whether unreviewed values too, and which studies stay out."""

    unreviewed: bool = False
    without: frozenset[str] = frozenset()

    def query(self, studies: Collection[str]) -> str:
        """Return the choice as the parameters of an address."""
        pairs = [("chosen", "1"), *(("in", s) for s in studies if s not in self.without)]
        return urlencode([*pairs, *([("unreviewed", "1")] if self.unreviewed else [])])


@dataclass(frozen=True, slots=True)
class Option:
    """A study that may be ticked in or out."""

    id: str
    slab: str
    within: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """A name and what is said of it."""

    label: str
    said: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A named sensitivity analysis."""

    name: str
    who: str
    without: str
    said: str
    address: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A study that could not be pooled."""

    slab: str
    address: str
    printed: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The page of a question."""

    id: str
    title: str
    questions: tuple[str, ...]
    estimate: str
    basis: str
    draft: str
    unreviewed: bool
    studies: tuple[Option, ...]
    figure: str
    alt: str
    loo: tuple[Labelled, ...]
    kept: tuple[Kept, ...]
    not_pooled: tuple[Refused, ...]
    version: int = 0


def studies_as_counted(desk: Desk, events: Sequence[Event]) -> list[Study]:
    """Return the eligible studies with the decisions laid over them, as far as events tell."""
    by_record = grouped(events)
    return [
        desk.counted(record_id, own)
        for record_id in desk.holdings.ids
        if desk.screened(record_id, own := by_record.get(record_id, [])).include
    ]


def result_of(question: Question, effects: Sequence[EffectSize], choice: Choice) -> QuestionResult:
    """Return the pool of the effects that a choice lets in."""
    within = tuple(
        e
        for e in effects
        if e.record_id not in choice.without and (e.reviewed or choice.unreviewed)
    )
    estimate, reason = pooled(within, question.model, refused=len(within) < len(effects))
    return QuestionResult(
        question.id, question.title, question.measure, within, (), estimate, reason
    )


def preview(desk: Desk, who: str, question: Question, choice: Choice) -> Preview:
    """Return the page of a question for a reviewer."""
    events = desk.events(who)
    chosen = select(question, desk.config, studies_as_counted(desk, events))
    result = result_of(question, chosen.effects, choice)
    view = measure_view(question.measure)
    ids = [e.record_id for e in chosen.effects]
    known = sum(e.reviewed for e in chosen.effects)
    left = len(chosen.effects) - known
    return Preview(
        question.id,
        visible(question.title),
        tuple(q.id for q in desk.config.questions),
        _estimate(desk, view, question, result.pooled) or result.reason,
        f"It uses {len(result.effects)} of {len(ids)} studies with data. "
        f"Studies with values that nobody has reviewed: {left}.",
        _draft(choice),
        choice.unreviewed,
        tuple(
            Option(e.record_id, one_line(e.slab, 50), e.record_id not in choice.without)
            for e in chosen.effects
        ),
        f"/analysis/{question.id}/forest.svg?{choice.query(ids)}" if result.effects else "",
        alt_text(result, view, desk.config.report.style) if result.effects else "",
        tuple(_leave_one_out(desk, view, question, result)),
        tuple(_kept(desk, view, question, chosen.effects, events)),
        tuple(
            Refused(
                one_line(n.slab, 50),
                address("study", n.record_id),
                one_line(n.printed, 200),
                visible(n.reason),
            )
            for n in chosen.not_pooled
        ),
    )


def _draft(choice: Choice) -> str:
    """What makes a preview another thing than the result."""
    parts = []
    if choice.unreviewed:
        parts.append("it holds values that nobody has reviewed")
    if choice.without:
        parts.append("studies are left out by hand")
    return " and ".join(parts) + "." if parts else ""


def _estimate(
    desk: Desk, view: MeasureView, question: Question, found: PooledEstimate | None
) -> str:
    """A pooled estimate in words; "" where there is none."""
    if found is None:
        return ""
    style = desk.config.report.style
    said = estimate_text(view, found.estimate, found.ci_lb, found.ci_ub, style=style)
    unit = " %" if view.percent else ""
    return f"{question.measure} {said}{unit}, {found.k} studies, I² {found.i2:.0f} %"


def _leave_one_out(
    desk: Desk, view: MeasureView, question: Question, result: QuestionResult
) -> list[Labelled]:
    """The estimate without each study."""
    if len(result.effects) < 3 or question.model.method == "GLMM":  # each fit takes long
        return []
    lines = []
    for left_out in result.effects:
        rest = tuple(e for e in result.effects if e is not left_out)
        estimate, reason = pooled(rest, question.model)
        said = _estimate(desk, view, question, estimate) or reason
        lines.append(Labelled(one_line(left_out.slab, 60), said))
    return lines


def _kept(
    desk: Desk,
    view: MeasureView,
    question: Question,
    effects: Sequence[EffectSize],
    events: Sequence[Event],
) -> list[Kept]:
    """The sensitivity analyses that were kept, each under its latest choice."""
    slabs = {e.record_id: e.slab for e in effects}
    latest = {
        e.decision.field: e.decision
        for e in live(events)
        if e.decision.record_id == OF_QUESTION + question.id
        and e.decision.field.startswith(SENSITIVITY)
    }
    lines = []
    for field, decision in latest.items():
        choice = replace(Choice(unreviewed=True), without=_without(decision))
        found = result_of(question, effects, choice).pooled
        lines.append(
            Kept(
                visible(field.removeprefix(SENSITIVITY)),
                visible(decision.who),
                ", ".join(one_line(slabs.get(r, r), 50) for r in sorted(choice.without)) or "none",
                _estimate(desk, view, question, found) or "nothing to pool",
                f"/analysis/{question.id}?{choice.query(list(slabs))}",
            )
        )
    return lines


def _without(decision: Decision) -> frozenset[str]:
    """The studies that a kept analysis leaves out."""
    try:
        plain = json.loads(decision.value or "[]")
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(str(v) for v in plain) if isinstance(plain, list) else frozenset()


def sensitivity(
    desk: Desk, who: str, question: Question, name: str, without: Sequence[str]
) -> Decision:
    """Return the decision that keeps a sensitivity analysis under a name."""
    writer = desk.writer(who)
    return Decision(
        OF_QUESTION + question.id,
        SENSITIVITY + name,
        "corrected",
        writer.who,
        writer.when,
        plain_of(sorted(set(without))),
        software=writer.software,
    )


def forest_svg(desk: Desk, who: str, question: Question, choice: Choice) -> bytes | None:
    """Return the forest plot of a preview; None where there is no study."""
    chosen = select(question, desk.config, studies_as_counted(desk, desk.events(who)))
    result = result_of(question, chosen.effects, choice)
    if not result.effects:
        return None
    config, view = desk.config, measure_view(question.measure)
    with _DRAWING:
        figure = forest_plot(
            result,
            view,
            style=config.report.style,
            favours=question.favours,
            footnote="Preview in the workbench.",
        )
        return figure_bytes(figure, "svg")
