"""Gives each arm its size: printed beside its name, or following from the whole study."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from spacy.tokens import Doc

from pipeline.extract.grammar import PEOPLE
from pipeline.extract.numbers import COUNT, DIGITS, parse_count
from pipeline.extract.population import Count
from pipeline.extract.sole import is_sole

Span = tuple[int, int]
#: Less than this share of what each arm would have if all were alike is a part of an arm.
PART = 0.6
COMPARATIVE = ("rct_parallel", "rct_crossover", "nonrandomised_controlled")

_VERBS = (
    r"(?:were|was|had|have|having|received|receiving|receive|got|given|gets?|assigned|randomi[sz]ed|randomly|"
    r"allocated|treated|took|taking|being|entered|on|in|to|with|by|the|a|an|one|two|single|course|of|and|alone|first|both|either)"
)
_AFTER = re.compile(
    rf"^[\s-]*(?:(?:group|arm|alone|therapy|treatment|treated|patients?|women|recipients?|intravenously|infusion"
    rf"|regimen|chemotherapy|program(?:me)?|intervention|condition)s?\s*){{0,3}}"
    rf"(?:(?:[\[(,:]|[^.;()\[\]]{{0,45}}[\[(])(?:[^()\[\]=]{{0,40}}?[;,:\s])?\s*(?P<mark>n)\s*=\s*"
    rf"(?P<n>\d{{1,3}}(?:,\d{{3}})+|\d+)(?!\s*/)"
    rf"|(?:[\[(][^()\[\]=]{{1,12}}[\])]\s*)?(?:[\[(,:]|[\[(][\w\s/+-]{{1,12}}[,;:])\s*(?P<m>{COUNT})"
    rf"(?=\s*[\])])(?!\s*%)"
    rf"|(?:[\[(][^()\[\]=]{{1,12}}[\])]\s*)?[\[(,:]\s*(?P<k>{COUNT})\s+(?:{PEOPLE})\b"
    rf"|(?:were\s+|was\s+)?(?:given\s+|used\s+|administered\s+)?in\s+(?P<g>{COUNT})(?=\s+(?:{PEOPLE})\b|[.,;]))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"(?P<n>{COUNT})(?:\s*[\[(]\s*(?:{DIGITS})\s*%\s*[\])])?"
    rf"(?P<people>\s+(?:[\w-]+\s+)?(?:{PEOPLE}))?(?P<verbs>(?:\s+{_VERBS})*)\s+(?:[a-z-]+\s+)?$",
    re.IGNORECASE,
)
_RECEIVED = re.compile(
    rf"(?P<n>{COUNT})\s+(?:{PEOPLE})\s+(?:received|were\s+given|were\s+treated\s+with)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_GIVEN_TO = re.compile(
    rf"\s+(?:was|were)\s+given\s+(?:to|in)\s+(?P<n>{COUNT})\s+of\b", re.IGNORECASE
)
_ALTERNATIVE = re.compile(r"\s*(?:\([^()]*\)\s*)?(?:or|versus|vs)\b", re.IGNORECASE)
#: A number that is part of a name: "ADVANCE-CIDP 3".
_IN_NAME = re.compile(r"[A-Z]{3,}[\w-]{0,20}\s$")
_JUST_BEFORE = re.compile(
    rf"[^/]{{0,60}}?\b(?:in|on|with|of|for|receiving|given)\s+(?:the\s+)?|\s*(?:{PEOPLE})?\s*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ArmSpan:
    """An arm as found; `kind` is intervention, placebo, no treatment, active, dose, route ..."""

    label: str
    role: str
    kind: str
    treatment: str
    span: Span
    mentions: tuple[Span, ...]
    n: Count | None = None


def sized(doc: Doc, found: list[ArmSpan]) -> Iterator[ArmSpan]:
    """Give each arm its size: as printed beside it, else all patients where that follows."""
    total: Count | None = doc._.population.total
    sizes = _fitting(doc, _printed(doc, found))
    for arm, size in zip(found, sizes, strict=True):
        n = arm.n or size
        if n is None and total and len(found) == 1 and doc._.design.design not in COMPARATIVE:
            n = _treated(doc, arm) or (
                replace(total, derived="all patients of an uncontrolled study")
                if is_sole(doc)
                else None
            )
        if n is None and total and not any(sizes) and all_had_both(doc):
            n = replace(total, derived="all patients had both treatments")
        yield replace(arm, n=n)


def _fitting(doc: Doc, sizes: list[Count | None]) -> list[Count | None]:
    """Sizes without those that are but a part of an arm, where they do not add up to the study."""
    total: Count | None = doc._.population.total
    known = [c.n for c in sizes if c]
    if total is None or len(sizes) < 2 or (len(known) == len(sizes) and sum(known) >= total.n):
        return sizes
    return [c if c and c.n * len(sizes) >= PART * total.n else None for c in sizes]


def _treated(doc: Doc, arm: ArmSpan) -> Count | None:
    """Those of a larger cohort who had the treatment: "204 patients received IVIg"."""
    text, total = doc._.source, doc._.population.total
    for start, end in arm.mentions:
        offset = max(0, start - 60)
        before, after = _RECEIVED.search(text[offset:start]), _GIVEN_TO.match(text, end)
        match, shift = (before, offset) if before else (after, 0)
        n = parse_count(match["n"]) if match else None
        if match and n and 1 < n != total.n:
            return Count(n, (shift + match.start("n"), shift + match.end("n")))
    return None


def all_had_both(doc: Doc) -> bool:
    """Whether each patient of a crossover is said to have had both treatments."""
    return doc._.design.design == "rct_crossover" and bool(
        re.search(
            r"\b(?:received|had|given|got)\s+both\b|,?\s*then the other\b"
            r"|\bcross(?:ed|ing)\s+over\b",
            doc._.source,
            re.I,
        )
    )


def _printed(doc: Doc, found: list[ArmSpan]) -> list[Count | None]:
    """The sizes printed beside the arms: those that add up to the study first, then "n = ".

    In a crossover, where each patient is in both arms, only a number of people counts.
    """
    if len(found) < 2:
        return [None] * len(found)
    crossover = doc._.design.design == "rct_crossover"
    population = doc._.population
    total = population.total.n if population.total else None
    listed = [_candidates(doc, arm, total, crossover) for arm in found]
    wholes = {c.n for c in (population.total, population.enrolled) if c}
    if not crossover and all(listed):
        for choice in product(*(counts[:6] for counts in listed)):
            if sum(c.n for c in choice) in wholes:
                return list(choice)
    return [_likeliest(doc._.source, counts) for counts in listed]


def parts_of(doc: Doc, found: list[ArmSpan]) -> Count | None:
    """The whole that parallel arms add up to, where what was taken for it is one of them.

    "Thirty patients had IVIg and 28 had placebo" are 58, not 30.
    """
    total = doc._.population.total
    if doc._.design.design == "rct_crossover" or len(found) < 2 or total is None:
        return None
    listed = [_candidates(doc, arm, total.n + 1, False) for arm in found]
    choices = list(product(*(counts[:6] for counts in listed)))
    if not choices or any(sum(c.n for c in choice) == total.n for choice in choices):
        return None
    chosen = choices[0]
    apart = len({c.span[0] for c in chosen}) == len(chosen)
    if not apart or total.n not in {c.n for c in chosen}:
        return None
    span = (min(c.span[0] for c in chosen), max(c.span[1] for c in chosen))
    return Count(sum(c.n for c in chosen), span, "sum of the arms")


def _candidates(doc: Doc, arm: ArmSpan, total: int | None, crossover: bool) -> list[Count]:
    """The numbers that may be an arm's size, in order of text."""
    text = doc._.source
    near = (c for s in arm.mentions for c in (count_after(text, s), count_before(text, s)))
    found = [c for c in near if c is not None and c.n > 1 and (total is None or c.n < total)]
    if crossover:
        people = re.compile(rf"\b(?:{PEOPLE})\b", re.I)
        most = (c for c in found if total is None or 2 * c.n >= total)
        return [c for c in most if people.search(text, *c.span)]
    return [*found, *_denominators(doc, arm)]


