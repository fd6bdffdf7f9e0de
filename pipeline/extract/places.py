"""Looks up where words, digits and strings stand in a text, once for all that ask."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

#: Stand in place of a string for any digit, and for one that no digit stands before.
DIGIT, NUMBER = "\0", "\1"
#: A word is looked up by so many letters, a shorter one whole.
PREFIX = 3
DIGITS = {DIGIT: re.compile(r"\d"), NUMBER: re.compile(r"(?<!\d)\d")}
#: A word in small letters: a Greek letter before it, "ΔQOL", is none of its own.
WORD = re.compile(r"[a-z0-9_à-öø-ÿ]+")
#: Any white space as a blank.
_BLANKS = {code: " " for code in range(0x3001) if chr(code).isspace()}


@dataclass(frozen=True, eq=False, slots=True)
class Leads:
    """What a pattern's matches begin with, in small letters.

    `words` are the first letters of words, or whole short ones; `strings` stand anywhere, as do
    `digits` (DIGIT, NUMBER).
    """

    words: frozenset[str] = frozenset()
    strings: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()


class Places:
    """A text in small letters and the places of what stands in it."""

    def __init__(self, text: str) -> None:
        self.small = text.translate(_BLANKS).replace("İ", "i").lower()  # "İ" would grow
        self._strings: dict[str, list[int]] = {}
        self._found: dict[Leads, list[int]] = {}

    @cached_property
    def words(self) -> list[tuple[int, str]]:
        """The words in order, each behind its place."""
        return [(m.start(), m.group()) for m in WORD.finditer(self.small)]

    @cached_property
    def _by_prefix(self) -> dict[str, list[int]]:
        """The places of the words by their first letters."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, word in self.words:
            found[word[:PREFIX]].append(at)
        return found

    def may_hold(self, words: tuple[str, ...], start: int, end: int) -> bool:
        """Return whether a stretch holds one of some words."""
        start = max(start, 0)
        return any(self.small.find(word, start, end) >= 0 for word in words)

    def of(self, leads: Leads) -> list[int]:
        """Return where one of the leads stands, in order."""
        found = self._found.get(leads)
        if found is None:
            words = self._by_prefix
            known = [words[prefix] for prefix in leads.words & words.keys()]
            known += [self._string(s) for s in filter(self.small.__contains__, leads.strings)]
            known += [self._string(digit) for digit in leads.digits]
            found = self._found[leads] = known[0] if len(known) == 1 else _in_order(known)
        return found

    def _string(self, string: str) -> list[int]:
        """Where a string stands."""
        found = self._strings.get(string)
        if found is None:
            found = self._strings[string] = self._look_for(string)
        return found

    def _look_for(self, string: str) -> list[int]:
        """Where a string stands; digits are those of any script, as in a pattern."""
        if string in DIGITS:
            return [m.start() for m in DIGITS[string].finditer(self.small)]
        found = []
        at = self.small.find(string)
        while at >= 0:
            found.append(at)
            at = self.small.find(string, at + 1)
        return found


def _in_order(found: Iterable[Iterable[int]]) -> list[int]:
    """The places of several lists, each once."""
    return sorted(set().union(*found))


@lru_cache(maxsize=8)
def places(text: str) -> Places:
    """Return the places of a text, shared by those that read it one after the other."""
    return Places(text)


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
