"""Says which rows are no results: sizes of groups, strengths of solutions, denied events."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pipeline.extract.arm_sizes import COMPARATIVE
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import lexicon, rules
from pipeline.extract.measurements import Measurement
from pipeline.extract.no_names import says_nothing
from pipeline.extract.numbers import COUNT, parse_count
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.page import Page

#: How far before and behind a measurement the words are read.
_BEFORE, _AFTER = 60, 80
#: What denies the event that stands behind it: "did not complete", "no sign of deterioration".
_DENIED = re.compile(
    r"\b(?:no|not|never|without|fail(?:ed|ing|s)?\s+to|unable\s+to)\s+"
    r"(?:(?:any|an?|the|clear|clinical(?:ly)?|further|significant(?:ly)?|signs?|evidence|of|become"
    r"|became|been|be|achieve|achieved|reach|reached|have|had|show|showed|shown)\s+){0,4}+$",
    re.IGNORECASE,
)
_CORRELATED = re.compile(
    r"\bcorrelat(?:e[sd]?|ions?|ing)\b|\bassociation\s+between\b", re.IGNORECASE
)
_COUNT = re.compile(COUNT, re.IGNORECASE)
_BEGAN = re.compile(rf"\b(?:{PEOPLE})\s+\w+$", re.IGNORECASE)


def is_result(page: Page, row: OutcomeSpan) -> bool:
    """Whether a row that was found among the numbers of a text is a result of its patients.

    Parameters
    ----------
    page : Page
        The record as read.
    row : OutcomeSpan
        The row.
    """
    if _is_denied(page, row) or _is_correlation(page, row) or _is_change_of_route(page, row):
        return False
    if not row.measure and not _is_of_an_arm(page, row):
        return False
    named = row.by_event or row.other is not None
    if not named and (says_nothing(row.measure) or _BEGAN.search(row.measure)):
        return False
    sides = [m for m in (row.main, row.other) if m is not None]
    if any(_is_barred(page, m) for m in sides) or _is_breakdown(page, row):
        return False
    return not (len(sides) == 1 and _is_cohort(page, sides[0]))


def _is_of_an_arm(page: Page, row: OutcomeSpan) -> bool:
    """Whether a row is one arm's of several that are compared, if not said of what."""
    several = len(row.groups or page.doc._.arms) > 1
    return several and row.arm is not None and page.doc._.design.design in COMPARATIVE


def _is_denied(page: Page, row: OutcomeSpan) -> bool:
    """Whether the words before an event say that it did not happen, and no number does."""
    start = page.sentence(row.named[0]).start
    match = _DENIED.search(page.text, max(start, row.named[0] - _BEFORE), row.named[0])
    if match is None or not row.by_event or row.main is None:
        return False
    return not row.main.start <= match.start() < row.main.end


def _is_correlation(page: Page, row: OutcomeSpan) -> bool:
    """Whether a p value alone is a correlation's."""
    if row.p is None or row.main is not None or row.effect is not None:
        return False
    start = page.sentence(row.p.start).start
    return _CORRELATED.search(page.text, start, row.p.start) is not None


def _is_change_of_route(page: Page, row: OutcomeSpan) -> bool:
    """Whether patients of an uncontrolled study are switched, which is what it tries."""
    told = row.measure == "switch to open-label"
    return told and page.doc._.design.design not in COMPARATIVE


def _is_breakdown(page: Page, row: OutcomeSpan) -> bool:
    """Whether two counts in brackets make up the count before them: "10 (8 with A, 2 with B)".

    A trial that compares groups gives its arms so.
    """
    if page.doc._.design.design in COMPARATIVE:
        return False
    sides = [m for m in (row.main, row.other) if m is not None and m.events is not None]
    counts = [m.events.value for m in sides if m.events is not None]
    if len(sides) != 2 or None in counts or any(m.value is not None for m in sides):
        return False
    first = min(m.start for m in sides)
    start = page.sentence(first).start
    bracket = page.text.rfind("(", max(start, first - _BEFORE), first)
    if bracket < 0 or ")" in page.text[bracket : max(m.end for m in sides)]:
        return False
    before = _COUNT.findall(page.text[max(start, bracket - _AFTER) : bracket])
    return sum(int(n) for n in counts if n is not None) in map(parse_count, before)


def _is_barred(page: Page, m: Measurement) -> bool:
    """Whether the words around a number say that it is no result."""
    start, end = (s := page.sentence(m.start)).start, s.end
    kind = "all" if m.events is not None and m.events.kind == "all" else m.kind
    fraction = m.events is not None and m.events.kind == "fraction"
    before = page.text[max(start, m.start - _BEFORE) : m.start]
    windows = {
        "first": page.text[start : m.start],
        "before": before,
        "inside": page.text[m.start : min(end, m.end + 12)],
        "after": page.text[m.end : min(end, m.end + _AFTER)],
    }
    return any(
        _holds(page, m, row, pattern, windows)
        for pattern, row in _barred()
        if kind in row["kinds"] and (row.get("fractions") or not fraction)
    )


def _holds(
    page: Page,
    m: Measurement,
    row: dict[str, Any],
    pattern: re.Pattern[str],
    windows: dict[str, str],
) -> bool:
    """Whether a rule of patterns/no_results.jsonl holds for a measurement."""
    look = pattern.search if row["where"] == "before" else pattern.match
    match = look(windows[row["where"]])
    if match is None:
        return False
    if row.get("bare") and m.value is not None:
        return False
    if "unless_after" in row and re.match(row["unless_after"], windows["after"]):
        return False
    return not row.get("treated") or _is_treatment(page, m.end + match.end())


def _is_treatment(page: Page, start: int) -> bool:
    """Whether a treatment is named at a place: an arm, the intervention or a listed drug."""
    arms = (a for arm in page.doc._.arms for a, _ in arm.mentions)
    own = (t.start for t in page.doc._.interventions)
    listed = (t.start for t in lexicon("treatments").find(page.text, start, start + 40))
    return any(place == start for place in (*arms, *own, *listed))


def _is_cohort(page: Page, m: Measurement) -> bool:
    """Whether a bare count is of all patients, or of more than there are, and so of no event."""
    total, q = page.doc._.population.total, m.events
    if total is None or q is None or q.kind != "number" or q.value is None:
        return False
    printed = page.text[max(0, m.start - 5) : m.start].lower()
    if m.value is not None or printed.endswith(("all ", "all the ")):
        return False
    return q.label != "both" and int(q.value) >= total.n


@cache
def _barred() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    """The rules of patterns/no_results.jsonl, compiled."""
    return tuple(
        (re.compile(r["pattern"].replace("{PEOPLE}", rf"(?:{PEOPLE})"), re.IGNORECASE), r)
        for r in rules("no_results")
    )
