"""Names what was measured and by which statistic, from the words around a measurement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import Term
from pipeline.extract.measurements import Measurement
from pipeline.extract.numbers import MINUS

Span = tuple[int, int]

_CHANGE_WORD = (
    r"(?:fell|fall|falls|falling|rose|rise|risen|reduced|reduction|decreas\w+|increas\w+|drop(?![\s-]?outs?\b)p?\w*|declin\w+|improv\w+|"
    r"gain\w*|lost|loss|lower\w*|wors\w+|higher|chang\w+)"
)
_CHANGE = re.compile(rf"\b{_CHANGE_WORD}\b[^.;]{{0,25}}$", re.I)
_CHANGE_NOUN = re.compile(
    r"\bchanges?\b|\b(?:mean|median|average|the)\s+(?:\w+\s+)?"
    r"(?:improvement|reduction|decrease|increase|gain|fall|drop|decline)\b",
    re.I,
)
_DOWN = re.compile(
    r"\b(?:fell|fall|falls|reduc\w+|decreas\w+|dropp?\w*|declin\w+|lower\w*)\b(?!\s+in\b)[^.;]{0,25}$",
    re.I,
)
#: "decreasing to 1091 mg/dl": what it fell to is a level.
_DOWN_TO = re.compile(r"\b(?:fell|fall(?:ing|s)?|decreas\w+|declin\w+|dropp\w+)\s+to\s+$", re.I)
_DOWN_AFTER = re.compile(r"\s*(?:lower|less|reduction|decrease|decline|fall|drop)\b", re.I)
_UP_AFTER = re.compile(r"\s*(?:higher|more|greater|increase|improvement|gain|rise)\b", re.I)
_STATISTIC = re.compile(r"\b(mean|average|averaged|median)\b", re.I)
_OF_PEOPLE = re.compile(rf"^\s*(?:of|in)?\s*(?:the\s+|all\s+)?(?:{PEOPLE})\b", re.I)
_OF_THINGS = re.compile(
    r"^\s*of\s+(?:the\s+|all\s+)?(?:\w+\s+)?(?:nerves?|segments?|regions?|tests?|AFTs?|muscles)\b",
    re.I,
)
_SHARE = re.compile(r"\b(?:from|to|in|of)\s+(?:\w+\s+){0,2}$", re.I)
_UNIT = re.compile(
    r"^\s*(?:(?:points?|kg|mm|cm|kPa|N|m/s|metres|meters|seconds|units|logits?|g/[ld]l?|m[lL]|[µμnpm]?g/\w+"
    r"|mmHg|[mnpµ]?mol(?:/\w+)?|[IU]{1,2}/\w+|bpm|kcal|mSv|ms)\b|°)",
    re.I,
)
_BETWEEN = re.compile(
    r"\b(?:(?<!no\s)(?<!significant\s)differences?|correlations?|coefficients?|ratios?|factors?\s+of|TER|(?:relative|absolute|risk)\s+(?:\w+\s+)?(?:reduction|increase|decrease)s?)\b"
    r"[^.;,()\d]{0,50}$",
    re.I,
)
#: "A 17% risk reduction": what a percentage says of two groups.
LESS_RISK = re.compile(
    r"\s*(?:\w+\s+)?(?:risk|relative|absolute)?\s*(?:reduction|difference)s?\b", re.I
)
_PER_PEOPLE = re.compile(
    r"\s*(?:(?:cases|events|deaths)\s+)?(?:per|/)\s*1?[\s,]?0{2,3}[\d,\s]*(?:women|men|person|patient|people|py)",
    re.I,
)
_FOLLOWED = re.compile(
    r"\b(?:follow(?:ed)?[\s-]?up|observation\s+(?:period|time)|surveillance|ages?d?|body\s+mass\s+index|BMI)\b"
    r"[^.;,%\d]{0,45}$|\b(?:at|after)\s+(?:an?\s+)?(?:median|mean)\s+of\s*$",
    re.I,
)
_FOLLOWED_AFTER = re.compile(
    r"\s*(?:(?:median|mean)\s+)?(?:of\s+)?(?:follow[\s-]?up|old\b|of\s+age)", re.I
)
_COMPOUND = re.compile(r"[-‐–][A-Za-z]")
_DOSE = re.compile(r"\s*(?:m?g|[µu]g|mcg|c?Gy|m[lL]|M?I?U)\b(?!\s?/\s?(?:[dm]?l|L)\b)")
_RATE = re.compile(
    r"\b(?:rates?|survival|incidence|responses?|prevalence|probability|proportions?|percentages?|risks?|patients"
    r"|women|participants|respon\w+|(?-i:OS|DFS|PFS|EFS|RFS|DMFS|pCR|ORR|CR))\b",
    re.I,
)
_LASTING = re.compile(
    r"\b(?:survival|time\s+to|duration|stay|(?-i:TTP|TTF|PFS|OS|DFS|EFS|RFS|LOS))\b", re.I
)
_CHANGE_OF = re.compile(
    r"\b(?:decreas\w+|reductions?|increas\w+|gain|loss|changes?|rise|fall|shrinkage)\b"
    r"(?!.*\b(?:rates?|incidence|risk|proportion|number)\b)[^.;]{0,40}$",
    re.I,
)
_MEDIAN_OF = re.compile(
    r"\bmedian\b(?!\s+(?:follow|observation))(?!.*\b(?:rates?|survival|patients|women|response|follow|period)\b)"
    r"[^;)\]]{0,80}$",
    re.I,
)
#: An instrument no farther than this from an event may be what defines it.
_DEFINES = 80
#: An event within this reach behind a count is its verb: "12 (80%) improved".
_VERB = 30
#: What parts an event from an instrument behind it: another number, or a cause.
_PARTED = re.compile(r";|\d\s?/\s?\d|[(]\s*\d[\d.]*\s?%|\b(?:due|owing|because|caused)\b", re.I)


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an outcome, the phrase it comes from, and which way the event goes.

    `is_open` where no rule knows the outcome: it is named by its own words.
    """

    measure: str
    span: Span
    direction: str | None = None
    is_open: bool = False


