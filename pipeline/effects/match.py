"""Which studies answer a question, and which of their results are of its outcome."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from pipeline.config import Condition, OutcomeDef, Question
from pipeline.schema import Outcome, Study

#: Types of result that fit an outcome of each kind; "qualitative" and "ratio" fit both.
TYPES = {
    "binary": ("count", "proportion", "qualitative", "ratio"),
    "continuous": (
        "mean",
        "mean_change",
        "percent_change",
        "median",
        "difference",
        "ratio",
        "range",
        "qualitative",
    ),
}

#: Words before an outcome's phrase that turn it into another outcome.
_OTHER = (
    r"(?:non|no|not|without|loss of|lack of|time to|time until|duration of)[\s-]+(?:\w+[\s-]+)?"
)


def belongs(question: Question, study: Study, population: Sequence[Condition]) -> bool:
    """Return whether a study is of the question's conditions, comparisons, comparator and designs.

    Parameters
    ----------
    question : Question
        An empty tuple of conditions, comparator phrases or designs means any.
    study : Study
        An eligible study.
    population : sequence of Condition
        The protocol's conditions; a study's may be named by a condition's name or terms.
    """
    compared = study.comparison_class.value if study.comparison_class else ""
    return (
        (not question.conditions or condition_name(study, population) in question.conditions)
        and compared in question.comparisons
        and (not question.comparator or _against(question.comparator, study))
        and (not question.designs or study.design.value in question.designs)
    )


def condition_name(study: Study, population: Sequence[Condition]) -> str:
    """Return the protocol's name of a study's condition; as read where it has none, or ""."""
    if study.condition is None:
        return ""
    read = study.condition.value.casefold()
    for condition in population:
        if read in (text.casefold() for text in (condition.name, *condition.terms)):
            return condition.name
    return study.condition.value


def rows_of(outcome: OutcomeDef, study: Study) -> list[tuple[int, Outcome]]:
    """Return a study's results on an outcome, each with the rank of its phrase in the protocol.

    A result belongs if its measure holds a synonym or the outcome's name as whole words, in the
    singular or plural, and if its type fits the outcome's kind.
    """
    ranked = ((_rank(outcome, row.measure), row) for row in study.outcomes)
    fitting = TYPES[outcome.kind]
    return [(rank, row) for rank, row in ranked if rank is not None and row.type in fitting]


def is_of_comparator(row: Outcome, study: Study) -> bool:
    """Return whether a result stands under a comparator arm's label, its roles reversed."""
    roles = {arm.role for arm in study.arms if arm.label.casefold() == row.arm.casefold()}
    return roles == {"comparator"}


def is_add_on(row: Outcome, comparator: Sequence[str]) -> bool:
    """Return whether the treated arm got the comparator too: "PE+IVIg" against "PE"."""
    treated = re.split(r"\s(?:vs?|versus)\.?\s", row.arm)[0]
    return any(holds(treated, phrase) for phrase in comparator)


def holds(text: str, phrase: str) -> bool:
    """Return whether `text` holds `phrase` as whole words, in any case, singular or plural."""
    return _pattern(phrase).search(text) is not None


def _rank(outcome: OutcomeDef, measure: str) -> int | None:
    """The place of the first phrase that names the outcome in `measure`; None if none does."""
    for i, phrase in enumerate((*outcome.synonyms, outcome.name)):
        found = _pattern(phrase).search(measure)
        if found and not re.search(rf"\b{_OTHER}$", measure[: found.start()], re.IGNORECASE):
            return i
    return None


def _against(phrases: Sequence[str], study: Study) -> bool:
    """Whether some comparator arm's label or treatment shows one of the phrases."""
    shown = [a.label + " ; " + a.treatment for a in study.arms if a.role == "comparator"]
    return any(holds(text, phrase) for text in shown for phrase in phrases)


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """Whole words of a phrase, each with or without a plural's s."""
    words = r"[\s-]+".join(_word(word) for word in re.split(r"[\s-]+", phrase.strip()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)


def _word(word: str) -> str:
    """A word's pattern, tolerant of the plural; "ss" as in weakness is no plural."""
    stem = word[:-1] if len(word) > 3 and re.search(r"[^su]s$", word) else word
    return re.escape(stem) + r"(?:e?s)?"
