"""What studies give to a question, and what they give together, or why they give nothing."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config import Config, ModelSpec, Question
from pipeline.effects.choose import Selection, effects_for
from pipeline.errors import PoolError
from pipeline.pool import pool
from pipeline.schema import EffectSize, PooledEstimate, Study


def select(question: Question, config: Config, studies: Sequence[Study]) -> Selection:
    """Return the effect sizes for a question."""
    return effects_for(
        question,
        config.outcome(question.outcome),
        config.eligibility.population,
        studies,
        min_n=config.eligibility.min_n,
    )


def pooled(
    effects: Sequence[EffectSize], model: ModelSpec, *, refused: bool = False
) -> tuple[PooledEstimate | None, str]:
    """Return the pooled estimate of two studies or more, or the reason why there is none.

    Parameters
    ----------
    effects : sequence of EffectSize
    model : ModelSpec
    refused : bool
        Whether other studies speak to the question and stayed out, each with its reason.
    """
    if not effects:
        none = "No eligible study reports this outcome for this comparison."
        return None, "No study is poolable: see the reason of each." if refused else none
    if len(effects) == 1:
        return None, "One study is poolable: it is shown, without a pooled estimate."
    try:
        return pool(effects, model), ""
    except PoolError as failed:
        return None, str(failed)
