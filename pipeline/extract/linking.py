"""Says which arm, outcome, time and p value a measurement belongs to, by where they stand."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, zip_longest
from operator import attrgetter

from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.measurements import Measurement
from pipeline.extract.quantities import Quantity

Span = tuple[int, int]

_BELONGS = re.compile(
    r"^[^,;.]*\b(?:with|on|after|in|for|given|under|receiving|of|to|by)\b[^,;]*$", re.I
)
STRICT = re.compile(
    r"(?:^|[\s(),;])(?:vs?\.?|versus|compared\s+(?:with|to)|against|than)(?=[\s(])", re.I
)
LOOSE = re.compile(r"\b(?:and|while|whereas|but|or|for)\b|[,;]", re.I)
_FROM = re.compile(r"\bfrom\s+(?:an?\s+)?(?:\w+\s+)?(?:of\s+)?$", re.I)
_BEFORE = re.compile(
    r"\b(?:before|(?:at\s+)?baseline|pre-?treatment|initially|at entry|at the start)\b", re.I
)
_AFTER = re.compile(
    r"\b(?:after|follow-?up|post-?treatment|last|weeks?|months?|days?|end|to)\b",
    re.I,
)
#: "8.1 ± 2.9/nl to 5.6 ± 2.5": two values with their spreads are no range.
_TO = re.compile(
    r"\s*\)?\s*(?:[/%]?[A-Za-zµμ%]{0,6}(?:/[A-Za-z]{1,4})?)?\s+to\s+(?:[a-z]+\s+){0,1}"
)
_FROM_BASELINE = re.compile(r"\bfrom baseline to\b|\bbaseline (?:vs\.?|versus|and|to)\b", re.I)
#: What stands between an arm's name and the number behind it: "control group, 12%", "A: 12%".
_LABEL = re.compile(r"(?:\s+(?:groups?|arms?|patients))?\s*(?:[,:=(\[]|was|were|had)?\s*", re.I)
#: A semicolon outside brackets, or "whereas": what stands behind it speaks of another arm.
_NEW_CLAUSE = re.compile(r";(?![^()]{0,120}+[)])|,\s(?:but|whereas|while)\s")
#: A bare comparison: "12% v 30%", "2.8 and 2.6 months".
_VERSUS = re.compile(
    r"\s*(?:months?|days?|weeks?|years?|points?|mm\s?Hg|kg|min)?\s*,?\s*(?:vs?\.?|versus|compared\s+(?:with|to)|and)\s*",
    re.I,
)
#: The second of two arms: "was higher than with placebo (30% v 12%)".
_THAN = re.compile(
    r"\b(?:than|compared\s+(?:with|to)|versus|vs\.?)\s+(?:(?:that|those)\s+)?(?:(?:in|with|for|of|on|after|receiving)\s+)?(?:the\s+)?$",
    re.I,
)
#: "12% v 30%, respectively": in the order in which the arms were named.
_SAID = re.compile(r"[^;.()\d]{0,50}\brespectively\b", re.I)
_AT = re.compile(
    r"\s*(?:(?:months?|days?|weeks?|years?|patients)\s*)?(?:(?:in|with|on|for|of|among)\s+)?(?:the\s+|those\s+|patients\s+|given\s+|receiving\s+)*",
    re.I,
)
#: What says that a stretch of time is one of a list, of a pair, or an interval of treatment.
_NO_TIME = re.compile(
    r"(?:\b(?:and|or|vs?\.?|versus|compared\s+(?:to|with)|than|maximum\s+of|every|each|aged?|lasting|came\s+back\s+after|relapsed\s+after)|[-–±])\s*$",
    re.I,
)
#: What joins a row to a time before it that is another's: "after 8 weeks and 6.81 ...".
_JOINED = re.compile(r"[^,;.\d]{0,30}(?:,\s*)?\b(?:and|but|while|whereas)\s+$", re.I)
#: What a mention on the unusual side of its number costs more.
ODD = 50.0
#: A link that costs more than this is no link: the arm stays open.
FAR = 120.0


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that names arm number `arm`."""

    arm: int
    start: int
    end: int


def mentions(arms: Sequence[ArmSpan], start: int, end: int) -> list[Mention]:
    """Return the places in ``[start, end)`` that name an arm, in order."""
    found = (Mention(i, a, b) for i, arm in enumerate(arms) for a, b in arm.mentions)
    return sorted((m for m in found if start <= m.start and m.end <= end), key=lambda m: m.start)


