"""Compares two runs: which studies came, changed and left, and what each did to the estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.config import ModelSpec, Question
from pipeline.living.growth import cumulative, monitoring, pooled_or_none
from pipeline.living.records import ENDED, record_changes
from pipeline.living.rules import flags
from pipeline.schema import (
    Answered,
    Counted,
    EffectSize,
    Movement,
    QuestionMove,
    QuestionResult,
    RecordChange,
    StudyChange,
)


def movement(before: Answered, after: Answered, questions: Sequence[Question]) -> Movement:
    """Return what moved from one run to a later one.

    Parameters
    ----------
    before, after : Answered
        What the runs answered, as the store keeps it.
    questions : sequence of Question
        The protocol's, as it is now: models and rules are theirs.
    """
    changes = record_changes(before, after)
    old = {r.question_id: r for r in before.results}
    asked = {q.id: q for q in questions}
    moves = [
        _move(asked[r.question_id], old.get(r.question_id), r, after, changes)
        for r in after.results
        if r.question_id in asked
    ]
    return Movement(before.run_id, after.run_id, before.date, after.date, changes, tuple(moves))


def _move(
    question: Question,
    before: QuestionResult | None,
    after: QuestionResult,
    run: Answered,
    changes: Sequence[RecordChange],
) -> QuestionMove:
    """What moved of one question."""
    published = {c.record_id: c.published for c in run.counted}
    old = before.effects if before else ()
    return QuestionMove(
        question_id=after.question_id,
        title=after.title,
        measure=after.measure,
        before=before.pooled if before else None,
        after=after.pooled,
        k_before=len(old),
        k_after=len(after.effects),
        n_before=sum(e.ni or 0 for e in old),
        n_after=sum(e.ni or 0 for e in after.effects),
        reason_before=before.reason if before else "The question was not asked.",
        reason_after=after.reason,
        new=before is None,
        studies=tuple(_studies(question.model, old, after, run, changes)) if before else (),
        flags=flags(question, before.pooled, after.pooled) if before else (),
        cumulative=cumulative(after.effects, question.model, published),
        monitoring=monitoring(question, after.effects, published),
    )


def _studies(
    spec: ModelSpec,
    old: Sequence[EffectSize],
    after: QuestionResult,
    run: Answered,
    changes: Sequence[RecordChange],
) -> Iterator[StudyChange]:
    """The studies whose effect came, left, or is another one."""
    was, now = ({e.record_id: e for e in effects} for effects in (old, after.effects))
    counted = {c.record_id: c for c in run.counted}
    by_record = {c.record_id: c for c in changes}
    for record_id in dict.fromkeys([*now, *was]):
        one, other = was.get(record_id), now.get(record_id)
        if _same(one, other):
            continue
        effect = other or one
        if effect is None:
            continue
        kind = "changed" if one and other else "came" if other else "left"
        change = by_record.get(record_id)
        if kind == "left" and change is not None and change.kind == "retracted":
            kind = "retracted"
        reason = _reason(record_id, kind, change, after, counted)
        yield StudyChange(
            record_id,
            effect.slab,
            kind,
            reason,
            (one.yi, one.vi) if one else None,
            (other.yi, other.vi) if other else None,
            _pull(spec, after.effects, record_id, one),
        )


def _same(one: EffectSize | None, other: EffectSize | None) -> bool:
    """Whether two effects are one number."""
    return one is not None and other is not None and (one.yi, one.vi) == (other.yi, other.vi)


def _pull(
    spec: ModelSpec, effects: Sequence[EffectSize], record_id: str, was: EffectSize | None
) -> float | None:
    """The estimate less that with this study as it was: absent, or with its old effect."""
    others = [e for e in effects if e.record_id != record_id]
    otherwise = pooled_or_none([*others, *([was] if was else [])], spec)
    now = pooled_or_none(effects, spec)
    return now.estimate - otherwise.estimate if now and otherwise else None


def _reason(
    record_id: str,
    kind: str,
    change: RecordChange | None,
    after: QuestionResult,
    counted: Mapping[str, Counted],
) -> str:
    """Why a study is not in the pool as it was."""
    if kind == "came":
        new = change is not None and change.kind == "new"
        return "new record" if new else _because(change)
    if kind == "changed":
        return _because(change)
    refused = next((n.reason for n in after.not_pooled if n.record_id == record_id), "")
    known = counted.get(record_id)
    if known is None:
        return change.causes[0] if change and change.causes else ENDED["deleted"]
    if not known.screening.include:
        return known.screening.reason
    return refused or _because(change)


def _because(change: RecordChange | None) -> str:
    """The causes of a record's change; without any, the protocol or the rules are others."""
    said = "; ".join(change.causes) if change else ""
    return said or "the question or the rules are others"
