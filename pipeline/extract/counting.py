"""Tells counts of events from values: "14 deaths on A and nine on B", "three v 12 events"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from pipeline.extract.lexicon import any_of, rules
from pipeline.extract.measurements import Measurement

_LINK = re.compile(r"\b(?:vs?\.?|versus|and|or|compared|while|whereas|but)(?=\W)|[,;]", re.I)
_STRICT = re.compile(
    r"^[^.;]{0,60}?(?:\bvs?\.?|\bversus|\bcompared\s+(?:with|to)|\bthan)\s[^.;]{0,50}$", re.I
)
_LISTED = re.compile(
    r"\s*(?:\([^()]{0,30}\)\s*)?(?:,|,?\s*(?:and|or|vs?\.?|versus|to|compared\s+(?:with|to)))\s*",
    re.I,
)
_UNIT = re.compile(
    r"^\s*(?:points?|kg|mm|cm|kPa|N|m/s|met(?:re|er)s|seconds|units|logits?|[gm]/|m?g\b|[µu]g|mcg|ng|m?L\b|Gy|"
    r"cGy|mmol|IU|U/|days?|weeks?|months?|years?|hours?|h\b|min(?:utes?)?|per\b|°|/|×|x\b|fold|times|-)",
    re.I,
)
_STATISTIC = re.compile(
    r"\b(?:mean|median|average[ds]?|scores?|scale|index|ratio|level|ranged?)\b", re.I
)
_FEWER = re.compile(
    r"\b(?:fewer|more)\s+(?:\w+\s+)?(?:patients|women|men|participants|subjects)\b(?!.*\b(?:mean|median)\b)",
    re.I,
)
_DID = re.compile(
    r"^\s+(?:had|have|developed|experienced|died|occurred|occurring|did\s+not|required|needed|completed|discontinued|withdrew|reported"
    r"|showed|achieved|relapsed|recurred|recovered|responded|refused|declined|dropped\s+out|suffered)\b",
    re.I,
)
_NOUN = (
    r"^\s+(?:(?!(?:of|in|to|and|or|the|with|on|for|at|by|from|than|vs?|versus|per)\b(?!-))"
    r"[\w/'’-]+\s+){0,4}?"
)


def is_events(text: str, q_end: int) -> bool:
    """Whether the words behind a whole number say that it counts events or what people did."""
    after = text[q_end : q_end + 90]
    return bool(_nouns().match(after) or _DID.match(after))


def even_out(text: str, start: int, measured: Sequence[Measurement]) -> list[Measurement]:
    """Make a bare whole number a count where the number it stands beside is one.

    Parameters
    ----------
    text : str
        The record's text.
    start : int
        Where the sentence starts.
    measured : sequence of Measurement
        The sentence's measurements, in order.
    """
    out = list(measured)
    for k in (*range(1, len(out)), *range(len(out) - 2, -1, -1)):
        for beside in (k - 1, k + 1):
            if 0 <= beside < len(out) and is_bare(text, out[k]) and _share(text, out, k, beside):
                out[k] = _count(out[k])
    for a, b in zip(range(len(out)), range(1, len(out)), strict=False):
        gap = text[out[a].end : out[b].start]
        pair = is_bare(text, out[a]) and is_bare(text, out[b]) and _STRICT.match(gap)
        if pair and counted_before(text, start, out[a]):
            out[a], out[b] = _count(out[a]), _count(out[b])
    return out


def share_unit(text: str, measured: Sequence[Measurement]) -> list[Measurement]:
    """Give numbers the sign or unit that is printed once, behind the last: "36 vs 22%"."""
    out = list(measured)
    for k in range(len(out) - 1, 0, -1):
        here, after = out[k - 1], out[k]
        shared = after.kind == "percent" or (after.kind == "number" and after.unit == "%")
        timed = after.kind == "time" and here.spread is None
        bare = here.kind == "number" and here.value is not None and not here.unit
        if bare and (shared or timed) and _LISTED.fullmatch(text, here.end, after.start):
            kind = "time" if timed else "percent" if here.spread is None else "number"
            out[k - 1] = replace(here, kind=kind, unit=after.unit if timed else "%")
    return out


def is_bare(text: str, m: Measurement) -> bool:
    """Whether a measurement is a whole number alone, without sign, spread, interval or unit."""
    if m.kind != "number" or m.spread or m.interval or m.value is None or m.value.value is None:
        return False
    printed = text[m.value.start : m.value.end]
    if m.value.label == "both":
        return False
    whole = m.value.value == int(m.value.value) >= 0 and not re.search(r"[.·+−-]", printed)
    return whole and m.ci is None and not _UNIT.match(text[m.end : m.end + 20])


def _share(text: str, out: Sequence[Measurement], k: int, beside: int) -> bool:
    """Whether the number at `k` is of the kind of the count beside it."""
    other = out[beside]
    if other.kind != "count" or other.events is None:
        return False
    low, high = sorted((out[k], other), key=lambda m: m.start)
    gap = text[low.end : high.start]
    return len(gap) < 70 and bool(_LINK.search(gap)) and not _STATISTIC.search(gap)


def _count(m: Measurement) -> Measurement:
    """The measurement as a count of events."""
    return replace(m, kind="count", events=m.value, value=None)


def counted_before(text: str, start: int, m: Measurement) -> bool:
    """Whether what is counted is named before a pair of bare numbers, and no statistic is."""
    before = text[max(start, m.start - 120) : m.start]
    people = _FEWER.search(before)
    return bool(people or (_before().search(before) and not _STATISTIC.search(before)))


@cache
def _things() -> str:
    """The nouns of events, as a regex."""
    terms = (
        t for r in rules("outcome_words") if r["name"] == "what is counted" for t in r["terms"]
    )
    return any_of(terms)


@cache
def _nouns() -> re.Pattern[str]:
    """A noun of an event behind a number, up to four words on."""
    return re.compile(rf"{_NOUN}(?:{_things()})\b", re.I)


@cache
def _before() -> re.Pattern[str]:
    """A noun of an event before numbers."""
    return re.compile(rf"\b(?:{_things()}|fewer|patients|women|men|participants)\b", re.I)
