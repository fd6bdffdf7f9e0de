"""Reads doses: amount, unit, per, days, frequency, phase and, where it follows, g/kg a course."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import inf

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.extensions import need
from pipeline.extract.lexicon import Term, lexicon, rules
from pipeline.extract.numbers import DIGITS, TO, WORDS, parse_number

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DoseSpan:
    """A dose as found, with the place of each of its parts."""

    start: int
    end: int
    drug: str
    amount: float | tuple[float, float]
    amount_span: Span
    unit: str
    per: str | None
    days: float | tuple[float, float] | None
    days_span: Span | None
    frequency: Span | None
    phase: str
    route: str | None
    total: float | None


@dataclass(frozen=True, slots=True)
class _Schedule:
    """The days and the frequency found behind a dose."""

    days: re.Match[str] | None
    period: re.Match[str] | None
    daily: bool

    @property
    def each_day(self) -> bool:
        """Whether each of the days has the amount: "for 5 days", "on 5 consecutive days"."""
        days = self.days
        if days is None or not days["unit"].lower().startswith("day"):
            return False
        how = days["how"].lower()
        return how in ("for", "x", "×") or (how == "on" and days["running"] is not None)


_NUMBER = rf"(?:{DIGITS})"
_UNIT = r"(?:mg|mcg|µg|μg|ug|gm|grams?|g|I\.?U\.?|U|units?)"
_PER_BODY = (
    r"(?:\s?/\s?kg|\s+per\s+kg|\s+per\s+kilogram|\s?/\s?m2|\s?/\s?m²|\s+per\s+m2)"
    r"(?:[\s-]*(?:of\s+)?(?:body[\s-]?weight|BW|b\.w\.))?"
)
_HEAD = re.compile(
    rf"(?<![\w.·,/%<-])(?P<amounts>{_NUMBER}(?:(?:\s*,\s+(?:and\s+|or\s+)?|\s+or\s+|\s+and\s+|{TO}){_NUMBER})*)"
    rf"[\s-]?(?P<unit>{_UNIT})(?P<body>{_PER_BODY})?(?![\w]|\s?/\s?d?L\b|\s?/\s?ml\b|\s?/\s?l\b|\s+per\s+lit)",
    re.IGNORECASE,
)
_NUMBER_OR_WORD = rf"(?:{DIGITS}|{WORDS})"
_DAYS = re.compile(
    rf"\b(?P<how>for|over|on|during|in|x|×)\s*(?:a\s+(?:total|period)\s+of\s+|the\s+first\s+)?"
    rf"(?P<days>{_NUMBER_OR_WORD}(?:(?:\s+or\s+|\s+and\s+|{TO}){_NUMBER_OR_WORD})?)[\s-]+"
    r"(?P<running>consecutive\s+|successive\s+)?(?P<unit>days?|weeks?)\b",
    re.IGNORECASE,
)
_DAILY = re.compile(
    r"^[\s,)]*(?:/\s?d(?:ay)?\b|/24\s?h|per\s+day|a\s+day|daily|each\s+day|once\s+daily|/\s?die)",
    re.I,
)
_DAILY_NEAR = re.compile(r"\b(?:daily|per day|each day|a day|/day)\b", re.I)
_PERIOD = re.compile(
    rf"\b(?P<every>every\s+(?:{_NUMBER_OR_WORD}(?:{TO}{_NUMBER_OR_WORD})?\s+)?(?:other\s+)?(?:weeks?|months?)"
    rf"|once\s+(?:a|per|every)\s+(?:week|month)|(?:at\s+)?(?:{_NUMBER_OR_WORD})[\s-]week(?:ly)?\s+intervals?"
    rf"|three\s+times\s+at\s+an?\s+[\w-]+\s+interval|weekly|monthly|/\s?(?:\d+\s+)?(?:weeks?|months?)\b|per\s+(?:week|month)|a\s+month|q\d+w)",
    re.I,
)
_TURN = re.compile(r";|\b(?:then|followed by|thereafter|subsequently)\b", re.I)
_TAPER = re.compile(r"\btaper\w*\b[^.;]{0,40}$", re.I)
#: Unit -> the amount from which on a dose said to be given "over" some days is the course's.
_COURSE_FROM = {row["unit"]: row["course_from"] for row in rules("plausibility")}
_RATE = re.compile(r"\s*(?:per (?:week|day|month|infusion|dose)|daily|weekly|a week|a day)\b", re.I)
#: "five daily infusions of 0.4 g/kg": how much the course is, is not added up.
_DAILY_INFUSIONS = re.compile(r"\bdaily\s+(?:infusions|doses)\s+of\b[^.;]{0,40}$", re.I)
_EACH = re.compile(r"\s*(?:each|per infusion|per dose|/infusion)\b", re.I)
_LOADING_NEXT = re.compile(r"\s*(?:loading|induction)", re.I)
_LOADING = re.compile(r"\b(?:loading|induction|starting|initial|first|full)\b", re.I)
_MAINTENANCE = re.compile(r"\bmaintenance\b|\bmore infusions\b|\binfusions? of\b", re.I)
_TOTAL = re.compile(
    r"\btotal(?:\s+\w+)?\s+(?:dose|amount)|\bcumulative\b|\bper course\b|\bin total\b", re.I
)
_BOUND = re.compile(
    r"(?:\b(?:maximum|max\.?|cap|ceiling|limit)(?:\s+of)?|[<>]|\bless than|\bmore than|\bup to)"
    r"\s*$",
    re.I,
)


@Language.component(
    "evipool_doses",
    requires=["doc._.source", "doc._.sentences", "doc._.interventions"],
    assigns=["doc._.doses"],
)
def doses(doc: Doc) -> Doc:
    """Set `doc._.doses`."""
    need(doc, "evipool_doses")
    found: list[DoseSpan] = []
    for sentence in doc._.sentences:
        terms = _drugs(doc, sentence.start, sentence.end)
        fallback = next((t for t in reversed(doc._.interventions) if t.end <= sentence.start), None)
        for head in _HEAD.finditer(doc._.source, sentence.start, sentence.end):
            span = (sentence.start, sentence.end)
            found.extend(_read(doc._.source, head, span, terms, fallback))
    doc._.doses = tuple(_without_totals(doc._.source, found))
    return doc


def _drugs(doc: Doc, start: int, end: int) -> list[Term]:
    """Drugs named in a sentence: the intervention's terms and the other treatments."""
    own = [t for t in doc._.interventions if start <= t.start < end]
    other = [t for t in lexicon("treatments").find(doc._.source, start, end) if t.name != "placebo"]
    return sorted([*own, *other], key=lambda t: t.start)


