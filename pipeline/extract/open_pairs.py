"""Finds the sizes of two arms together: in the order of their names, or what one leaves of all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise, product

from pipeline.extract.anchors import anchors
from pipeline.extract.arm_mentions import telling
from pipeline.extract.arm_names import is_comparator, listed
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.numbers import COUNT, DIGITS, parse_count
from pipeline.extract.places import matches, within
from pipeline.extract.population import Count
from pipeline.extract.sentences import Sentence

Place = tuple[int, int, int]
Counts = list[Count]

#: The share of a study that two arms make up, where some of its people are in neither.
NEARLY = 0.7
#: A printed sum is the arms' together if it has this share, and this many people.
SOME, FEWEST = 0.4, 16
#: How far behind two numbers their arms are named, and how far apart these stand.
FAR, APART = 110, 40
#: How many sizes of an arm, and numbers beside one, are tried.
TRIED, NEAREST = 6, 12
#: How far beside a number its arm's words are looked for.
ZONE = 80
_NUMBER = re.compile(COUNT)
_SHARE = rf"(?:\s*[\[(]\s*(?:{DIGITS})\s*%\s*[\])])?"
_CLOSED = re.compile(rf"{_SHARE}(?:\s+(?:{PEOPLE}))?\s*[)\],;]", re.IGNORECASE)
_TWO = re.compile(
    rf"(?P<a>{COUNT}){_SHARE}(?:\s+(?:{PEOPLE}))?\s+(?:and|vs\.?|versus)\s+(?P<mark>n\s*=\s*)?(?P<b>{COUNT})"
    rf"{_SHARE}(?P<people>\s+(?:[\w-]+\s+)?(?:{PEOPLE})\b)?(?!\s*%)",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"\b(?:randomi[sz]ed|assigned|allocated|enrolled|received|treated|given|underwent)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"\s*(?:[\w-]+\s+){0,2}(?:[(][^()]{1,20}[)]\s*)?(?:and|or|versus|vs\.?)\s+(?:to\s+|in\s+|for\s+)?(?:the\s+)?",
    re.IGNORECASE,
)


def respective(text: str, found: list[ArmSpan], most: int | None) -> Counts | None:
    """Return the sizes of two arms that are named in their order.

    "20 and 22 patients were assigned to X and Y", "n = 20 and n = 22 for X and Y". Who were given
    a treatment may be more than what was taken for the study.
    """
    if len(found) != 2:
        return None
    places = sorted((a, b, k) for k, arm in enumerate(found) for a, b in arm.mentions)
    for match in matches(_TWO, text, anchors(text).numbers, len(text)):
        order = _named_behind(text, match.end(), places)
        sizes = [parse_count(match["a"]), parse_count(match["b"])]
        if order is None or None in sizes or not (match["mark"] or match["people"]):
            continue
        counts = [Count(n or 0, match.span(g)) for n, g in zip(sizes, "ab", strict=True)]
        n = sum(c.n for c in counts)
        part = most is not None and most in (c.n for c in counts)
        sure = bool(match["people"] and _GIVEN.search(text, match.end(), match.end() + 40))
        fits = most is None or part or n >= NEARLY * most
        if min(c.n for c in counts) > 1 and fits and (sure or n <= (most or n)):
            return counts if order == (0, 1) else counts[::-1]
    return None


def _named_behind(text: str, end: int, places: list[Place]) -> tuple[int, int] | None:
    """The order in which both arms are named, one after the other, behind two numbers."""
    near = places[bisect_left(places, (end, 0, 0)) :][:NEAREST]
    for (a, b, k), (c, _, j) in pairwise(near):
        if k != j and a < end + FAR and c - b < APART and _JOINED.fullmatch(text, b, c):
            return (k, j) if not re.search(r"[.;](?=\s)", text[end:a]) else None
    return None


def complement(
    text: str, sentences: tuple[Sentence, ...], listed: list[Counts], wholes: set[int]
) -> Counts | None:
    """Return the sizes of two arms of which one has what the other leaves of all.

    The number stands in one sentence with the other's; the whole is the study's, or in it too.
    """
    if len(listed) != 2:
        return None
    for k, some in enumerate(listed):
        for count in some[:TRIED]:
            rest = _rest(text, sentences, count, wholes)
            if rest is not None and not _known(rest, listed[1 - k]):
                return [count, rest] if k == 0 else [rest, count]
    return None


def _known(rest: Count, others: Counts) -> bool:
    """Whether a number is beside the other arm's names already, so that this adds nothing."""
    return any(c.span == rest.span for c in others)