def side(places: Sequence[Mention], measured: Sequence[Measurement]) -> str:
    """Return whether a sentence names its arms "behind" their numbers or "before", "" if unclear.

    "12% in group A and 30% in group B" names no arm before its first number; "group A had 12% and
    group B had 30%" names none behind its last.
    """
    if not places or len(measured) < 2:
        return ""
    before = places[0].end <= measured[0].start
    behind = places[-1].start >= measured[-1].end
    return "" if before == behind else "before" if before else "behind"


def cost(
    text: str, m: Measurement, place: Mention, others: Sequence[Measurement], usual: str = ""
) -> float:
    """Return how far a mention is from a measurement, in characters and obstacles.

    A mention behind that is tied by a preposition ("12 of 58 on placebo") is near; every comma
    and every other measurement between is an obstacle. `usual` is the side on which the sentence
    names its arms: a mention on the other side is far.
    """
    if m.start <= place.start < m.end:
        return 0.0
    behind = place.start >= m.end
    if behind:
        gap = text[m.end : place.start]
        total = len(gap) * (0.5 if _BELONGS.match(gap) or not gap.strip() else 1.0)
        low, high = m.end, place.start
    else:
        gap = text[place.end : m.start]
        total = len(gap) + 4.0
        low, high = place.end, m.start
        if _LABEL.fullmatch(gap):
            return 2.0
    if usual and behind != (usual == "behind"):
        total += ODD
    total += 25 * len(re.findall(r"[,;](?!\s*p\s*[=<])", gap)) + 40 * len(_NEW_CLAUSE.findall(gap))
    start = attrgetter("start")
    between = bisect_left(others, high, key=start) - bisect_left(others, low, key=start)
    return total + 40 * max(0, between)


def arms_of(
    text: str,
    group: Sequence[Measurement],
    places: Sequence[Mention],
    others: Sequence[Measurement],
) -> list[int | None]:
    """Return the arm of each measurement of a group that compares arms, each arm once.

    None stands where no mention is near enough.
    """
    ids = sorted({p.arm for p in places})
    if len(ids) == 1 and len(group) == 2 and _VERSUS.fullmatch(text, group[0].end, group[1].start):
        behind = any(
            _AT.fullmatch(text, group[1].end, p.start) for p in places if p.start >= group[1].end
        ) or all(_THAN.search(text[max(0, p.start - 45) : p.start]) for p in places)
        return [None, ids[0]] if behind else [ids[0], None]
    if len(group) == 1 or len(ids) < len(group):
        return _once([_nearest(text, m, places, others) for m in group])
    usual = side(places, others)
    table = {
        (k, i): min(cost(text, m, p, others, usual) for p in places if p.arm == i)
        for k, m in enumerate(group)
        for i in ids
    }
    named = [p.arm for p in places if p.end <= group[0].start]
    header = [a for a, b in zip_longest(named, named[1:]) if a != b][-len(group) :]
    if len(set(header)) < len(group):
        far = next((o.start for o in others if o.start > group[-1].end), len(text))
        named = [p.arm for p in places if group[-1].end <= p.start < far]
        header = [a for a, b in zip_longest(named, named[1:]) if a != b][: len(group)]

    said = _SAID.match(text, group[-1].end) is not None
    beside = _named_beside(text, group, places, others)
    if len(group) == len(ids) == 2 and beside is not None and not said:
        header = [beside, *(i for i in ids if i != beside)]

    def total(order: tuple[int, ...]) -> float:
        in_order = (200.0 if said else 30.0) if list(order) == header else 0.0
        return sum(table[k, i] for k, i in enumerate(order)) - in_order

    best = min(permutations(ids, len(group)), key=total)
    return [i if table[k, i] < FAR + 80 else None for k, i in enumerate(best)]


def _named_beside(
    text: str,
    group: Sequence[Measurement],
    places: Sequence[Mention],
    others: Sequence[Measurement],
) -> int | None:
    """The only arm named between the measurement before a group and the group."""
    since = max((o.end for o in others if o.end <= group[0].start), default=0)
    near = [
        p
        for p in places
        if since <= p.start and p.end <= group[0].start and not _AT.fullmatch(text, since, p.start)
    ]
    than = any(_THAN.search(text[max(0, p.start - 45) : p.start]) for p in near)
    named = {p.arm for p in near}
    return named.pop() if since and len(named) == 1 and not than else None


