"""Turns a row of results into an Outcome: its numbers, their spreads and their denominators."""

from __future__ import annotations

import re
from functools import cache

from pipeline.extract.conditions import Named
from pipeline.extract.lexicon import rules
from pipeline.extract.measurements import Measurement
from pipeline.extract.quantities import Quantity
from pipeline.extract.slots import Fields, Slots
from pipeline.extract.sole import is_sole, is_with_another
from pipeline.extract.timepoints import days
from pipeline.schema import Outcome, Timepoint

Span = tuple[int, int]

#: The route that patients are moved to, from the vein, where a study of one arm compares routes.
MOVED_TO = "SC"
#: An event's direction and the other one.
_TURNED = {"improved": "worsened", "worsened": "improved"}
#: "..., not significant", behind the numbers of two arms.
_NOT_SHOWN = re.compile(
    r"[^.;]{0,40}?\b(?:not\s+(?:statistically\s+)?significant|n\.?s\.?\b|no\s+significant\s+difference)",
    re.IGNORECASE,
)
#: What stands before a p value between arms, behind those of each arm.
_BETWEEN = re.compile(r"\b(?:differ\w*|between|versus|vs)\b", re.IGNORECASE)
#: What is told of patients before a treatment: "at presentation 45% could not walk".
_AT_START = re.compile(
    r"\bat\s+(?:the\s+time\s+of\s+)?(?:initial\s+)?(?:presentation|diagnosis|onset|admission|study\s+entry|entry|inclusion)\b",
    re.IGNORECASE,
)


