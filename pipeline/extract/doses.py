"""Reads doses: amount, unit, per, days, frequency, phase and, where it follows, g/kg a course."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.dose_drugs import adjacent, beside, named, nearest
from pipeline.extract.dose_grammar import Amount, Head, heads
from pipeline.extract.dose_schedule import Schedule, days_of, per, phase, schedule
from pipeline.extract.extensions import need
from pipeline.extract.lexicon import Lexicon, Term, lexicon, rules
from pipeline.schema import course_g_per_kg
from pipeline.schema.dose import G_PER_KG

Span = tuple[int, int]

_RATE = re.compile(r"\s*(?:per (?:week|day|month|infusion|dose)|daily|weekly|a week|a day)\b", re.I)
#: "five daily infusions of 0.4 g/kg": how much the course is, is not added up.
_DAILY_INFUSIONS = re.compile(r"\bdaily\s+(?:infusions|doses)\s+of\b[^.;]{0,40}$", re.I)
#: What says that an amount is given: a word of giving, or "dose", shortly before it.
_GIVING = re.compile(
    r"\b(?:doses?|dosages?|dosed|given|gave|receiv\w+|administ\w+|treated|took|taking|infus\w+"
    r"|inject\w+|bolus(?:es)?|inhal\w+|nebuli[sz]\w+|prescribed|supplement\w*|loading)\b"
    r"[^.;]{0,60}$",
    re.I,
)
_SAID_DOSE = re.compile(r"\b(?:doses?|dosages?)\s+(?:of|was|were|is)?[^.;,]{0,30}$", re.I)
_DOSE_NEXT = re.compile(
    r"[\s-]*(?:(?:single|oral|daily)\s+)?(?:doses?|dosages?|tablets?|capsules?)\b", re.I
)
_NAMES_ARM = re.compile(r"[\s-]*(?:dose\s+)?(?:groups?|arms?|cohorts?)\b", re.I)


#: What joins two amounts that share what follows the second, and what makes one the first course.
_JOINED = re.compile(r"\s*,?\s*(?:or|and|versus|vs\.?)\s+(?:(?:on|to|a)\s+)?", re.I)
_THEN = re.compile(r"\s*,?\s*(?:and\s+)?(?:then|followed\s+by|thereafter)\s+", re.I)
#: What belongs to an amount, behind it and before it: no other number nor clause between.
_CLAUSE_AFTER = re.compile(
    r"(?:(?!\b(?:and|or|plus|versus|vs|with|then|followed)\b|\d|[;,)\]]|\.\s).)*+", re.I
)
_CLAUSE_BEFORE = re.compile(r"(?:(?!\b(?:and|or|plus|versus|vs|then)\b)[^\d;,.])*+$", re.I)


@dataclass(frozen=True, slots=True)
class DoseSpan:
    """A dose as found, with the place of each of its parts."""

    start: int
    end: int
    drug: str
    amount: Amount
    amount_span: Span
    unit: str
    per: str | None
    days: Amount | None
    days_span: Span | None
    frequency: Span | None
    phase: str
    route: str | None
    total: float | None


@Language.component(
    "evipool_doses",
    requires=["doc._.source", "doc._.sentences", "doc._.interventions"],
    assigns=["doc._.doses"],
)
def doses(doc: Doc) -> Doc:
    """Set `doc._.doses`."""
    need(doc, "evipool_doses")
    found: list[tuple[Span, list[DoseSpan]]] = []
    text: str = doc._.source
    interventions: tuple[Term, ...] = doc._.interventions
    last: Term | None = None
    for sentence in doc._.sentences:
        span = (sentence.start, sentence.end)
        printed = list(heads(text, *span))
        terms = named(text, interventions, *span) if printed or last is None else []
        if printed:
            found.extend((span, read) for read in _of_sentence(text, printed, span, terms, last))
        own = [t for t in interventions if span[0] <= t.start < span[1]]
        last = next(reversed(own or terms), last)
    doc._.doses = tuple(_without_repetitions(text, found))
    return doc


def _of_sentence(
    text: str, printed: list[Head], sentence: Span, drugs: list[Term], fallback: Term | None
) -> Iterator[list[DoseSpan]]:
    """Yield the doses of a sentence's amounts."""
    given = [h for h in printed if is_dose(text, h, sentence, drugs)]
    behind = sentence[0]
    after: list[Head | None] = [*given[1:], None]
    found: list[list[DoseSpan]] = []
    for head, following in zip(given, after, strict=False):
        found.append(_read(text, (behind, head, following), sentence, drugs, fallback))
        behind = max([head.end, *(d.end for d in found[-1])])
    for i in reversed(range(len(found) - 1)):
        found[i] = [_with_next(text, d, found[i + 1][0]) for d in found[i]]
    yield from found


