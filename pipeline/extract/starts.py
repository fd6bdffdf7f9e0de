"""Tries a pattern only at the places of a text where its matches may begin.

A pattern's leads are the strings that its matches begin with, "at", "mor" ... for
``at\\sleast|more\\sthan``, or a digit. A pattern without leads is tried everywhere, unless the
words that it needs are missing (`hints`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from pipeline.extract.hints import hints
from pipeline.extract.places import (
    DIGIT,
    DIGITS,
    NUMBER,
    PREFIX,
    WORD,
    Leads,
    matches,
    places,
    within,
)

#: Stands before a lead that begins a word.
EDGE = "\b"
#: Leads so frequent that a pattern begun by one is as quickly tried everywhere.
_FREQUENT = frozenset(["", *" acdehilnorstu"])
#: Strings are looked for by one letter, if that is rare, else by four, or two if those are many.
LENGTHS = (1, 4, 2)
#: More leads than this are no quicker to look for than the pattern itself.
MOST = 60
#: Taken apart into more leads than this, a pattern is known by their first letters.
MOST_PARTS = 400
#: So few words that a pattern needs are looked for before its leads.
FEW = 3
#: In a shorter text nothing is looked up.
WORTH = 200
#: Patterns look back at most so far.
LOOK_BEHIND = 16
_LETTERS = {code for code in range(256) if WORD.match(chr(code).lower())}
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_NO_WIDTH = (ops.AT, ops.ASSERT, ops.ASSERT_NOT)

Found = Iterable[re.Match[str]]
#: A string that a match begins with, and whether what follows may be added to it.
Lead = tuple[str, bool]
_CATEGORIES: dict[Any, Lead] = {
    ops.CATEGORY_DIGIT: (DIGIT, False),
    ops.CATEGORY_SPACE: (" ", True),
}


class Starts:
    """A compiled pattern with the methods of one, tried only where a match may begin."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern, self.leads, self.hints = pattern, leads(pattern), hints(pattern)
        self.asked = self.hints and (len(self.hints) <= FEW or self.leads is None)

    def finditer(
        self, text: str, start: int = 0, end: int | None = None
    ) -> Iterable[re.Match[str]]:
        """Yield the matches in ``text[start:end]``, as `re.Pattern.finditer` does."""
        end = len(text) if end is None else end
        if len(text) < WORTH:
            return self.pattern.finditer(text, start, end)
        seen = places(text)
        if self.asked and not seen.may_hold(self.hints, start - LOOK_BEHIND, end):
            return ()
        if self.leads is None:
            return self.pattern.finditer(text, start, end)
        found = within(seen.of(self.leads), start, end)
        return matches(self.pattern, text, found, end) if found else ()

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        """Return the first match in ``text[start:end]``, or None."""
        return next(iter(self.finditer(text, start, end)), None)


def leads(pattern: re.Pattern[str]) -> Leads | None:
    """Return what each match of a pattern begins with.

    None where that is not sure, or stands nearly everywhere.
    """
    found = {lead for lead, _ in _of_items(parser.parse(pattern.pattern, pattern.flags))}
    begun = {lead[1:] for lead in found if lead[:1] == EDGE}
    words = frozenset(word for lead in begun if (word := _word(lead)))
    others = {lead for lead in found if lead[:1] != EDGE} | {b for b in begun if not _word(b)}
    cuts = (_apart({lead[:length] for lead in others}) for length in LENGTHS)
    rare = (cut for cut in cuts if len(cut) <= MOST and cut.isdisjoint(_FREQUENT))
    strings = next(rare, None)
    if strings is None:
        return None
    return Leads(words, strings.difference(DIGITS), strings.intersection(DIGITS))


def _word(lead: str) -> str:
    """The letters that a word is looked up by, "" for a lead of too few that does not end it."""
    word = WORD.match(lead)[0]  # type: ignore[index]
    return word[:PREFIX] if len(word) < len(lead) or len(word) >= PREFIX else ""


