"""Leaves out what was wrong too often where readings were judged: patterns/abstain.jsonl.

Each line there is a kind of readings, whatever their words, with how many were wrong on abstracts
that no rule had been made on. Values with their quotes stay; a name, a time, a size or a total of
such a kind is left out, and a problem says so. A row of which nothing is left that can be
understood is no row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from pipeline.extract.arm_sizes import COMPARATIVE
from pipeline.extract.lexicon import rules
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.page import Page
from pipeline.extract.quantities import within
from pipeline.schema import Outcome, Problem, Reading, Study

Span = tuple[int, int]

#: How far from the start of its sentence a time heads it.
HEAD = 25
#: A stop between; "the score, a mean of three, was 5" has none, since its name goes on.
_BREAK = re.compile(r"[,;:](?!\s+(?:was|were|had|has|rose|fell|[a-z]{3,12}ed)\b)")
#: Words that begin another clause; before a name, also those that say whose or what for.
_CLAUSE = re.compile(
    r"\b(?:who|whom|when|while|but|because|whereas|and|that|which)\b"
    r"|\b(?:with|without|for)\s+(?:the\s+|an?\s+)?$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[A-Za-z ]{3,20}:\s+")
_WHEN = re.compile(r"\b(?:at|after|by|during|within|until|over|in)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
#: Events that an instrument may define: "INCAT responder".
_DEFINED = re.compile(r".+ (?P<event>responder|stable|worse)")


@dataclass(frozen=True)
class _Row:
    """A row of results and the text that it stands in."""

    page: Page
    row: OutcomeSpan

    @cached_property
    def numbers(self) -> Span:
        """From the first of the row's numbers to the last."""
        spans = [m.span for m in (self.row.main, self.row.other) if m is not None]
        return (min(spans)[0], max(b for _, b in spans)) if spans else self.row.span

    @cached_property
    def gap(self) -> Span:
        """The stretch between the row's name and the nearest of its numbers."""
        (n0, n1), (first, last) = self.row.named, self.numbers
        if n1 <= first:
            return n1, first
        if n0 >= last:
            return last, n0
        lead = min((m.span for m in (self.row.main, self.row.other) if m is not None), default=None)
        return (lead[1], n0) if lead is not None and n0 >= lead[1] else (n0, n0)

    @property
    def between(self) -> str:
        """The words of the gap."""
        return self.page.text[slice(*self.gap)]

    @property
    def is_compared(self) -> bool:
        """Whether it sets arms of a trial, or groups of its sentence, against each other."""
        row = self.row
        both = row.other_is == "comparator" or (row.main is None and row.effect is not None)
        return bool(row.groups) or (both and _has_arms(self.page))

    def is_elsewhere(self) -> bool:
        """Whether the name stands in another sentence than the numbers."""
        sentence = self.page.sentence(self.numbers[0])
        return not sentence.start <= self.row.named[0] < sentence.end

    def is_tested(self) -> bool:
        """Whether the outcome has a p value and no number: "strength improved (p = 0.02)"."""
        return self.row.type == "qualitative"

    def is_counted_instrument(self) -> bool:
        """Whether an instrument names how many patients there were: "conduction block in 8"."""
        shares = self.row.type in ("count", "proportion")
        return shares and not self.row.by_event and self.row.measure in _instruments()

    def has_number_between(self) -> bool:
        """Whether another number, but no time, stands between name and numbers."""
        found = within(self.page.doc._.quantities, *self.gap)
        return any(q.kind != "timepoint" for q in found)

    def has_break_between(self) -> bool:
        """Whether a comma or another stop stands between."""
        return _BREAK.search(self.between) is not None

    def has_clause_between(self) -> bool:
        """Whether words that begin another clause or phrase stand between."""
        return _CLAUSE.search(self.between) is not None


#: What makes a name doubtful, by the kinds of patterns/abstain.jsonl; the first that holds is told.
NAMES: dict[str, Callable[[_Row], bool]] = {
    "elsewhere": _Row.is_elsewhere,
    "open": lambda r: r.row.is_open,
    "tested": _Row.is_tested,
    "counted instrument": _Row.is_counted_instrument,
    "number between": _Row.has_number_between,
    "comma between": _Row.has_break_between,
    "clause between": _Row.has_clause_between,
}


def abstain(study: Study, page: Page, rows: Sequence[OutcomeSpan]) -> Study:
    """Return a study without the readings that are too often wrong, and a problem for each.

    Parameters
    ----------
    study : Study
    page : Page
        The Doc that it was read from.
    rows : sequence of OutcomeSpan
        What each of its outcomes was made of.
    """
    told: list[Problem] = []
    counted = _without_part(study, page, told)
    pairs = zip(counted.outcomes, rows, strict=True)
    made = [_outcome(outcome, _Row(page, row), told) for outcome, row in pairs]
    outcomes = tuple(o for o in made if o is not None)
    return replace(counted, outcomes=outcomes, problems=(*study.problems, *dict.fromkeys(told)))


