"""Says what a count or a value may be out of: an arm, all, or a part that the sentence names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extract.arm_sizes import COMPARATIVE, ArmSpan
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.measurements import Measurement
from pipeline.extract.numbers import COUNT, parse_count
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.page import Page
from pipeline.extract.population import Count, Population
from pipeline.extract.quantities import within
from pipeline.extract.sentences import Sentence
from pipeline.schema import Reading

#: An arm with less than this share of what each would have if all were alike is a part of one.
SMALLEST = 0.6
#: The same, where the size of no other arm is known.
SMALLEST_ALONE = 0.75
#: Events that are counted among all who were enrolled, not among the analysed.
_OF_THE_ENROLLED = ("completion", "treatment discontinuation")
#: Groups of a study whose arms are not known.
_UNKNOWN_GROUP = re.compile(
    r"\b(?:treatment|treated|control|untreated|comparison)\s+(?:groups?|patients)\b", re.IGNORECASE
)
#: "four of these patients": of a group that another sentence, or the count before, names.
_OF_THESE = re.compile(r"\s+of\s+(?:these|those|them|whom|which)\b", re.IGNORECASE)
#: "Of the 22 patients who ..., 16 ...", "Of these, three ...".
_OF_NAMED = re.compile(
    rf"(?:Of|Among)\s+(?:(?:the|these|those|our|all)\s+)*+(?P<n>{COUNT})?", re.IGNORECASE
)
_OTHER_THINGS = re.compile(
    r"\s+(?:[\w-]+\s+){0,2}?(?:adverse|AEs?|events|infusions|courses|episodes|relapses|cycles)\b",
    re.IGNORECASE,
)
#: "two of the patients with weakness": of some of the patients.
_OF_SOME = re.compile(
    rf"\s+of\s+(?:the\s+|our\s+)?(?:[\w-]+\s+){{0,2}}?(?:{PEOPLE})\s+(?:with|without|who|whose|on|in\s+whom)\b",
    re.IGNORECASE,
)
#: "Seven mild systemic adverse events": what is counted are no patients.
_THINGS = re.compile(
    r"\s+(?:[\w-]+\s+){0,4}?(?:events|AEs|reactions|infections|episodes|exacerbations|infusions)\b",
    re.IGNORECASE,
)
#: A sentence of some of the patients: "In the first group, ...", "In those who relapsed, ...".
_IN_A_PART = re.compile(
    r"(?:[A-Za-z][A-Za-z /]{2,30}:\s*)?(?:In|Among|For|Of)\s+(?:the\s+)?"
    r"(?:(?:first|second|third|fourth|other|others|former|latter|same|remaining|this|that|those)\b"
    rf"|(?:{PEOPLE})\s+(?:with|who|without)\b)"
    rf"|These\s+{COUNT}\b"
    r"|In\s+the\s+(?:[\w-]+\s+){1,2}(?:period|subgroup|cohort|stratum)\b",
)
#: A sentence of a visit: "After 5 years, ...".
_VISIT = re.compile(
    rf"(?:[A-Z][a-z]+:\s*)?(?:After|At)\s+(?P<n>{COUNT})\s+(?P<unit>weeks?|months?|years?)\b"
)


class Denominators:
    """What the numbers of a row may be out of."""

    def __init__(self, page: Page, row: OutcomeSpan) -> None:
        self.page, self.row = page, row
        self.arms: tuple[ArmSpan, ...] = row.groups or page.doc._.arms
        self.population: Population = page.doc._.population

    def of(self, m: Measurement, arm: int | None) -> Iterator[Reading[int]]:
        """What a count may be out of: a subset the sentence names, the arm, all, the completers."""
        sentence = self.page.sentence(m.start)
        if _OF_THESE.match(self.page.text[m.end : m.end + 20]):
            return  # of those told of before, however many they were
        if self._is_of_unknown_groups(m, sentence.end) or self._is_of_some(m, sentence):
            return
        size = self.arms[arm].n if arm is not None and self.arms else None
        if size is not None and not self._is_fit(m, size):
            size = None
        several = len(self.arms) > 1
        alone: tuple[Count | None, ...] = (self.population.total, self.population.completed)
        if self.row.measure in _OF_THE_ENROLLED and self.population.enrolled is not None:
            alone = (self.population.enrolled,)
            size = size if several else None
        crossover = self.page.doc._.design.design == "rct_crossover"
        whole = () if several and not (self.row.whole or crossover) else alone
        named = self._named(m)
        if self.row.among is not None:
            whole, size = (), self.row.among
        elif named is not None:
            whole, size = (), named if named.n else None
        for count in (size, *whole):
            if count is not None:
                yield self.page.reading(
                    count.n, count.span, "not printed with it: size of the group"
                )

    def _is_of_unknown_groups(self, m: Measurement, end: int) -> bool:
        """Whether groups are compared that are no arms, or arms are named that nothing compares."""
        if len(self.arms) > 1:
            return self.page.doc._.design.design not in COMPARATIVE and not self.row.groups
        paired = self.row.other is not None and self.row.other_is == "comparator"
        return paired or _UNKNOWN_GROUP.search(self.page.text, m.start, end) is not None

    def _is_of_some(self, m: Measurement, sentence: Sentence) -> bool:
        """Whether a number is of things, or of a part of the patients whose size is not said."""
        text = self.page.text
        share = m.kind == "percent" and self.row.type in ("proportion", "median")
        if len(self.arms) < 2 and (share or _OF_SOME.match(text, m.end)):
            return True
        if _THINGS.match(text, m.end):
            return True
        if self.row.among is None and _IN_A_PART.match(text, sentence.start, m.start):
            return True
        if m.events is not None and self._is_after_a_visit(sentence):
            return True
        if m.events is None:
            return self._is_of_one_period(m)
        bare = m.value is None and m.events.kind == "number"
        return bare and self._is_behind_a_fraction(m, sentence.start)

    def _is_after_a_visit(self, sentence: Sentence) -> bool:
        """Whether a later visit of one group has been told of: how many came to it is not said."""
        if len(self.arms) > 1 or self.row.among is not None:
            return False
        before = (s.start for s in self.page.sentences if s.start <= sentence.start)
        found = (_VISIT.match(self.page.text, start) for start in before)
        return len({(m["n"].lower(), m["unit"][0]) for m in found if m}) > 1

    def _is_behind_a_fraction(self, m: Measurement, start: int) -> bool:
        """Whether a count before says of how many it is: "four of the 10, best in two"."""
        found = within(self.page.doc._.quantities, start, m.start)
        return any(q.kind == "fraction" for q in found)

    def _is_of_one_period(self, m: Measurement) -> bool:
        """Whether a value is of a crossover that some left: which period it is of is not said."""
        total, completed = self.population.total, self.population.completed
        crossover = self.page.doc._.design.design == "rct_crossover"
        return crossover and total is not None and completed is not None and completed.n < total.n

    def _is_fit(self, m: Measurement, size: Count) -> bool:
        """Whether an arm's size can be one: not read off the result itself, no tiny part of all."""
        if size.span[0] < m.end and m.start < size.span[1]:
            return False
        total, among = self.population.total, len(self.arms)
        if total is None or among < 2 or (m.events is not None and m.value is not None):
            return True
        alone = sum(a.n is not None for a in self.arms) == 1
        return size.n * among >= (SMALLEST_ALONE if alone else SMALLEST) * total.n

    def _named(self, m: Measurement) -> Count | None:
        """Those whom a sentence begins with, "Of the 22 who stopped, ...": their number, or 0.

        It is 0 where the number is not printed ("Of these, ...") or counts no patients.
        """
        start = self.page.sentence(m.start).start
        match = _OF_NAMED.match(self.page.text, start, m.start)
        if match is None:
            return None
        people = match["n"] and not _OTHER_THINGS.match(self.page.text, match.end())
        return Count((people and parse_count(match["n"])) or 0, match.span())
