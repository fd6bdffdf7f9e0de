"""Finds the phrases of a sentence of results that may name a group, and how strongly each does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.extract.group_phrasing import NAME, SUBJECTS
from pipeline.extract.lexicon import rules
from pipeline.extract.measurements import Measurement
from pipeline.extract.numbers import parse_count

Span = tuple[int, int]

_WORD = re.compile(r"[A-Za-z0-9][\w+/'’-]*|\S")
_GROUP = re.compile(r"[\s-](?:groups?|arms?|recipients)\b", re.I)
_QUOTED = re.compile(r"[\"“”]\s?(?P<n>[A-Za-z][\w-]*+(?:\s[\w-]++){0,3})\s?[\"“”]$")
#: All groups at once are none of them: "similar in the two treatment groups".
_ALL_GROUPS = re.compile(
    r"\b(?:both|two|three|four|all|these|between|among|across)\s(?:the\s)?(?:[a-z]+\s)?"
    r"(?:treatment|study|therapy|patient|age|dose|trial)$",
    re.I,
)
_LETTER = re.compile(
    r"\b(?:[Gg]roups?|[Aa]rms?|[Cc]ohort)\s+(?P<n>(?:[A-Z]\w{0,3}|\d)\b(?!\.\d))"
    r"(?:\s*(?:,|and|or|versus|vs\.?)\s*(?P<o>(?:[A-Z]\d?|\d)\b(?!\.\d)))?"
)
_TREATED = re.compile(
    r"(?<![\w-])(?P<n>[A-Za-z0-9][\w+/-]{0,40}?)(?:-treated\b"
    r"|\streated\s(?:patients|men|women|subjects|participants|eyes|groups?))",
    re.I,
)
_FOR = re.compile(
    r"\bfor\s+(?:the\s+)?(?=[A-Za-z][\w+/-]{1,40}(?:\s[\w+/-]{1,40}){0,2}\s+(?:was|were)\s+\d)",
    re.I,
)
_GIVEN = re.compile(
    r"\b(?:receiv(?:ed|ing)\s+(?:treatment|therapy)\s+with|received|receiving|given|assigned\s+to|allocated\s+to|randomi[sz]ed\s+to|treated\s+with|taking|"
    r"undergoing|underwent|(?:treatment|therapy|monotherapy)\s+with)\s+(?:the\s+|an?\s+|either\s+)?",
    re.I,
)
_AGAINST = re.compile(
    r"\b(?:than|vs\.?|versus|v|compared\s+(?:with|to)|relative\s+to)\s+"
    r"(?:(?:that|those|patients|subjects|women|eyes)\s+)?(?:(?:achieved|produced|seen|observed|obtained|found|reported)\s+)?(?:(?:in|with|on|for|of|after|by|receiving)\s+)?(?:the\s+|an?\s+)?"
    r"(?=[A-Za-z])",
    re.I,
)
_BEFORE_AGAINST = re.compile(
    r"(?:(?<!ion\s)(?<!ase\s)(?<!nge\s)(?<!ment\s)(?<!nce\s)(?<!score\s)(?<!levels\s)\b(?:in|of)"
    r"|\b(?:with|on|for|after|by|receiving))\s+(?:the\s+|an?\s+)?$",
    re.I,
)
_MOVE = r"(?:increas|decreas|reduc|chang|improve|differen|rise|fall|gain|loss)"
_BEHIND = re.compile(
    r"[\s)\]]*(?:(?:points?|mm\s?Hg|kg|months?|days?|weeks?|years?|mg|m[lL]|%)\s+)?"
    r"(?:(?:of\s+)?(?:the\s+)?(?:\d+\s+)?(?:patients|women|men|subjects|participants|eyes|cases|children)\s+)?"
    rf"(?:(?!{_MOVE})[a-z]+\s+){{0,2}}?(?:(?:in|with|on|for|of|among|after|receiving|given)\s+)(?:the\s+|those\s+|an?\s+)*"
    r"(?:(?<=those\s)(?:on|in|with|given|receiving|treated\swith|assigned\sto|who\sreceived)\s+(?:the\s+)?)?",
    re.I,
)
#: "7% increase from baseline with A": a change, and whose it is.
_MOVED = re.compile(
    r"[\s)\]]*(?:increase|decrease|reduction|change|improvement|rise|fall)s?\s(?:from\s(?:the\s)?baseline\s)?"
    r"(?:with|on|for|among|after)\s(?:the\s|those\s)*",
    re.I,
)
#: "3.9 points on the X scale": no group.
_ON_SCALE = re.compile(r"\bpoints?\b.{0,20}\bon\s+(?:the\s+)?$", re.I)
#: What a group had: "after consumption of a walnut diet".
_ACT = re.compile(
    r"(?:consumption|administration|use|addition|application|infusion|injection)\sof\s(?:the\s|an?\s)?",
    re.I,
)
_AND_RESPECTIVELY = re.compile(
    r"(?:\s+(?:group|arm))?\s*(?:,|and|or|versus|vs\.?)\s+(?:the\s+)?(?=[^.;]{0,80}\brespectively)",
    re.I,
)
_LINK = r"(?:for|of|in|with|on|at|after|and|or|was|were|had)\s"
_BOTH = re.compile(
    r"\b(?P<prep>(?:for|of|in|with|on|receive|receiving|received|between)\s+(?:the\s+)?)(?=[A-Za-z])"
    rf"(?!{_LINK})[\w+/'’-]+(?:\s(?!{_LINK})[\w+/'’-]+){{0,4}}?"
    r"\s+(?:and|or)\s+(?:the\s+)?(?=[A-Za-z][^,.;()\d]{1,60}?\s(?:was|were|had)\s|[A-Za-z][^,.;()]{1,80}?\s(?:was|were)\s\d)",
    re.I,
)
_RESPECTIVELY = re.compile(
    r"(?:\s(?:groups?|arms?|patients|recipients))?\s?,?\s?\brespectively\b", re.I
)
_JOINED = re.compile(r"(?:\band|\bor|\bversus|\bvs\.?)\s+(?:the\s+)?$", re.I)
_PREPOSITION = re.compile(r"\b(?:in|for|with|on|of|after|by|to|receiving)\s+(?:the\s+)?$", re.I)
#: A group's name in brackets before or behind its value: "(A: 12%; B: 30%)", "12% (A)".
_LABELLED = re.compile(rf"(?:[(\[;,]|\bvs\.?|\bversus|\band)\s*(?P<n>{NAME})\s?[:;,=]?\s*$")
#: A group's name before the bracket of its value: "lower with A (12%) than with B (30%)".
_PREPOSED = re.compile(
    rf"(?s:.*)\b(?:of|with|in|for|after|on|than|by|to)\s(?:the\s)?(?P<n>{NAME})\s?[(\[]\s*$"
)
_BRACKETED = re.compile(rf"\s*(?:%|mm\s?Hg)?\s*\(\s?(?P<n>{NAME})\s?\)")
_GOES_ON = re.compile(r"(?<=\d)[.·]?\d")
#: Most words of a group's name.
_LONGEST = 6


@dataclass(frozen=True, slots=True)
class GroupName:
    """A phrase that may name a group, and how strongly its place says so."""

    start: int
    end: int
    weight: int


def names(text: str, start: int, end: int, measured: Sequence[Measurement]) -> Iterator[GroupName]:
    """Every phrase that may name a group."""
    yield from _called_groups(text, start, end)
    for m in _LETTER.finditer(text, start, end):
        yield from (GroupName(*m.span(g), 3) for g in ("n", "o") if m[g])
    for m in _TREATED.finditer(text, start, end):
        yield GroupName(*m.span("n"), 3)
    for m in _FOR.finditer(text, start, end):
        yield from _named(_on(text, m.end(), end), 2)
    for m in _GIVEN.finditer(text, start, end):
        yield from _named(_on(text, m.end(), end), 2)
    for m in _AGAINST.finditer(text, start, end):
        yield from _named(_on(text, m.end(), end), 2)
        before = _back(text, start, m.start())
        if before is not None and _BEFORE_AGAINST.search(text[start : before[0]]):
            yield GroupName(*before, 2)
    for m in _BOTH.finditer(text, start, end):
        yield from _named(_on(text, m.end("prep"), end), 3)
        yield from _named(_on(text, m.end(), end), 3)
    yield from _subjects(text, start, end)
    yield from _respective(text, start, end)
    for names in _bracketed(text, start, end, measured):
        yield from names
    for value in measured:
        tied = _BEHIND.match(text, value.end, end) or _MOVED.match(text, value.end, end)
        if tied and not _ON_SCALE.search(text[value.start : tied.end()]):
            yield from _listed(text, _on(text, tied.end(), end), end)


def _called_groups(text: str, start: int, end: int) -> Iterator[GroupName]:
    """What is called a group, and what it is joined with: "the A and B groups"."""
    for m in _GROUP.finditer(text, start, end):
        if _ALL_GROUPS.search(text[max(start, m.start() - 40) : m.start()]):
            continue
        quoted = _QUOTED.search(text[max(start, m.start() - 50) : m.start()])
        if quoted:
            yield from _named(_span(quoted, max(start, m.start() - 50)), 3)
            continue
        last = _back(text, start, m.start())
        yield from _named(last, 3)
        if last is not None:
            joined = re.search(
                r"(?:\band|\bor|\bversus|\bvs\.?|\bto|,)\s+(?:the\s+)?$", text[start : last[0]]
            )
            if joined:
                yield from _named(_back(text, start, start + joined.start()), 3)


def _subjects(text: str, start: int, end: int) -> Iterator[GroupName]:
    """The treatments that do something, and the groups of which more or fewer did."""
    sentence = text[start:end]
    for pattern in SUBJECTS:
        for m in pattern.finditer(sentence):
            for group in (g for g, name in m.groupdict().items() if name):
                yield from _named(_whole(text, start + m.start(group), start + m.end(group)), 2)


def _respective(text: str, start: int, end: int) -> Iterator[GroupName]:
    """Two names joined before "respectively": "at 6 months for A and B, respectively"."""
    for m in _RESPECTIVELY.finditer(text, start, end):
        second = _back(text, start, m.start())
        joined = _JOINED.search(text[start : second[0]]) if second is not None else None
        first = _back(text, start, start + joined.start()) if joined else None
        if first is not None and _PREPOSITION.search(text[start : first[0]]):
            yield from (*_named(first, 3), *_named(second, 3))


def _bracketed(
    text: str, start: int, end: int, measured: Sequence[Measurement]
) -> Iterator[list[GroupName]]:
    """The names in brackets before, or behind, two values at least."""
    compared = _AGAINST.search(text, start, end) is not None
    found: dict[str, list[GroupName]] = {"labelled": [], "tied": [], "behind": []}
    for m in measured:
        at = max(start, m.start - 60)
        places = {
            "labelled": _labelled(text, start, at, m.start),
            "tied": _span(_PREPOSED.match(text[at : m.start]), at) if compared else None,
            "behind": _span(_BRACKETED.match(text, m.end, end), 0),
        }
        for kind, place in places.items():
            name = _whole(text, *place) if place is not None else None
            found[kind].extend(_named(name, 2))
    for named in found.values():
        if len({key(text[n.start : n.end]) for n in named}) > 1:
            yield named


def _labelled(text: str, start: int, at: int, end: int) -> Span | None:
    """Where the label before a value stands, inside brackets: "(A: 12%"."""
    label = _LABELLED.search(text[at:end])
    return _span(label, at) if _in_brackets(text[start:end]) else None


def _span(match: re.Match[str] | None, shift: int) -> Span | None:
    """Where a match's name stands in the whole text."""
    return None if match is None else (match.start("n") + shift, match.end("n") + shift)


