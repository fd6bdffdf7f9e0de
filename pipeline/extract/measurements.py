"""Joins the quantities of a sentence into measurements: a value with its spread, CI and n."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipeline.extract.grammar import PEOPLE, THINGS
from pipeline.extract.quantities import Quantity

Span = tuple[int, int]

_TO_COUNT = re.compile(rf"^\s*(?:(?:{PEOPLE}|events?|deaths)\s*)?[\[(,;]\s*$", re.IGNORECASE)
#: "10 in the cooled group [14.7%]"
_IN_GROUP = re.compile(r"\s+(?:in|of|on|with|for)\s+[^,;.()\[\]\d]{1,45}[\[(]\s*", re.IGNORECASE)
_TO_SPREAD = re.compile(
    r"^\s*(?:%|points?|kg|mm|cm|days?|weeks?|months?|units?|N|kPa)?\s*,?\s*$", re.IGNORECASE
)
_TO_CI = re.compile(r"^[^.]{0,28}$")
_PEOPLE_AFTER = re.compile(
    rf"^\s+(?:of\s+(?:the\s+)?)?(?:(?!of\b|and\b|or\b|to\b|with\b|points?\b|days?\b|weeks?\b|months?\b|years?\b)[a-z][\w-]*\s+){{0,3}}?(?:{PEOPLE})\b",
    re.IGNORECASE,
)
_OUT_OF = re.compile(r"\s*[)\]]*\s*(?:out\s+)?of\s+(?:the\s+|these\s+|all\s+)?", re.IGNORECASE)
_AMONG = re.compile(
    r"\s*[)\]]*\s*(?:(?:\w+\s+){0,2}events?\s+)?(?:in|among)\s+(?:the\s+)?", re.IGNORECASE
)
_EVENTS_AMONG = re.compile(
    r"\s+(?:[\w-]+\s+){0,3}?(?:events|deaths|relapses|recurrences|cases|cancers|fractures|strokes|failures)\s+"
    r"(?:in|among)\s+(?:the\s+)?",
    re.IGNORECASE,
)
_IN_EACH = re.compile(r"\s+in\s+each\s+(?:group|arm)\b", re.IGNORECASE)
_OTHER_UNITS = re.compile(
    r"^\s+(?:\w+\s+){0,2}?(?:nerves?|segments?|muscle groups?|groups|eyes|centres|centers|"
    r"infusions?|courses?|trials|studies|scales|tests?|sessions|cycles|regions|hospitals|"
    r"publications|mice|rats)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value of one arm at one time as printed, each part with its quantity.

    `kind` is count (events), percent, time or number.
    """

    kind: str
    start: int
    end: int
    value: Quantity | None = None
    events: Quantity | None = None
    spread: Quantity | None = None
    ci: Quantity | None = None
    interval: Quantity | None = None
    unit: str = ""

    @property
    def span(self) -> Span:
        """Where the measurement stands."""
        return self.start, self.end


def build(
    text: str, found: list[Quantity], *, clocks: bool, verbs: frozenset[int] = frozenset()
) -> list[Measurement]:
    """Return the measurements among the quantities of a sentence, in order.

    Parameters
    ----------
    text : str
        The record's text.
    found : list of Quantity
        The sentence's quantities, in order.
    clocks : bool
        Whether a stretch of time may be a result here ("time to walking was 19 days").
    verbs : frozenset of int
        Where events start: a number just before one counts patients ("11 improved").
    """
    made: list[Measurement] = []
    for quantity in found:
        last = made[-1] if made else None
        joined = _join(text, last, quantity) if last else None
        if joined is not None:
            made[-1] = joined
        else:
            new = _start(text, quantity, clocks, verbs)
            made.extend([new] if new else [])
    return made


def _start(text: str, q: Quantity, clocks: bool, verbs: frozenset[int]) -> Measurement | None:
    """Start a measurement, if the quantity can be a result."""
    if q.kind in ("fraction", "all"):
        if q.label in THINGS or _OTHER_UNITS.match(text[q.end : q.end + 60]):
            return None
        inside = (
            Quantity("percent", q.percent[1], q.percent[2], q.percent[0]) if q.percent else None
        )
        return Measurement("count", q.start, q.end, value=inside, events=q)
    if q.kind == "percent":
        return Measurement("percent", q.start, q.end, value=q, unit="%")
    if q.kind == "mean_spread":
        unit = "%" if "%" in text[q.start : q.end + 2] else ""
        return Measurement("number", q.start, q.end, value=q, spread=q, unit=unit)
    if q.kind == "timepoint" and clocks:
        return Measurement("time", q.start, q.end, value=q, unit=q.label)
    if q.kind == "interval" and not q.label and clocks and text[q.start] not in "([":
        return None
    if q.kind != "number":
        return None
    after = text[q.end : q.end + 60]
    if _OTHER_UNITS.match(after):
        return None
    if _is_people(text, q, after) or (q.end + 1 in verbs and q.value == int(q.value or 0)):
        return Measurement("count", q.start, q.end, events=q)
    return Measurement("number", q.start, q.end, value=q)


def _is_people(text: str, q: Quantity, after: str) -> bool:
    """Whether a bare number counts patients: "eight patients", "both cases", "148 (79%)"."""
    if q.value is None or q.value != int(q.value) or q.value < 0:
        return False
    if (
        _PEOPLE_AFTER.match(after)
        or _IN_EACH.match(after)
        or re.match(
            r"\s*[\[(]\s*(?!9\d(?:[.·]\d)?\s*%\s*C)\d+(?:[.·]\d+)?\s*%(?!\s*conf)", after, re.I
        )
    ):
        return True
    if q.label == "both":
        return False
    word = text[q.start : q.start + 1].isalpha()
    return word and bool(re.search(r"\b(?:in|and|of)\s+$", text[max(0, q.start - 4) : q.start]))


