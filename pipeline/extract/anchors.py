"""Finds where the numbers and the people of a text stand: costly patterns are tried only there."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import NUMBER_WORDS

_WORD = re.compile(r"\w+")
#: What people are called, each a single word.
_PEOPLE = frozenset(t.lower() for row in rules("people") for t in row["terms"])


@dataclass(frozen=True, slots=True)
class Anchors:
    """The places of a text, in order, where a number begins and where people are named."""

    numbers: tuple[int, ...]
    people: tuple[int, ...]


@lru_cache(maxsize=2)
def anchors(text: str) -> Anchors:
    """Return the anchors of a text: words that begin with a digit, number words, people.

    The components that read one text one after the other share them.
    """
    numbers: list[int] = []
    people: list[int] = []
    for match in _WORD.finditer(text):
        word = match.group().lower()
        if word[0].isdecimal() or word in NUMBER_WORDS:
            numbers.append(match.start())
        elif word in _PEOPLE:
            people.append(match.start())
    return Anchors(tuple(numbers), tuple(people))


def within(places: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Return the places of a stretch."""
    return places[bisect_left(places, start) : bisect_left(places, end)]


def matches(
    pattern: re.Pattern[str], text: str, places: Iterable[int], end: int
) -> Iterator[re.Match[str]]:
    """Yield the matches that begin at some of the places, in order, none over another."""
    low = 0
    for at in places:
        match = pattern.match(text, at, end) if at >= low else None
        if match:
            low = max(match.end(), at + 1)
            yield match
