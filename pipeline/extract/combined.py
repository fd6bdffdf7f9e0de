"""Finds what makes an uncontrolled study's result not the intervention's own, or not its own."""

from __future__ import annotations

import re
from functools import cache

from spacy.tokens import Doc

from pipeline.extract.lexicon import lexicon, rules

Span = tuple[int, int]

_COMBINED = re.compile(
    r"\b(?:followed by|combined with|in combination with|together with|plus|zipper)\b",
    re.IGNORECASE,
)
#: How far before and behind the words another treatment is looked for.
BEFORE, BEHIND = 90, 60


def combined(doc: Doc) -> Span | None:
    """Return where the one arm of a study is said to have had another treatment too."""
    text: str = doc._.source
    match = _COMBINED.search(text) if len(doc._.arms) == 1 and doc._.comparison else None
    if match is None:
        return None
    start, end = max(0, match.start() - BEFORE), match.end() + BEHIND
    others = lexicon("treatments").find(text, start, end)
    return match.span() if any(t.entry["class"] == "active" for t in others) else None


def mixed(doc: Doc) -> Span | None:
    """Return where an uncontrolled study says that it counts published patients with its own."""
    if len(doc._.arms) != 1 or not doc._.comparison:
        return None
    found = (rx.search(doc._.source) for rx in _mixtures())
    return next((m.span() for m in found if m), None)


@cache
def _mixtures() -> tuple[re.Pattern[str], ...]:
    """The rows of patterns/mixed_series.jsonl, compiled."""
    return tuple(re.compile(r["pattern"], re.IGNORECASE) for r in rules("mixed_series"))
