"""Sensitivity analyses: those that the protocol names, and those that every pool gets.

Without being asked a pool is shown again from printed numbers only, over a grid of the correlations
it assumes, and without each study. What the protocol names already is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.answer.pooling import pooled, select
from pipeline.config import Config, ModelSpec, Question, SensitivitySpec
from pipeline.effects.choose import Selection
from pipeline.effects.source import ASSUMED_R, BORROWED_CV, R_OF_CHANGES
from pipeline.schema import EffectSize, Sensitivity, Study

#: Recovered numbers into which an assumed correlation enters.
_RESTS_ON_R = {ASSUMED_R, R_OF_CHANGES}

#: A borrowed coefficient of variation is halved and doubled.
_CV_FACTORS = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class _Varied:
    """An analysis with what a variation changed in it; `reason` stands where nothing is pooled."""

    label: str
    effects: tuple[EffectSize, ...]
    model: ModelSpec
    refused: bool = False
    reason: str = ""

    def result(self) -> Sensitivity:
        """The analysis, pooled."""
        estimate, why = pooled(self.effects, self.model, refused=self.refused)
        return Sensitivity(self.label, estimate, "" if estimate else self.reason or why)


def sensitivity(
    question: Question, config: Config, studies: Sequence[Study], main: Selection
) -> tuple[Sensitivity, ...]:
    """Return the sensitivity analyses of a question.

    Parameters
    ----------
    question : Question
    config : Config
        The protocol that the question stands in.
    studies : sequence of Study
        Eligible studies.
    main : Selection
        What they give in the main analysis.

    Returns
    -------
    tuple of Sensitivity
        Those of the protocol first; then what every pool gets, but for what gives the same studies
        and numbers by the same model as an analysis before it.
    """
    found = list(_named(question, config, studies))
    known = {(main.effects, question.model), *((one.effects, one.model) for one in found)}
    speaking = {e.record_id for e in main.effects} | {n.record_id for n in main.not_pooled}
    near = [study for study in studies if study.record_id in speaking]
    for one in _unasked(question, config, near, main):
        if (one.effects, one.model) not in known:
            known.add((one.effects, one.model))
            found.append(one)
    return tuple(one.result() for one in found)


def _named(question: Question, config: Config, studies: Sequence[Study]) -> Iterator[_Varied]:
    """The variations that the protocol names."""
    for spec in question.sensitivity:
        varied = _vary(question, spec)
        chosen = select(varied, config, studies)
        if not spec.leave_one_out:
            refused = bool(chosen.not_pooled)
            yield _Varied(spec.label, chosen.effects, varied.model, refused)
        else:
            yield from _without_each(chosen.effects, varied.model)


def _unasked(
    question: Question, config: Config, studies: Sequence[Study], main: Selection
) -> Iterator[_Varied]:
    """The variations that a pool gets without being asked; one study is no pool."""
    if len(main.effects) < 2:
        return
    unprinted = {what for effect in main.effects for what in effect.unprinted}
    if unprinted:
        yield _printed(question, config, studies)
    changes: list[tuple[str, dict[str, float]]] = []
    if unprinted & _RESTS_ON_R:
        changes += [(f"r = {r:g}", {"ri": r}) for r in question.ri_grid]
    if BORROWED_CV in unprinted and question.cv is not None:
        cvs = (question.cv * factor for factor in _CV_FACTORS)
        changes += [(f"CV = {cv:g}", {"cv": cv}) for cv in cvs]
    for label, change in changes:
        chosen = select(question.model_copy(update=change), config, studies)
        yield _Varied(label, chosen.effects, question.model, bool(chosen.not_pooled))
    if leaves_one_out(question, len(main.effects)):
        yield from _without_each(main.effects, question.model)


def leaves_one_out(question: Question, k: int) -> bool:
    """Return whether a pool is shown without each study, unless the protocol says otherwise.

    A GLMM is, only if asked: each fit takes long.
    """
    asked = question.checks
    if asked is None:
        return k > 2 and question.model.method != "GLMM"
    return k > 2 and "leave_one_out" in asked


def _printed(question: Question, config: Config, studies: Sequence[Study]) -> _Varied:
    """The pool of studies that print every number; another row of a study may."""
    chosen = select(question.model_copy(update={"recover": ()}), config, studies)
    kept = tuple(effect for effect in chosen.effects if not effect.unprinted)
    reason = f"{'One study prints' if kept else 'No study prints'} all its numbers: no pool."
    few = reason if len(kept) < 2 else ""
    return _Varied("Printed numbers only", kept, question.model, reason=few)


def _without_each(effects: tuple[EffectSize, ...], model: ModelSpec) -> Iterator[_Varied]:
    """The analysis without each of three studies or more."""
    if len(effects) > 2:
        for i, effect in enumerate(effects):
            yield _Varied(f"Without {effect.slab}", effects[:i] + effects[i + 1 :], model)


def _vary(question: Question, spec: SensitivitySpec) -> Question:
    """The question with what a sensitivity analysis changes."""
    names = ("method", "test", "glmm_model")
    model = {k: v for k in names if (v := getattr(spec, k)) is not None}
    rest = {k: v for k in ("ri", "cv", "designs", "recover") if (v := getattr(spec, k)) is not None}
    changed = question.model.model_copy(update=model)
    return question.model_copy(update={"model": changed, **rest})