def _once(links: Sequence[tuple[float, int | None]]) -> list[int | None]:
    """Leave each arm to the measurement that is nearest to it."""
    best = {arm: min(c for c, a in links if a == arm) for _, arm in links}
    return [arm if c == best[arm] else None for c, arm in links]


def _nearest(
    text: str, m: Measurement, places: Sequence[Mention], others: Sequence[Measurement]
) -> tuple[float, int | None]:
    """The arm whose mention costs least, and its cost."""
    usual = side(places, others)
    costs = [(cost(text, m, p, others, usual), p.arm) for p in places]
    low, arm = min(costs, default=(FAR, None))
    if low >= FAR and len({p.arm for p in places}) == 1 and places[0].end <= m.start:
        return low, arm  # "In the cooled group, one had ..., six had ..., 12 had ..."
    beside = _beside(m, places, others) if usual == "before" else None
    return low, arm if low < FAR else beside


def _beside(m: Measurement, places: Sequence[Mention], others: Sequence[Measurement]) -> int | None:
    """The arm named last before a measurement, where no other measurement stands between."""
    named = [p for p in places if p.end <= m.start]
    if not named or any(named[-1].end <= o.start < m.start for o in others):
        return None
    return named[-1].arm


def is_baseline_pair(text: str, a: Measurement, b: Measurement, start: int, end: int) -> bool:
    """Whether `a` and `b` are baseline and follow-up: "from 53 to 42", "61% before; 39% after"."""
    before_a, gap = text[max(start, a.start - 30) : a.start], text[a.end : b.start]
    if len(gap) > 90:
        return False
    if _FROM.search(before_a) and re.search(r"\bto\b|\b(?:rose|fell)\b", gap):
        return True
    if a.spread is not None and b.spread is not None and _TO.fullmatch(gap):
        return True
    if STRICT.search(gap) and _FROM_BASELINE.search(text, start, a.start):
        return True
    around = before_a[-22:] + gap[:22]
    return bool(_BEFORE.search(around)) and bool(
        _AFTER.search(gap + text[b.end : min(end, b.end + 22)])
    )


def p_value_of(found: Sequence[Quantity], m_end: int, next_start: int) -> Quantity | None:
    """Return the first p value between a row's end and the next row's start."""
    return next((q for q in found if q.kind == "p_value" and m_end <= q.start < next_start), None)


def time_of(
    text: str,
    found: Sequence[Quantity],
    span: Span,
    taken: Sequence[Span],
    rows: Sequence[Span],
) -> Quantity | None:
    """Return the timepoint nearest to a row that is not itself a result.

    None where other words than those of a time stand before it ("for 3, 6 and 12 months", "38.8 v
    38.2 years"), or where another row of `rows` or a semicolon stands between: it is that one's.
    """
    free = [
        q for q in found if q.kind == "timepoint" and not any(a <= q.start < b for a, b in taken)
    ]
    near = min(free, key=lambda q: min(abs(q.start - span[1]), abs(span[0] - q.end)), default=None)
    near = _own_time(text, free, near, span, rows)
    if near is None or _NO_TIME.search(text[max(0, near.start - 24) : near.start]):
        return None
    low, high = (near.end, span[0]) if near.end <= span[0] else (span[1], near.start)
    before_all = all(near.end <= a for a, _ in rows)
    parted = any(low <= a < high for a, _ in rows) and not before_all
    return None if parted or ";" in text[low:high] else near


def _own_time(
    text: str,
    free: Sequence[Quantity],
    near: Quantity | None,
    span: Span,
    rows: Sequence[Span],
) -> Quantity | None:
    """The time behind a row, where the nearest closes another: "A at 8 weeks and B at 4 weeks"."""
    if near is None or near.end > span[0] or not _JOINED.fullmatch(text[near.end : span[0]]):
        return near
    if not any(b <= near.start for _, b in rows):
        return near
    behind = next((q for q in free if q.start >= span[1]), None)
    if behind is None or any(span[1] <= a < behind.start for a, _ in rows):
        return near
    return behind