def doubt_of(page: Page, row: OutcomeSpan) -> str:
    """Return the kind that makes a row's name doubtful, "" for a name that stays."""
    found = _Row(page, row)
    if not row.measure or found.is_compared:
        return ""
    return next((kind for kind, holds in NAMES.items() if holds(found)), "")


def _outcome(outcome: Outcome, found: _Row, told: list[Problem]) -> Outcome | None:
    """An outcome without its doubtful name or time; None where too little is left."""
    page, row = found.page, found.row
    kind = doubt_of(page, row)
    if kind:
        told.append(_problem(page, kind, "the name of the outcome", row.named))
        return None if _is_bare(outcome, row) else _nameless(outcome, row)
    if _is_all(found):
        told.append(_problem(page, "all", "how many had it", row.span))
        return None
    if (match := _DEFINED.fullmatch(outcome.measure)) and not found.is_compared:
        told.append(_problem(page, "defined", "the instrument", row.named))
        outcome = replace(outcome, measure=match["event"])
    if row.time is not None and not _is_own_time(found):
        told.append(_problem(page, "time", "the time", (row.time.start, row.time.end)))
        outcome = replace(outcome, timepoint=None)
    return outcome


def _nameless(outcome: Outcome, row: OutcomeSpan) -> Outcome:
    """An outcome without name, nor what hangs on that: time, direction and its group's size."""
    by_p = row.p is not None and row.direction == "no difference"
    size = _printed(outcome.n, outcome.events, outcome.value)
    other = _printed(outcome.comparator_n, outcome.comparator_events, outcome.comparator_value)
    return replace(
        outcome,
        measure="",
        timepoint=None,
        direction=outcome.direction if by_p else None,
        n=size,
        comparator_n=other,
    )


def _printed(
    n: Reading[int] | None, events: Reading[int] | None, value: Reading[float] | None
) -> Reading[int] | None:
    """A size that is printed with its result, or that a printed percentage confirms."""
    confirmed = events is not None and value is not None
    return n if n is not None and (confirmed or not n.derived) else None


def _is_bare(outcome: Outcome, row: OutcomeSpan) -> bool:
    """Whether a row without name says nothing: a p value, or a count of whatever of whoever."""
    if row.main is None or row.main.events is None:
        return row.main is None and row.effect is None
    return row.main.events.kind != "fraction" and outcome.value is None


def _is_all(found: _Row) -> bool:
    """Whether "all" without a number says how many had an event, and no arm says whose."""
    main = found.row.main
    events = main.events if main is not None else None
    return events is not None and events.kind == "all" and not found.is_compared


def _is_trial(page: Page) -> bool:
    """Whether the study compares arms by its design."""
    return page.doc._.design.design in COMPARATIVE


def _has_arms(page: Page) -> bool:
    """Whether several arms are compared."""
    return len(page.doc._.arms) > 1 and _is_trial(page)


def _is_own_time(found: _Row) -> bool:
    """Whether a time stands behind the numbers in their clause, or heads it: "At 6 months, ..."."""
    time, text, (first, last) = found.row.time, found.page.text, found.numbers
    if time is None or first < time.end <= last:
        return True
    if time.start >= last:
        between = text[last : time.start]
        return not (_BREAK.search(between) or _CLAUSE.search(between))
    head = _LABEL.sub("", text[found.page.sentence(first).start : time.start], count=1)
    return len(head) <= HEAD and _DIGIT.search(head) is None and _WHEN.search(head) is not None


def _without_part(study: Study, page: Page, told: list[Problem]) -> Study:
    """A study without a total that is a part of its patients, and without what is taken from it."""
    population = page.doc._.population
    total, larger = population.total, population.larger
    if total is None or larger is None or _is_trial(page):
        return study
    told.append(_problem(page, "part", f"the total ({total.n}, or {larger.n})", larger.span))
    quote = page.quote(total.span)

    def other(n: Reading[int] | None) -> Reading[int] | None:
        """A size that is not taken from the total."""
        return None if n is not None and n.derived and n.quote == quote else n

    return replace(
        study,
        n_total=None,
        n_enrolled=None,
        n_completed=None,
        arms=tuple(replace(a, n=other(a.n)) for a in study.arms),
        outcomes=tuple(
            replace(o, n=other(o.n), comparator_n=other(o.comparator_n)) for o in study.outcomes
        ),
    )


def _problem(page: Page, kind: str, what: str, span: Span) -> Problem:
    """What is left out, why, and how often such readings were wrong."""
    line = _kinds()[kind]
    share = round(100 * line["wrong"] / line["read"])
    message = f"abstained: {what}: {line['why']} ({share} of 100 such were wrong)."
    return Problem("abstained", message, page.quote(span))


@cache
def _kinds() -> dict[str, dict[str, Any]]:
    """The lines of patterns/abstain.jsonl by kind."""
    return {line["kind"]: line for line in rules("abstain")}


@cache
def _instruments() -> frozenset[str]:
    """The names of the shipped instruments."""
    return frozenset(line["name"] for line in rules("instruments"))
