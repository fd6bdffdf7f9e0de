"""Counts patients: who was enrolled, analysed, completed; literature and controls stay apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.anchors import Anchors, anchors
from pipeline.extract.extensions import need
from pipeline.extract.grammar import IN_EACH, PEOPLE, TIME_UNIT
from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import COUNT, parse_count
from pipeline.extract.places import matches, within
from pipeline.extract.starts import Starts
from pipeline.extract.two_groups import is_contrasted, is_year, out_of, side_by_side

Span = tuple[int, int]

_MENTION = re.compile(
    rf"""(?<![\w.·,/%])(?<!type\ )(?<!phase\ )(?<!stage\ )(?<!grade\ )(?<!class\ )
    (?<!group\ )(?<!arm\ )(?<!study\ )(?<!per\ )(?!0)
    (?P<n>\d{{1,3}}[ ]\d{{3}}(?![\d])|{COUNT})[\s-]+
    (?!to\b|or\b|and\b|days?\b|weeks?\b|months?\b|years?\b|cent(?:re|er)s\b|hospitals\b
       |publications\b)
    (?:(?!{COUNT}|(?:of|in|was|were|is|are|with|for|at|by|on|from|had|who|than|among|per
        |cent(?:re|er)s|hospitals|clinics|sites|countries|institutions|practices)\b)
       (?:(?:[A-Z]\.|[\w'’/-]+)(?:\s+\([^()]{{1,30}}\))?|[\w'’-]*[a-rt-z],)\s+){{0,8}}?(?:{PEOPLE})\b(?!['’]s|[\s-]years?\b)
    | \b(?:{PEOPLE})\b
      (?:[^.;()\d]{{0,60}}[\[(,]?|(?:[^.;()=]|(?-i:\([A-Z][A-Za-z]{{1,9}}\))){{0,80}}?[\[(,])\s*n\s*=\s*
      (?P<m>\d{{1,3}}(?:,\d{{3}})+|\d+)(?!\s*/)""",
    re.IGNORECASE | re.VERBOSE,
)
_SEX_SUM = re.compile(
    rf"(?<![\w.·,/%])(?P<a>{COUNT})\s+(?P<x>men|women|boys|girls|males?|females?)\b\s*(?:,|and|/|;)\s*(?:and\s+)?"
    rf"(?P<b>{COUNT})\s+(?P<y>men|women|boys|girls|males?|females?)\b",
    re.IGNORECASE,
)
#: "20 patients had a block and 13 had no block": the two halves of a study.
_HALVES = re.compile(
    rf"(?<![\w.·,/%])(?P<a>{COUNT})\s+(?:{PEOPLE})\s+(?:had|with)\s+(?:an?\s+)?(?:[\w-]+\s+){{1,4}}?"
    rf"and\s+(?P<b>{COUNT})\s+(?:(?:{PEOPLE})\s+)?(?:had\s+no\b|without\b|did\s+not\b)",
    re.IGNORECASE,
)
#: "37 participants were assigned to receive A and 40 to receive B": the two arms of a study.
_ASSIGNED = re.compile(
    rf"(?<![\w.·,/%])(?P<a>{COUNT})\s+(?:(?:{PEOPLE})\s+)?(?:had\s+been|have\s+been|were|was)\s+(?:randomly\s+)?"
    rf"(?:assigned|randomi[sz]ed|allocated)\s+to\s[^.;\d]{{2,60}}?\band\s+(?P<b>{COUNT})\s+(?:(?:{PEOPLE})\s+)?"
    r"(?:(?:were\s+)?(?:assigned|randomi[sz]ed|allocated)\s+)?to\s",
    re.IGNORECASE,
)
#: "41 were treated and compared to 66 controls": an arm, and no whole.
_COMPARED_TO = re.compile(
    rf"[^.;\d]{{0,30}}\b(?:treated|receiv\w+|given|on)\b[^.;\d]{{0,30}}\bcompared\s+(?:to|with)\s+{COUNT}\s+(?:[\w-]+\s+){{0,3}}?(?:{PEOPLE}|controls)\b",
    re.IGNORECASE,
)
#: People who are called by an abbreviation: "survivors (BCS)", and a number of these.
_CALLED = re.compile(r"(?P<people>\w+)\s+[(](?P<short>[A-Z]{2,6})[)]")
_OF_CALLED = re.compile(rf"(?P<n>{COUNT})\s+(?:[\w-]+,?\s+){{0,5}}?(?P<short>[A-Z]{{2,6}})\b")
#: A number marked "n =" alone that may be a study's is more than this.
FEW = 9
_MARK = re.compile(r"[(\[]\s*n\s*=\s*(?P<n>\d{1,3}(?:,\d{3})+|\d+)\s*[)\]]", re.IGNORECASE)
_GROUP = re.compile(
    r"\b(?:groups?|arms?|placebo|controls?|received|events?|deaths?)\b(?!-)", re.IGNORECASE
)
_NEXT = re.compile(r";(?![^()]{0,60}\))|,\s+and\s")
_ENROLLED = (
    r"(?:randomi[sz]ed|randomly|enrol+ed|recruited|included|assigned|allocated|entered|participated"
    r"|took\s+part|accrued)"
)
_ENROLLED_BEFORE = re.compile(
    rf"\b{_ENROLLED}(?:\s+(?:a\s+total\s+of|assigned|allocated|all|the))?\s+$", re.IGNORECASE
)
_ENROLLED_AFTER = re.compile(rf"\b{_ENROLLED}\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.;](?=\s)")
#: A mention that scores no more than this is somebody else's number, or a part.
NEVER = -5
#: A mention that scores less than this names no enrolment: a larger one before it may be the whole.
WEAK = 9
#: What a number loses that is set against another group's: "in 7 with ..., whereas in 5 with ...".
CONTRASTED = 8
_COUNT = re.compile(COUNT)
_ANALYSED = re.compile(
    rf"(?<![\w.·,/])(?:(?P<b>{COUNT})\s+(?:(?:{PEOPLE})\s+)?(?:were|was)\s+(?:\w+\s+)?(?:included\s+)?(?:in\s+the\s+(?:\w+\s+)?(?:efficacy|analys|final|intention)"
    rf"|analy[sz]ed|evaluable|assessable|eligible for analysis)"
    rf"|(?P<c>{COUNT})\s+(?:met\s+\w+\s+)?(?:and\s+)?(?:got|received)\s+(?:the\s+)?study\s+(?:drug|medication|treatment)"
    rf"|(?P<d>{COUNT})\s+met\s+(?:the\s+)?criteria"
    rf"|(?P<f>{COUNT})\s*(?:/|of|out\s+of)\s*(?:the\s+|all\s+)?(?:[a-z-]+\s+)?"
    rf"(?:\d[\d,]*|{COUNT})\s+"
    rf"(?:\([^()]{{1,12}}\)\s+)?"
    rf"(?:[\w-]+\s+){{0,3}}?(?:{PEOPLE})\s+(?:(?:were|was|then|finally|approached|invited|asked)\s+)?(?:participated|enrol|accepted|agreed|randomi|included)"
    rf"|(?P<h>{COUNT})\s+of\s+(?:these|those|them)\s+(?:(?:{PEOPLE})\s+)?(?:were|was)\s+randomi)",
    re.IGNORECASE,
)
#: The words before a number that say it is what was left of more.
_LEFT_OF = ("leaving", "screened", "approached", "assessed for eligibility")
_LEFT = re.compile(
    rf"leaving\s+(?P<a>{COUNT})\b(?!\s+{TIME_UNIT}|(?:\s+(?:{PEOPLE}))?\s+in\s+(?:the|each)\b)"
    rf"|\b(?:screened|approached|assessed\s+for\s+eligibility)\b[^.;]{{0,60}}?(?<![\w.·,/])(?P<e>{COUNT})\s+"
    rf"(?:\(\s*[\d.·]+\s?%\s*\)\s+)?(?:(?:{PEOPLE})\s+)?(?:were\s+|was\s+)?(?:randomi|enrol|includ|treated)",
    re.IGNORECASE,
)
#: "We analysed 225 patients", "the main analysis was on the 22 patients who ...".
_ANALYSIS_OF = Starts(
    re.compile(
        rf"\b(?:we\s+analy[sz]ed|analys[ei]s\s+(?:was|were)\s+(?:\w+\s+){{0,2}}?(?:on|of|in))\s+"
        rf"(?:the\s+|all\s+)?(?P<a>{COUNT})\s+(?:{PEOPLE})\b",
        re.IGNORECASE,
    )
)
#: "Of 92 eligible patients, 44 were included."
_INCLUDED_OF = re.compile(
    rf"\b(?:Of|Among|From)\s+(?:the\s+|all\s+)?{COUNT}\s+(?:[\w-]+\s+){{0,4}}?(?:{PEOPLE})\b[^.;\d]{{0,40}}?,\s+"
    rf"(?P<a>{COUNT})\s+(?:\(\s*[\d.·]+\s?%\s*\)\s+)?(?:were|was)\s+(?:included|enrol+ed|recruited|randomi[sz]ed)"
    r"(?=\s*[.,;]|\s+(?:and|to|in\s+(?:the|this|our)\s+(?:study|trial|analys[ie]s|final))\b)",
    re.IGNORECASE,
)
_COMPLETED = re.compile(
    rf"(?<![\w.·,/])(?P<a>{COUNT})\s+(?:(?:{PEOPLE})\s+)?(?:had\s+)?(?:completed\b|finished\b)(?!\s+questionnaires)",
    re.IGNORECASE,
)
_COMPLETED_BY = re.compile(rf"completed\s+(?:by|in)\s+(?P<b>{COUNT})\s+(?:{PEOPLE})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of patients with its place; `derived` names the rule where it is a sum."""

    n: int
    span: Span
    derived: str = ""


@dataclass(frozen=True, slots=True)
class Population:
    """The counts of a study: n_total is the main (analysed) number.

    `larger` is another number of people that is printed before the total: it may be the total.
    """

    total: Count | None = None
    enrolled: Count | None = None
    completed: Count | None = None
    larger: Count | None = None


@Language.component(
    "evipool_population",
    requires=["doc._.source", "doc._.sentences"],
    assigns=["doc._.population"],
)
def population(doc: Doc) -> Doc:
    """Set `doc._.population`."""
    need(doc, "evipool_population")
    doc._.population = read(doc)
    return doc


def read(doc: Doc) -> Population:
    """Choose the main count among the mentions of people."""
    text: str = doc._.source
    places = anchors(text)
    mentions = _mentions(doc, places)
    best = _whole_of(mentions, max(mentions, key=lambda m: m[1], default=None))
    total = best[0] if best and best[1] > NEVER else None
    if total and not total.derived and _COMPARED_TO.match(text, total.span[1]):
        total = None
    total = total or _marked_alone(doc)
    enrolled = [m for m, score in mentions if (score >= 6 or m is total) and _is_enrolled(text, m)]
    analysed = _first(text, places, _ANALYSED, _LEFT, _LEFT_OF)
    analysed = analysed or next(_counts(_ANALYSIS_OF.finditer(text)), None)
    analysed = analysed or next(_counts(_INCLUDED_OF.finditer(text)), None)
    if analysed and (total is None or analysed.n <= total.n):
        top = total
        total = analysed
        if top and top.n > analysed.n:
            enrolled = [top] if _is_enrolled(text, top) else []
    completed = _first(text, places, _COMPLETED, _COMPLETED_BY, ("completed",))
    if completed and (_of_a_group(doc, completed) or (total and completed.n > total.n)):
        completed = None
    first = enrolled[0] if enrolled else None
    larger = _larger(mentions, total, first) or _whole_printed(text, places, total)
    return Population(total, first, completed, larger)


def _larger(
    mentions: list[tuple[Count, int]], total: Count | None, enrolled: Count | None
) -> Count | None:
    """The first number before a weak total that is larger and that of those studied, as it seems.

    Those who were enrolled are none of them: they may well be more.
    """
    strength = next((score for m, score in mentions if m is total), WEAK)
    if total is None or strength >= WEAK:
        return None
    known = {total.n, enrolled.n if enrolled else total.n}
    before = (m for m, score in mentions if m.span < total.span and score > NEVER)
    return next((m for m in before if m.n > total.n and m.n not in known), None)


def _whole_printed(text: str, places: Anchors, total: Count | None) -> Count | None:
    """A number of people that counts are printed out of, which is larger: "3/68 patients"."""
    if total is None:
        return None
    found = (Count(n, span) for n, span in out_of(text, places.numbers))
    return next((c for c in found if c.n > total.n), None)


def _whole_of(
    mentions: list[tuple[Count, int]], best: tuple[Count, int] | None
) -> tuple[Count, int] | None:
    """The larger number before a few who score weakly, of which they are a part; None if weaker.

    "Five patients were moved ... the dose rose in 2 patients": two are not the study.
    """
    if best is None or best[1] >= WEAK or best[0].n > FEW:
        return best
    larger = [
        m for m in mentions if m[0].n > best[0].n and m[0].span < best[0].span and m[1] > NEVER
    ]
    whole = max(larger, key=lambda m: m[1], default=best)
    return whole if whole[1] >= 0 else None


def _is_enrolled(text: str, count: Count) -> bool:
    """Whether the words beside a count say that so many were enrolled, randomised, included."""
    before = text[max(0, count.span[0] - 60) : count.span[0]]
    after = _CLAUSE_END.split(text[count.span[1] : count.span[1] + 90], maxsplit=1)[0]
    if "screened" in text[slice(*count.span)]:
        return False
    return bool(_ENROLLED_BEFORE.search(before) or _ENROLLED_AFTER.search(after))


def _marked_alone(doc: Doc) -> Count | None:
    """The one number of a sentence that is marked "n =", if no group is named before it."""
    text: str = doc._.source
    for sentence in doc._.sentences:
        if text.find("=", sentence.start, sentence.end) < 0:
            continue
        marks = list(_MARK.finditer(text, sentence.start, sentence.end))
        n = parse_count(marks[0]["n"]) if len(marks) == 1 else None
        if n and n > FEW and not _GROUP.search(text, sentence.start, marks[0].start()):
            return Count(n, marks[0].span())
    return None


def _of_a_group(doc: Doc, count: Count) -> bool:
    """Whether a count is one group's: "29 in each group completed"."""
    sentence = next(s for s in doc._.sentences if s.start <= count.span[0] < s.end)
    return bool(IN_EACH.search(doc._.source, sentence.start, sentence.end))


def _mentions(doc: Doc, places: Anchors) -> list[tuple[Count, int]]:
    """Return the counts of people with their scores, in order of text."""
    found: list[tuple[Count, int]] = []
    text: str = doc._.source
    called = _called(text, places)
    for order, sentence in enumerate(doc._.sentences):
        place = (sentence.start, sentence.end, order, sentence.part)
        people = within(places.people, *place[:2])
        numbers = within(places.numbers, *place[:2])
        if called:
            for match in matches(_OF_CALLED, text, numbers, sentence.end):
                n = parse_count(match["n"]) if match["short"] in called else None
                if n and n > 1:
                    found.append((Count(n, match.span()), _score(text, match.span(), *place)))
        if not (people and numbers):
            continue
        sexes = matches(_SEX_SUM, text, numbers, sentence.end)
        sums = [c for m in sexes if (c := _sum(m)) is not None]
        pairs = matches(_ASSIGNED, text, numbers, sentence.end)
        sums += [c for m in pairs if (c := _whole(m, "sum of the arms")) is not None]
        sums += [c for m in matches(_HALVES, text, numbers, sentence.end) if (c := _whole(m))]
        beside = side_by_side(text, numbers, place[:2])
        sums += [Count(total, span, "sum of the two groups") for total, span in beside]
        known = {c.n for c, _ in found}
        found += [(c, _score(text, c.span, *place) + 2) for c in sums if c.n not in known]
        marked = people if text.find("=", *place[:2]) >= 0 else ()
        for match in matches(_MENTION, text, sorted((*numbers, *marked)), sentence.end):
            n = parse_count(match["n"] or match["m"])
            part = any(c.span[0] <= match.start() < c.span[1] for c in sums)
            if n and n > 1 and not part and not is_year(text, match.span()):
                less = CONTRASTED * is_contrasted(text, match.end(), sentence.end)
                found.append((Count(n, match.span()), _score(text, match.span(), *place) - less))
    return _add_up(doc, places, found)


def _called(text: str, places: Anchors) -> frozenset[str]:
    """The abbreviations whose last letter stands for people: "breast cancer survivors (BCS)"."""
    found = matches(_CALLED, text, places.people, len(text))
    return frozenset(m["short"] for m in found if m["short"][-1] == m["people"][0].upper())


def _sum(match: re.Match[str]) -> Count | None:
    """ "eleven men and 4 women" are 15."""
    a, b = parse_count(match["a"]), parse_count(match["b"])
    if a is None or b is None or match["x"].lower() == match["y"].lower():
        return None
    return Count(a + b, match.span(), "sum of the sexes")


def _whole(match: re.Match[str], rule: str = "sum of the two groups") -> Count | None:
    """ "20 had it and 13 had not" are 33."""
    a, b = parse_count(match["a"]), parse_count(match["b"])
    return Count(a + b, match.span(), rule) if a and b else None


def _add_up(doc: Doc, places: Anchors, found: list[tuple[Count, int]]) -> list[tuple[Count, int]]:
    """Raise the counts that are the sum of two or three numbers of a sentence, lower the parts.

    Two mentions of people anywhere, "55 women" here and "57 women" there, also make a sum.
    """
    wholes = {c.n for c, _ in found}
    sets: list[Iterable[tuple[int, ...]]] = [combinations([c.n for c, _ in found][:12], 2)]
    text: str = doc._.source
    for sentence in doc._.sentences:
        numbers = within(places.numbers, sentence.start, sentence.end)
        spans = matches(_COUNT, text, numbers, sentence.end)
        listed = [n for m in spans if (n := parse_count(m.group())) is not None and n > 1][:8]
        sets += [combinations(listed, size) for size in (2, 3)]
    runs = [r for some in sets for r in some if sum(r) in wholes and sum(r) >= 10]
    whole, parts = {sum(r) for r in runs}, {n for r in runs for n in r}
    return [(c, s + 4 * (c.n in whole) - 4 * (c.n in parts)) for c, s in found]


def _score(text: str, span: Span, start: int, end: int, order: int, part: str) -> int:
    """How much a mention looks like the study's own main number: earlier is better, then the cues.

    The cues are the rows of patterns/population.jsonl; `order` counts the sentence.
    """
    before = text[max(start, span[0] - 60) : span[0]].rsplit(";", 1)[-1]
    inside = text[slice(*span)]
    after = text[span[1] : min(end, span[1] + 70)]
    after = _NEXT.split(after, maxsplit=1)[0]
    windows = {
        "before": before,
        "inside": inside,
        "after": after,
        "of": f"{before[-40:]} {inside}",
        "beside": f"{before} {inside} {after[:55]}",
    }
    score = 3 - min(order, 6) // 2 - 2 * (part in ("conclusions", "background", "objective"))
    for row, pattern in _cues():
        if row.get("from_sentence", 0) <= order <= row.get("to_sentence", order):
            score += row["score"] * bool(pattern.search(windows[row["where"]]))
    return score


@cache
def _cues() -> tuple[tuple[dict[str, Any], re.Pattern[str]], ...]:
    """The rows of patterns/population.jsonl, compiled."""
    return tuple((r, re.compile(r["pattern"], re.IGNORECASE)) for r in rules("population"))


def _first(
    text: str,
    places: Anchors,
    pattern: re.Pattern[str],
    other: re.Pattern[str],
    cues: tuple[str, ...],
) -> Count | None:
    """The first count of a pattern that begins with a number, or of one that a cue begins."""
    found = [_counts(matches(pattern, text, places.numbers, len(text)))]
    lower = text.lower()
    starts = [at for cue in cues if (at := lower.find(cue.split()[0])) >= 0]
    if starts:
        found.append(_counts(other.finditer(text, min(starts))))
    firsts = (next(some, None) for some in found)
    return min((c for c in firsts if c), key=lambda c: c.span[0], default=None)


def _counts(found: Iterable[re.Match[str]]) -> Iterator[Count]:
    """The counts of matches, each of which has one group."""
    for match in found:
        n = parse_count(match[str(match.lastgroup)])
        if n:
            yield Count(n, match.span())
