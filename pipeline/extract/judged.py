"""Judges the numbers of a sentence: which are no results, and of which arm those are."""

from __future__ import annotations

import re
from itertools import pairwise

from pipeline.extract import apart, linking, naming
from pipeline.extract.grammar import PEOPLE, TIME_UNIT
from pipeline.extract.measurements import Measurement
from pipeline.extract.numbers import COUNT
from pipeline.extract.quantities import Quantity
from pipeline.extract.row_names import Named

#: "Absolute risk reductions were 25% for A and 30% for B": each between two arms.
_RISKS = re.compile(
    r"\brisk\s+(?:reduction|increase|decrease|difference)s?\b[^.;,()\d]{0,30}$", re.I
)
#: "from 32% to 97% (mean 54%)": how far values spread, and no baseline.
_SPREAD = re.compile(r"\s*\(\s*(?:mean|median|average)\b", re.I)
#: "ranged from 25% for pain to 96% for numbness": how far values lie apart, and no baseline.
_RANGED = re.compile(r"\brang(?:ed|es|ing)\s+(?:widely\s+)?(?:from|between)\s+$", re.I)
#: "One relapse occurred in four (30%)": how many each of those had.
_EACH_HAD = re.compile(
    rf"\s+(?:[\w-]+\s+){{1,3}}?(?:occurred|(?:was|were)\s+(?:seen|observed|noted|found|recorded|reported))\s+in\s+{COUNT}\s*[(\[]",
    re.I,
)
#: "All had ...", without a noun: all of those whom a sentence before names.
_OF_SOME_BEFORE = re.compile(
    rf"(?:^|[.;:]\s+)(?:In|Of|Among|For)\s+(?:the\s+|these\s+|those\s+)?{COUNT}\b(?:[^.;]|\.(?=\d)){{0,180}}[.;]\s*$",
    re.I,
)
_ALL_ALONE = re.compile(r"\s+(?:had|have|did|responded|improved|relapsed|recovered|were)\b", re.I)
#: "Among the 12 patients, 50% ...": what a share is out of, and no events.
_OUT_OF = re.compile(r"\b(?:among|of|in)\s+(?:the\s+|these\s+|those\s+|all\s+|our\s+)?$", re.I)
#: What may stand between two numbers of one outcome: "5 (20%) at 6 months and 7 (28%) at a year".
_SAME_AGAIN = re.compile(
    rf"(?:[\s,;()%\[\]\d.<>=·±-]|\b(?:and|or|in|at|after|by|of|to|the|then|week|month|year|day|p|{TIME_UNIT}|{PEOPLE}|baseline|follow-?up"
    r"|respectively|points?|mg|kg|mm|[a-z]+ly)\b)*",
    re.I,
)
#: Those who were not treated: "none of 204 controls".
_CONTROLS = re.compile(r"\s*(?:(?:healthy|normal|disease)\s+)?controls\b", re.I)
#: "in those started on both (44%)": whose the number in brackets is.
_IN_THOSE = re.compile(
    rf"\b(?:in|among|of)\s+(?:those|(?:the\s+)?(?:{PEOPLE}))\s+(?:[\w-]+\s+)?(?:on|with|to|by|receiving|given)\s+[^,;.()\d]{{3,60}}[(\[]\s*$",
    re.I,
)
#: "All cases complaining of ...", "all those with ...": all of some of them.
_ALL_OF_SOME = re.compile(
    r"\s+(?:(?!(?:being|having)\b)[a-z]{3,12}ing\b|with\b|who(?:se)?\b|aged\b|without\b)",
    re.IGNORECASE,
)
_RESPECTIVELY = re.compile(r"[\s%)\w]{0,12}?,?\s*respectively\b", re.I)
#: "1.55 units lower after A than after B".
_THAN = re.compile(
    r"\s*(?:points?|units?|kg|mm|%)?\s*(?:lower|higher|less|more|greater|shorter|longer)\b[^.;()\d]{0,50}?\bthan\b",
    re.I,
)


