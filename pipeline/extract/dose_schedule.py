"""Reads when a dose is given: its days, its frequency, what its amount is for, and its phase."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

from pipeline.extract.dose_grammar import Head
from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import DIGITS, TO, WORDS, parse_number
from pipeline.schema.dose import G_PER_KG

Span = tuple[int, int]

NUMBER_OR_WORD = rf"(?:{DIGITS}|{WORDS})"
_DAYS = re.compile(
    rf"\b(?P<how>for|over|on|during|in|x|×)\s*(?:a\s+(?:total|period)\s+of\s+|the\s+first\s+)?"
    rf"(?P<days>{NUMBER_OR_WORD}(?:(?:\s+or\s+|\s+and\s+|{TO}){NUMBER_OR_WORD})?)[\s-]+"
    r"(?P<running>consecutive\s+|successive\s+)?(?P<unit>days?|weeks?|wks?)\b",
    re.IGNORECASE,
)
#: "A five-day course of IVIg (0.4 g/kg/day)": the days stand before the amount.
_COURSE_OF = re.compile(
    rf"(?<![\w.-])(?P<how>)(?P<running>)(?P<days>{NUMBER_OR_WORD})[\s-](?P<unit>days?)[\s-]+"
    r"(?:courses?|cycles?|regimens?)\s+of\b[^.;]{0,40}$",
    re.IGNORECASE,
)
_DAILY = re.compile(
    r"^[\s,)]*(?:/\s?d(?:ay)?\b|/24\s?h|per\s+day|a\s+day|daily|each\s+day|once\s+daily|/\s?die"
    r"|[\s.·⋅x×]{1,3}d(?:ay)?\s?(?:<sup>)?\(?[-−–‐]\s?1)",
    re.I,
)
_DAILY_NEAR = re.compile(r"\b(?:daily|per day|each day|a day)\b|/day\b", re.I)
_PERIOD = re.compile(
    rf"\b(?P<every>every\s+(?:{NUMBER_OR_WORD}(?:{TO}{NUMBER_OR_WORD})?\s+)?(?:other\s+)?(?:weeks?|months?)"
    rf"|once\s+(?:a|per|every)\s+(?:week|month)|(?:at\s+)?(?:{NUMBER_OR_WORD})[\s-]week(?:ly)?\s+intervals?"
    rf"|three\s+times\s+at\s+an?\s+[\w-]+\s+interval|weekly|monthly|/\s?(?:\d+\s+)?(?:weeks?|months?)\b|per\s+(?:week|month)|a\s+month|q\d+w)",
    re.I,
)
_TURN = re.compile(r";|\b(?:then|followed by|thereafter|subsequently)\b", re.I)
#: Unit -> the amount from which on a dose said to be given "over" some days is the course's.
_COURSE_FROM = {r["unit"]: r["course_from"] for r in rules("plausibility") if "course_from" in r}
_EACH = re.compile(r"\s*(?:each|per infusion|per dose|/infusion)\b", re.I)
_LOADING_NEXT = re.compile(r"\s*(?:loading|induction)", re.I)
_LOADING = re.compile(r"\b(?:loading|induction|starting|initial|first|full)\b", re.I)
_MAINTENANCE = re.compile(r"\bmaintenance\b|\bmore infusions\b|\binfusions? of\b", re.I)
_TOTAL = re.compile(
    r"\btotal(?:\s+\w+)?\s+(?:dose|amount)|\bcumulative\b|\bper course\b|\bin total\b", re.I
)
#: A frequency that may stand before an amount: "a once-daily dose of 25 mg".
_BEFORE_DOSE = re.compile(
    r"\b(?:once|twice|thrice|three|four|\d\s?times|every|q\d|alternate|[bt]\.?i\.?d|bi-?weekly|weekly"
    r"|monthly|nightly|daily\s+(?:\w+\s+)?(?:doses?|dosages?))\b[^.;,]{0,50}$",
    re.I,
)
#: "Twice weekly": the amount is neither a day's nor a week's.
_SEVERAL = re.compile(r"(?:twice|thrice|two|three|four|five|six|[2-8])\b", re.I)
_REACH = 90


@dataclass(frozen=True, slots=True)
class Times:
    """A frequency as printed; `plain` where it says no more than `per`: "daily"."""

    span: Span
    per: str | None
    plain: bool
    several: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """The days and the frequency found with a dose; `times` is any frequency, `period` in weeks."""

    days: re.Match[str] | None
    period: re.Match[str] | None
    daily: bool
    times: Times | None

    @property
    def each_day(self) -> bool:
        """Whether each of the days has the amount: "for 5 days", "on 5 consecutive days"."""
        days = self.days
        if days is None or not days["unit"].lower().startswith("day"):
            return False
        how = days["how"].lower()
        return how in ("for", "x", "×") or (how == "on" and days["running"] is not None)

    @property
    def frequency(self) -> Span | None:
        """Where the frequency is printed."""
        if self.times is not None and not self.times.plain:
            return self.times.span
        return self.period.span() if self.period else None

    @property
    def end(self) -> int:
        """Where the last part ends, 0 if there is none."""
        ends = [m.end() for m in (self.days, self.period) if m]
        return max([0, *ends, *([self.times.span[1]] if self.times else [])])


def schedule(text: str, head: Head, following: Head | None, sentence: Span) -> Schedule:
    """Read the days and the frequency that stand behind a dose (or just before it)."""
    after = (head.end, _stop(text, head.end, following, sentence[1]))
    times = _times(text, *after)
    daily = _DAILY.match(text[head.end : after[1]])
    if times is None and not daily:
        daily = _DAILY_NEAR.search(text, *after)
    if times is None and not daily:
        times = _times_before(text, head, sentence[0])
    low = max(sentence[0], head.start - _REACH)
    days = _DAYS.search(text, *after) or _COURSE_OF.search(text, low, head.start)
    return Schedule(days, _PERIOD.search(text, *after), bool(daily), times)


def _stop(text: str, start: int, following: Head | None, end: int) -> int:
    """Where a dose's days and frequency end: the next dose, ";" or "then", at most 90 on."""
    next_head = following.start if following else end
    stop = min(end, start + _REACH, next_head)
    turn = _TURN.search(text, start, stop)
    return turn.start() if turn else stop


