"""Finds where the numbers and the people of a text stand: costly patterns are tried only there."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import NUMBER_WORDS
from pipeline.extract.places import places

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
    words = places(text).words
    numbers = (at for at, word in words if word in NUMBER_WORDS or word[0].isdecimal())
    people = (at for at, word in words if word in _PEOPLE)
    return Anchors(tuple(numbers), tuple(people))


def within(found: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Return the places of a stretch."""
    return found[bisect_left(found, start) : bisect_left(found, end)]


def matches(
    pattern: re.Pattern[str], text: str, starts: Iterable[int], end: int
) -> Iterator[re.Match[str]]:
    """Yield the matches that begin at some of the starts, in order, none over another."""
    low = 0
    for at in starts:
        match = pattern.match(text, at, end) if at >= low else None
        if match:
            low = max(match.end(), at + 1)
            yield match
