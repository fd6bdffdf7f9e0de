"""A read Doc with its record: makes readings with their quotes and collects problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from spacy.tokens import Doc

from pipeline.extract.population import Count
from pipeline.extract.sentences import Sentence
from pipeline.schema import Problem, Quote, Reading, Record

Span = tuple[int, int]
T = TypeVar("T")


class Page:
    """What the makers of a study share."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.record: Record = doc._.record
        self.text: str = doc._.source
        self.sentences: Sequence[Sentence] = doc._.sentences
        self.problems: list[Problem] = []

    def quote(self, span: Span | None) -> Quote | None:
        """Return the quote of a span."""
        return self.record.quote(*span) if span else None

    def reading(self, value: T, span: Span | None, derived: str = "") -> Reading[T]:
        """Return a value with the quote of its span."""
        return Reading(value, self.quote(span), derived)

    def count(self, count: Count | None) -> Reading[int] | None:
        """Return a number of patients."""
        return self.reading(count.n, count.span, count.derived) if count else None

    def problem(self, code: str, message: str, span: Span | None = None) -> None:
        """Record, once, what cannot be read or does not fit."""
        found = Problem(code, message, self.quote(span))
        if found not in self.problems:
            self.problems.append(found)

    def sentence(self, position: int) -> Sentence:
        """Return the sentence in which a position lies."""
        return next(s for s in self.sentences if s.start <= position < s.end)
