"""Makes the result rows of one sentence: measurements named, paired, and given arm, time and p."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from spacy.tokens import Doc

from pipeline.extract import effects, linking, local_arms, naming
from pipeline.extract.arm_sizes import COMPARATIVE, ArmSpan
from pipeline.extract.chains import Chains
from pipeline.extract.counting import counted_before, even_out, is_bare, is_events, share_unit
from pipeline.extract.effects import EffectSpan
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import Term, lexicon
from pipeline.extract.measurements import Measurement, build
from pipeline.extract.moods import is_plan
from pipeline.extract.outcome_span import Carried, OutcomeSpan
from pipeline.extract.phrases import Phrase, behind, nearest, phrases
from pipeline.extract.population import Count, Population
from pipeline.extract.quantities import Quantity, within
from pipeline.extract.sentences import Sentence

Span = tuple[int, int]

_CLOCK = re.compile(
    r"\b(?:median|time to|survival|duration|(?-i:TTP|TTF|PFS|OS|DFS|EFS|RFS|LOS))\b|\bstay\b", re.I
)
_STATISTIC = re.compile(r"\b(?:mean|median|averaged?|average)\b", re.I)
_LASTED = re.compile(r"\b(?:lasted|persisted|lasting)\b", re.I)
_IN_EACH = re.compile(r"\b(?:in|of|from)\s+(?:each|both)\s+(?:groups?|arms?)\b", re.I)
_WHOLE = re.compile(
    r"\b(?:whole group|entire (?:group|cohort)|both groups together|all patients|overall)\b", re.I
)
_AMONG = re.compile(
    rf"\b(?:among|of|in)\s+(?:the\s+)?(?P<n>\d+)\s+(?:responders|(?:{PEOPLE}))[^.;]{{0,50}}?,", re.I
)
_AT_ARM = re.compile(r"\s*(?:(?:in|on|with|for|receiving|given|among)\s+(?:the\s+)?)?", re.I)
_ARM_AT = re.compile(r"(?:\s+(?:group|arm))?\s*[,:=(]?\s*", re.I)
_NEXT_TIME = re.compile(r"\s*(?:,\s*(?:and\s+|or\s+)?|and\s+|or\s+|to\s+)")
_WHEN = re.compile(
    r"\b(?:at|by|within|after|until|over|for|during|every|first|last|in|than|the|up to|with|past)"
    r"\s*$",
    re.I,
)


class Page:
    """A sentence with all that was found in it."""

    def __init__(
        self, doc: Doc, sentence: Sentence, instruments: list[Term], carried: Carried
    ) -> None:
        self.text: str = doc._.source
        self.start, self.end = sentence.start, sentence.end
        self.found: list[Quantity] = list(within(doc._.quantities, self.start, self.end))
        self.instruments, self.carried = instruments, carried
        self.events = lexicon("events").find(self.text, self.start, self.end)
        self.arms: tuple[ArmSpan, ...] = doc._.arms
        self.places = linking.mentions(self.arms, self.start, self.end)
        self.comparative = doc._.design.design in COMPARATIVE
        self._open: list[Phrase] | None = None
        self._chains = Chains(self.text, self.start, self.end, self.arms, self.places)
        self.told = sentence.part == "results" or not is_plan(
            self.text, self.start, self.end, self.found
        )
        self.sizes = _sizes(doc._.population, self.arms)
        self.measured = self._measure()
        self.groups = self._local() if self.told and len(self.arms) < 2 and self.measured else ()
        if self.groups:
            self.arms = self.groups
            self.places = linking.mentions(self.arms, self.start, self.end)
            self._chains = Chains(self.text, self.start, self.end, self.arms, self.places)

    def rows(self) -> list[OutcomeSpan]:
        """Return the outcome rows of the sentence, in order."""
        found, plain = effects.split(self.text, self.start, self.found, self.measured)
        made = [row for chain in self._chains.of(plain) for row in self._of_chain(chain, plain)]
        made = self._with_effects(made, found)
        made = [self._finish(row, made) for row in made]
        return [*made, *self._lasting(), *self._bare(made)]

    def _local(self) -> tuple[ArmSpan, ...]:
        """The groups that the sentence compares, where the study's arms are not known."""
        return local_arms.find(self.text, self.start, self.end, self.measured) if self.comparative else ()

    def _measure(self) -> list[Measurement]:
        """The sentence's measurements: no population sizes, no numbers inside names."""
        clocks = any(naming.is_clock(t.name) for t in self.instruments) or bool(
            _CLOCK.search(self.text, self.start, self.end)
        )
        verbs = frozenset(e.start for e in self.events)
        listed = self._listed_times()
        free = [
            q
            for q in self.found
            if not self._inside_name(q)
            and q not in listed
            and not (q.kind == "timepoint" and self._is_when(q))
        ]
        built = build(self.text, free, clocks=clocks, verbs=verbs)
        if self.told:
            built = share_unit(self.text, built)
            built = even_out(self.text, self.start, [self._as_events(m) for m in built])
        return [m for m in built if not self._is_size(m)]

    def _listed_times(self) -> list[Quantity]:
        """The numbers of a list of times: "at 1, 3 and 6 months"."""
        run: list[Quantity] = []
        times: list[Quantity] = []
        for q in self.found:
            goes_on = run and _NEXT_TIME.fullmatch(self.text, run[-1].end, q.start)
            run = [*run, q] if goes_on else [q]
            before = self.text[max(self.start, run[0].start - 22) : run[0].start]
            if q.kind == "timepoint" and len(run) > 1 and _WHEN.search(before):
                times.extend(run)
        return times

    def _as_events(self, m: Measurement) -> Measurement:
        """A bare whole number as a count, where the words behind it name what is counted."""
        if is_bare(self.text, m) and (is_events(self.text, m.end) or self._beside_arm(m)):
            return replace(m, kind="count", events=m.value, value=None)
        return m

    def _beside_arm(self, m: Measurement) -> bool:
        """Whether a number stands at an arm's name behind what is counted: "74 placebo"."""
        if not counted_before(self.text, self.start, m):
            return False
        near = (
            _AT_ARM.fullmatch(self.text, m.end, p.start) if p.start >= m.end else
            _ARM_AT.fullmatch(self.text, p.end, m.start)
            for p in self.places
        )
        return any(near)

    def _inside_name(self, q: Quantity) -> bool:
        """Whether a number is part of an instrument's, an event's or an arm's name."""
        events = [] if q.kind in {"fraction", "all"} else self.events
        names = [(t.start, t.end) for t in (*self.instruments, *events)]
        names += [(p.start, p.end) for p in self.places]
        return any(start < q.end and q.start < end for start, end in names)

    def _is_when(self, q: Quantity) -> bool:
        """Whether a stretch of time says when, and is no result."""
        before = self.text[max(self.start, q.start - 22) : q.start]
        inside = self.text[q.start : q.end]
        if q.high is not None and _LASTED.search(self.text, self.start, q.start):
            return True
        return (
            bool(_WHEN.search(before)) or inside[0].isalpha() or ("-" in inside and q.high is None)
        )

    def _is_size(self, m: Measurement) -> bool:
        """Whether a count is the size of the study or of an arm, and no result."""
        q = m.events or m.value
        if q is None or q.kind != "number" or (m.events and m.value):
            return False
        among = _AMONG.search(self.text, self.start, self.end)
        if among and among.start("n") == q.start:
            return True
        tested = self.told and self._has_p() and m.kind == "count"
        return not tested and any(a <= q.start < b for a, b in self.sizes)

    def _of_chain(
        self, chain: list[Measurement], plain: list[Measurement]
    ) -> Iterator[OutcomeSpan]:
        """Make the rows of a chain: one of two times, or each arm against the comparator."""
        first = chain[0]
        if len(chain) == 1:
            yield from self._single(first, plain)
        elif self._chains.is_times(chain):
            arm = linking.arms_of(self.text, [chain[1]], self.places, plain)[0]
            arm = 0 if len(self.arms) == 1 else arm
            yield from self._row(chain[1], first, "baseline", arm, None)
        else:
            own = self._order(linking.arms_of(self.text, chain, self.places, plain))
            yield from self._compared(chain, own)

    def _single(self, m: Measurement, plain: list[Measurement]) -> Iterator[OutcomeSpan]:
        """The row of a measurement alone; "29 in each group" speaks of two arms."""
        beside = (max(self.start, m.start - 25), min(self.end, m.end + 30))
        if len(self.arms) == 2 and m.kind != "time" and _IN_EACH.search(self.text, *beside):
            yield from self._row(m, m, "comparator", *self._sides(None))
            return
        arm = linking.arms_of(self.text, [m], self.places, plain)[0]
        yield from self._row(m, None, "", 0 if arm is None and len(self.arms) == 1 else arm, None)

    def _compared(self, chain: list[Measurement], own: list[int | None]) -> Iterator[OutcomeSpan]:
        """Rows of several arms: each tried arm against the comparator; doses stand alone."""
        base = next(
            (k for k, i in enumerate(own) if i is not None and self.arms[i].role == "comparator"),
            None,
        )
        if len(chain) > 2 and (base is None or self.arms[own[base] or 0].kind == "dose"):
            for m, i in zip(chain, own, strict=True):
                yield from self._row(m, None, "", i, None)
            return
        base = len(chain) - 1 if base is None else base
        for k, m in enumerate(chain):
            if k != base:
                yield from self._row(m, chain[base], "comparator", own[k], own[base])

    def _row(
        self,
        m: Measurement,
        other: Measurement | None,
        other_is: str,
        arm: int | None,
        against: int | None,
    ) -> Iterator[OutcomeSpan]:
        """The row of a measurement and its partner, if an outcome is named for it."""
        lead = min((m, other), key=lambda x: x.start) if other is not None else m
        both = [x for x in (m, other) if x is not None]
        if not all(naming.is_value(self.text, self.start, x, len(both) > 1) for x in both):
            return
        if m.kind == "number" and (
            not self.told or (naming.is_dose(self.text, m) and not self._has_p())
        ):
            return
        end = other.end if other is not None else m.end
        name = self._name(m, lead, arm, end, paired=other is not None)
        if name is None:
            return
        by_event = name.direction is not None
        over_time = other_is == "baseline"
        compared = other_is == "comparator"
        whole = not compared and bool(_WHOLE.search(self.text, self.start, lead.start)) and len(self.arms) > 1
        yield OutcomeSpan(
            measure=name.measure,
            named=name.span,
            type=naming.type_of(
                self.text, self.start, m, named_by_event=by_event, change_over_time=over_time
            ),
            span=(lead.start, max(m.end, other.end if other else 0)),
            direction=name.direction,
            arm=None if whole else arm,
            against=against,
            main=m,
            other=other,
            other_is=other_is,
            whole=whole,
            among=self._among(m),
            by_event=by_event,
            groups=self.groups,
        )

    def _name(
        self, m: Measurement, lead: Measurement, arm: int | None, end: int, *, paired: bool
    ) -> naming.Name | None:
        """Name an outcome: by the rules, by the sentence before, or by the words before it."""
        name = naming.name_of(self.text, self.start, lead, self.events, self.instruments)
        if name is not None or not self.told or self._is_no_result(m, paired=paired):
            return name
        if m.kind == "number" and (paired or m.spread or m.ci):
            name = self.carried.value
        tied = paired or arm is not None
        if name is None and tied and self._has_shape(m, paired=paired):
            name = self._open_name(m, lead, end)
        return name

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
        return paired or self._has_p() or bool(m.spread or m.ci) or self._is_median(m)

    def _is_median(self, m: Measurement) -> bool:
        """Whether a statistic is named just before a value."""
        before = self.text[max(self.start, m.start - 60) : m.start]
        return bool(_STATISTIC.search(before))

    def _open_name(self, m: Measurement, lead: Measurement, end: int) -> naming.Name | None:
        """The noun phrase that a value stands with, where no rule knows it."""
        phrase = behind(self.text, max(m.end, lead.end, end), self._phrases()) or nearest(
            self.text, lead.span, self._phrases()
        )
        if phrase is None:
            return None
        return naming.Name(phrase.text(self.text), (phrase.start, phrase.end))

    def _phrases(self) -> list[Phrase]:
        """The phrases of the sentence that may name an outcome."""
        if self._open is None:
            taken = [(p.start, p.end) for p in self.places]
            self._open = phrases(self.text, self.start, self.end, taken)
        return self._open

    def _has_p(self) -> bool:
        """Whether the sentence tests something."""
        return any(q.kind == "p_value" for q in self.found)

    def _among(self, m: Measurement) -> Count | None:
        """The denominator that the sentence names before its counts: "Among 30 responders, ..."."""
        match = _AMONG.search(self.text, self.start, m.start)
        return Count(int(match["n"]), match.span("n")) if match else None

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

    def order(self, rows: list[OutcomeSpan]) -> tuple[int, int] | None:
        """The order in which the sentence, or one before it, compares the two arms by name."""
        if self.groups or len({p.arm for p in self.places}) < 2:
            return None if self.groups else self.carried.order
        for row in reversed(rows):
            if row.main and row.other and row.arm is not None and row.against is not None:
                pair = (row.arm, row.against)
                return pair if row.main.start < row.other.start else pair[::-1]
        return self.carried.order

    def _sides(self, arm: int | None) -> tuple[int | None, int | None]:
        """The two arms that an effect stands between."""
        base = next((i for i, a in enumerate(self.arms) if a.role == "comparator"), None)
        if len(self.arms) == 2 and base is not None:
            return 1 - base, base
        return (arm, base) if arm != base else (None, base)

    def _with_effects(self, rows: list[OutcomeSpan], found: list[EffectSpan]) -> list[OutcomeSpan]:
        """Lay an effect onto the two-arm row before it, or make it a row of its own."""
        made = list(rows)
        for effect in found:
            fits = (
                k
                for k in reversed(range(len(made)))
                if made[k].other_is == "comparator"
                and made[k].effect is None
                and made[k].span[1] <= effect.value.start
            )
            k = next(fits, None)
            if k is not None:
                made[k] = replace(made[k], effect=effect)
            else:
                made.extend(self._effect_row(effect))
        return sorted(made, key=lambda r: r.span)

    def _effect_row(self, effect: EffectSpan) -> Iterator[OutcomeSpan]:
        """A row that holds an effect alone."""
        term = naming.instrument_of(self.text, effect.span, self.instruments or self.events)
        name = naming.Name(term.name, (term.start, term.end)) if term else self.carried.effect
        if name is None:
            return
        m = Measurement("number", *effect.span, value=effect.value)
        arm = linking.arms_of(self.text, [m], self.places, [m])[0] if len(self.arms) > 2 else None
        arm, against = self._sides(arm)
        kind = "difference" if effect.code in ("MD", "RD", "SMD") else "ratio"
        span = (min(effect.name[0], effect.span[0]), effect.span[1])
        yield OutcomeSpan(
            name.measure, name.span, kind, span, arm=arm, against=against, effect=effect,
            groups=self.groups,
        )

    def _finish(self, row: OutcomeSpan, rows: list[OutcomeSpan]) -> OutcomeSpan:
        """Add time, p value and direction."""
        end = max(row.span[1], row.effect.span[1] if row.effect else 0)
        later = [r.span[0] for r in rows if r.span[0] >= end]
        p = linking.p_value_of(self.found, row.span[1] - 1, min(later, default=self.end))
        taken = [
            x.span for r in rows for x in (r.main, r.other) if x is not None and x.kind == "time"
        ]
        time = linking.time_of(self.found, row.span, taken)
        return replace(
            row, time=time, p=p, direction="no difference" if p and _not_shown(p) else row.direction
        )

    def _lasting(self) -> Iterator[OutcomeSpan]:
        """ "the benefit lasted 2 to 6 months": a range of times."""
        verb = _LASTED.search(self.text, self.start, self.end)
        spans = [
            q
            for q in self.found
            if q.kind == "timepoint" and q.high is not None and verb and q.start > verb.start()
        ]
        if verb is not None and spans:
            q = spans[0]
            arm = 0 if len(self.arms) == 1 else None
            yield OutcomeSpan(
                "duration of benefit",
                verb.span(),
                "range",
                (verb.start(), q.end),
                "improved",
                arm,
                lasted=q,
            )

    def _bare(self, rows: list[OutcomeSpan]) -> Iterator[OutcomeSpan]:
        """An outcome with a p value and no number: "sweat production normalised (p = 0.039)"."""
        used = {r.p.start for r in rows if r.p is not None}
        done = self.start
        for p in (q for q in self.found if q.kind == "p_value"):
            since = max([done, *(r.span[1] for r in rows if r.span[1] <= p.start)])
            named = [
                t
                for t in (*self.events, *self.instruments)
                if since <= t.start and t.end <= p.start
            ]
            done = p.end
            if p.start in used or not named:
                continue
            term = named[-1]
            direction = "no difference" if _not_shown(p) else None
            arm = 0 if len(self.arms) == 1 else None
            span = (term.start, p.end)
            yield OutcomeSpan(
                term.name, (term.start, term.end), "qualitative", span, direction, arm, p=p
            )


def _not_shown(p: Quantity) -> bool:
    """Whether a p value says that no difference was shown: above 0.05, and not "< 0.10"."""
    return p.value is not None and p.value > 0.05 and not p.label.startswith("<")


def _sizes(population: Population, arms: Sequence[ArmSpan]) -> list[Span]:
    """Where the sizes of the study and of its arms are printed."""
    counts = [population.total, population.enrolled, *(a.n for a in arms)]
    return [c.span for c in counts if c is not None]