def _times(text: str, start: int, end: int) -> Times | None:
    """The first frequency behind a dose, with what it says the amount is for.

    One that follows it at once belongs to it: "days 1, 8 and 15 every 6 weeks".
    """
    found: list[tuple[int, int, dict[str, Any]]] = []
    for pattern, row in _frequencies():
        match = pattern.search(text, start, end)
        if match:
            found.append((match.start(), -match.end(), row))
    if not found:
        return None
    first, last, row = min(found, key=lambda f: f[:2])
    printed = text[first:-last]
    several = _SEVERAL.match(printed) is not None
    once = row.get("day_if") and re.match(row["day_if"], printed, re.IGNORECASE)
    times = Times((first, -last), "day" if once else row["per"], "says_per_only" in row, several)
    more = _times(text, -last, min(end, -last + 40))
    if more and re.fullmatch(r"[\s,()]*", text[-last : more.span[0]]):
        return Times((first, more.span[1]), times.per or more.per, False, several)
    return times


def _times_before(text: str, head: Head, start: int) -> Times | None:
    """A frequency before the amount: "a once-daily dose of 25 mg"."""
    found = _BEFORE_DOSE.search(text, max(start, head.start - 70), head.start)
    if found is None:
        return None
    times = _times(text, found.start(), found.end())
    return times if times and times.span[0] == found.start() else None


@cache
def _frequencies() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    """The rules of patterns/frequencies.jsonl, compiled."""
    return tuple(
        (re.compile(rf"(?<![\w.])(?:{row['pattern']})(?!\w)", re.IGNORECASE), row)
        for row in rules("frequencies")
    )


def per(text: str, head: Head, when: Schedule, amount: object, unit: str) -> str | None:
    """What the amount is for: a day, an infusion, a course, a week, a month, or not said."""
    before, after = text[max(0, head.start - 45) : head.start], text[head.end :][:40]
    if _EACH.match(after):
        return "infusion"
    times = when.times
    if times is not None and _says_per(when, times):
        return times.per
    if when.daily:
        return "day"
    if _TOTAL.search(before):
        return "course"
    if when.each_day:
        return "day"
    if when.period is not None:
        return _per_period(when.period.group().lower())
    if when.days is not None:
        return _per_stretch(before, amount, when.days, unit)
    if _LOADING.search(before) or _LOADING_NEXT.match(after):
        return "course"
    return "infusion" if _MAINTENANCE.search(before) else None


def _says_per(when: Schedule, times: Times) -> bool:
    """Whether a frequency alone says what the amount is for: "twice daily" is no day's."""
    if times.per == "day":
        return True
    return not when.daily and (times.per is not None or times.several or when.period is None)


def _per_stretch(before: str, amount: object, days: re.Match[str], unit: str) -> str | None:
    """What "2 g/kg over 2-4 days" is for; "1 g/kg over 2 days" may be a day's or the course's."""
    if re.search(TO, days["days"]):
        return "infusion" if _MAINTENANCE.search(before) or "then" in before else "course"
    large = isinstance(amount, float) and amount >= _COURSE_FROM.get(unit, inf)
    return "course" if large else None


def _per_period(period: str) -> str:
    """ "monthly" and "/4 weeks" are a rate; "every 3 weeks" speaks of each infusion."""
    if re.search(r"month(?!s? \w)|/\s?4 weeks", period) and "every" not in period:
        return "month"
    if period.startswith(("per week", "weekly", "/")) and "4" not in period:
        return "week"
    return "infusion"


def phase(text: str, sentence: Span, head: Head, when: Schedule) -> str:
    """Loading, maintenance or single course, by the nearest word before (or just after)."""
    before = text[sentence[0] : head.start][-60:]
    after = text[head.end : head.end + 25]
    load, keep = list(_LOADING.finditer(before)), list(_MAINTENANCE.finditer(before))
    if _LOADING_NEXT.match(after):
        return "loading"
    if re.match(r"\s*maintenance", after, re.I):
        return "maintenance"
    if load and (not keep or load[-1].start() > keep[-1].start()):
        return "loading"
    return "maintenance" if keep or when.period is not None else "single course"


def days_of(when: Schedule, dose_per: str | None, unit: str) -> tuple[list[float], bool]:
    """The days of a dose, one or two numbers, and whether two are alternatives ("3 or 6").

    An amount by the kilogram that is said to be a day's gets no weeks: they may be the study's,
    and a course's total would follow from them.
    """
    days = when.days
    if days is None:
        return [], False
    factor = 1 if days["unit"].lower().startswith("day") else 7
    if factor == 7 and dose_per == "day" and unit in G_PER_KG:
        return [], False
    words = re.findall(NUMBER_OR_WORD, days["days"], re.I)
    numbers = [n * factor for n in map(parse_number, words) if n is not None]
    either = re.search(r"\b(?:or|and)\b", days["days"]) is not None and len(numbers) == 2
    return numbers, either