def _in_brackets(before: str) -> bool:
    """Whether a bracket is open at the end of a stretch of text."""
    return before.count("(") + before.count("[") > before.count(")") + before.count("]")


def _whole(text: str, start: int, end: int) -> Span | None:
    """A stretch of words as a group's name, if each may be part of one."""
    words = list(_WORD.finditer(text, start, end))
    if _GOES_ON.match(text, end):
        words = words[:-1]  # "A 3" of "A 3.1 months"
    if not words or len(words) > _LONGEST or not all(_names_something(w.group()) for w in words):
        return None
    return _trimmed(words)


def _listed(text: str, first: Span | None, end: int) -> Iterator[GroupName]:
    """A name and, where "respectively" follows, the name it is joined with."""
    yield from _named(first, 2)
    both = _AND_RESPECTIVELY.match(text, first[1], end) if first is not None else None
    if both:
        yield from _named(_on(text, both.end(), end), 2)


def _named(span: Span | None, weight: int) -> Iterator[GroupName]:
    """A name, where there is one."""
    if span is not None:
        yield GroupName(*span, weight)


def _on(text: str, at: int, end: int) -> Span | None:
    """The words from `at` on, up to a word that ends a name."""
    act = _ACT.match(text, at, end)
    at = act.end() if act else at
    words: list[re.Match[str]] = []
    for word in _WORD.finditer(text, at, end):
        if len(words) >= _LONGEST or not _names_something(word.group()):
            break
        words.append(word)
    return _trimmed(words)