def is_clock(name: str) -> bool:
    """Whether an instrument's values are stretches of time."""
    return name.startswith(("time to", "duration", "hospital stay", "treatment duration"))


def event_of(text: str, m: Measurement, events: Sequence[Term]) -> Term | None:
    """Return the event that a count counts: the verb behind it, else the nearest before."""

    def distance(term: Term) -> float:
        if term.start >= m.end:
            gap = text[m.end : term.start]
            far = len(gap) + 30 * sum(gap.count(c) for c in ",;") + 40 * (" and " in gap)
            return far if len(gap) <= _VERB else far + 25
        gap = text[term.end : m.start]
        return len(gap) + 15 + 12 * gap.count(",") + 40 * gap.count(";")

    return min(events, key=distance, default=None)


def instrument_of(text: str, span: Span, instruments: Sequence[Term]) -> Term | None:
    """Return the instrument that a value belongs to: the nearest, those before it preferred."""

    def distance(term: Term) -> float:
        if term.start >= span[1]:
            gap = text[span[1] : term.start]
            return len(gap) * 1.3 + 20 + 15 * gap.count(",") + 40 * gap.count(";")
        gap = text[term.end : span[0]]
        return len(gap) + 8 * gap.count(",") + 40 * gap.count(";")

    return min(instruments, key=distance, default=None)


def name_of(
    text: str, start: int, m: Measurement, events: Sequence[Term], instruments: Sequence[Term]
) -> Name | None:
    """Name an outcome: by its event for counts and shares, by its instrument for values."""
    event = event_of(text, m, events)
    instrument = instrument_of(text, m.span, instruments)
    counted = m.kind == "count" or (
        m.kind == "percent" and not _is_score(text, start, m, instrument, event)
    )
    if counted and event is not None:
        return Name(
            _event_name(text, event, instrument),
            (event.start, event.end),
            str(event.entry["direction"]),
        )
    told = m.events is not None and m.events.kind == "number" and m.value is None
    if instrument is None or (counted and (told or is_clock(instrument.name))):
        return None
    return Name(instrument.name, (instrument.start, instrument.end))


def _event_name(text: str, event: Term, instrument: Term | None) -> str:
    """ "INCAT responder": the event with the instrument that defines it, where one is named."""
    if instrument is not None and _PARTED.search(text[event.end : instrument.start]):
        return event.name
    if (
        event.name not in ("responder", "stable", "worse")
        or instrument is None
        or is_clock(instrument.name)
        or max(event.start - instrument.end, instrument.start - event.end) > _DEFINES
    ):
        return event.name
    return f"{instrument.name.removesuffix(' pain')} {event.name}"


def _is_score(
    text: str, start: int, m: Measurement, instrument: Term | None, event: Term | None
) -> bool:
    """Whether a percentage is a score's value or change, and no share of patients."""
    if instrument is not None and is_relative(text, m):
        return True
    if instrument is None or _OF_PEOPLE.match(text[m.end : m.end + 30]):
        return False
    before = text[max(start, m.start - 40) : m.start]
    if (
        m.ci is not None
        or m.spread is not None
        or (_CHANGE.search(before) and not _SHARE.search(before))
    ):
        return True
    return event is None or bool(re.search(r"\bmean\b", before, re.I))


