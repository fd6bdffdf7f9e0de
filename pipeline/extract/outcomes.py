"""Reads the outcomes of a text: measurements linked to instrument or event, arm and time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract import linking
from pipeline.extract.arms import ArmSpan
from pipeline.extract.design import SECONDARY
from pipeline.extract.lexicon import Lexicon, Term, lexicon, rules
from pipeline.extract.linking import Mention
from pipeline.extract.measurements import Measurement, build, pairs
from pipeline.extract.quantities import Quantity, within
from pipeline.extract.sentences import Sentence

Span = tuple[int, int]

#: Parts of an abstract that hold no results of the study.
NO_RESULTS = ("title", "objective", "background", "conclusions", "other")
_CHANGE = re.compile(
    r"\b(?:fell|fall|falls|rose|rise|reduced|reduction|decreas\w+|increas\w+|dropp?\w*|declin\w+|"
    r"improv\w+|gain\w*|chang\w+|lower\w*|wors\w+|higher)\b[^.;]{0,25}$",
    re.I,
)
_DOWN = re.compile(
    r"\b(?:fell|fall|falls|reduc\w+|decreas\w+|dropp?\w*|declin\w+|lower\w*)\b[^.;]{0,25}$", re.I
)
_STATISTIC = re.compile(r"\b(mean|average|averaged|median)\b", re.I)
_EFFECT = re.compile(
    r"(?P<name>\b(?:adjusted|crude|unadjusted)?\s*(?:odds\s+ratio|hazard\s+ratio|risk\s+ratio|relative\s+risk|"
    r"rate\s+ratio|risk\s+difference|standardi[sz]ed\s+mean\s+difference)|\ba?(?:OR|HR|RR)\b|\badjusted\s+OR\b|\bSMD\b|\bMD\b|"
    r"\b(?:adjusted\s+)?(?:[\w-]+\s+){0,2}difference\b)(?:\s*[(\[][^)\]\d]{1,20}[)\]])?[^\d.;%]{0,60}$",
    re.I,
)
_CODES = (
    ("OR", r"\bodds|OR\b"),
    ("HR", r"hazard|HR\b"),
    ("RR", r"risk ratio|relative risk|rate ratio|RR\b"),
    ("RD", r"risk difference"),
    ("SMD", r"standardi|SMD"),
    ("MD", r"difference|MD\b"),
)
_LASTED = re.compile(r"\b(?:lasted|persisted|lasting|duration)\b", re.I)


@dataclass(frozen=True, slots=True)
class EffectSpan:
    """An effect as the authors computed it, with its interval."""

    code: str
    name: Span
    value: Quantity
    ci: Quantity | None


@dataclass(frozen=True, slots=True)
class OutcomeSpan:
    """One row of results as found; `other` is the comparator's or the baseline's measurement."""

    measure: str
    named: Span
    type: str
    span: Span
    direction: str | None = None
    scale: str | None = None
    arm: int | None = None
    against: int | None = None
    main: Measurement | None = None
    other: Measurement | None = None
    other_is: str = ""
    effect: EffectSpan | None = None
    time: Quantity | None = None
    p: Quantity | None = None
    lasted: Quantity | None = None


@Language.factory(
    "evipool_outcomes",
    default_config={"outcomes": []},
    requires=["doc._.sentences", "doc._.quantities", "doc._.arms", "doc._.population"],
    assigns=["doc._.outcomes"],
)
class Outcomes:
    """Reads outcomes by the shipped instruments and events, and by the protocol's own names."""

    def __init__(self, nlp: Language, name: str, outcomes: list[dict[str, Any]]) -> None:
        shipped = rules("instruments")
        known = {t.lower() for e in (*shipped, *rules("events")) for t in e["terms"]}
        own = ({"name": o["name"], "terms": [*o["synonyms"], o["name"]]} for o in outcomes)
        new = [{**o, "terms": [t for t in o["terms"] if t.lower() not in known]} for o in own]
        self.instruments = Lexicon([*shipped, *(o for o in new if o["terms"])])

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.outcomes`."""
        doc._.outcomes = () if doc._.design.design in SECONDARY else tuple(self._read(doc))
        return doc

    def _read(self, doc: Doc) -> Iterator[OutcomeSpan]:
        """Yield the rows of each sentence that may hold results."""
        carried: Term | None = None
        for sentence in doc._.sentences:
            if sentence.part in NO_RESULTS:
                continue
            page = Page(
                doc,
                sentence,
                self.instruments.find(doc.text, sentence.start, sentence.end),
                carried,
            )
            yield from page.rows()
            carried = page.instruments[-1] if page.instruments else carried


class Page:
    """A sentence with all that was found in it."""

    def __init__(
        self, doc: Doc, sentence: Sentence, instruments: list[Term], carried: Term | None
    ) -> None:
        self.text: str = doc.text
        self.start, self.end = sentence.start, sentence.end
        self.found: list[Quantity] = list(within(doc._.quantities, self.start, self.end))
        self.instruments = instruments
        self.carried = carried
        self.events = lexicon("events").find(self.text, self.start, self.end)
        self.arms: tuple[ArmSpan, ...] = doc._.arms
        self.places: list[Mention] = linking.mentions(self.arms, self.start, self.end)
        clocks = any(_is_clock(t.name) for t in instruments)
        results = [q for q in self.found if not (q.kind == "timepoint" and self._is_when(q))]
        self.measured = build(self.text, results, clocks=clocks)

    def rows(self) -> list[OutcomeSpan]:
        """Return the outcome rows of the sentence, in order."""
        effects, plain = self._split_effects()
        made = self._pair(plain)
        made = self._add_effects(made, effects)
        made = [r for r in (self._finish(row, made) for row in made) if r is not None]
        return made or self._lasting()

    def _is_when(self, q: Quantity) -> bool:
        """Whether a stretch of time says when, and is no result."""
        before = self.text[max(self.start, q.start - 22) : q.start]
        inside = self.text[q.start : q.end]
        when = re.search(
            r"\b(?:at|by|within|after|until|over|for|during|every|first|last|in|than|the|up to)\s*$",
            before,
            re.I,
        )
        named = any(p.start <= q.start < p.end or q.start <= p.start < q.end for p in self.places)
        return (
            bool(when)
            or named
            or bool(re.match(r"[A-Za-z]", inside))
            or "-" in inside
            and q.high is None
        )

    def _split_effects(self) -> tuple[list[EffectSpan], list[Measurement]]:
        """Tell effects between arms ("OR 1.56 ...") from values of an arm."""
        effects: list[EffectSpan] = []
        plain: list[Measurement] = []
        for m in self.measured:
            effect = (
                self._as_effect(m, effects) if m.value is not None and m.events is None else None
            )
            if effect is None:
                plain.append(m)
            else:
                effects.append(effect)
        return effects, plain

    def _as_effect(self, m: Measurement, before: Sequence[EffectSpan]) -> EffectSpan | None:
        """Read a measurement as an effect if its name stands before it, or an effect's CI list does."""
        if m.value is None or (m.ci is None and m.interval is None and m.spread is not None):
            return None
        floor = max([self.start, *(q.end for q in self.found if q.end <= m.start)])
        match = _EFFECT.search(self.text, max(floor, m.start - 110), m.start)
        if match is None:
            last = before[-1] if before else None
            if last is None or m.ci is None or m.start - (last.ci or last.value).end > 40:
                return None
            return replace(last, value=m.value, ci=m.ci)
        code = next(c for c, rx in _CODES if re.search(rx, match["name"], re.I))
        code = "RD" if code == "MD" and m.unit == "%" else code
        if code == "MD" and m.ci is None and m.interval is None:
            return None
        if match["name"].lower().startswith(("adjusted", "a")) and code in ("OR", "HR", "RR"):
            code = f"adjusted {code}"
        return EffectSpan(code, match.span("name"), m.value, m.ci or m.interval)

    def _pair(self, plain: list[Measurement]) -> list[OutcomeSpan]:
        """Make rows: two measurements that compare arms or times are one row."""
        partners = dict(self._partners(plain))
        used = {id(b) for b in partners.values()}
        rows = []
        for m in plain:
            if id(m) in used and id(m) not in {id(a) for a in ()}:
                continue
            other = next((b for a, b in partners.items() if a is m), None)
            rows.append(self._row(m, other, plain))
        return [r for r in rows if r is not None]

    def _partners(self, plain: list[Measurement]) -> Iterator[tuple[Measurement, Measurement]]:
        """Yield the pairs that make one row; a measurement is in one pair."""
        taken: set[int] = set()
        for a, b in pairs(plain):
            if id(a) not in taken and id(b) not in taken and self._belong(a, b, plain):
                taken.update((id(a), id(b)))
                yield a, b

    def _belong(self, a: Measurement, b: Measurement, plain: list[Measurement]) -> bool:
        """Whether two neighbours are baseline and follow-up, or two arms."""
        gap = self.text[a.end : b.start]
        if linking.is_baseline_pair(self.text, a, b, self.start, self.end):
            return True
        if len(gap) > 130 or (len(self.arms) > 2 and all(x.kind == "dose" for x in self.arms)):
            return False
        if linking.STRICT.search(gap):
            return True
        if len(self.arms) < 2 or not linking.LOOSE.search(gap):
            return False
        own = [linking.arms_of(self.text, [m], self.places, plain)[0] for m in (a, b)]
        return None not in own and own[0] != own[1]

    def _row(
        self, a: Measurement, b: Measurement | None, plain: list[Measurement]
    ) -> OutcomeSpan | None:
        """Make the row of a measurement and its partner, if an outcome is named for it."""
        named = self._name(a, b)
        if named is None:
            return None
        measure, term, direction = named
        kind = self._type(a, term)
        span = (min(a.start, term[0]) if a.start - term[0] < 200 else a.start, (b or a).end)
        row = OutcomeSpan(
            measure, term, kind, (min(a.start, span[0]), max(span[1], a.end)), direction, main=a
        )
        if b is None:
            arm = linking.arms_of(self.text, [a], self.places, plain)[0]
            return replace(row, arm=0 if arm is None and len(self.arms) == 1 else arm)
        if linking.is_baseline_pair(self.text, a, b, self.start, self.end):
            arm = linking.arms_of(self.text, [b], self.places, plain)[0]
            arm = 0 if len(self.arms) == 1 else arm
            return replace(row, main=b, other=a, other_is="baseline", arm=arm)
        own = linking.arms_of(self.text, [a, b], self.places, plain)
        first, second = self._order(own)
        swap = (
            first is not None
            and second is not None
            and self.arms[second].role == "intervention"
            and (self.arms[first].role == "comparator")
        )
        if swap:
            return replace(row, main=b, other=a, other_is="comparator", arm=second, against=first)
        return replace(row, other=b, other_is="comparator", arm=first, against=second)

    def _order(self, own: list[int | None]) -> tuple[int | None, int | None]:
        """Fill in what the mentions leave open: the other of two arms, else the order of the text."""
        first, second = own
        if len(self.arms) == 2:
            if first is None and second is None or first == second:
                return 0, 1
            first = 1 - second if first is None and second is not None else first
            second = 1 - first if second is None and first is not None else second
        return first, second

    def _name(self, a: Measurement, b: Measurement | None) -> tuple[str, Span, str | None] | None:
        """Name the outcome: an event for counts, an instrument for scores."""
        event = linking.nearest_term(self.events, a.span, self.text)
        instrument = linking.nearest_term(self.instruments, a.span, self.text)
        if a.kind == "count" or (a.kind == "percent" and not self._is_score(a, instrument, event)):
            if event is None:
                if a.kind == "count" or instrument is None:
                    return None
                return instrument.name, (instrument.start, instrument.end), None
            return (
                self._event_name(event, instrument),
                (event.start, event.end),
                str(event.entry["direction"]),
            )
        if instrument is None and (
            b is not None or a.spread or a.ci or _STATISTIC.search(self.text, self.start, a.start)
        ):
            instrument = self.carried
        if instrument is None:
            return None
        return instrument.name, (instrument.start, instrument.end), None

    def _event_name(self, event: Term, instrument: Term | None) -> str:
        """ "responder" with the instrument that defines it, where one is named."""
        if (
            event.name in ("responder", "stable", "worse")
            and instrument is not None
            and not _is_clock(instrument.name)
        ):
            short = instrument.name.removesuffix(" pain") if instrument.name != "pain" else "pain"
            return f"{short} {event.name}"
        return event.name

    def _is_score(self, a: Measurement, instrument: Term | None, event: Term | None) -> bool:
        """Whether a percentage is a score's value or change, and no share of patients."""
        if instrument is None:
            return False
        after = self.text[a.end : a.end + 30]
        if re.match(
            r"\s*(?:of|in)?\s*(?:the\s+)?(?:patients|participants|subjects|children|adults|women|men)\b",
            after,
            re.I,
        ):
            return False
        if (
            a.ci is not None
            or a.spread is not None
            or _CHANGE.search(self.text[max(self.start, a.start - 35) : a.start])
        ):
            return True
        return event is None or bool(
            re.search(r"\bmean\b", self.text[max(self.start, a.start - 40) : a.start], re.I)
        )

    def _type(self, m: Measurement, term: Span) -> str:
        """The type of a row's value."""
        if m.kind == "count":
            return "count"
        before = self.text[max(self.start, m.start - 45) : m.start]
        changed = _CHANGE.search(before) or re.search(
            r"\bchange\b", self.text[self.start : m.start], re.I
        )
        if m.kind == "percent" or m.unit == "%":
            if changed and self._is_change(before):
                return "percent_change"
            score = m.spread is not None or m.ci is not None or "mean" in before.lower()
            return (
                "mean" if score and m.kind != "count" and not self._has_event(m) else "proportion"
            )
        said = [s.group(1).lower() for s in _STATISTIC.finditer(self.text, self.start, m.start)]
        if (said and said[-1] == "median") or (
            m.interval is not None and not said and m.kind == "time"
        ):
            return "median"
        return "mean_change" if changed and not re.search(r"\bfrom\b", before) else "mean"

    def _is_change(self, before: str) -> bool:
        """Whether the words before a percentage make it a change, not a share."""
        return not re.search(r"\bfrom\s+(?:\w+\s+){0,3}$|\bto\s+(?:\w+\s+){0,2}$", before)

    def _has_event(self, m: Measurement) -> bool:
        """Whether an event stands nearer to a percentage than any instrument."""
        event = linking.nearest_term(self.events, m.span, self.text)
        return event is not None and not self.instruments

    def _add_effects(self, rows: list[OutcomeSpan], effects: list[EffectSpan]) -> list[OutcomeSpan]:
        """Lay an effect onto the two-arm row before it, or make it a row of its own."""
        for effect in effects:
            i = next(
                (
                    k
                    for k in reversed(range(len(rows)))
                    if rows[k].other_is == "comparator"
                    and rows[k].effect is None
                    and rows[k].span[1] <= effect.value.start
                ),
                None,
            )
            if i is not None:
                rows[i] = replace(rows[i], effect=effect)
            else:
                rows.extend(self._effect_row(effect))
        return sorted(rows, key=lambda r: r.span[0])

    def _effect_row(self, effect: EffectSpan) -> list[OutcomeSpan]:
        """A row that holds an effect alone."""
        span = (effect.value.start, (effect.ci or effect.value).end)
        term = (
            linking.nearest_term(self.instruments, span, self.text)
            or linking.nearest_term(self.events, span, self.text)
            or self.carried
        )
        if term is None:
            return []
        m = Measurement("number", *span, value=effect.value)
        arm = linking.arms_of(self.text, [m], self.places, [m])[0] if len(self.arms) > 2 else None
        pair = self._sides(arm)
        kind = "difference" if effect.code in ("MD", "RD", "SMD") else "ratio"
        return [
            OutcomeSpan(
                term.name,
                (term.start, term.end),
                kind,
                (min(effect.name[0], span[0]), span[1]),
                arm=pair[0],
                against=pair[1],
                effect=effect,
            )
        ]

    def _sides(self, arm: int | None) -> tuple[int | None, int | None]:
        """The two arms an effect stands between."""
        if len(self.arms) == 2:
            tried = next((i for i, a in enumerate(self.arms) if a.role == "intervention"), 0)
            return tried, 1 - tried
        base = next((i for i, a in enumerate(self.arms) if a.role == "comparator"), None)
        return (arm, base) if arm != base else (None, base)

    def _finish(self, row: OutcomeSpan, rows: list[OutcomeSpan]) -> OutcomeSpan | None:
        """Add time, p value and direction."""
        end = max(row.span[1], row.effect.value.end if row.effect else 0)
        following = min((r.span[1] for r in rows if r.span[1] > end), default=self.end)
        later = [r.main.start for r in rows if r.main is not None and r.main.start >= end]
        p = linking.p_value_of(
            self.found, row.span[1] - 1, min(later, default=max(following, self.end))
        )
        taken = [
            x.span for r in rows for x in (r.main, r.other) if x is not None and x.kind == "time"
        ]
        time = linking.time_of(self.found, row.span, taken)
        direction = row.direction
        if p is not None and p.value is not None and p.value > 0.05 and not p.label.startswith("<"):
            direction = "no difference"
        return replace(row, time=time, p=p, direction=direction)

    def _lasting(self) -> list[OutcomeSpan]:
        """ "the benefit lasted 2 to 6 months": a range of times."""
        if not _LASTED.search(self.text, self.start, self.end):
            return []
        term = next((t for t in self.instruments if t.name.startswith("duration of")), None)
        spans = [
            q
            for q in self.found
            if q.kind == "timepoint" and q.high is not None and term and q.start > term.start
        ]
        if term is None or not spans:
            return []
        q = spans[0]
        return [
            OutcomeSpan(
                term.name,
                (term.start, term.end),
                "range",
                (term.start, q.end),
                "improved",
                scale=q.label,
                arm=0 if len(self.arms) == 1 else None,
                lasted=q,
            )
        ]


def _is_clock(name: str) -> bool:
    """Whether an instrument's values are times."""
    return name.startswith(("time to", "duration", "hospital stay", "treatment duration"))


def is_down(text: str, start: int, m: Measurement) -> bool:
    """Whether the words before a value make it a fall."""
    return bool(_DOWN.search(text[max(start, m.start - 35) : m.start]))
