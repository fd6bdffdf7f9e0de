"""Chooses the result of each study that answers a question, one per study.

What a study prints and cannot be pooled is returned too, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from pipeline.config import COUNT_MODELS, Condition, OutcomeDef, Question
from pipeline.effects.convert import RECOVERIES
from pipeline.effects.match import belongs, condition_name, is_add_on, is_of_comparator, rows_of
from pipeline.effects.measures import MEASURES
from pipeline.effects.percent import FROM_PERCENT
from pipeline.effects.printed import printed, quote_of
from pipeline.effects.read import compute
from pipeline.effects.source import ASSUMPTIONS, Computed
from pipeline.errors import ConfigError, EffectSizeError
from pipeline.schema import EffectSize, NotPooled, Outcome, Study


@dataclass(frozen=True, slots=True)
class Selection:
    """What the studies give for a question; `assumptions` hold for the pool as a whole."""

    effects: tuple[EffectSize, ...]
    not_pooled: tuple[NotPooled, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A study's chosen row, with its effect size or the reason why there is none."""

    study: Study
    row: Outcome
    computed: Computed | None
    reason: str = ""


def effects_for(
    question: Question,
    outcome: OutcomeDef,
    population: Sequence[Condition],
    studies: Sequence[Study],
    *,
    min_n: int = 1,
) -> Selection:
    """Return the effect sizes that answer a question, and what cannot enter its pool.

    Of each study one result is used, so that each patient counts once: a result that gives the
    data of the measure before one that does not, then the phrase that stands first in the
    protocol, the larger n, the later time, and the order in the text.

    Parameters
    ----------
    question : Question
        The question; studies of other conditions, comparisons or designs are no part of it.
    outcome : OutcomeDef
        The question's outcome.
    population : sequence of Condition
        The protocol's conditions.
    studies : sequence of Study
        Eligible studies.
    min_n : int
        Smaller studies stay narrative.

    Returns
    -------
    Selection
        Effects and refusals in the order of the studies. A study without any result on the
        outcome is in neither.

    Raises
    ------
    ConfigError
        If the measure is unknown, or is one of counts where the outcome is continuous, or the
        reverse.
    """
    check_questions([question])
    _check_kind(question, outcome)
    members = [s for s in studies if belongs(question, s, population)]
    found = (_choose(question, outcome, study) for study in members)
    choices = [_of_size(choice, min_n) for choice in found if choice is not None]
    choices = _of_one_kind(question.measure, choices)
    pooled = [(c, c.computed) for c in choices if c.computed is not None]
    return Selection(
        tuple(_effect(question, population, c, computed) for c, computed in pooled),
        tuple(_refusal(c) for c in choices if c.computed is None),
        _assumptions(question, [computed for _, computed in pooled]),
    )


def check_questions(questions: Iterable[Question], outcomes: Iterable[OutcomeDef] = ()) -> None:
    """Refuse a question whose measure, recovery or model does not exist or does not fit.

    Parameters
    ----------
    questions : iterable of Question
    outcomes : iterable of OutcomeDef
        The protocol's outcomes; a question on another is not held against it.

    Raises
    ------
    ConfigError
        Naming the question, the value, and what is known.
    """
    defined = {outcome.name: outcome for outcome in outcomes}
    for question in questions:
        if question.measure not in MEASURES:
            raise ConfigError(
                f"Question {question.id}: unknown measure {question.measure!r}; "
                f"must be one of {', '.join(MEASURES)}."
            )
        lists = [question.recover, *(s.recover or () for s in question.sensitivity)]
        for name in (name for names in lists for name in names):
            if name not in RECOVERIES:
                raise ConfigError(
                    f"Question {question.id}: unknown name {name!r} in recover; "
                    f"must be one of {', '.join(RECOVERIES)}."
                )
        _check_percent(question)
        _check_models(question)
        if question.outcome in defined:
            _check_kind(question, defined[question.outcome])


def _check_percent(question: Question) -> None:
    """Refuse ratios behind percent changes of other measures, or without what they borrow."""
    lists = [question.recover, *(s.recover or () for s in question.sensitivity)]
    if not any(FROM_PERCENT in names for names in lists):
        return
    if question.measure not in ("ROM", "ROMC"):
        raise ConfigError(
            f"Question {question.id}: {FROM_PERCENT} gives ROM and ROMC; not {question.measure}."
        )
    missing = [name for name in ("cv", "ri") if getattr(question, name) is None]
    if missing:
        raise ConfigError(f"Question {question.id}: {FROM_PERCENT} needs {' and '.join(missing)}.")


def _check_models(question: Question) -> None:
    """Refuse a model of counts, of the question or of a variation, that pools other measures."""
    for method in (question.model.method, *(s.method for s in question.sensitivity)):
        pooled = COUNT_MODELS.get(method or "")
        if pooled is not None and question.measure not in pooled:
            raise ConfigError(
                f"Question {question.id}: {method} pools {', '.join(pooled)}; "
                f"not {question.measure}."
            )
    for spec in question.sensitivity:
        if spec.glmm_model and (spec.method or question.model.method) != "GLMM":
            raise ConfigError(
                f"Question {question.id}: glmm_model {spec.glmm_model} of {spec.label!r} belongs "
                "to the method GLMM."
            )


def _check_kind(question: Question, outcome: OutcomeDef) -> None:
    """Refuse a measure of counts for a continuous outcome, and the reverse."""
    kind = MEASURES[question.measure].kind
    if kind not in ("any", outcome.kind):
        raise ConfigError(
            f"Question {question.id}: {question.measure} needs a {kind} outcome; "
            f"{outcome.name!r} is {outcome.kind}."
        )


