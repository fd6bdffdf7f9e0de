"""Finds what a study says against its being of one disease, of one arm, or of an effect at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from spacy.tokens import Doc

from pipeline.extract.design import RANDOMISED
from pipeline.extract.lexicon import rules

Span = tuple[int, int]


def cross_sectional(doc: Doc) -> Span | None:
    """Return where a study says that it looks at one time, or for how measures go together."""
    return None if doc._.design.design in RANDOMISED else _first("cross-sectional", doc._.source)


def compared_groups(doc: Doc) -> Span | None:
    """Return where a study of one arm sets groups by treatment against each other."""
    return _first("groups by treatment", doc._.source)


def mixed_cohort(doc: Doc) -> Span | None:
    """Return where a title names a class of diseases, of which the text may name some."""
    return _first("class of diseases", doc._.record.title)


def kept_on(doc: Doc) -> Span | None:
    """Return where all patients of a trial are on the intervention: "IVIg-dependent", "kept on"."""
    text: str = doc._.source
    for term in doc._.interventions:
        before = text[max(0, term.start - 40) : term.start]
        if _search("dependent", text[term.end : term.end + 20]) or _search("kept on", before):
            return term.start, term.end
    return None


def _first(kind: str, text: str) -> Span | None:
    """Where a pattern of a kind matches first."""
    return next((m.span() for rx in _patterns(kind) if (m := rx.search(text))), None)


def _search(kind: str, text: str) -> bool:
    """Whether a pattern of a kind matches."""
    return any(rx.search(text) for rx in _patterns(kind))


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    """The rows of a kind of patterns/study_kinds.jsonl, compiled."""
    return tuple(_compiled(kind))


def _compiled(kind: str) -> Iterator[re.Pattern[str]]:
    """The patterns of the rows of a kind."""
    for row in rules("study_kinds"):
        if row["kind"] == kind:
            yield re.compile(row["pattern"], re.IGNORECASE)