def _read(
    text: str, head: re.Match[str], sentence: Span, drugs: list[Term], fallback: Term | None
) -> list[DoseSpan]:
    """Read the dose that starts with `head`: several where it lists amounts or days.

    `fallback` is the drug named before the sentence, for a sentence that names none.
    """
    unit = _unit(head["unit"], head["body"])
    if unit == "g/kg":  # no other drug that the rules know is given by the g/kg
        drugs = [t for t in drugs if "class" not in t.entry] or drugs
    drug = _nearest(drugs, head.start(), head.end()) or (
        fallback if "/" in unit or _RATE.match(text[head.end() : head.end() + 20]) else None
    )
    if _TAPER.search(text[max(0, head.start() - 60) : head.start()]):
        return []
    if drug is None or _BOUND.search(text[max(0, head.start() - 12) : head.start()]) is not None:
        return []
    if "/" not in unit and not _speaks_of_giving(text, head, drug):
        return []
    schedule = _schedule(text, head, sentence)
    days, period = schedule.days, schedule.period
    base = DoseSpan(
        start=head.start(),
        end=max([head.end(), *(m.end() for m in (days, period) if m)]),
        drug=drug.name,
        amount=0.0,
        amount_span=head.span("amounts"),
        unit=unit,
        per=_per(text, head, schedule, unit),
        days=None,
        days_span=None,
        frequency=period.span() if period else None,
        phase=_phase(text, sentence, head, period),
        route=_route(drug, text),
        total=None,
    )
    spans = [replace(base, amount=value) for value in _amounts(head["amounts"])]
    read = [d for span in spans for d in _with_days(span, days)]
    daily = _DAILY_INFUSIONS.search(text[max(0, head.start() - 60) : head.start()])
    return read if daily else [_with_total(d) for d in read]