def _back(text: str, start: int, at: int) -> Span | None:
    """The words that end at `at`, back to a word that ends a name."""
    words: list[re.Match[str]] = []
    for word in reversed(list(_WORD.finditer(text, max(start, at - 80), at))):
        if len(words) >= _LONGEST or not _names_something(word.group()):
            break
        words.insert(0, word)
    return _trimmed(words)


def _trimmed(words: list[re.Match[str]]) -> Span | None:
    """A name without the words at its ends that name no treatment."""
    while words and (words[0].group().lower() in _dull() or _is_count(words)):
        words = words[1:]
    while words and words[-1].group().lower() in _dull():
        words = words[:-1]
    if not words or all(w.group().replace(".", "").isdigit() for w in words):
        return None
    return words[0].start(), words[-1].end()


def _is_count(words: list[re.Match[str]]) -> bool:
    """Whether a name begins with how many there were: "24 enoxaparin", "twenty-two warfarin"."""
    first = words[0].group()
    return len(words) > 1 and parse_count(first.lower()) is not None


def _names_something(word: str) -> bool:
    """Whether a word may be part of a group's name."""
    if len(word) == 2 and word.isupper() and word != "CI":
        return word not in ("HR", "OR", "RR", "SD", "SE", "VS", "HG")  # "the IT group"
    return word[0].isalnum() and word.lower() not in _ends()


def key(name: str) -> str:
    """A name folded for comparison."""
    if len(name) == 1:
        return name.lower()
    words = [w for w in re.findall(r"[a-z0-9+]+", name.lower()) if w not in _dull()]
    return " ".join(words)


def _ends() -> frozenset[str]:
    """Words that end a group's name."""
    return _terms("words that end a group's name") | _terms("words that end a phrase")


def _dull() -> frozenset[str]:
    """Words that say nothing of a group."""
    return _terms("words that name no group")


_CACHE: dict[str, frozenset[str]] = {}


def _terms(name: str) -> frozenset[str]:
    """The terms of a row of patterns/outcome_words.jsonl."""
    if name not in _CACHE:
        found = (t for row in rules("outcome_words") if row["name"] == name for t in row["terms"])
        _CACHE[name] = frozenset(found)
    return _CACHE[name]
