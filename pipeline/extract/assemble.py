"""Turns a read Doc into a Study: here spaCy ends, and every value takes its quote along."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc

from pipeline.extract.arms import ArmSpan
from pipeline.extract.doses import DoseSpan
from pipeline.extract.measurements import Measurement
from pipeline.extract.outcomes import OutcomeSpan, is_down
from pipeline.extract.population import Count
from pipeline.extract.quantities import Quantity
from pipeline.extract.timepoints import days
from pipeline.schema import (
    Arm,
    Dose,
    Extractor,
    Number,
    Outcome,
    Problem,
    Reading,
    Record,
    Study,
    Timepoint,
)

Span = tuple[int, int]


def assemble(doc: Doc, extractor: Extractor) -> Study:
    """Return the study that a Doc, gone through the pipeline, speaks of."""
    page = _Page(doc)
    record: Record = doc._.record
    population = doc._.population
    design = doc._.design
    return Study(
        record_id=record.record_id,
        pmids=(record.pmid,) if record.pmid else (),
        doi=record.doi,
        slab=record.slab,
        year=record.year,
        design=Reading(design.design, page.quote(design.span), "" if design.span else design.where),
        comparison_class=page.named(doc._.comparison),
        condition=page.named(doc._.condition),
        condition_mesh=doc._.condition.mesh if doc._.condition else None,
        n_total=page.count(population.total),
        n_enrolled=page.count(population.enrolled),
        n_completed=page.count(population.completed),
        arms=tuple(page.arm(a) for a in doc._.arms),
        doses=tuple(page.dose(d) for d in doc._.doses),
        outcomes=tuple(page.outcomes()),
        registry_ids=tuple(page.registry_ids()),
        problems=tuple(page.problems),
        extractor=extractor,
    )


class _Page:
    """A Doc with its record: makes readings and collects problems."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.record: Record = doc._.record
        self.text: str = doc.text
        self.problems: list[Problem] = []

    def quote(self, span: Span | None):  # type: ignore[no-untyped-def]
        """Return the quote of a span."""
        return self.record.quote(*span) if span else None

    def problem(self, code: str, message: str, span: Span | None = None) -> None:
        """Record what cannot be read or does not fit."""
        self.problems.append(Problem(code, message, self.quote(span)))

    def named(self, item) -> Reading[str] | None:  # type: ignore[no-untyped-def]
        """A name from a closed list."""
        if item is None:
            return None
        return Reading(item.name, self.quote(item.span), "" if item.span else "by rule")

    def count(self, count: Count | None) -> Reading[int] | None:
        """A number of patients."""
        return Reading(count.n, self.quote(count.span), count.derived) if count else None

    def arm(self, arm: ArmSpan) -> Arm:
        """An arm."""
        return Arm(arm.label, arm.role, arm.treatment, self.count(arm.n), self.quote(arm.span))

    def dose(self, dose: DoseSpan) -> Dose:
        """A dose; the course's total says by which rule it follows."""
        quote = self.quote((dose.start, dose.end))
        rule = "days x amount" if dose.per == "day" else f"one {dose.per}"
        return Dose(
            drug=dose.drug,
            amount=Reading(dose.amount, self.quote(dose.amount_span)),
            unit=dose.unit,
            per=dose.per,
            duration_days=None
            if dose.days is None
            else Reading(dose.days, self.quote(dose.days_span)),
            frequency=(
                Reading(self.text[slice(*dose.frequency)].strip(), self.quote(dose.frequency))
                if dose.frequency
                else None
            ),
            total_per_course_g_per_kg=None
            if dose.total is None
            else Reading(dose.total, quote, rule),
            phase=dose.phase,
            route=dose.route,
            quote=quote,
        )

    def registry_ids(self) -> Iterator[Reading[str]]:
        """Trial registrations in the text, then those that the record lists."""
        seen = set()
        for q in self.doc._.quantities:
            if q.kind == "registry":
                seen.add(re.sub(r"\s", "", q.label))
                yield Reading(re.sub(r"(?<=NCT|RCT)\s", "", q.label), self.quote((q.start, q.end)))
        for name in self.record.registry_ids:
            if name not in seen:
                yield Reading(name, None, "the record's databank list")

    def outcomes(self) -> Iterator[Outcome]:
        """The rows of results; one that contradicts itself becomes a problem."""
        for row in self.doc._.outcomes:
            try:
                yield _Row(self, row).outcome()
            except ValueError as error:
                self.problem("impossible_outcome", str(error), row.span)


