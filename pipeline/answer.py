"""Answers a question of the protocol: effect sizes, pool, subgroups and sensitivity analyses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.config import Config, ModelSpec, Question, SensitivitySpec
from pipeline.effects.choose import Selection, effects_for
from pipeline.pool import leave_one_out, pool, subgroups
from pipeline.schema import (
    EffectSize,
    PooledEstimate,
    QuestionResult,
    Sensitivity,
    Study,
    Subgroup,
    SubgroupTest,
)


def answer(question: Question, config: Config, studies: Sequence[Study]) -> QuestionResult:
    """Return what eligible studies say to a question.

    Parameters
    ----------
    question : Question
    config : Config
        The protocol that the question stands in.
    studies : sequence of Study
        Eligible studies; which of them the question is about is decided here.

    Returns
    -------
    QuestionResult
        Without a pooled estimate, and with the reason, where fewer than two studies are poolable.
    """
    chosen = _select(question, config, studies)
    effects = chosen.effects
    pooled = _pooled(effects, question.model)
    groups: tuple[Subgroup, ...] = ()
    test: SubgroupTest | None = None
    if question.subgroup and len(effects) > 1:
        groups, test = subgroups(effects, question.model)
    return QuestionResult(
        question_id=question.id,
        title=question.title,
        measure=question.measure,
        effects=effects,
        not_pooled=chosen.not_pooled,
        pooled=pooled,
        reason=_reason(chosen),
        subgroups=groups,
        subgroup_test=test,
        sensitivity=tuple(_variations(question, config, studies)),
        assumptions=chosen.assumptions,
        warnings=(*_unreviewed(effects), *_shared_patients(effects, studies)),
    )


def _select(question: Question, config: Config, studies: Sequence[Study]) -> Selection:
    """The effect sizes for a question."""
    return effects_for(
        question,
        config.outcome(question.outcome),
        config.eligibility.population,
        studies,
        min_n=config.eligibility.min_n,
    )


def _pooled(effects: Sequence[EffectSize], model: ModelSpec) -> PooledEstimate | None:
    """The pooled estimate of two studies or more."""
    return pool(effects, model) if len(effects) > 1 else None


def _reason(chosen: Selection) -> str:
    """Why there is no pooled estimate; "" where there is one."""
    if len(chosen.effects) > 1:
        return ""
    if chosen.effects:
        return "One study is poolable: it is shown, without a pooled estimate."
    if chosen.not_pooled:
        return "No study is poolable: see the reason of each."
    return "No eligible study reports this outcome for this comparison."


def _variations(
    question: Question, config: Config, studies: Sequence[Study]
) -> Iterator[Sensitivity]:
    """The sensitivity analyses that the protocol names."""
    for spec in question.sensitivity:
        varied = _vary(question, spec)
        chosen = _select(varied, config, studies)
        if not spec.leave_one_out:
            yield Sensitivity(spec.label, _pooled(chosen.effects, varied.model), _reason(chosen))
        elif len(chosen.effects) > 2:
            yield from leave_one_out(chosen.effects, varied.model)


def _vary(question: Question, spec: SensitivitySpec) -> Question:
    """The question with what a sensitivity analysis changes."""
    model = {k: v for k in ("method", "test") if (v := getattr(spec, k)) is not None}
    rest = {k: v for k in ("ri", "designs", "recover") if (v := getattr(spec, k)) is not None}
    changed = question.model.model_copy(update=model)
    return question.model_copy(update={"model": changed, **rest})


def _unreviewed(effects: Sequence[EffectSize]) -> Iterator[str]:
    """How many studies nobody has checked."""
    waiting = sum(not e.reviewed for e in effects)
    if waiting:
        yield f"{waiting} of {len(effects)} studies rest on machine-read, unreviewed values."


def _shared_patients(effects: Sequence[EffectSize], studies: Sequence[Study]) -> Iterator[str]:
    """Studies of one pool with one trial registration may share their patients."""
    pooled = {e.record_id: e.slab for e in effects}
    by_registration: dict[str, list[str]] = defaultdict(list)
    for study in studies:
        if study.record_id in pooled:
            for registration in {r.value for r in study.registry_ids}:
                by_registration[registration].append(pooled[study.record_id])
    for registration, slabs in sorted(by_registration.items()):
        if len(slabs) > 1:
            both = " and ".join(slabs)
            yield f"{both} are registered as {registration}: patients may count twice."
