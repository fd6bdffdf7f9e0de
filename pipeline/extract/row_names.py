"""Names the outcome of a measurement: by the rules, by what was carried, by its noun phrase."""

from __future__ import annotations

import re

from pipeline.extract import naming
from pipeline.extract.clauses import clause_start, is_inside, subject_of, within_clause
from pipeline.extract.counting import is_bare, is_events
from pipeline.extract.measurements import Measurement
from pipeline.extract.phrases import (
    FAR,
    PAIRED_FAR,
    Phrase,
    behind,
    nearest,
    object_of,
    phrases,
    tied,
)
from pipeline.extract.scene import Scene

_STATISTIC = re.compile(r"\b(?:mean|median|averaged?|average)\b", re.I)
#: A sentence that speaks of what was named before it: "It rose by 3.1 kg."
_BACK = re.compile(r"(?:It|They|This|These)\b")


class Named(Scene):
    """A sentence whose measurements can be named."""

    def _name(
        self, m: Measurement, lead: Measurement, arm: int | None, end: int, *, paired: bool
    ) -> naming.Name | None:
        """Name an outcome: by the rules, by the sentence before, or by the words before it."""
        name = naming.name_of(self.text, self.start, lead, self.events, self.instruments)
        if name is not None and self._is_elsewhere(name, m, lead, arm, end, paired=paired):
            name = None
        if name is not None or not self.told or self._is_no_result(m, paired=paired):
            return name
        if m.kind == "number" and self.carried.value and _BACK.match(self.text, self.start):
            return self.carried.value
        tied = paired or arm is not None
        if tied and self._has_shape(m, paired=paired):
            return self._open_name(m, lead, end, paired=paired)
        return None

    def _is_elsewhere(
        self,
        name: naming.Name,
        m: Measurement,
        lead: Measurement,
        arm: int | None,
        end: int,
        *,
        paired: bool,
    ) -> bool:
        """Whether a value stands with another phrase than the one that a rule names."""
        if not self.told or not (paired or arm is not None):
            return False
        stop = self.text.rfind(";", lead.end, max(lead.end, name.span[0]))
        if stop >= 0 and not is_inside(self.text, self.start, stop):
            return True
        own = behind(self.text, max(m.end, end), self._phrases())
        own = own or tied(self.text, lead.start, self._phrases())
        if own is not None:
            return name.span[1] <= own.start or own.end <= name.span[0]
        seen = subject_of(self.text, self.start, lead.start, self._phrases())
        if seen is not None and seen.end <= name.span[0] < lead.start:
            return not self._is_known(seen)
        had = self._had(m, lead, end)
        if had is not None and name.span[1] <= lead.start:
            return True
        first = clause_start(self.text, self.start, lead.start)
        if name.span[1] <= first and within_clause(self.text, first, lead.start, self._phrases()):
            return True
        counted = self._counted(lead)
        return counted is not None and not (
            counted.start < name.span[1] and name.span[0] < counted.end
        )

    def _counted(self, m: Measurement) -> Phrase | None:
        """What a bare count counts: "10 cerebral infarctions"."""
        if m.kind != "count" or m.value is not None or not is_events(self.text, m.end):
            return None
        return next((p for p in self._phrases() if 0 < p.start - m.end < 3), None)

    def _is_known(self, p: Phrase) -> bool:
        """Whether a rule knows what a phrase names."""
        return any(t.start < p.end and p.start < t.end for t in (*self.events, *self.instruments))

    def _had(self, m: Measurement, lead: Measurement, end: int) -> Phrase | None:
        """What those counted had or did, where the words behind the number, or behind both, say."""
        if m.kind not in ("percent", "count"):
            return None
        first = object_of(self.text, lead.end, self._phrases())
        return first or object_of(self.text, max(m.end, end), self._phrases())

    def _is_no_result(self, m: Measurement, *, paired: bool) -> bool:
        """Whether a value is a difference between arms, a length of follow-up or an age."""
        if m.kind != "count" and not paired and naming.is_between(self.text, m):
            return True
        timed = m.kind in ("number", "time")
        return timed and naming.is_follow_up(self.text, self.start, m)

    def _has_shape(self, m: Measurement, *, paired: bool) -> bool:
        """Whether a measurement can be a result where no rule names what it measures."""
        if m.kind in ("percent", "count"):
            return paired or not naming.is_relative(self.text, m)
        if is_bare(self.text, m) and not self._is_median(m):
            return False
        return paired or self.has_p() or bool(m.spread or m.ci) or self._is_median(m)

    def _is_median(self, m: Measurement) -> bool:
        """Whether a statistic is named just before a value."""
        before = self.text[max(self.start, m.start - 60) : m.start]
        return bool(_STATISTIC.search(before))

    def _open_name(
        self, m: Measurement, lead: Measurement, end: int, *, paired: bool
    ) -> naming.Name | None:
        """The noun phrase that a value stands with, where no rule knows it."""
        phrase = (
            behind(self.text, max(m.end, lead.end, end), self._phrases())
            or self._counted(lead)
            or tied(self.text, lead.start, self._phrases())
            or subject_of(self.text, self.start, lead.start, self._phrases())
            or self._had(m, lead, end)
            or nearest(self.text, lead.span, self._phrases())
            or nearest(
                self.text,
                (lead.start, max(m.end, lead.end, end)),
                self._phrases(),
                PAIRED_FAR if paired else FAR,
            )
        )
        if phrase is None:
            return None
        return naming.Name(phrase.text(self.text), (phrase.start, phrase.end), is_open=True)

    def _phrases(self) -> list[Phrase]:
        """The phrases of the sentence that may name an outcome."""
        if self._open is None:
            taken = [(p.start, p.end) for p in self.places]
            self._open = phrases(self.text, self.start, self.end, taken)
        return self._open