class _Row:
    """One row of results on its way to an Outcome."""

    def __init__(self, page: _Page, row: OutcomeSpan) -> None:
        self.page, self.row = page, row
        self.arms: tuple[ArmSpan, ...] = page.doc._.arms

    def outcome(self) -> Outcome:
        """Build the Outcome."""
        row, page = self.row, self.page
        fields: dict[str, object] = {}
        if row.main is not None:
            fields |= self.side(row.main, "", row.arm)
        if row.other is not None:
            fields |= self.side(row.other, f"{row.other_is}_", row.against)
        if row.effect is not None:
            fields |= self.effect()
        if row.lasted is not None and row.lasted.value is not None and row.lasted.high is not None:
            fields["range"] = Reading(
                (row.lasted.value, row.lasted.high), page.quote((row.lasted.start, row.lasted.end))
            )
        if row.scale:
            fields["scale"] = Reading(
                row.scale + "s" * (not row.scale.endswith("s")), page.quote(row.span)
            )
        elif row.main is not None and row.main.kind == "time":
            fields["scale"] = Reading(row.main.unit, page.quote(row.main.span))
        if row.p is not None:
            fields["p_value"] = Reading(row.p.label, page.quote((row.p.start, row.p.end)))
        if row.direction is not None:
            fields["direction"] = Reading(row.direction, page.quote(row.named))
        return Outcome(
            measure=row.measure,
            type=row.type,
            arm=self.arm_name(),
            timepoint=self.timepoint(),
            quote=page.quote(self.whole()),
            **fields,  # type: ignore[arg-type]
        )

    def whole(self) -> Span:
        """From the outcome's name to its last number."""
        spans = [self.row.span, self.row.named]
        spans += [x.span for x in (self.row.main, self.row.other) if x is not None]
        return min(s for s, _ in spans), max(e for _, e in spans)

    def arm_name(self) -> str:
        """The arm's label, or "X vs Y" where only an effect between them is printed."""
        row = self.row
        name = self.arms[row.arm].label if row.arm is not None and self.arms else ""
        if row.main is None and row.against is not None and name:
            return f"{name} vs {self.arms[row.against].label}"
        return name

    def timepoint(self) -> Timepoint | None:
        """When it was measured."""
        q = self.row.time
        if q is None:
            return None
        return Timepoint(
            self.page.text[q.start : q.end].strip(), days(q), self.page.quote((q.start, q.end))
        )

    def side(self, m: Measurement, prefix: str, arm: int | None) -> dict[str, object]:
        """The fields of one arm or of the baseline."""
        out: dict[str, object] = {}
        if m.value is not None and m.value.value is not None:
            value = m.value.value
            if self.row.type in ("percent_change", "mean_change") and value > 0 and self.falls(m):
                value = -value
            out["value"] = self.number(value, m.value)
        out |= self.spread(m)
        out |= self.interval(m, prefix)
        if m.events is not None:
            out |= self.events(m, arm, prefix)
        elif prefix != "baseline_":
            out |= self.size(m, arm)
        return {prefix + k: v for k, v in out.items() if v is not None and _known(prefix + k)}

    def falls(self, m: Measurement) -> bool:
        """Whether the value is a fall."""
        sentence = next(s for s in self.page.doc._.sentences if s.start <= m.start < s.end)
        return is_down(self.page.text, sentence.start, m)

    def number(self, value: Number, q: Quantity) -> Reading[Number]:
        """A reading of a quantity."""
        return Reading(value, self.page.quote((q.start, q.end)))

    def spread(self, m: Measurement) -> dict[str, object]:
        """SD, SE, or a spread that is not labelled."""
        q = m.spread
        high = None if q is None else q.high if q.high is not None else q.value
        if q is None or high is None:
            return {}
        name = {"SD": "sd", "SE": "se"}.get(q.label or self.label(q), "spread_unlabelled")
        if name == "spread_unlabelled":
            self.page.problem(
                "unlabelled_spread", "The spread is not said to be SD or SE.", (q.start, q.end)
            )
        return {name: self.number(high, q)}

    def label(self, q: Quantity) -> str:
        """The label that the sentence gives its spreads once: "mean (SD)", "mean±standard deviation"."""
        sentence = next(s for s in self.page.doc._.sentences if s.start <= q.start < s.end)
        text = self.page.text[sentence.start : sentence.end]
        if re.search(r"\bSD\b|standard deviation|s\.d\.", text):
            return "SD"
        return "SE" if re.search(r"\bSEM?\b|standard error", text) else ""

    def interval(self, m: Measurement, prefix: str) -> dict[str, object]:
        """A CI, an IQR, a range, or brackets that a neighbour or the sentence labels."""
        if m.ci is not None and m.ci.value is not None and m.ci.high is not None:
            return {
                "ci_low": self.number(m.ci.value, m.ci),
                "ci_high": self.number(m.ci.high, m.ci),
            }
        q = m.interval
        if q is None or q.value is None or q.high is None:
            return {}
        partner = self.row.other if m is self.row.main else self.row.main
        if partner is not None and partner.ci is not None:
            return {"ci_low": self.number(q.value, q), "ci_high": self.number(q.high, q)}
        kind = q.label or self.bracket(q)
        return {"iqr" if kind == "IQR" else "range": self.number((q.value, q.high), q)}

    def bracket(self, q: Quantity) -> str:
        """What bare brackets hold, as the sentence says once; a range where it says nothing."""
        sentence = next(s for s in self.page.doc._.sentences if s.start <= q.start < s.end)
        text = self.page.text[sentence.start : q.start]
        if re.search(r"\bIQR\b|interquartile", text, re.I):
            return "IQR"
        if not re.search(r"\brange\b", text, re.I):
            self.page.problem(
                "unlabelled_interval",
                "The brackets are not said to be a range, an IQR or a CI.",
                (q.start, q.end),
            )
        return "range"

    def events(self, m: Measurement, arm: int | None, prefix: str) -> dict[str, object]:
        """Events and their denominator: printed, or the arm's size where nothing speaks against it."""
        q = m.events
        if q is None or q.value is None:
            return {}
        quote = self.page.quote((q.start, q.end))
        if prefix == "baseline_":
            return {}
        if q.kind == "fraction" and q.high is not None:
            return {"events": Reading(int(q.value), quote), "n": Reading(int(q.high), quote)}
        events = int(q.value)
        size = self.denominator(m, arm)
        if q.label in ("both", "none") and size is not None:
            events = size.value if q.label == "both" and size.value == 2 else events
        out: dict[str, object] = {"events": Reading(events, quote)}
        if size is not None and 0 <= events <= size.value and self.agrees(events, size.value, m):
            out["n"] = size
        return out

    def denominator(self, m: Measurement, arm: int | None) -> Reading[int] | None:
        """The size of the arm, or of the whole study where there is one arm."""
        count = self.arms[arm].n if arm is not None and self.arms else None
        total = self.page.doc._.population.total
        count = count or (total if len(self.arms) < 2 else None)
        return Reading(count.n, self.page.quote(count.span), "size of the arm") if count else None

    def agrees(self, events: int, n: int, m: Measurement) -> bool:
        """Whether events / n rounds to the percentage printed with it (within one unit)."""
        if m.value is None or m.value.value is None:
            return True
        if abs(100 * events / n - m.value.value) <= 1.0:
            return True
        self.page.problem(
            "denominator_unclear", f"{events} is not {m.value.value:g} % of {n}.", m.span
        )
        return False

    def size(self, m: Measurement, arm: int | None) -> dict[str, object]:
        """n of a value without events: the arm's size, unless a percentage speaks against it."""
        size = self.denominator(m, arm)
        if size is None or m.value is None or m.value.value is None:
            return {}
        if self.row.type == "proportion":
            if m.kind != "percent" or not _whole(
                m.value.value, size.value, self.page.text[m.value.start : m.value.end]
            ):
                return {}
        return {"n": size}

    def effect(self) -> dict[str, object]:
        """The effect between arms as printed."""
        effect, page = self.row.effect, self.page
        if effect is None or effect.value.value is None:
            return {}
        out: dict[str, object] = {
            "effect_measure": Reading(effect.code, page.quote(effect.name)),
            "effect": self.number(effect.value.value, effect.value),
        }
        if effect.ci is not None and effect.ci.value is not None and effect.ci.high is not None:
            out["effect_ci_low"] = self.number(effect.ci.value, effect.ci)
            out["effect_ci_high"] = self.number(effect.ci.high, effect.ci)
        return out


def _known(name: str) -> bool:
    """Whether Outcome has such a field."""
    return name in Outcome.__dataclass_fields__


def _whole(percent: float, n: int, printed: str) -> bool:
    """Whether a percentage of n, to its printed digits, is a whole number of patients."""
    decimals = (
        len(re.sub(r"\D", "", re.split(r"[.·]", printed, maxsplit=1)[1]))
        if re.search(r"[.·]\d", printed)
        else 0
    )
    nearest = round(percent * n / 100)
    return abs(100 * nearest / n - percent) <= 0.5 * 10**-decimals + 1e-9
