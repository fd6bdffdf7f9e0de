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
from pipeline.schema import EffectSize, Sensitivity, Study


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
        Those of the protocol first.
    """
    named = list(_named(question, config, studies))
    return tuple(one.result() for one in named)


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
