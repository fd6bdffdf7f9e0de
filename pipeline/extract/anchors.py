"""Finds where the numbers and the people of a text stand: costly patterns are tried only there."""

from __future__ import annotations

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