def _with_next(text: str, dose: DoseSpan, following: DoseSpan) -> DoseSpan:
    """Give a bare amount what the next one says for both, or the course that comes before it.

    "0.2 g/kg or 0.4 g/kg weekly" are two weekly doses; "2 g/kg, then 1 g/kg every 3 weeks" begins
    with a course of 2 g/kg.
    """
    if not _is_bare(dose) or following.per is None or dose.unit != following.unit:
        return dose
    between = (dose.end, following.amount_span[0])
    if _JOINED.fullmatch(text, *between):
        shared = replace(
            following,
            start=dose.start,
            end=dose.end,
            amount=dose.amount,
            amount_span=dose.amount_span,
        )
        return _with_total(shared)
    if dose.unit in G_PER_KG and following.per == "infusion" and _THEN.fullmatch(text, *between):
        return _with_total(replace(dose, per="course", phase="loading"))
    return dose


def _is_bare(dose: DoseSpan) -> bool:
    """Whether an amount is printed without what it is for, its days and its frequency."""
    return dose.per is None and dose.days is None and dose.frequency is None


def _read(
    text: str,
    around: tuple[int, Head, Head | None],
    sentence: Span,
    drugs: list[Term],
    fallback: Term | None,
) -> list[DoseSpan]:
    """Read the dose of an amount: several where it lists amounts or days.

    `around` is the end of the dose before it, itself and the next amount; `fallback` is the drug
    named before the sentence, for a sentence that names none.
    """
    previous, head, following = around
    unit, drug = head.unit, _drug(text, head, sentence, drugs, fallback)
    when = schedule(text, head, following, (previous, sentence[1]))
    base = DoseSpan(
        start=head.start,
        end=max(head.end, when.end),
        drug=drug.name if drug else "",
        amount=0.0,
        amount_span=(head.start, head.end),
        unit=unit,
        per=None,
        days=None,
        days_span=None,
        frequency=when.frequency,
        phase=phase(text, sentence, head, when),
        route=_route(text, head, drug),
        total=None,
    )
    spans = [
        replace(base, amount=value, amount_span=place, per=per(text, head, when, value, unit))
        for value, place in head.amounts
    ]
    read = [d for span in spans for d in _with_days(span, when)]
    daily = _DAILY_INFUSIONS.search(text[max(0, head.start - 60) : head.start])
    return read if daily else [_with_total(d) for d in read]


def _drug_near(text: str, head: Head, drugs: list[Term]) -> tuple[Term | None, bool]:
    """The drug nearest to an amount, and whether it stands beside it."""
    if head.unit == "g/kg":  # no other drug that the rules know is given by the g/kg
        drugs = [t for t in drugs if t.entry and "class" not in t.entry] or drugs
    near = nearest(text, drugs, head.start, head.end)
    return near, near is not None and beside(text, near, head.start, head.end)


def _drug(
    text: str, head: Head, sentence: Span, drugs: list[Term], fallback: Term | None
) -> Term | None:
    """The drug a dose is of: a known one beside it, else one as printed, else the nearest."""
    near, is_beside = _drug_near(text, head, drugs)
    if is_beside or head.unit == "g/kg":  # no unlisted drug is given by the g/kg
        return near or fallback
    found = adjacent(text, head.start, head.end, sentence) or near or fallback
    return found if found is None or _is_given_by(found, head.unit) else None


def _is_given_by(drug: Term, unit: str) -> bool:
    """Whether a drug whose usual amounts are known is given by so small a unit."""
    name = drug.name.casefold()
    rows = [r for r in rules("plausibility") if name in (d.casefold() for d in r["drugs"])]
    small = unit.startswith(("mcg", "ng"))
    return not (small and rows) or any(r["unit"] == unit for r in rows)


def is_dose(text: str, head: Head, sentence: Span, drugs: list[Term]) -> bool:
    """Whether an amount is a dose: not a level, a threshold, a weight or a change of a measure."""
    _, is_beside = _drug_near(text, head, drugs)
    before = text[max(sentence[0], head.start - 80) : head.start]
    after = text[head.end : min(sentence[1], head.end + 90)]
    said = _SAID_DOSE.search(before) or _DOSE_NEXT.match(after)
    for pattern, row in _barred():
        if (row.get("unless_beside") and (is_beside or said)) or head.unit not in row.get(
            "units", (head.unit,)
        ):
            continue
        if pattern.search(before) if row["where"] == "before" else pattern.match(after):
            return False
    if head.spread and not (is_beside or said):
        return False
    if not head.beside_drug:
        return True
    if after[:1] in ("-", "‐", "‑") and after[1:2].isalpha():  # "2 g-IVIG" is a name
        return False
    return is_beside or bool(_RATE.match(after) or _GIVING.search(before))


