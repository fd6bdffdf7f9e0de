"""Finds the clause of a value, and what its verb says was seen in those who are counted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extract.phrases import Phrase, is_circumstance

_SEEN = re.compile(
    r"\b(?:occurred|(?:was|were)\s+(?:also\s+|only\s+|\w{1,15}ly\s+)?(?:noted|observed|reported|found|seen"
    r"|detected|recorded|present|documented|identified|diagnosed|demonstrated|experienced|achieved))\b"
    r"[^.;:\d]{0,80}$",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\b(?:which|that)\s+$", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[;:]\s|,\s(?:whereas|while|but|and)\s|\b(?:whereas|although)\s", re.IGNORECASE
)
_NEW_CLAUSE = re.compile(r";\s|,\s(?:whereas|while|but)\s", re.IGNORECASE)
#: What a clause may begin with before its subject: "In group A, ...", "After 5 years, ...".
_AHEAD = re.compile(
    r"\s*(?:at|after|among|before|by|during|following|for|from|in|of|on|with|within|until|compared)\s"
    r"(?:[^,;()]|[(][^()]{0,80}[)]){0,150}+,",
    re.IGNORECASE,
)


def subject_of(text: str, start: int, end: int, found: Sequence[Phrase]) -> Phrase | None:
    """Return what is said to have been seen in those counted at `end`.

    "Flushing, the commonest adverse event, was noted in 12%": the first phrase of the clause.
    """
    seen = _SEEN.search(text, start, end)
    if seen is None:
        return None
    if _WHICH.search(text[max(start, seen.start() - 8) : seen.start()]):
        before = [p for p in found if start <= p.start and p.end <= seen.start()]
        return before[-1] if before else None
    first = max((m.end() for m in _CLAUSE.finditer(text, start, seen.start())), default=start)
    ahead = _AHEAD.match(text, first, seen.start())
    first = ahead.end() if ahead else first
    named = (p for p in found if first <= p.start and p.end <= seen.start())
    return next((p for p in named if not is_circumstance(text, p)), None)


def clause_start(text: str, start: int, at: int) -> int:
    """Return where the clause of a value at `at` starts: behind a semicolon, ", whereas"."""
    found = [m.end() for m in _NEW_CLAUSE.finditer(text, start, at)]
    return next((k for k in reversed(found) if not is_inside(text, start, k)), start)


def is_inside(text: str, start: int, at: int) -> bool:
    """Whether a place stands inside brackets."""
    before = text[start:at]
    return before.count("(") + before.count("[") > before.count(")") + before.count("]")


def within_clause(text: str, start: int, end: int, found: Sequence[Phrase]) -> Phrase | None:
    """Return the last phrase of ``text[start:end]`` that names what was measured."""
    own = [p for p in found if start <= p.start and p.end <= end and not is_circumstance(text, p)]
    return own[-1] if own else None