class Judged(Named):
    """A sentence whose measurements can be judged."""

    def _is_extent(self, chain: list[Measurement]) -> bool:
        """Whether "from A to B" says how far values spread."""
        before = self.text[max(self.start, chain[0].start - 24) : chain[0].start]
        return bool(_SPREAD.match(self.text, chain[1].end) or _RANGED.search(before))

    def _is_of_others(self, m: Measurement) -> bool:
        """Whether the words beside a number alone say that it is of people of no arm."""
        if _CONTROLS.match(self.text, m.end, self.end) and len(self.arms) == 1:
            return True
        before = _IN_THOSE.search(self.text[self.start : m.start])
        if before is None:
            return False
        since = self.start + before.start()
        return bool(self.places) and not any(since <= p.start < m.start for p in self.places)

    def _is_of_all(self, m: Measurement) -> bool:
        """Whether a number that no arm is named with is none of an arm: a total, a comparison."""
        if not self.comparative or len(self.arms) < 2:
            return False
        return m.kind == "count" and is_bare_count(m)

    def _is_set(self, chain: list[Measurement]) -> bool:
        """Whether the words between measurements set them against each other."""
        gap = self.text[chain[0].end : chain[-1].start]
        return linking.STRICT.search(gap) is not None

    def _is_past(self, lead: Measurement, other: Measurement | None, name: naming.Name) -> bool:
        """Whether another number, and words of its own, stand between a name and a number alone."""
        if len(self.arms) > 1 or self.groups or other is not None or name.span[1] > lead.start:
            return False
        between = [x for x in self.measured if name.span[1] <= x.start and x.end <= lead.start]
        if not between:
            return False
        return _SAME_AGAIN.fullmatch(self.text, between[-1].end, lead.start) is None

    def _is_read(self, m: Measurement, other: Measurement | None) -> bool:
        """Whether a measurement and its partner can be results."""
        both = [x for x in (m, other) if x is not None]
        q = m.events
        if q is not None and q.kind == "all" and self._is_all_of_some(q):
            return False
        if q is not None and m.value is not None and q.end < m.value.start:
            before = self.text[max(self.start, q.start - 24) : q.start]
            if "," in self.text[q.end : m.value.start] and _OUT_OF.search(before):
                return False
        if m.kind == "count" and m.value is None and _EACH_HAD.match(self.text, m.end, self.end):
            return False
        if not all(naming.is_value(self.text, self.start, x, len(both) > 1) for x in both):
            return False
        untold = not self.told or (naming.is_dose(self.text, m) and not self.has_p())
        return not (m.kind == "number" and untold)

    def _is_all_of_some(self, q: Quantity) -> bool:
        """Whether "all" is of some of the patients: "all with pain", "all had", of those before."""
        if _ALL_OF_SOME.match(self.text, q.end, self.end):
            return True
        alone = self.text[q.start : q.end].lower() == "all" and q.start <= self.start + 2
        before = self.text[max(0, self.start - 200) : self.start]
        some = alone and _OF_SOME_BEFORE.search(before)
        return bool(some) and _ALL_ALONE.match(self.text, q.end, self.end) is not None

    def _is_between(self, m: Measurement, other: Measurement | None, lead: Measurement) -> bool:
        """Whether a value says how arms differ, and is none of an arm."""
        if m.kind != "count" and _RISKS.search(
            self.text[max(self.start, lead.start - 60) : lead.start]
        ):
            return self.comparative
        alone = other is None and (
            apart.is_relation(self.text, m) or _THAN.match(self.text, m.end, self.end) is not None
        )
        return self.comparative and (apart.is_ratio(self.text, lead) or alone)

    def _are_two_outcomes(self, lead: Measurement, end: int) -> bool:
        """Whether a pair is of two outcomes, not arms: "A and B improved by 50% and 21%, each"."""
        if self.places or not _RESPECTIVELY.match(self.text, end, self.end):
            return False
        named = [t for t in self.instruments if t.end <= lead.start]
        joined = pairwise(named)
        return any(
            a.name != b.name and re.fullmatch(r"\W+and\W+", self.text[a.end : b.start])
            for a, b in joined
        )

    def _order(self, own: list[int | None]) -> list[int | None]:
        """Fill in what the mentions leave open: the other of two arms, else the text's order."""
        if len(self.arms) != 2 or len(own) != 2 or (None not in own and own[0] != own[1]):
            return own
        first, second = own
        if first is None and second is None and not self.groups:
            return list(self.carried.order or self._usual())
        if first is None and second is not None:
            return [1 - second, second]
        if second is None and first is not None:
            return [first, 1 - first]
        return [0, 1]

    def _usual(self) -> tuple[int, int]:
        """The order in which two arms are compared: what was tried first."""
        return (1, 0) if self.arms[0].role == "comparator" != self.arms[1].role else (0, 1)

    def _sides(self, arm: int | None) -> tuple[int | None, int | None]:
        """The two arms that an effect stands between."""
        base = next((i for i, a in enumerate(self.arms) if a.role == "comparator"), None)
        if len(self.arms) == 2 and base is not None:
            return 1 - base, base
        return (arm, base) if arm != base else (None, base)


def is_bare_count(m: Measurement) -> bool:
    """Whether a count is printed without its share and without what it is out of."""
    return m.value is None and m.events is not None and m.events.kind == "number"