def _schedule(text: str, head: re.Match[str], sentence: Span) -> _Schedule:
    """Read the days and the frequency that stand behind a dose."""
    after = (head.end(), _stop(text, head.end(), sentence[1]))
    daily = _DAILY.match(text[head.end() : after[1]]) or _DAILY_NEAR.search(text, *after)
    return _Schedule(_DAYS.search(text, *after), _PERIOD.search(text, *after), bool(daily))


def _unit(unit: str, body: str | None) -> str:
    """g/kg, mg/kg, mg/m2, g, mg, IU ... from any spelling."""
    name = unit.lower().replace(".", "")
    name = {
        "gm": "g",
        "gram": "g",
        "grams": "g",
        "iu": "IU",
        "u": "IU",
        "unit": "IU",
        "units": "IU",
        "µg": "mcg",
        "μg": "mcg",
        "ug": "mcg",
    }.get(name, name)
    if not body:
        return name
    return f"{name}/m2" if "m2" in body.lower() or "m²" in body else f"{name}/kg"


def _amounts(text: str) -> list[float | tuple[float, float]]:
    """ "0.5, 1.0 or 2.0" are three amounts, "7 to 48" is one range."""
    ends = re.fullmatch(rf"({_NUMBER}){TO}({_NUMBER})", text)
    if ends:
        low, high = parse_number(ends[1]), parse_number(ends[2])
        return [(low, high)] if low is not None and high is not None else []
    numbers = (parse_number(n) for n in re.findall(_NUMBER, text))
    return [n for n in numbers if n is not None]


def _stop(text: str, start: int, end: int) -> int:
    """Where a dose's days and frequency end: the next dose, ";" or "then", at most 90 on."""
    following = _HEAD.search(text, start, end)
    stop = min(end, start + 90, following.start() if following else end)
    turn = _TURN.search(text, start, stop)
    return turn.start() if turn else stop


def _nearest(drugs: list[Term], start: int, end: int) -> Term | None:
    """The drug a dose belongs to: the one that ends last before it, else the first after."""
    after = [d for d in drugs if end <= d.start <= end + 25]
    before = [d for d in drugs if d.end <= start]
    close = [d for d in after if d.start - end <= 12]
    if close and (not before or start - before[-1].end > 12):
        return close[0]
    return before[-1] if before else after[0] if after else drugs[0] if drugs else None


def _speaks_of_giving(text: str, head: re.Match[str], drug: Term) -> bool:
    """Absolute amounts count as doses beside their drug or as a rate, not as levels or weights."""
    if _RATE.match(text[head.end() : head.end() + 20]):
        return True
    gap = text[min(drug.end, head.end()) : max(drug.start, head.start())]
    return len(gap) < 60 and "-" not in text[head.end() : head.end() + 1]


def _per(text: str, head: re.Match[str], schedule: _Schedule, unit: str) -> str | None:
    """What the amount is for: a day, an infusion, a course, a week, a month, or not said."""
    before, after = text[max(0, head.start() - 45) : head.start()], text[head.end() :]
    if _EACH.match(after):
        return "infusion"
    if schedule.daily:
        return "day"
    if _TOTAL.search(before):
        return "course"
    if schedule.each_day:
        return "day"
    if schedule.period is not None:
        return _per_period(schedule.period.group().lower(), unit)
    if schedule.days is not None:
        return _per_stretch(before, head, schedule.days, unit)
    if _LOADING.search(before) or _LOADING_NEXT.match(after):
        return "course"
    return "infusion" if _MAINTENANCE.search(before) else None


