"""One printed result -> the effect size of a measure, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.config import OutcomeDef, Question
from pipeline.effects.counts import one_count, two_counts
from pipeline.effects.means import crossover_means, mean_change, two_means
from pipeline.effects.paired import paired_t
from pipeline.effects.percent import FROM_PERCENT, ratio_of_change, ratio_of_percents
from pipeline.effects.reported import reported
from pipeline.effects.source import Computed, Source
from pipeline.errors import EffectSizeError
from pipeline.schema import Outcome

#: Data of two independent arms, which a crossover's periods are not.
INDEPENDENT = ("two counts", "two means")

#: Who reads which data, by `Measure.data`.
READERS: Mapping[str, Callable[[Source], Computed]] = {
    "two counts": two_counts,
    "count": one_count,
    "two means": two_means,
    "change": mean_change,
    "ratio of change": ratio_of_change,
    "paired t": paired_t,
    "effect": reported,
}


def compute(row: Outcome, question: Question, outcome: OutcomeDef, design: str) -> Computed:
    """Return the effect size of one printed result.

    Parameters
    ----------
    row : Outcome
        The result as read.
    question : Question
        Names the measure, the correlation `ri`, and the conversions it allows in `recover`.
    outcome : OutcomeDef
        The outcome's range, unit and direction.
    design : str
        The study's design.

    Raises
    ------
    EffectSizeError
        If the row does not give the data the measure needs; the message is the reason.
    """
    source = Source(row, question, outcome, design)
    if design == "rct_crossover" and question.measure == "MD" and question.ri is not None:
        return crossover_means(source)
    if design == "rct_crossover" and source.measure.data in INDEPENDENT:
        raise EffectSizeError(
            f"{question.measure} needs independent arms, and the periods of a crossover are not: "
            "paired data needed"
        )
    if row.type == "percent_change" and FROM_PERCENT in question.recover:
        return ratio_of_percents(source)
    return READERS[source.measure.data](source)
