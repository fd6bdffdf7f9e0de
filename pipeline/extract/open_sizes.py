"""Gives each arm of whatever treatment its size: those that add up to the study, else as marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from spacy.tokens import Doc

from pipeline.extract import open_pairs
from pipeline.extract.arm_sizes import ArmSpan, all_had_both
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.numbers import COUNT, DIGITS, parse_count
from pipeline.extract.open_pairs import NEARLY, TRIED
from pipeline.extract.population import Count, Population
from pipeline.extract.starts import Starts

Span = tuple[int, int]

_N = r"\d{1,3}(?:[,\u2009\u202f]\d{3})+|\d+"
_MARKED = re.compile(
    rf"(?P<gap>[^.;()\[\]]{{0,60}}?)[(\[,:](?:[^()\[\]=]{{0,60}}?[;,:\s])?\s*n\s*=\s*(?P<n>{_N})(?!\s*/)",
    re.IGNORECASE,
)
_PEOPLE_AFTER = re.compile(
    rf"(?:\s*(?:groups?|arms?))?\s*[(\[](?:[^()\[\]]{{0,40}}?[;,:]\s*)?(?P<n>{COUNT})\s+(?:[\w-]+\s+)?(?:{PEOPLE})\s*"
    r"(?=[)\],;])",
    re.IGNORECASE,
)
_GROUP_AFTER = re.compile(
    rf"\s*(?:groups?|arms?)?\s*[(\[](?P<n>{_N})[)\]]"
    rf"|\s*(?:groups?|arms?):?\s+(?P<m>{_N})(?=\s*[,;)]|\s+(?:{PEOPLE})\b)",
    re.IGNORECASE,
)
_BARE_AFTER = re.compile(rf"(?:\s*\+\s*\w+)?\s*[,:]?\s*(?P<n>{_N})(?=\s*[,;)])", re.IGNORECASE)
_ASSIGNED = Starts(
    re.compile(
        rf"(?<![\w.·,/=-])(?P<n>{COUNT})(?:\s*[\[(]\s*(?:{DIGITS})\s*%\s*[\])])?"
        rf"(?:\s+(?:[\w-]+\s+){{0,2}}?(?:{PEOPLE}))?"
        r"(?:\s+(?:were|was|who|had\s+been|being))?(?:\s+(?:randomly|then|evenly))?"
        r"\s+(?P<verb>assigned|allocated|randomi[sz]ed|receiv(?:ed|ing)|given|treated|underwent|got|enrolled|entered|"
        r"to|into|in|on|with|from|were\s+in)"
        r"(?:\s+(?:to|into|in|with|on|a|an|the|receive|received|treatment|either|by|for|of))*\s+(?:[\w-]+\s+)?$",
        re.IGNORECASE,
    )
)
_BARE_BEFORE = re.compile(rf"(?<![\w.·,/=-])(?P<n>{COUNT})\s+(?:[a-z-]+\s+)?$", re.IGNORECASE)
_MARKED_BEFORE = re.compile(
    rf"\bn\s*=\s*(?P<n>{_N})(?:\s*[,:]\s*|\s+(?:(?:in|for|with|on)\s+(?:the\s+)?)?)$", re.IGNORECASE
)
_OF = re.compile(r"(?<!\btotal )\b(?:of|among)\s+(?:the\s+|all\s+)?$", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:or|and|versus|vs|than|compared|while|whereas|but)\b", re.IGNORECASE)
_WEAK_VERBS = frozenset(("in", "on", "with", "from", "were in"))
_EACH_WORD = re.compile(r"\b(?:each|both|per)\b", re.IGNORECASE)
_EACH = re.compile(
    rf"\bn\s*=\s*(?P<n>\d+)\s*(?:,\s*)?(?:each|per\s+(?:group|arm)|(?:in|for)\s+(?:each|both)\s+(?:group|arm))"
    rf"|\b(?P<m>{COUNT})\s+(?:{PEOPLE})?\s*(?:each\b|(?:in|per|for)\s+(?:each|both)\s+(?:groups?|arms?)\b"
    r"|per\s+(?:group|arm)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Size:
    """A number beside an arm; `sure` if the text says that it is the arm's size."""

    count: Count
    sure: bool


