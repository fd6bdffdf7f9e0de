"""Makes the result rows of one sentence: measurements named, paired, and given arm, time and p."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.extract import apart, effects, linking, naming
from pipeline.extract.effects import EffectSpan
from pipeline.extract.grammar import IN_EACH
from pipeline.extract.judged import Judged, is_bare_count
from pipeline.extract.measurements import Measurement
from pipeline.extract.misnamed import is_compound, is_misnamed, kind_of
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.quantities import Quantity
from pipeline.extract.scene import LASTED

_WHOLE = re.compile(
    r"\b(?:whole group|entire (?:group|cohort)|both groups together|all patients)\b"
    r"|\boverall(?=\s*,|\s+(?:\d|of\b|in\b|there\b|it\b))",
    re.I,
)
#: How far behind a count the next of a list may begin.
_BESIDE = 40
#: Events that say nothing of what was measured, where no number is printed: "improved (p = 0.02)".
_GENERAL = ("responder", "non-responder", "worse", "stable")
#: What is asked of a person, and lasts no time: "the likelihood of requiring ventilation".
_NEEDED = re.compile(
    r"\b(?:requir(?:ed|es|ing|ement)|need(?:ed|ing|s)?|likelihood|risk|use|rates?)\s+(?:of\s+|for\s+)?(?:requiring\s+|needing\s+)?(?:an?\s+)?(?:invasive\s+)?$",
    re.I,
)


class Page(Judged):
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
        name = self._name_of(m, other, other_is, lead, arm)
        if name is None:
            return
        whole = _WHOLE.search(self.text, self.start, lead.start) is not None
        whole = whole and other_is != "comparator" and len(self.arms) > 1
        by_event = name.direction is not None
        yield OutcomeSpan(
            measure=name.measure,
            named=name.span,
            type=naming.type_of(
                self.text,
                self.start,
                m,
                named_by_event=by_event or apart.is_rate(self.text, name),
                change_over_time=other_is == "baseline",
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

    def _name_of(
        self,
        m: Measurement,
        other: Measurement | None,
        other_is: str,
        lead: Measurement,
        arm: int | None,
    ) -> naming.Name | None:
        """The name of a row: empty where it belongs to something else, None for what is no row."""
        if not self._is_read(m, other):
            return None
        end = other.end if other is not None else m.end
        name = self._name(m, lead, arm, end, paired=other is not None)
        if name is None or self._is_between(m, other, lead):
            return None
        if other_is == "comparator" and self._are_two_outcomes(lead, end):
            return None
        name = kind_of(self.text, name)
        if is_misnamed(self.text, self.start, lead, name) or self._is_past(lead, other, name):
            return naming.Name("", name.span, is_open=True)
        return name

    def order(self, rows: list[OutcomeSpan]) -> tuple[int, int] | None:
        """The order in which the sentence, or one before it, compares the two arms by name."""
        if self.groups or len({p.arm for p in self.places}) < 2:
            return None if self.groups else self.carried.order
        for row in reversed(rows):
            if row.main and row.other and row.arm is not None and row.against is not None:
                pair = (row.arm, row.against)
                return pair if row.main.start < row.other.start else pair[::-1]
        return self.carried.order

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