def type_of(
    text: str, start: int, m: Measurement, *, named_by_event: bool, change_over_time: bool
) -> str:
    """Return the type of a value: mean, mean_change, percent_change, median, count, proportion.

    `change_over_time` says that the row holds baseline and follow-up, whose values are no changes.
    """
    if m.kind == "count":
        return "count"
    before = text[max(start, m.start - 45) : m.start]
    whole = text[start : m.start]
    if m.unit == "%" and is_relative(text, m) and not named_by_event:
        return "percent_change"
    changed = bool(_CHANGE.search(before) or _CHANGE_NOUN.search(whole)) and not change_over_time
    if changed and m.unit == "%" and text[m.start - 1 : m.start] in ("(", "["):
        changed = bool(_CHANGE_OF.search(before))  # "a lower rate (16% v 29%)" prints levels
    if m.kind == "percent" or m.unit == "%":
        return _type_of_share(text, m, before, whole, changed=changed, by_event=named_by_event)
    said = [s.group(1).lower() for s in _STATISTIC.finditer(whole)]
    if said and said[-1] == "median":
        return "median"
    near = whole[-160:] + " " + text[m.end : m.end + 45]
    if not said and (m.kind == "time" or m.unit) and (m.interval or _LASTING.search(near)):
        return "median"
    if not said and m.interval is not None and m.interval.label != "range" and not m.spread:
        return "median"
    return (
        "mean_change"
        if changed and m.kind != "time" and not re.search(r"\bfrom\b", before)
        else "mean"
    )


def _type_of_share(
    text: str, m: Measurement, before: str, whole: str, *, changed: bool, by_event: bool
) -> str:
    """The type of a percentage; `before` it stand the next words, in `whole` the sentence's."""
    if changed and not _SHARE.search(before) and not by_event:
        return "percent_change"
    if _OF_THINGS.match(text[m.end : m.end + 30]):
        return "proportion"
    if m.value is not None and text[m.value.start] in f"+{MINUS}":
        return "percent_change"
    ranged = m.interval is not None and m.spread is None and re.search(r"\bmedian\b", whole, re.I)
    if ranged or (_MEDIAN_OF.search(whole) and not by_event):
        return "median"
    if by_event:
        return "proportion"
    scored = m.spread or (m.ci and not _RATE.search(whole[-160:]))
    return "mean" if scored or re.search(r"\bmean\b", before, re.I) else "proportion"


def is_value(text: str, start: int, m: Measurement, paired: bool) -> bool:
    """Whether a bare number can be a result: it has a spread, a partner, a unit or a statistic."""
    if m.kind != "number":
        return True
    if text[m.start : m.start + 1].isalpha() or _COMPOUND.match(text[m.end : m.end + 2]):
        return False  # "one grade", "a 2-sided test": a number word alone is no value
    if _PER_PEOPLE.match(text, m.end):
        return False  # events by the time at risk are neither a mean nor a share
    if m.spread or m.ci or m.interval or paired:
        return True
    if (
        re.match(r"[\s-]*(?:point\b|of\b)", text[m.end : m.end + 8])
        or text[m.start - 1 : m.start] == "-"
    ):
        return False
    before = text[max(start, m.start - 45) : m.start]
    if re.search(r"\b(?-i:M)\s*=\s*$", before):
        return True
    if re.search(
        r"\b(?:by|of|to|was|were|at)\s+(?:an?\s+)?(?:(?:mean|median|average)\s+(?:of\s+)?)?$",
        before,
        re.I,
    ):
        return bool(
            _UNIT.match(text[m.end : m.end + 12])
            or _CHANGE.search(before)
            or _STATISTIC.search(text, start, m.start)
        )
    return bool(_UNIT.match(text[m.end : m.end + 12]))


def is_relative(text: str, m: Measurement) -> bool:
    """Whether a percentage is a change by the words behind it: "32% lower", "a 32% reduction"."""
    after = text[m.end : m.end + 20]
    return bool(_DOWN_AFTER.match(after) or _UP_AFTER.match(after))


def is_between(text: str, m: Measurement) -> bool:
    """Whether a value is a difference between arms: "a mean difference of 5.1%"."""
    return bool(_BETWEEN.search(text[max(0, m.start - 60) : m.start])) or bool(
        LESS_RISK.match(text[m.end : m.end + 40])
    )


def is_dose(text: str, m: Measurement) -> bool:
    """Whether a bare number is an amount of a drug or of radiation."""
    bare = m.kind == "number" and not (m.spread or m.ci or m.interval)
    return bare and bool(_DOSE.match(text[m.end : m.end + 12]))


def is_follow_up(text: str, start: int, m: Measurement) -> bool:
    """Whether a value says how long patients were followed, or how old they were."""
    before = text[max(start, m.start - 60) : m.start]
    return bool(_FOLLOWED.search(before) or _FOLLOWED_AFTER.match(text[m.end : m.end + 30]))


def is_down(text: str, start: int, m: Measurement) -> bool:
    """Whether the words before a value make it a fall."""
    before, after = text[max(start, m.start - 35) : m.start], text[m.end : m.end + 20]
    if _DOWN_TO.search(before):
        return False
    return bool(_DOWN.search(before) or _DOWN_AFTER.match(after))