def _choose(question: Question, outcome: OutcomeDef, study: Study) -> _Choice | None:
    """The best result of a study, or None where it has none on the outcome."""
    choices = []
    for order, (rank, row) in enumerate(rows_of(outcome, study)):
        choice = _try(question, outcome, study, row)
        size = row.n.value if row.n else 0
        key = (choice.computed is None, rank, -size, -_days(row), order)
        choices.append((key, choice))
    return min(choices, key=lambda pair: pair[0])[1] if choices else None


def _try(question: Question, outcome: OutcomeDef, study: Study, row: Outcome) -> _Choice:
    """A row with its effect size, or with the reason why it has none."""
    if is_of_comparator(row, study):
        return _Choice(study, row, None, f"the result is that of the comparator, {row.arm}")
    if is_add_on(row, question.comparator):
        return _Choice(study, row, None, f"{row.arm} includes the comparator: an add-on comparison")
    try:
        computed = compute(row, question, outcome, study.design.value)
    except EffectSizeError as refused:
        return _Choice(study, row, None, str(refused))
    return _Choice(study, row, computed)


def _days(row: Outcome) -> float:
    """When a row was measured, in days; the end of a span; unknown counts as earliest."""
    days = row.timepoint.days if row.timepoint else None
    if days is None:
        return -inf
    return days[1] if isinstance(days, tuple) else days


def _of_size(choice: _Choice, min_n: int) -> _Choice:
    """Refuse a study, or a result, on fewer patients than the protocol's minimum."""
    total = choice.study.n_total.value if choice.study.n_total else None
    sizes = [n for n in (total, choice.computed.ni if choice.computed else None) if n]
    if not sizes or min(sizes) >= min_n:
        return choice
    reason = f"n = {min(sizes)} is below the protocol's minimum of {min_n}: narrative only"
    return _Choice(choice.study, choice.row, None, reason)


def _of_one_kind(measure: str, choices: list[_Choice]) -> list[_Choice]:
    """Refuse changes that cannot stand beside final scores in one pool.

    An improvement has the opposite sign of a score where lower is better, and standardised mean
    differences of changes and of final scores differ in their unit (Cochrane Handbook 10.5.2).
    """
    kinds = {_kind(c.computed) for c in choices if c.computed is not None}
    refused = {"improvement"} if "" in kinds or "change" in kinds else set()
    if measure == "SMD" and "" in kinds:
        refused.add("change")
    return [
        _Choice(c.study, c.row, None, "a change or improvement; the pool holds scores")
        if c.computed is not None and _kind(c.computed) in refused
        else c
        for c in choices
    ]


def _kind(computed: Computed) -> str:
    """Whether an effect is one of "improvement", of "change", or "" of final scores."""
    kinds = {kind for kind, _ in computed.notes}
    return next((k for k in ("improvement", "change") if k in kinds), "")


def _effect(
    question: Question, population: Sequence[Condition], choice: _Choice, computed: Computed
) -> EffectSize:
    """The effect size of a chosen row."""
    study = choice.study
    groups = {"condition": condition_name(study, population), "design": study.design.value}
    headers = MEASURES[question.measure].columns
    return EffectSize(
        record_id=study.record_id,
        slab=study.slab or study.record_id,
        measure=question.measure,
        yi=computed.yi,
        vi=computed.vi,
        ni=computed.ni or None,
        subgroup=groups[question.subgroup] if question.subgroup else "",
        outcome=choice.row.measure,
        columns=tuple(zip(headers, computed.cells, strict=True)),
        recovered=tuple(sentence for _, sentence in computed.notes),
        quotes=computed.quotes,
        reviewed=computed.reviewed and _placed(choice),
        counts=computed.counts,
        numbers=computed.numbers,
        unprinted=computed.unprinted,
    )


def _placed(choice: _Choice) -> bool:
    """Whether a person has checked what places a result in its pool: the row's words, the study."""
    study, row = choice.study, choice.row
    words = [name for name in ("measure", "type", "arm") if getattr(row, name)]
    about = (study.design, study.condition, study.comparison_class)
    return set(words) <= set(row.reviewed) and all(r.reviewed for r in about if r is not None)


def _refusal(choice: _Choice) -> NotPooled:
    """What a study prints, and why it cannot be pooled."""
    study, row = choice.study, choice.row
    return NotPooled(
        record_id=study.record_id,
        slab=study.slab or study.record_id,
        outcome=row.measure,
        reason=choice.reason,
        printed=printed(row),
        quote=quote_of(row),
    )


#: A model of counts has no rule for zero cells.
_ZERO_CELLS = (
    "Where a cell is 0, 1/2 is added to every cell for that study's own effect; "
    "the pool takes the counts as printed"
)


def _assumptions(question: Question, computed: Sequence[Computed]) -> tuple[str, ...]:
    """What the pool rests on, each with the number of its studies."""
    said = dict(ASSUMPTIONS)
    if question.model.method in COUNT_MODELS:
        said["zero cell"] = _ZERO_CELLS
    kinds = [{kind for kind, _ in one.notes} for one in computed]
    counts = {kind: sum(kind in one for one in kinds) for kind in ASSUMPTIONS}
    of = f"of {len(computed)} {'study' if len(computed) == 1 else 'studies'}"
    return tuple(f"{said[kind]} ({n} {of})." for kind, n in counts.items() if n)
