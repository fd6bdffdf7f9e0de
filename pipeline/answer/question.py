"""One question of the protocol and its answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.answer.checks import Checks, checks
from pipeline.answer.dose import dose_response
from pipeline.answer.pooling import pooled, select
from pipeline.answer.variations import sensitivity
from pipeline.config import Config, Question
from pipeline.pool import subgroups
from pipeline.schema import EffectSize, QuestionResult, Study, Subgroup, SubgroupTest


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
        Without a pooled estimate, and with the reason, where fewer than two studies are poolable
        or the model cannot pool them.
    """
    chosen = select(question, config, studies)
    effects = chosen.effects
    estimate, reason = pooled(effects, question.model, refused=bool(chosen.not_pooled))
    beside = checks(question, effects) if estimate else Checks()
    groups: tuple[Subgroup, ...] = ()
    test: SubgroupTest | None = None
    if question.subgroup and len(effects) > 1:
        shared = question.subgroup_tau2 == "common"
        groups, test = subgroups(effects, question.model, common_tau2=shared)
    return QuestionResult(
        question_id=question.id,
        title=question.title,
        measure=question.measure,
        effects=effects,
        not_pooled=chosen.not_pooled,
        pooled=estimate,
        reason=reason,
        subgroups=groups,
        subgroup_test=test,
        sensitivity=sensitivity(question, config, studies, chosen),
        assumptions=chosen.assumptions,
        small_studies=beside.small_studies,
        influence=beside.influence,
        check_notes=beside.notes,
        dose_response=dose_response(question, config, effects, studies),
        warnings=(*_unreviewed(effects), *_shared_patients(effects, studies)),
    )


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