def _apart(leads: set[str]) -> frozenset[str]:
    """The leads that do not begin with another."""
    more = leads - {NUMBER} if DIGIT in leads else leads
    return frozenset(a for a in more if not any(a != b and a.startswith(b) for b in more))


def _of_items(items: Iterable[tuple[Any, Any]]) -> set[Lead]:
    """The leads of things that follow one another."""
    found: set[Lead] = {("", True)}
    edge = ""
    for op, what in items:
        if not any(grows for _, grows in found):
            break
        edge = max(edge, _edge(op, what))
        added = {_at_edge(edge, *lead) for lead in _of_item(op, what)}
        longer = {lead for lead in found if not lead[1]}
        longer |= {_joined(a, *b) for a, grows in found if grows for b in added}
        if len(longer) > MOST_PARTS:
            return {(lead[: max(LENGTHS)], False) for lead, _ in longer}
        found = longer
    return found


def _edge(op: Any, what: Any) -> str:
    """What may not stand before: EDGE for a word, NUMBER for a digit, "" for what does not say."""
    if op is ops.AT:
        return EDGE if what is ops.AT_BOUNDARY else ""
    if op is not ops.ASSERT_NOT or what[0] > 0 or len(what[1]) != 1 or what[1][0][0] is not ops.IN:
        return ""
    kinds = what[1][0][1]
    if kinds[0][0] is ops.NEGATE:
        return ""
    said = {value for kind, value in kinds if kind is ops.CATEGORY}
    ranges = (range(v[0], v[1] + 1) for kind, v in kinds if kind is ops.RANGE)
    signs = {v for kind, v in kinds if kind is ops.LITERAL}.union(*ranges)
    if ops.CATEGORY_WORD in said or signs >= _LETTERS:
        return EDGE
    return NUMBER if ops.CATEGORY_DIGIT in said else ""


def _at_edge(edge: str, lead: str, grows: bool) -> Lead:
    """A lead before which no word, or no digit, may stand."""
    if lead == DIGIT and edge:
        return NUMBER, grows
    return (edge + lead if edge == EDGE and WORD.match(lead) else lead, grows)


def _joined(before: str, lead: str, grows: bool) -> Lead:
    """A lead behind another; a digit has its place at the beginning alone."""
    if not before:
        return lead, grows
    return (before, False) if lead in (DIGIT, NUMBER) else (before + lead.lstrip(EDGE), grows)


def _of_item(op: Any, what: Any) -> set[Lead]:
    """The leads of one thing."""
    if op is ops.LITERAL:
        return {(chr(what).lower(), True)}
    if op in _NO_WIDTH:
        return {("", True)}
    if op is ops.BRANCH:
        return set().union(*map(_of_items, what[1]))
    if op is ops.SUBPATTERN:
        return _of_items(what[3])
    if op is ops.ATOMIC_GROUP:
        return _of_items(what)
    if op in _REPEATS:
        return _of_repeat(*what)
    if op is ops.IN:
        return set().union(*(_of_class(kind, value) for kind, value in what))
    return {("", False)}


def _of_repeat(low: int, high: int, body: Any) -> set[Lead]:
    """The leads of what may be absent, once or several times there."""
    once = _of_items(body)
    found = once if low else once | {("", True)}
    if high == 1:
        return found
    if len(once) > FEW:
        return {(lead, False) for lead, _ in found}
    twice = {_joined(a, *b) for a, grows in once if grows for b in once}
    ended = {lead for lead in once if not lead[1]}
    return (found if low < 2 else ended) | {(lead, False) for lead, _ in twice}


def _of_class(kind: Any, value: Any) -> set[Lead]:
    """The leads of a part of a class of characters."""
    if kind is ops.LITERAL:
        return {(chr(value).lower(), True)}
    if kind is ops.RANGE and value[1] - value[0] < MOST_PARTS:
        return {(chr(code).lower(), True) for code in range(value[0], value[1] + 1)}
    return {_CATEGORIES.get(value, ("", False))}