class Result(Slots):
    """One row of results on its way to an Outcome."""

    def outcome(self) -> Outcome:
        """Build the Outcome.

        Raises
        ------
        ValueError
            If the row contradicts itself (more events than patients).
        """
        row, page = self.row, self.page
        fields: Fields = {}
        if row.main is not None:
            fields |= self._side(row.main, "", row.arm)
        if row.other is not None:
            fields |= self._side(row.other, f"{row.other_is}_", row.against)
        fields |= self._effect() | self._duration()
        if (p := self._p()) is not None:
            fields["p_value"] = page.reading(p.label, (p.start, p.end))
        if row.direction is not None:
            fields["direction"] = page.reading(self._direction(row.direction), row.named)
        return Outcome(
            measure=row.measure,
            type=row.type,
            arm=self._arm_name(),
            timepoint=self._timepoint(),
            quote=page.quote(self._whole()),
            **fields,  # type: ignore[arg-type]
        )

    def _whole(self) -> Span:
        """From the outcome's name to its last number, where both are in one sentence."""
        spans = [x.span for x in (self.row.main, self.row.other) if x is not None] or [
            self.row.span
        ]
        start, end = min(s for s, _ in spans), max(e for _, e in spans)
        sentence = self.page.sentence(start)
        near = sentence.start <= self.row.named[0] < sentence.end
        return (
            (min(start, self.row.named[0]), max(end, self.row.named[1])) if near else (start, end)
        )

    def _p(self) -> Quantity | None:
        """The row's p value; where each of two arms has one of its own, that between them."""
        row, p = self.row, self.row.p
        if p is None or row.main is None or row.other is None or row.other_is != "comparator":
            return p
        first, last = sorted((row.main.span, row.other.span))
        found = [q for q in self.page.doc._.quantities if q.kind == "p_value"]
        if not any(first[1] <= q.start < last[0] for q in found):
            return p
        end = self.page.sentence(last[0]).end
        behind = [q for q in found if p.end <= q.start < end]
        told = _BETWEEN.search(self.page.text, p.end, behind[0].start) if behind else None
        return behind[0] if told else None

    def _direction(self, direction: str) -> str:
        """Which way an event goes; of two arms, whether it speaks for the one that was tried."""
        row = self.row
        first, second = self._rate(row.main, row.arm), self._rate(row.other, row.against)
        two_arms = self.row.other_is == "comparator" and direction in _TURNED
        if not two_arms or first is None or second is None or first == second:
            return direction
        if _NOT_SHOWN.match(self.page.text, self.row.span[1], self.row.span[1] + 60):
            return "no difference"
        return direction if first > second else _TURNED[direction]

    def _rate(self, m: Measurement | None, arm: int | None) -> float | None:
        """The share of patients that a count or a percentage gives, if it is printed or follows."""
        if m is None:
            return None
        if m.value is not None:
            return m.value.value
        q = m.events
        size = self.arms[arm].n if arm is not None and self.arms else None
        of = q.high if q is not None and q.kind == "fraction" else size.n if size else None
        return 100 * q.value / of if q is not None and q.value is not None and of else None

    def _arm_name(self) -> str:
        """The arm's label, "all", or "X vs Y" where only an effect between them is printed."""
        row, compared = self.row, self.page.doc._.comparison
        if compared is not None and compared.name.startswith("add-on"):
            return ""  # the arms that were found are not those compared
        if row.whole:
            return "all"
        name = self.arms[row.arm].label if row.arm is not None and self.arms else ""
        if len(self.arms) == 1 and not (is_sole(self.page.doc) or self._is_named()):
            return ""
        if len(self.arms) == 1 and (_is_left(compared, name) or self._is_at_start()):
            return ""
        if row.main is None and row.against is not None and name:
            return f"{name} vs {self.arms[row.against].label}"
        return name

    def _is_named(self) -> bool:
        """Whether the row's sentence names the one arm's treatment and no other."""
        sentence = self.page.sentence(self.row.span[0])
        span = sentence.start, sentence.end
        places = (start for start, _ in self.arms[0].mentions)
        return any(span[0] <= place < span[1] for place in places) and not is_with_another(
            self.page.doc, *span
        )

    def _is_at_start(self) -> bool:
        """Whether the row's sentence tells how patients were before they were treated."""
        sentence = self.page.sentence(self.row.span[0])
        first = _AT_START.search(self.page.text, sentence.start, self.row.span[1])
        return first is not None and self.row.other_is != "baseline" and not self._is_named()

    def _timepoint(self) -> Timepoint | None:
        """When it was measured."""
        q = self.row.time
        if q is None:
            return None
        quote = self.page.quote((q.start, q.end))
        return Timepoint(self.page.text[q.start : q.end].strip(), days(q), quote)

    def _duration(self) -> Fields:
        """The range of times that a benefit lasted, and the unit of a time."""
        q, main = self.row.lasted, self.row.main
        if q is not None and q.value is not None and q.high is not None:
            span = (q.start, q.end)
            return {
                "range": self.page.reading((q.value, q.high), span),
                "scale": self.page.reading(q.label, span),
            }
        unit = next(
            (x.unit for x in (main, self.row.other) if x is not None and x.kind == "time"), ""
        )
        return {"scale": self.page.reading(unit, main.span)} if unit and main is not None else {}

    def _effect(self) -> Fields:
        """The effect between arms as printed."""
        effect, page = self.row.effect, self.page
        if effect is None or effect.value.value is None:
            return {}
        out: Fields = {
            "effect_measure": page.reading(effect.code, effect.name),
            "effect": page.reading(effect.value.value, (effect.value.start, effect.value.end)),
        }
        if effect.ci is not None and effect.ci.value is not None and effect.ci.high is not None:
            span = (effect.ci.start, effect.ci.end)
            out["effect_ci_low"] = page.reading(effect.ci.value, span)
            out["effect_ci_high"] = page.reading(effect.ci.high, span)
        return out


def _is_left(compared: Named | None, name: str) -> bool:
    """Whether an arm is called by the route that a study of one arm leaves."""
    moved = compared is not None and compared.name.endswith(" route")
    return moved and not name.lower().startswith(_tried_route())


@cache
def _tried_route() -> tuple[str, ...]:
    """The terms, in small letters, of the route that a study of one arm moves to."""
    row = next(r for r in rules("routes") if r["name"] == MOVED_TO)
    return tuple(t.lower() for t in (*row["terms"], *row["beside_amount"]))