def _denominators(doc: Doc, arm: ArmSpan) -> Iterator[Count]:
    """Denominators of counts that are printed just before an arm's mention."""
    for start, _ in arm.mentions:
        before = [q for q in doc._.quantities if q.kind == "fraction" and q.end <= start]
        if before and _JUST_BEFORE.fullmatch(doc._.source, before[-1].end, start):
            yield Count(int(before[-1].high), (before[-1].start, before[-1].end))


def _likeliest(text: str, counts: list[Count]) -> Count | None:
    """The count marked "n =", else the first that is not a mere denominator of results."""
    marked = [c for c in counts if text[c.span[0] : c.span[1]].lower().startswith("n")]
    plain = [c for c in counts if "/" not in text[c.span[0] : c.span[1]]]
    return next(iter([*marked, *plain]), None)


def count_after(text: str, span: Span) -> Count | None:
    """ "placebo (n = 58)", "A, 54 patients", "steroids in 22"."""
    match = _AFTER.match(text[span[1] : span[1] + 110])
    name = next((k for k in ("n", "m", "k", "g") if match[k]), None) if match else None
    n = parse_count(match[name]) if match and name else None
    if match is None or name is None or n is None:
        return None
    start = match.start("mark" if name == "n" else name)
    return Count(n, (span[1] + start, span[1] + match.end()))


def count_before(text: str, span: Span) -> Count | None:
    """ "59 patients on IGIV-C", "24 IVIg", "31 in the continuation arm"; not "five exchanges"."""
    offset = max(0, span[0] - 80)
    match = _BEFORE.search(text[offset : span[0]])
    n = parse_count(match["n"]) if match else None
    if match is None or n is None:
        return None
    if _IN_NAME.search(text[max(0, offset - 25) : offset + match.start("n")]):
        return None
    if _ALTERNATIVE.match(text, span[1]):
        return None  # "60 patients received IVIg or placebo"
    bare = not (match["people"] or match["verbs"])
    if bare and not match["n"].isdigit():
        return None
    return Count(n, (offset + match.start("n"), span[1]))
