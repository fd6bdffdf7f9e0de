"""Finds every place that names an arm: its name, abbreviation, alias, letter or part."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extract.arm_names import is_comparator, is_generic, listed, words
from pipeline.extract.lexicon import rules

Span = tuple[int, int]

#: Words that tell no arm from another.
_COMMON = frozenset(word for row in rules("common_words") for word in row["terms"])
_SHORT = re.compile(r"\s*[(\[]\s*(?:the\s+)?(?P<inside>[^()\[\]]{1,60})[)\]]")
_LETTER = re.compile(r"(?P<word>groups?|arms?)\s+(?P<x>[A-Z]|\d|I{1,3}|IV)\b", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?:[A-Z][A-Za-z]{0,3}[A-Z0-9+/-][\w+/-]{0,9}|[A-Z]{2,8}\w{0,3})[+-]?$")
_JOINT = re.compile(r"\s*(?:plus|\+|/|-|–|and|with|followed\s+by|in\s+combination\s+with)\s*", re.I)
#: The least length of a lower-case word that may stand for an arm.
_LEAST = 4


class Named:
    """An arm under all the names that a text gives it."""

    def __init__(self, text: str, span: Span) -> None:
        self.text = text
        self.spans = [span]

    @property
    def names(self) -> list[str]:
        """The names as printed."""
        return [self.text[a:b] for a, b in self.spans]

    @property
    def label(self) -> Span:
        """The first name that tells more than the arm's part in the trial, else the first."""
        return next(
            (s for s in self.spans if not is_generic(self.text[slice(*s)])), self.spans[0]
        )

    @property
    def words(self) -> frozenset[str]:
        """The words of the first name that tell arms apart."""
        return frozenset(w.lower() for w in listed(self.names[0]) if _telling(w))

    @property
    def comparator(self) -> bool:
        """Whether one of the names says that the others are compared with this arm."""
        return any(is_comparator(n) for n in self.names)

    @property
    def generic_control(self) -> bool:
        """Whether a name is placebo, control or the like."""
        return any(
            set(map(str.lower, listed(n))) & (words("generic_control") | {"placebo", "sham"})
            for n in self.names
        )

    def likeness(self, other: Named) -> int:
        """How many telling words two arms share."""
        mine = {w.lower() for n in self.names for w in listed(n) if _telling(w)}
        return len(mine & other.words)

    def add(self, other: Named) -> None:
        """Take over the names of another."""
        known = {n.lower() for n in self.names}
        self.spans += [s for s in other.spans if self.text[slice(*s)].lower() not in known]

    def shorts(self) -> Iterator[str]:
        """The abbreviations and letters printed in brackets behind the names."""
        for _, end in self.spans:
            match = _SHORT.match(self.text, end)
            for part in re.split(r"[;,]\s*", match["inside"]) if match else ():
                part = part.strip()
                if _LETTER.fullmatch(part) or _ABBREVIATION.fullmatch(part):
                    yield part


def _telling(word: str) -> bool:
    """Whether a word may tell one arm from another."""
    return word.lower() not in _COMMON and (len(word) >= _LEAST or word.isupper())


def places(text: str, masked: str, names: list[Named], compared: int) -> list[tuple[Span, ...]]:
    """Return for each arm the places that name it, in order; no place names two arms."""
    aliases = [_aliases(text, names, k, compared) for k in range(len(names))]
    found = [
        (a, b, k) for k, listed_ in enumerate(aliases) for a, b in _occurrences(text, listed_)
    ]
    taken: list[tuple[int, int, int]] = []
    for a, b, k in sorted(found, key=lambda f: (f[0], -f[1], f[2] != compared)):
        if not taken or a >= taken[-1][1]:
            taken.append((a, b, k))
    kept = [p for p in taken if not _joined(text, p, taken)]
    return [tuple((a, b) for a, b, k in kept if k == arm) for arm in range(len(names))]


def _joined(text: str, place: tuple[int, int, int], others: list[tuple[int, int, int]]) -> bool:
    """Whether a place is part of a combination that names another arm: "A" in "A plus B"."""
    return False


def _aliases(text: str, names: list[Named], k: int, compared: int) -> list[str]:
    """The patterns of all that may stand for arm number `k`."""
    me, rest = names[k], [n for i, n in enumerate(names) if i != k]
    theirs = {w.lower() for n in rest for name in n.names for w in listed(name)}
    found = [_phrase(n) for n in me.names]
    found += [_short(s) for s in me.shorts()]
    for name in me.names:
        own = [w for w in listed(name) if _telling(w) and w.lower() not in theirs]
        found += [_word(w) for w in own[:6]]
    if k == compared:
        found += [r"controls?(?:\s+(?:group|arm))?", r"comparator"]
    elif len(names) == 2:
        found.append(r"(?:intervention|experimental|investigational)(?=\s+(?:group|arm))")
    return list(dict.fromkeys(found))


def _phrase(name: str) -> str:
    """A name's pattern: any white space."""
    return r"\s+".join(re.escape(w) for w in name.split())


def _word(word: str) -> str:
    """A word's pattern; one in capitals is matched as printed."""
    return _short(word) if word.isupper() else rf"{re.escape(word)}s?"


def _short(word: str) -> str:
    """An abbreviation's pattern: as printed."""
    letter = _LETTER.fullmatch(word)
    if letter:
        return rf"(?:group|arm)\s+(?-i:{re.escape(letter['x'])})"
    return rf"(?-i:{re.escape(word)})"


def _occurrences(text: str, aliases: list[str]) -> Iterator[Span]:
    """Every place where one of the patterns stands as a whole word."""
    body = "|".join(sorted(aliases, key=len, reverse=True))
    for match in re.finditer(rf"(?<![\w-])(?:{body})(?!\w)", text, re.IGNORECASE):
        yield match.span()
