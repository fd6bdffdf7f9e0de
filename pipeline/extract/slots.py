"""Fills the slots of one side of a row: its value, spread, interval, events and their group."""

from __future__ import annotations

import re

from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.denominators import Denominators
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.measurements import Measurement
from pipeline.extract.naming import is_down
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.page import Page
from pipeline.extract.quantities import Quantity
from pipeline.schema import Outcome

Fields = dict[str, object]

#: How far events / n may be from the percentage printed with it: one unit of the last place that
#: abstracts print, since many cut where they should round (10 of 19 printed as 52 %).
NEAR = 1.0
#: The share of percentages that some whole number of n gives: above it, one that fits is no sign.
MOST_BY_CHANCE = 0.95
#: "10% in patients with ...", "48% in untreated ones": a share of some of the patients.
_IN_SOME = re.compile(
    rf"[\s)]*(?:in|among)\s+(?!(?:all\s+|the\s+|our\s+)*+(?:{PEOPLE})\b(?!\s+(?:with|who|on)))",
    re.IGNORECASE,
)


class Slots:
    """A row of results whose measurements become fields."""

    def __init__(self, page: Page, row: OutcomeSpan) -> None:
        self.page, self.row = page, row
        self.arms: tuple[ArmSpan, ...] = row.groups or page.doc._.arms
        self.denominators = Denominators(page, row)

    def _side(self, m: Measurement, prefix: str, arm: int | None) -> Fields:
        """The fields of one arm or of the baseline."""
        out = self._value(m) | self._spread(m) | self._interval(m)
        if m.events is not None:
            out |= self._events(m, arm)
        else:
            out |= self._size(m, arm)
        named = {prefix + k: v for k, v in out.items()}
        return {k: v for k, v in named.items() if k in Outcome.__dataclass_fields__}

    def _value(self, m: Measurement) -> Fields:
        """The value; a fall is negative where the row is a change."""
        if m.value is None or m.value.value is None:
            return {}
        value = -m.value.value if self._is_turned(m) else m.value.value
        return {"value": self.page.reading(value, (m.value.start, m.value.end))}

    def _is_turned(self, m: Measurement) -> bool:
        """Whether a value printed without a sign is a fall, and so negative."""
        value = m.value.value if m.value is not None else None
        if self.row.type not in ("percent_change", "mean_change") or value is None or value <= 0:
            return False
        return is_down(self.page.text, self.page.sentence(m.start).start, m)

    def _spread(self, m: Measurement) -> Fields:
        """SD, SE, or a spread that is not labelled."""
        q = m.spread
        spread = None if q is None else q.high if q.high is not None else q.value
        if q is None or spread is None:
            return {}
        label = q.label if q.label in ("SD", "SE") else self._spread_label(q)
        name = {"SD": "sd", "SE": "se"}.get(label, "spread_unlabelled")
        if name == "spread_unlabelled":
            self.page.problem(
                "unlabelled_spread", "The spread is not said to be SD or SE.", (q.start, q.end)
            )
        return {name: self.page.reading(spread, (q.start, q.end))}

    def _spread_label(self, q: Quantity) -> str:
        """The label that the sentence gives its spreads once: "mean (SD)"."""
        sentence = self.page.sentence(q.start)
        text = self.page.text[sentence.start : sentence.end]
        if re.search(r"\bSD\b|standard deviation|\bs\.d\.", text):
            return "SD"
        return "SE" if re.search(r"\bSEM?\b|standard error", text) else ""

    def _interval(self, m: Measurement) -> Fields:
        """A CI, an IQR, a range, or brackets that a neighbour or the sentence labels."""
        q = m.ci or m.interval
        if q is None or q.value is None or q.high is None:
            return {}
        span = (q.start, q.end)
        partner = self.row.other if m is self.row.main else self.row.main
        if m.ci is not None or (partner is not None and partner.ci is not None):
            low, high, rule = q.value, q.high, ""
            if self._is_turned(m) and low > 0:
                low, high, rule = -high, -low, "turned with its fall"
            return {
                "ci_low": self.page.reading(low, span, rule),
                "ci_high": self.page.reading(high, span, rule),
            }
        name = "iqr" if (q.label or self._bracket_label(q)) == "IQR" else "range"
        return {name: self.page.reading((q.value, q.high), span)}

    def _bracket_label(self, q: Quantity) -> str:
        """What bare brackets hold, as the sentence says once; a range where it says nothing."""
        text = self.page.text[self.page.sentence(q.start).start : q.start]
        if re.search(r"\bIQR\b|interquartile|\bquartiles?\b|\b25\W{1,3}75\s?%", text, re.I):
            return "IQR"
        if not re.search(r"\brange\b", text, re.I):
            message = "The brackets are not said to hold a range, an IQR or a CI."
            self.page.problem("unlabelled_interval", message, (q.start, q.end))
        return "range"

    def _events(self, m: Measurement, arm: int | None) -> Fields:
        """Events with the denominator that is printed, or that nothing speaks against."""
        q = m.events
        if q is None:
            return {}
        span = (q.start, q.end)
        if q.kind == "fraction" and q.value is not None and q.high is not None:
            self._check(m, int(q.value), int(q.high))
            return {
                "events": self.page.reading(int(q.value), span),
                "n": self.page.reading(int(q.high), span),
            }
        sizes = list(self.denominators.of(m, arm))
        if q.kind == "all":
            size = next(iter(sizes), None)
            return (
                {}
                if size is None
                else {"events": self.page.reading(size.value, span, "all of them"), "n": size}
            )
        if q.value is None:
            return {}
        events = int(q.value)
        if self._is_story(m, events):
            return {"events": self.page.reading(events, span)}
        if q.label == "both":
            sizes = [s for s in sizes if s.value == events]
        fits = (s for s in sizes if events <= s.value and self._agrees(m, events, s.value))
        size = next(fits, None)
        if size is None and sizes and m.value is not None:
            message = f"{events} ({m.value.value:g} %): of how many is not said."
            self.page.problem("denominator_unclear", message, m.span)
        out: Fields = {"events": self.page.reading(events, span)}
        return out if size is None else out | {"n": size}

    def _is_story(self, m: Measurement, events: int) -> bool:
        """Whether a count is of some patients told about, and no rate: "one patient had ..."."""
        after = self.page.text[m.end : m.end + 40]
        return m.value is None and (
            events == 1 or bool(re.match(r"\s*(?:\w+\s+)?who(?:se)?\b", after))
        )

    def _check(self, m: Measurement, events: int, n: int) -> None:
        """Flag a printed count that its printed percentage contradicts."""
        if m.value is not None and not self._agrees(m, events, n):
            message = (
                f"{events} of {n} is {100 * events / n:.1f} %, printed as {m.value.value:g} %."
            )
            self.page.problem("contradiction", message, m.span)

    def _agrees(self, m: Measurement, events: int, n: int) -> bool:
        """Whether events / n is the percentage printed with it; so where none is printed."""
        if m.value is None or m.value.value is None:
            return True
        return n > 0 and abs(100 * events / n - m.value.value) <= NEAR

    def _size(self, m: Measurement, arm: int | None) -> Fields:
        """n of a value without events: the group's size, unless its percentage contradicts that."""
        size = next(self.denominators.of(m, arm), None)
        value = m.value.value if m.value is not None else None
        if size is None or value is None or m.kind == "time":
            return (
                {"n": size} if size is not None and m.kind == "time" and len(self.arms) > 1 else {}
            )
        if self.row.type == "proportion":
            printed = self.page.text[slice(*m.span)]
            if not self.row.by_event or not _is_whole(value, size.value, printed):
                return {}
            if len(self.arms) < 2 and _IN_SOME.match(self.page.text[m.end : m.end + 60]):
                return {}
        return {"n": size}


def _is_whole(percent: float, n: int, printed: str) -> bool:
    """Whether a percentage of n, to its printed digits, is a whole number of patients.

    One that nearly any n of its order would give says nothing of n: 91 % of 245.
    """
    decimals = re.search(r"[.·](\d+)", printed)
    half = 0.5 * 10.0 ** -(len(decimals.group(1)) if decimals else 0)
    if 2 * half * n > MOST_BY_CHANCE * 100:
        return False
    return n > 0 and abs(100 * round(percent * n / 100) / n - percent) <= half + 1e-9
