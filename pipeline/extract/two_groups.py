"""Tells the whole of a study from one of the two groups that a sentence sets side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.extract.grammar import PEOPLE, TIME_UNIT
from pipeline.extract.numbers import COUNT, parse_count
from pipeline.extract.places import matches

Span = tuple[int, int]

_HEALTHY = r"(?:healthy|normal|controls?|volunteers|published|historical|donors)"
_WORDS = rf"(?:(?!{_HEALTHY}\b|{TIME_UNIT}\b|{COUNT}\b)[\w-]+\s+)"
_HAD = (
    r"(?:(?:were|was)\s+(?:given|treated\s+with|put\s+on|on)|received|had|got"
    r"|(?:were|was)\s+observed)\b"
)
#: "30 typical and 25 atypical patients", which a sentence compares.
_LABELLED = re.compile(
    rf"(?<![\w.·,/%])(?P<a>{COUNT})\s+{_WORDS}{{1,3}}?and\s+(?P<b>{COUNT})\s+{_WORDS}{{1,3}}?"
    rf"(?:{PEOPLE})\b(?!\s+{_HEALTHY}\b)",
    re.IGNORECASE,
)
#: "30 new patients were given 2 g/kg and 25 patients received 1 g/kg".
_EACH_TREATED = re.compile(
    rf"(?<![\w.·,/%])(?P<a>{COUNT})\s+{_WORDS}{{0,3}}?(?:{PEOPLE})\s+{_HAD}[^;()]{{2,60}}?,?\s"
    rf"(?:and|while|whereas)\s+(?P<b>{COUNT})\s+{_WORDS}{{0,3}}?(?:{PEOPLE})\s+{_HAD}",
    re.IGNORECASE,
)
#: "to 12 children, who were compared with 14 patients who were observed".
_AGAINST = re.compile(
    rf"(?<![\w.·,/%])(?P<a>{COUNT})\s+{_WORDS}{{0,2}}?(?:{PEOPLE})\b,?\s+(?:(?:who|which|and)\s+)?"
    rf"(?:(?:were|was)\s+)?compared\s+(?:with|to)\s+(?P<b>{COUNT})\s+{_WORDS}{{0,3}}?(?:{PEOPLE})\b",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"\bcompar(?:ed|ing|ison)\b", re.IGNORECASE)
#: "in seven patients with ..., whereas ... in five patients with ...": its parts, in order.
_WITH = re.compile(r"\s+(?:with|who|without|whose|on)\b", re.IGNORECASE)
_WHEREAS = re.compile(r",?\s(?:whereas|while)\s", re.IGNORECASE)
_OTHERS = re.compile(rf"\b{COUNT}\s+{_WORDS}{{0,2}}?(?:{PEOPLE})\b", re.IGNORECASE)
#: How far the word of contrast stands behind one number, and the other number behind that.
FAR = 140
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]{0,6}"
_YEAR = re.compile(r"(?:19|20)\d\d\s")
#: What stands before a year: a month, the year that a span begins with, "since".
_DATE_BEFORE = re.compile(
    rf"(?:\b{_MONTH}\.?,?|\b(?:19|20)\d\d\s*(?:-|–|to|and|until|through)|\b(?:since|until|through|till))\s*$",
    re.IGNORECASE,
)
#: "3/68 patients", "3 of 68 patients".
_OUT_OF = re.compile(
    rf"(?<![\w.·,/%])\d{{1,5}}\s*(?:/|of\s+(?:the\s+)?)\s*(?P<n>\d{{2,5}})\s+(?:{PEOPLE})\b",
    re.IGNORECASE,
)


def side_by_side(text: str, numbers: Iterable[int], sentence: Span) -> Iterator[tuple[int, Span]]:
    """Yield the sums of two groups that a sentence sets side by side, with their places.

    Parameters
    ----------
    text : str
    numbers : iterable of int
        Where the numbers of the sentence begin.
    sentence : Span
    """
    listed = list(numbers)
    compares = _COMPARES.search(text, *sentence) is not None
    for pattern in (*((_LABELLED,) if compares else ()), _EACH_TREATED, _AGAINST):
        for match in matches(pattern, text, listed, sentence[1]):
            a, b = parse_count(match["a"]), parse_count(match["b"])
            if a and b and min(a, b) > 1:
                yield a + b, match.span()


def is_contrasted(text: str, end: int, stop: int) -> bool:
    """Return whether a number of people that ends at `end` is set against another number's."""
    if _WITH.match(text, end, stop) is None:
        return False
    turn = _WHEREAS.search(text, end, min(stop, end + FAR))
    if turn is None or ";" in text[end : turn.start()]:
        return False
    others = _OTHERS.search(text, turn.end(), min(stop, turn.end() + FAR))
    return others is not None and ";" not in text[turn.end() : others.start()]


def is_year(text: str, span: Span) -> bool:
    """Return whether what looks like a number of people is the year of a date."""
    if _YEAR.match(text, *span) is None:
        return False
    return _DATE_BEFORE.search(text[max(0, span[0] - 25) : span[0]]) is not None


def out_of(text: str, numbers: Iterable[int]) -> Iterator[tuple[int, Span]]:
    """Yield the numbers of people that printed counts are out of: "3/68 patients"."""
    for match in matches(_OUT_OF, text, list(numbers), len(text)):
        yield int(match["n"]), match.span()