def sized(doc: Doc, found: list[ArmSpan]) -> list[ArmSpan]:
    """Return the arms with their sizes: those that add up to the study, else each as marked."""
    population: Population = doc._.population
    if _larger(found, population.total):
        return found
    wholes = {c.n for c in (population.total, population.enrolled) if c}
    most = max(wholes, default=None)
    two = open_pairs.respective(doc._.source, found, most)
    if two:
        return _with(found, two)
    listed = [_sizes(doc, arm, most) for arm in found]
    if doc._.design.design != "rct_crossover":
        chosen = _adding_up(listed, wholes) or _each(doc._.source, len(found), wholes)
        chosen = chosen or _together(doc, found, listed, wholes)
        if chosen:
            return _with(found, chosen)
    return _with(found, _marked(doc, found, listed, most))


def _with(found: list[ArmSpan], counts: Sequence[Count | None]) -> list[ArmSpan]:
    """The arms with their sizes."""
    return [replace(a, n=c) for a, c in zip(found, counts, strict=True)]


def _marked(
    doc: Doc, found: list[ArmSpan], listed: list[list[Size]], most: int | None
) -> list[Count | None]:
    """The sure size of each arm; all patients where each had both; else denominators."""
    total: Count | None = doc._.population.total
    marked = [next((s.count for s in some if s.sure), None) for some in listed]
    if total and not any(marked) and all_had_both(doc):
        return [replace(total, derived="all patients had both treatments")] * len(found)
    if None in marked:
        marked = [c if c and c.n != most else None for c in marked]
    return marked if any(marked) else _by_denominators(doc, found, most) or marked


def _parts(doc: Doc, found: list[ArmSpan]) -> list[Count] | None:
    """The sizes of the arms where what was taken for the total is one of them.

    "296 were assigned to X and 297 to Y", "450 of 495 on X, 445 of 496 on Y".
    """
    total: Count | None = doc._.population.total
    if total is None:
        return None
    listed = [_sizes(doc, arm, None) for arm in found]
    for kind in (True, False):
        some = [[s.count for s in sizes if s.sure == kind] for sizes in listed]
        if not kind:
            some = [[c for c in counts if _is_fraction(doc, c)] for counts in some]
        if any(_same(c, total) for counts in some for c in counts):
            pair = open_pairs.side_by_side(doc._.source, doc._.sentences, some, None, sure=True)
            if pair and any(_same(c, total) for c in pair):
                return pair
    return None


def _same(count: Count, total: Count) -> bool:
    """Whether a size is the number that was taken for the total."""
    return count.n == total.n and count.span[0] < total.span[1] and total.span[0] < count.span[1]


def _is_fraction(doc: Doc, count: Count) -> bool:
    """Whether a count is the denominator of a fraction."""
    return any(q.kind == "fraction" and (q.start, q.end) == count.span for q in doc._.quantities)


def _together(
    doc: Doc, found: list[ArmSpan], listed: list[list[Size]], wholes: set[int]
) -> list[Count] | None:
    """The sizes that one phrase or sentence gives to the arms, where none add up to the study."""
    text, sentences, most = doc._.source, doc._.sentences, max(wholes, default=None)
    counts = [[s.count for s in some] for some in listed]
    if all(any(s.sure and s.count.n != most for s in some) for some in listed):
        return None
    return (
        open_pairs.complement(text, sentences, counts, wholes)
        or open_pairs.split(text, sentences, found, wholes)
        or _parts(doc, found)
        or open_pairs.side_by_side(text, sentences, counts, most)
    )


def _by_denominators(doc: Doc, found: list[ArmSpan], most: int | None) -> list[Count | None]:
    """The largest denominator of each arm, where together they are nearly the whole study."""
    listed = [list(_denominators(doc, arm)) for arm in found]
    if not all(listed):
        return []
    largest: list[Count | None] = [max(some, key=lambda c: c.n) for some in listed]
    n = sum(c.n for c in largest if c)
    apart = len({c.span for c in largest if c}) == len(largest)
    return largest if apart and (most is None or NEARLY * most <= n <= most) else []


def _larger(found: list[ArmSpan], total: Count | None) -> bool:
    """Whether the sizes marked where the arms are listed make the total too small."""
    marked = [a.n.n for a in found if a.n]
    return total is not None and len(marked) == len(found) and max(marked) >= total.n


def whole(doc: Doc, found: list[ArmSpan]) -> Count | None:
    """The whole that parallel arms add up to, where one of them was taken for it.

    Where nothing was taken for it, only a number that is printed.
    """
    total: Count | None = doc._.population.total
    counts = [a.n for a in found if a.n is not None]
    if doc._.design.design == "rct_crossover" or len(counts) < max(2, len(found)):
        return None
    n = sum(c.n for c in counts)
    apart = len({c.span for c in counts}) == len(counts)
    if not apart or (
        total is not None and total.n not in {c.n for c in counts} and not _larger(found, total)
    ):
        return None
    printed = re.compile(rf"(?<![\w.,/]){n}(?![\w%]|[.,/]\d)").search(doc._.source)
    if printed or total is None:
        return Count(n, printed.span()) if printed else None
    span = (min(c.span[0] for c in counts), max(c.span[1] for c in counts))
    return Count(n, span, "sum of the arms")


