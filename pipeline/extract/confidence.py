"""Says how often a reading like this one was right on gold records: patterns/confidence.jsonl.

A reading is like others of its field with as many signs of doubt. `evipool train confidence`
counts them; what no gold record judges has no confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, TypeVar

from pipeline.extract.lexicon import rules
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.page import Page
from pipeline.extract.sentences import Sentence
from pipeline.schema import Outcome, Quote, Reading, Study

#: (field, signs of doubt) -> confidence.
Table = Callable[[str, int], float | None]
#: More signs than this are rare, and counted as this many.
MOST_DOUBTS = 2
#: Under which name a reading is judged, where that is not its own.
JUDGED_AS = {
    "condition": "condition_mesh",
    "doses.amount": "doses",
    **{
        f"outcomes.{side}{name}": f"outcomes.{side}spread"
        for side in ("", "baseline_", "comparator_")
        for name in ("sd", "se", "spread_unlabelled")
    },
}
#: Where abstracts repeat, promise or report others' numbers.
_NOT_RESULTS = frozenset({"objective", "background", "conclusions", "other"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Judge:
    """What the confidence of a study's readings hangs on."""

    page: Page
    table: Table
    problems: frozenset[Sentence]

    def judged(self, path: str, reading: Reading[T], more: int = 0) -> Reading[T]:
        """A reading with its confidence; `more` signs of doubt come from its row."""
        doubts = more + sum(self._signs(reading))
        found = self.table(JUDGED_AS.get(path, path), min(doubts, MOST_DOUBTS))
        return replace(reading, confidence=found)

    def _signs(self, reading: Reading[Any]) -> Iterator[bool]:
        """A rule gave it; a problem stands in its sentence; that reports no results."""
        yield bool(reading.derived)
        if reading.quote is not None:
            sentence = _sentence(self.page, reading.quote)
            yield sentence in self.problems
            yield sentence is not None and (sentence.part or sentence.likely) in _NOT_RESULTS

    def all_of(self, value: Any, prefix: str = "", more: int = 0) -> Any:
        """A study, arm, dose or outcome with the confidence of each of its readings."""
        named = ((f.name, getattr(value, f.name)) for f in fields(value))
        readings = {
            name: self.judged(f"{prefix}{name}", v, more)
            for name, v in named
            if isinstance(v, Reading)
        }
        return replace(value, **readings)


def with_confidence(
    study: Study, page: Page, rows: Sequence[OutcomeSpan], table: Table | None = None
) -> Study:
    """Return a study whose readings say how far they can be trusted.

    Of a study that does not name the protocol's treatment, nothing is said of arms, doses and
    outcomes: no gold record is like it.

    Parameters
    ----------
    study : Study
    page : Page
        The Doc that it was read from.
    rows : sequence of OutcomeSpan
        What each of its outcomes was made of.
    table : callable, optional
        By default the shipped one.
    """
    quoted = (_sentence(page, p.quote) for p in study.problems if p.quote is not None)
    judge = _Judge(page, table or confidence, frozenset(s for s in quoted if s is not None))
    whole: Study = judge.all_of(study)
    if not page.doc._.interventions:  # the gold records name the protocol's treatment
        return whole
    pairs = zip(study.outcomes, rows, strict=True)
    return replace(
        whole,
        arms=tuple(judge.all_of(a, "arms.") for a in study.arms),
        doses=tuple(judge.all_of(d, "doses.") for d in study.doses),
        outcomes=tuple(_outcome(judge, o, row) for o, row in pairs),
        registry_ids=tuple(judge.judged("registry_ids", r) for r in study.registry_ids),
    )


def confidence(field: str, doubts: int) -> float | None:
    """Return the share of readings of a field with so many signs of doubt that were right."""
    return _table().get((field, doubts))


def _outcome(judge: _Judge, outcome: Outcome, row: OutcomeSpan) -> Outcome:
    """An outcome; its name or its arm may stand in another sentence than its numbers.

    None was judged of an outcome that no rule knows, or of groups that one sentence names.
    """
    if row.is_open or row.groups:
        return outcome
    sentence = judge.page.sentence(row.span[0])
    carried = not sentence.start <= row.named[0] < sentence.end
    found: Outcome = judge.all_of(outcome, "outcomes.", carried + _unnamed(judge, row, sentence))
    return found


def _unnamed(judge: _Judge, row: OutcomeSpan, sentence: Sentence) -> bool:
    """Whether a row is one arm's of several, and its sentence does not name that arm."""
    arms = judge.page.doc._.arms
    if len(arms) < 2 or row.whole:
        return False
    if row.arm is None:
        return True
    return not any(sentence.start <= start < sentence.end for start, _ in arms[row.arm].mentions)


def _sentence(page: Page, quote: Quote) -> Sentence | None:
    """The sentence in which a quote begins."""
    return next((s for s in page.sentences if s.start <= quote.start < s.end), None)


@cache
def _table() -> dict[tuple[str, int], float]:
    """The rows of patterns/confidence.jsonl."""
    return {(r["field"], r["doubts"]): r["confidence"] for r in rules("confidence")}