def _rest(
    text: str, sentences: tuple[Sentence, ...], count: Count, wholes: set[int]
) -> Count | None:
    """What a size leaves of the study, where a number beside it is that."""
    sentence = next((s for s in sentences if s.start <= count.span[0] < s.end), None)
    if sentence is None:
        return None
    numbers = list(_numbers(text, sentence.start, sentence.end))
    here = [c for c in numbers if c.span[1] <= count.span[0] or c.span[0] >= count.span[1]]
    near = sorted(here, key=lambda c: abs(c.span[0] - count.span[0]))[:NEAREST]
    printed = wholes | {c.n for c in near}
    for other in near:
        n = other.n + count.n
        if other.n > 1 and n in printed and 3 * min(other.n, count.n) >= count.n:
            return other
    return None


def _numbers(text: str, start: int, end: int) -> Iterator[Count]:
    """The whole numbers of a stretch that are no percentages, doses or times."""
    places = within(anchors(text).numbers, start, end)
    for match in matches(_NUMBER, text, places, end):
        n = parse_count(match.group())
        before = text[max(0, match.start() - 1) : match.start()]
        if n and before not in ("-", "/", ".") and _counts_people(text, match.end()):
            yield Count(n, match.span())


_OTHER_UNIT = re.compile(
    r"\s*(?:%|mg|g\b|ml|mm|cm|gy\b|[-\s](?:day|week|month|year|hour|min|cycle|course|point|session)|/)",
    re.IGNORECASE,
)


def _counts_people(text: str, end: int) -> bool:
    """Whether no unit follows a number."""
    return not _OTHER_UNIT.match(text, end)


def _may_be_study(n: int, printed: set[int], most: int | None) -> bool:
    """Whether a sum may be the people of a study or those analysed."""
    if most is None:
        return n in printed and n >= FEWEST
    return NEARLY * most <= n <= most or (n in printed and n >= FEWEST and n >= SOME * most)


def side_by_side(
    text: str,
    sentences: tuple[Sentence, ...],
    listed: list[Counts],
    most: int | None,
    *,
    sure: bool = False,
) -> Counts | None:
    """Return one size of each arm from one sentence: their sum is printed, or nearly the study.

    Without a study's size and `sure`, any of one sentence.
    """
    if not all(listed):
        return None
    printed = {c.n for c in _numbers(text, 0, len(text))}
    best: Counts | None = None
    for choice in product(*(some[:TRIED] for some in listed)):
        spans = {c.span for c in choice}
        n = sum(c.n for c in choice)
        first, last = min(spans), max(spans)
        apart = len(spans) == len(choice) and last[0] - first[1] < 200
        if apart and (sure or _may_be_study(n, printed, most)):
            same = any(s.start <= first[0] and last[1] <= s.end for s in sentences)
            if same and (best is None or n > sum(c.n for c in best)):
                best = list(choice)
    return best


def split(
    text: str, sentences: tuple[Sentence, ...], found: list[ArmSpan], wholes: set[int]
) -> Counts | None:
    """Return the two numbers of a sentence that make up the study, by the words beside them.

    "Of 41 patients, 21 had the usual dressing and 20 the new one": each number goes to the arm
    whose words stand beside it, or "control" and the like; where neither stands there, to none.
    """
    if len(found) != 2:
        return None
    words, least = _telling(text, found), SOME * max(wholes, default=0)
    for sentence in sentences:
        numbers = list(_numbers(text, sentence.start, sentence.end))
        printed = {c.n for c in numbers if c.n >= max(FEWEST, least)}
        for first, second in pairwise(numbers):
            if first.n + second.n in wholes | printed and 3 * min(first.n, second.n) >= first.n:
                order = _order(text, sentence, first, second, words, found)
                if order is not None:
                    return [first, second] if order == 0 else [second, first]
    return None


def _telling(text: str, found: list[ArmSpan]) -> list[frozenset[str]]:
    """Of each arm the words of its names that the other's have not."""
    mine = [
        frozenset(w.lower() for a, b in arm.mentions for w in listed(text[a:b]) if telling(w))
        for arm in found
    ]
    return [mine[0] - mine[1], mine[1] - mine[0]]


def _order(
    text: str,
    sentence: Sentence,
    first: Count,
    second: Count,
    words: list[frozenset[str]],
    found: list[ArmSpan],
) -> int | None:
    """Which arm the first of two numbers is, by the words behind each; before each in brackets."""
    between = text[first.span[1] : second.span[0]]
    if _CLOSED.match(text, first.span[1]):
        zones = (text[max(sentence.start, first.span[0] - ZONE) : first.span[0]], between)
    else:
        zones = (between, text[second.span[1] : min(sentence.end, second.span[1] + ZONE)])
    likes = [[_likeness(z, words[k], found[k].role) for k in (0, 1)] for z in zones]
    straight, crossed = likes[0][0] + likes[1][1], likes[0][1] + likes[1][0]
    return None if straight == crossed else int(crossed > straight)


def _likeness(zone: str, words: frozenset[str], role: str) -> int:
    """How many of an arm's words stand in a stretch, and whether it says "control" or the like."""
    here = {w.lower() for w in listed(zone)}
    return len(here & words) + (role == "comparator" and is_comparator(zone))