@cache
def _barred() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    """The rules of patterns/no_doses.jsonl, compiled."""
    return tuple((re.compile(r["pattern"], re.IGNORECASE), r) for r in rules("no_doses"))


def _route(text: str, head: Head, drug: Term | None) -> str | None:
    """The route that the drug's name says or the word before it, else one beside the amount."""
    if drug is not None:
        named_routes = lexicon("routes").find(text, max(0, drug.start - 14), drug.end)
        if named_routes:
            return named_routes[0].name
    after = _CLAUSE_AFTER.match(text, head.end, head.end + 40)
    before = _CLAUSE_BEFORE.search(text[max(0, head.start - 45) : head.start])
    for part, short in ((after, True), (before, False)):
        found = _routes(short).find(part.group()) if part else []
        if found:
            return found[0].name
    return None


@cache
def _routes(short: bool) -> Lexicon:
    """All routes; `short` with the forms that mean a route only behind an amount: "IV"."""
    extra = "beside_amount" if short else ""
    listed = [{**r, "terms": r["terms"] + r.get(extra, [])} for r in rules("routes")]
    return Lexicon([*listed, *rules("dose_routes")])


def _with_days(dose: DoseSpan, when: Schedule) -> list[DoseSpan]:
    """Give a dose its days; "for 3 or 6 days" at so much a day are two doses."""
    numbers, either = days_of(when, dose.per, dose.unit)
    if when.days is None or not numbers:
        return [dose]
    place = when.days.span("days")
    if either and dose.per == "day":
        return [replace(dose, days=n, days_span=place) for n in numbers]
    value = (numbers[0], numbers[1]) if len(numbers) == 2 else numbers[0]
    return [replace(dose, days=value, days_span=place)]


def _with_total(dose: DoseSpan) -> DoseSpan:
    """Add g/kg a course where it follows."""
    return replace(dose, total=course_g_per_kg(dose.amount, dose.unit, dose.per, dose.days))


def _without_repetitions(text: str, found: list[tuple[Span, list[DoseSpan]]]) -> list[DoseSpan]:
    """Drop what is said again in another sentence; two arms' doses in one sentence both stay.

    "90 g (30 g daily for 3 days)" loses its 90 g, which is no dose of its own, and "the 1 g/kg
    group" names an arm by a dose read before. A bare amount goes where another sentence says when.
    """
    kept: list[DoseSpan] = []
    where: list[Span] = []
    seen: dict[tuple[object, ...], Span] = {}
    amounts: set[tuple[object, ...]] = set()
    flat = [(sentence, dose) for sentence, read in found for dose in read]
    for (sentence, dose), after in zip_longest(flat, flat[1:]):
        what = _what(dose)
        key = (*what, dose.per, dose.days, _frequency(text, dose))
        label = what in amounts and _NAMES_ARM.match(text, dose.end)
        sum_of_next = after is not None and _is_sum(dose, after[1])
        if label or sum_of_next or seen.setdefault(key, sentence) != sentence:
            continue
        amounts.add(what)
        kept.append(dose)
        where.append(sentence)
    told = {_what(d): s for d, s in zip(kept, where, strict=True) if d.per is not None}
    return [
        d for d, s in zip(kept, where, strict=True) if not _is_bare(d) or told.get(_what(d), s) == s
    ]


def _what(dose: DoseSpan) -> tuple[object, ...]:
    """What was given: the drug, its amount and unit."""
    return (dose.drug.casefold(), dose.amount, dose.unit)


def _frequency(text: str, dose: DoseSpan) -> str:
    """A dose's frequency as printed, in one case."""
    return text[slice(*dose.frequency)].casefold() if dose.frequency else ""


def _is_sum(dose: DoseSpan, following: DoseSpan) -> bool:
    """Whether `dose` is the product of the next one's amount and days."""
    amount, days = following.amount, following.days
    near = following.start - dose.end < 40 and dose.unit == following.unit
    if not near or isinstance(amount, tuple) or not isinstance(days, float):
        return False
    return dose.amount == amount * days and dose.days is None