def _adding_up(listed: list[list[Size]], wholes: set[int]) -> list[Count] | None:
    """One size of each arm, the first that add up to the study."""
    tried = TRIED if len(listed) < 4 else 3
    for choice in product(*(some[:tried] for some in listed)):
        spans = {s.count.span for s in choice}
        if sum(s.count.n for s in choice) in wholes and len(spans) == len(choice):
            return [s.count for s in choice]
    return None


def _each(text: str, arms: int, wholes: set[int]) -> list[Count] | None:
    """The size that is said of each arm: "n = 65 each", "24 patients in each group"."""
    near = (m.start() for m in _EACH_WORD.finditer(text))
    found = (m for at in near for m in _EACH.finditer(text, max(0, at - 60), at + 25))
    for match in found:
        n = parse_count(match["n"] or match["m"])
        if n and n > 1 and n * arms in wholes:
            return [Count(n, match.span())] * arms
    return None


def _sizes(doc: Doc, arm: ArmSpan, most: int | None) -> list[Size]:
    """The numbers that may be an arm's size, the sure ones first."""
    text: str = doc._.source
    near = [Size(arm.n, True)] if arm.n else []
    for start, end in arm.mentions:
        near += [*_after(text, end), *_before(text, start)]
    near += [Size(c, False) for c in _denominators(doc, arm)]
    fit = [s for s in near if s.count.n > 1 and (most is None or s.count.n <= most)]
    unique = {(s.count.n, s.sure): s for s in reversed(fit)}
    return sorted(unique.values(), key=lambda s: (not s.sure, fit.index(s)))


def _after(text: str, end: int) -> Iterator[Size]:
    """ "X (n = 59)", "X (10 mg; n = 59)", "X arm 59,", "X (59 women)", "X (59)"."""
    marked = _MARKED.match(text, end)
    if marked and not _OTHER.search(marked["gap"]):
        yield from _size(marked, "n", sure=True)
        return
    people = _PEOPLE_AFTER.match(text, end)
    if people:
        yield from _size(people, "n", sure=True)
        return
    for pattern in (_GROUP_AFTER, _BARE_AFTER):
        match = pattern.match(text, end)
        if match:
            yield from _size(match, "n" if match["n"] else "m", sure=False)
            return


def _before(text: str, start: int) -> Iterator[Size]:
    """ "59 patients were assigned to X", "59 X"."""
    low = max(0, start - 110)
    match = _ASSIGNED.search(text, low, start)
    if match and match.end() == start:
        part = _OF.search(text, low, match.start())
        sure = match["verb"].lower() not in _WEAK_VERBS and not part and _alone(text, start)
        yield from _size(match, "n", sure=sure)
        return
    marked = _MARKED_BEFORE.search(text, max(0, start - 25), start)
    if marked:
        yield from _size(marked, "n", sure=False)
        return
    bare = _BARE_BEFORE.search(text, max(0, start - 45), start)
    if bare:
        yield from _size(bare, "n", sure=False)


def _alone(text: str, start: int) -> bool:
    """Whether a treatment stands without an alternative: not "60 patients received X or Y"."""
    return not re.compile(r"[^.;,()]{0,60}?\b(?:or|versus|vs)\b").match(text, start)


def _size(match: re.Match[str], group: str, *, sure: bool) -> Iterator[Size]:
    """The count of a match, unless it is a year."""
    n = parse_count(match[group])
    if n is not None and not (1900 <= n <= 2030 and match[group].isdigit()):
        yield Size(Count(n, match.span(group)), sure)


def _denominators(doc: Doc, arm: ArmSpan) -> Iterator[Count]:
    """Denominators of counts that are printed beside an arm's mention: "X (7/71)"."""
    fractions = [q for q in doc._.quantities if q.kind == "fraction" and q.high]
    for start, end in arm.mentions:
        for q in fractions:
            near = q.start - end if q.start >= end else start - q.end
            if 0 <= near < 45 and not _OTHER.search(doc._.source, *sorted((end, q.start))[:2]):
                yield Count(int(q.high), (q.start, q.end))
