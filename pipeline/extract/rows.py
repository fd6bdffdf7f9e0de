"""Makes the result rows of one sentence: measurements named, paired, and given arm, time and p."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from pipeline.extract import apart, effects, linking, naming
from pipeline.extract.effects import EffectSpan
from pipeline.extract.grammar import IN_EACH, PEOPLE, TIME_UNIT
from pipeline.extract.measurements import Measurement
from pipeline.extract.misnamed import is_compound, is_misnamed, kind_of
from pipeline.extract.numbers import COUNT
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.quantities import Quantity
from pipeline.extract.row_names import Named
from pipeline.extract.scene import LASTED

_WHOLE = re.compile(
    r"\b(?:whole group|entire (?:group|cohort)|both groups together|all patients)\b"
    r"|\boverall(?=\s*,|\s+(?:\d|of\b|in\b|there\b|it\b))",
    re.I,
)
#: How far behind a count the next of a list may begin.
_BESIDE = 40
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
#: Events that say nothing of what was measured, where no number is printed: "improved (p = 0.02)".
_GENERAL = ("responder", "non-responder", "worse", "stable")
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
#: What is asked of a person, and lasts no time: "the likelihood of requiring ventilation".
_NEEDED = re.compile(
    r"\b(?:requir(?:ed|es|ing|ement)|need(?:ed|ing|s)?|likelihood|risk|use|rates?)\s+(?:of\s+|for\s+)?(?:requiring\s+|needing\s+)?(?:an?\s+)?(?:invasive\s+)?$",
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


class Page(Named):
    """A sentence whose measurements become rows."""

    def rows(self) -> list[OutcomeSpan]:
        """Return the outcome rows of the sentence, in order."""
        found, plain = effects.split(self.text, self.start, self.found, self.measured)
        made = [row for chain in self.chains.of(plain) for row in self._of_chain(chain, plain)]
        made = self._with_effects(made, found)
        made = [self._finish(row, made) for row in made]
        made = [row for row in made if not _has_two(row, made)]
        return [*made, *self._lasting(), *self._bare(made)]

    def _of_chain(
        self, chain: list[Measurement], plain: list[Measurement]
    ) -> Iterator[OutcomeSpan]:
        """Make the rows of a chain: one of two times, or each arm against the comparator."""
        first = chain[0]
        if len(chain) == 1:
            yield from self._single(first, plain)
        elif self.chains.is_times(chain) and self._is_extent(chain):
            return
        elif self.chains.is_times(chain):
            arm = self._linked([chain[1]], plain)[0]
            arm = 0 if len(self.arms) == 1 else arm
            yield from self._row(chain[1], first, "baseline", arm, None)
        else:
            yield from self._compared(chain, self._linked(chain, plain))

    def _is_extent(self, chain: list[Measurement]) -> bool:
        """Whether "from A to B" says how far values spread."""
        before = self.text[max(self.start, chain[0].start - 24) : chain[0].start]
        return bool(_SPREAD.match(self.text, chain[1].end) or _RANGED.search(before))

    def _linked(self, chain: list[Measurement], plain: list[Measurement]) -> list[int | None]:
        """The arm of each measurement of a chain."""
        return self._order(linking.arms_of(self.text, chain, self.places, plain))

    def _single(self, m: Measurement, plain: list[Measurement]) -> Iterator[OutcomeSpan]:
        """The row of a measurement alone; "29 in each group" speaks of two arms."""
        beside = (max(self.start, m.start - 25), min(self.end, m.end + 30))
        if len(self.arms) == 2 and m.kind != "time" and IN_EACH.search(self.text, *beside):
            yield from self._row(m, m, "comparator", *self._sides(None))
            return
        arm = self._linked([m], plain)[0]
        if arm is None and self._is_of_all(m):
            return
        arm = 0 if arm is None and len(self.arms) == 1 else arm
        yield from self._row(m, None, "", None if self._is_of_others(m) else arm, None)

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
        if len(self.arms) == 1 and not self.groups:
            if all(x.kind == "count" and is_bare_count(x) for x in chain) and not self._is_set(
                chain
            ):
                return  # "two for a stroke and one for a clot": of two outcomes
            own = [None] * len(chain)  # two kinds of patients of one arm
        for k, m in enumerate(chain):
            if k != base:
                yield from self._row(m, chain[base], "comparator", own[k], own[base])

    def _is_set(self, chain: list[Measurement]) -> bool:
        """Whether the words between measurements set them against each other."""
        gap = self.text[chain[0].end : chain[-1].start]
        return linking.STRICT.search(gap) is not None

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
        if not self._is_read(m, other):
            return
        end = other.end if other is not None else m.end
        name = self._name(m, lead, arm, end, paired=other is not None)
        if name is None or self._is_between(m, other, lead):
            return
        if other_is == "comparator" and self._are_two_outcomes(lead, end):
            return
        name = kind_of(self.text, name)
        if is_misnamed(self.text, self.start, lead, name) or self._is_past(lead, other, name):
            name = naming.Name("", name.span, is_open=True)
        by_event = name.direction is not None
        level = by_event or apart.is_rate(self.text, name)
        over_time = other_is == "baseline"
        compared = other_is == "comparator"
        whole = (
            not compared
            and bool(_WHOLE.search(self.text, self.start, lead.start))
            and len(self.arms) > 1
        )
        yield OutcomeSpan(
            measure=name.measure,
            named=name.span,
            type=naming.type_of(
                self.text, self.start, m, named_by_event=level, change_over_time=over_time
            ),
            span=(lead.start, max(m.end, other.end if other else 0)),
            direction=name.direction,
            is_open=name.is_open,
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
            name.measure,
            name.span,
            kind,
            span,
            arm=arm,
            against=against,
            effect=effect,
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
        time = linking.time_of(
            self.text, self.found, row.span, taken, [r.span for r in rows if r is not row]
        )
        return replace(
            row, time=time, p=p, direction="no difference" if p and _not_shown(p) else row.direction
        )

    def _lasting(self) -> Iterator[OutcomeSpan]:
        """ "the benefit lasted 2 to 6 months": a range of times."""
        verb = LASTED.search(self.text, self.start, self.end)
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
            if naming.is_clock(term.name) and _NEEDED.search(self.text, since, term.start):
                continue
            if term.name in _GENERAL or is_compound(self.text, (term.start, term.end)):
                continue
            direction = "no difference" if _not_shown(p) else None
            arm = 0 if len(self.arms) == 1 else None
            span = (term.start, p.end)
            yield OutcomeSpan(
                term.name, (term.start, term.end), "qualitative", span, direction, arm, p=p
            )


def is_bare_count(m: Measurement) -> bool:
    """Whether a count is printed without its share and without what it is out of."""
    return m.value is None and m.events is not None and m.events.kind == "number"


def _has_two(row: OutcomeSpan, rows: list[OutcomeSpan]) -> bool:
    """Whether a comparison gives an arm a second count of an outcome: 36, 22 and 19 of two arms."""
    if not row.by_event or row.other is None or row.main is None or row.main.kind != "count":
        return False
    alone = (r for r in rows if r.main is not None and r.other is None and r.main.kind == "count")
    return any(
        r.arm is not None
        and r.arm in (row.arm, row.against)
        and (r.measure, r.time) == (row.measure, row.time)
        and r.span[1] <= row.span[0] <= r.span[1] + _BESIDE
        for r in alone
    )


def _not_shown(p: Quantity) -> bool:
    """Whether a p value says that no difference was shown: above 0.05, and not "< 0.10"."""
    return p.value is not None and p.value > 0.05 and not p.label.startswith("<")
