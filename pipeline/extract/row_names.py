"""Names the outcome of a measurement: by the rules, by what was carried, by its noun phrase."""

from __future__ import annotations

import re

from pipeline.extract import naming
from pipeline.extract.counting import is_bare
from pipeline.extract.measurements import Measurement
from pipeline.extract.phrases import Phrase, behind, nearest, object_of, phrases, tied
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
        if name is not None and self._is_elsewhere(name, lead, arm, paired=paired):
            name = None
        if name is not None or not self.told or self._is_no_result(m, paired=paired):
            return name
        if m.kind == "number" and self.carried.value and _BACK.match(self.text, self.start):
            return self.carried.value
        tied = paired or arm is not None
        if tied and self._has_shape(m, paired=paired):
            return self._open_name(m, lead, end)
        return None

    def _is_elsewhere(
        self, name: naming.Name, lead: Measurement, arm: int | None, *, paired: bool
    ) -> bool:
        """Whether a value stands with another phrase than the one that a rule names."""
        if not self.told or not (paired or arm is not None):
            return False
        if name.span[0] >= lead.end and ";" in self.text[lead.end : name.span[0]]:
            return not self._inside_brackets(lead.end, name.span[0])
        own = tied(self.text, lead.start, self._phrases())
        return own is not None and (name.span[1] <= own.start or own.end <= name.span[0])

    def _inside_brackets(self, start: int, end: int) -> bool:
        """Whether the last semicolon of a stretch stands inside brackets."""
        at = self.text.rfind(";", start, end)
        before = self.text[self.start : at]
        return before.count("(") + before.count("[") > before.count(")") + before.count("]")

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

    def _open_name(self, m: Measurement, lead: Measurement, end: int) -> naming.Name | None:
        """The noun phrase that a value stands with, where no rule knows it."""
        phrase = (
            behind(self.text, max(m.end, lead.end, end), self._phrases())
            or tied(self.text, lead.start, self._phrases())
            or (
                object_of(self.text, max(m.end, end), self._phrases())
                if m.kind in ("percent", "count")
                else None
            )
            or nearest(self.text, lead.span, self._phrases())
            or nearest(self.text, (lead.start, max(m.end, lead.end, end)), self._phrases())
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