def _join(text: str, last: Measurement, q: Quantity) -> Measurement | None:
    """Add a quantity to the measurement before it, if it belongs there."""
    gap = text[last.end : q.start]
    joined = _JOINS.get(q.kind)
    return joined(text, last, q, gap) if joined else None


def _with_percent(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "12 patients (40%)", "10 in the cooled group [14.7%]"."""
    open_ = last.kind == "count" and last.value is None
    if open_ and (_TO_COUNT.match(gap) or _IN_GROUP.fullmatch(gap)):
        return replace(last, value=q, end=_closed(text, q.end))
    return None


def _with_fraction(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "40% (12/30)", "31 patients (31/45)"."""
    if last.kind == "percent" and last.events is None and _TO_COUNT.match(gap):
        return replace(last, kind="count", events=q, end=_closed(text, q.end))
    if last.kind == "count" and last.value is None and _same_count(last, q, gap):
        return replace(last, events=q, end=_closed(text, q.end))
    return None


def _with_n(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "40% (n = 12)"."""
    if last.kind != "percent" or last.ci is not None or not _TO_COUNT.match(gap):
        return None
    return replace(last, kind="count", events=replace(q, kind="number"), end=_closed(text, q.end))


def _with_number(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "35 events among 246 women", "14 (70%) of the 20", "0.8 (1.3)"."""
    if _are_events(text, last, q, gap) and last.value is not None:
        events = Quantity("fraction", last.start, q.end, last.value.value, q.value)
        return replace(last, kind="count", value=None, events=events, end=_closed(text, q.end))
    if _is_denominator(text, last, q, gap):
        return replace(last, events=_fraction(last, q), end=_closed(text, q.end))
    bare = last.kind in ("number", "time") and last.spread is None
    return replace(last, spread=q, end=q.end + 1) if bare and _bracketed(text, gap, q) else None


def _with_spread(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "4.8 (SD 2.0)"."""
    if last.value is None or not _TO_SPREAD.match(gap):
        return None
    return replace(last, spread=q, end=q.end)


def _with_ci(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "1.4 (95% CI 0.6 to 3.3)"."""
    if last.ci is not None or not _TO_CI.match(gap):
        return None
    return replace(last, ci=q, end=_closed(text, q.end))


def _with_interval(text: str, last: Measurement, q: Quantity, gap: str) -> Measurement | None:
    """ "12 (IQR 8 to 20)"."""
    if last.interval is not None or last.value is None or not _TO_SPREAD.match(gap):
        return None
    return replace(last, interval=q, end=q.end)


#: What a quantity of a kind adds to the measurement before it.
_JOINS: Mapping[str, Callable[[str, Measurement, Quantity, str], Measurement | None]] = {
    "percent": _with_percent,
    "fraction": _with_fraction,
    "n": _with_n,
    "number": _with_number,
    "spread": _with_spread,
    "ci": _with_ci,
    "interval": _with_interval,
}


def _is_denominator(text: str, last: Measurement, q: Quantity, gap: str) -> bool:
    """Whether a number is what a count is out of: "14 (70%; 95% CI ...) of the 20"."""
    events = last.events
    counted = last.kind == "count" and events is not None and events.kind == "number"
    if not counted or events is None or q.value is None or events.value is None:
        return False
    among = _AMONG.fullmatch(gap) is not None and _PEOPLE_AFTER.match(text[q.end : q.end + 60])
    return bool(_OUT_OF.fullmatch(gap) or among) and 0 < events.value <= q.value


def _are_events(text: str, last: Measurement, q: Quantity, gap: str) -> bool:
    """Whether two numbers are events and who they were among: "35 events among 246 women"."""
    value = last.value
    bare = last.kind == "number" and not (last.spread or last.ci or last.interval)
    if not bare or value is None or value.value is None or q.value is None:
        return False
    among = _EVENTS_AMONG.fullmatch(gap) and _PEOPLE_AFTER.match(text[q.end : q.end + 60])
    return bool(among) and value.value == int(value.value) and 0 <= value.value <= q.value


def _fraction(last: Measurement, q: Quantity) -> Quantity:
    """The events of a measurement out of a number behind it."""
    events = last.events or q
    return Quantity("fraction", events.start, q.end, events.value, q.value)


def _same_count(last: Measurement, q: Quantity, gap: str) -> bool:
    """Whether "31 patients (31/45)" prints one count twice."""
    return last.events is not None and last.events.value == q.value and len(gap) < 15 and "(" in gap


def _bracketed(text: str, gap: str, q: Quantity) -> bool:
    """Whether a number stands alone in brackets behind a value: "0·8 (1·3)"."""
    return bool(re.fullmatch(r"\s?[\[(]\s*", gap)) and text[q.end : q.end + 1] in ("]", ")")


def _closed(text: str, end: int) -> int:
    """Take in a closing bracket and the noun behind it."""
    match = re.match(rf"\s*(?:(?:{PEOPLE})\s*)?[\])]", text[end : end + 25], re.IGNORECASE)
    return end + match.end() if match else end


def alike(a: Measurement, b: Measurement) -> bool:
    """Whether two measurements are of one kind; "28 vs 56 days" prints the unit once."""
    if a.kind == b.kind:
        return a.unit == b.unit or {a.unit, b.unit} <= {"", "%"}
    return {a.kind, b.kind} == {"number", "time"}