def _per_stretch(before: str, head: re.Match[str], days: re.Match[str], unit: str) -> str | None:
    """What "2 g/kg over 2-4 days" is for; "1 g/kg over 2 days" may be a day's or the course's."""
    if re.search(TO, days["days"]):
        return "infusion" if _MAINTENANCE.search(before) or "then" in before else "course"
    amount = parse_number(head["amounts"])
    large = amount is not None and amount >= _COURSE_FROM.get(unit, inf)
    return "course" if large else None


def _per_period(period: str, unit: str) -> str:
    """ "monthly" and "/4 weeks" are a rate; "every 3 weeks" speaks of each infusion."""
    if re.search(r"month(?!s? \w)|/\s?4 weeks", period) and "every" not in period:
        return "month"
    if period.startswith(("per week", "weekly", "/")) and "4" not in period:
        return "week"
    return "infusion"


def _phase(text: str, sentence: Span, head: re.Match[str], period: re.Match[str] | None) -> str:
    """Loading, maintenance or single course, by the nearest word before (or just after)."""
    before = text[sentence[0] : head.start()][-60:]
    after = text[head.end() : head.end() + 25]
    load, keep = list(_LOADING.finditer(before)), list(_MAINTENANCE.finditer(before))
    if _LOADING_NEXT.match(after):
        return "loading"
    if re.match(r"\s*maintenance", after, re.I):
        return "maintenance"
    if load and (not keep or load[-1].start() > keep[-1].start()):
        return "loading"
    return "maintenance" if keep or period is not None else "single course"


def _route(drug: Term, text: str) -> str | None:
    """The route that the drug's name says, or the word before it."""
    named = lexicon("routes").find(text, max(0, drug.start - 14), drug.end)
    return named[0].name if named else None


def _with_days(dose: DoseSpan, days: re.Match[str] | None) -> list[DoseSpan]:
    """Give a dose its days; "for 3 or 6 days" at so much a day are two doses."""
    if days is None:
        return [dose]
    factor = 7 if days["unit"].lower().startswith("week") else 1
    if factor == 7 and dose.per == "day":
        return [dose]
    words = re.findall(_NUMBER_OR_WORD, days["days"], re.I)
    numbers = [n * factor for n in map(parse_number, words) if n is not None]
    alternatives = re.search(r"\b(?:or|and)\b", days["days"]) is not None and len(numbers) == 2
    if alternatives and dose.per == "day":
        return [replace(dose, days=n, days_span=days.span("days")) for n in numbers]
    value = (numbers[0], numbers[1]) if len(numbers) == 2 else numbers[0] if numbers else None
    return [replace(dose, days=value, days_span=days.span("days"))]


def _with_total(dose: DoseSpan) -> DoseSpan:
    """Add g/kg a course where it follows: days x amount, or one infusion, or a whole course."""
    if dose.unit not in ("g/kg", "mg/kg") or isinstance(dose.amount, tuple):
        return dose
    grams = dose.amount / (1000 if dose.unit == "mg/kg" else 1)
    if dose.per == "day":
        total = grams * dose.days if isinstance(dose.days, float) else None
    else:
        total = grams if dose.per in ("course", "infusion", "month") else None
    return replace(dose, total=None if total is None else round(total, 6))


def _without_totals(text: str, found: list[DoseSpan]) -> list[DoseSpan]:
    """Drop repetitions, and "90 g (30 g daily for 3 days)"'s 90 g, which is no dose of its own."""
    kept: list[DoseSpan] = []
    for i, dose in enumerate(found):
        following = found[i + 1] if i + 1 < len(found) else None
        if following and _is_sum(dose, following):
            continue
        same = (dose.drug, dose.amount, dose.unit, dose.per, dose.days)
        if not any((d.drug, d.amount, d.unit, d.per, d.days) == same for d in kept):
            kept.append(dose)
    return kept


def _is_sum(dose: DoseSpan, following: DoseSpan) -> bool:
    """Whether `dose` is the product of the next one's amount and days."""
    amount, days = following.amount, following.days
    near = following.start - dose.end < 40 and dose.unit == following.unit
    if not near or isinstance(amount, tuple) or not isinstance(days, float):
        return False
    return dose.amount == amount * days and dose.days is None
