"""A sentence of results with its measurements, its arms and where it names them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from spacy.tokens import Doc

from pipeline.extract import linking, local_arms, naming
from pipeline.extract.arm_sizes import COMPARATIVE, ArmSpan
from pipeline.extract.chains import Chains
from pipeline.extract.counting import counted_before, even_out, is_bare, is_events, share_unit
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import Term, lexicon
from pipeline.extract.measurements import Measurement, build
from pipeline.extract.moods import is_plan
from pipeline.extract.outcome_span import Carried
from pipeline.extract.phrases import Phrase
from pipeline.extract.population import Count, Population
from pipeline.extract.quantities import Quantity, within
from pipeline.extract.sentences import Sentence
from pipeline.extract.starts import Starts

Span = tuple[int, int]

_CLOCK = Starts(
    re.compile(
        r"\b(?:median|times? to|survival|duration|latency|length of|stay"
        r"|time (?:required|needed|taken|spent|until)"
        r"|(?:mean|average|operati(?:ve|ng|on)|procedure|surgical|total|recovery|healing) times?"
        r"|(?-i:TTP|TTF|PFS|OS|DFS|EFS|RFS|LOS))\b"
        r"|\d\s+(?:days?|weeks?|months?|hours?|h|min(?:utes?)?)?\s*(?:vs?\.?|versus)\s+\d[\d.·]*\s+(?:days?|weeks?|months?|hours?|h|min(?:utes?)?)\b"
        r"|\d\s+(?:min(?:utes?)?|hours?|h)\s*(?:per|/)\s*(?:day|week|d|wk)\b",
        re.I,
    )
)
LASTED = Starts(re.compile(r"\b(?:lasted|persisted|lasting)\b", re.I))
_AMONG = Starts(
    re.compile(
        rf"(?:\b(?:[Aa]mong|In|Of|For|Out\sof)|[,;:]\s(?:and\s|whereas\s|while\s)?(?:in|of|for|out\sof))\s+(?:the\s+|all\s+)?(?P<n>\d+)\s+"
        rf"(?:(?!and\b|or\b|of\b|in\b)[\w-]+\s+){{0,3}}?(?:responders|(?:{PEOPLE}))\b[^.;]{{0,60}}?,"
    )
)
_OF_THE = re.compile(r"(?<!total\s)(?<!number\s)\b(?:of|for|among|the)\s+$", re.I)
#: "In group A with 90 evaluable patients": how many the arm has.
_WITH = re.compile(r"(?:\b(?:with|of)|[,(])\s+$", re.I)
_WHO = re.compile(rf"\s+(?:[\w-]+\s+){{0,2}}?(?:{PEOPLE})\b|\s+in\s+the\b", re.I)
_AT_ARM = re.compile(r"\s*(?:(?:in|on|with|for|receiving|given|among)\s+(?:the\s+)?)?", re.I)
_ARM_AT = re.compile(r"(?:\s+(?:group|arm))?\s*[,:=(]?\s*", re.I)
#: How far behind a total its parts may be printed.
REACH = 150
#: From here on two numbers hardly add up to a total by chance.
LARGE = 20
#: A value that moved: "increased from 20 to 25".
_FROM = re.compile(
    r"\b(?:increas|decreas|reduc|declin|ris|rose|fell|improv|drop|chang|went|lower)\w*\b[^.;\d]{0,60}\bfrom\s+(?:an?\s+|baseline\s+)?$",
    re.I,
)
_TO = re.compile(r"\s+to\s+", re.I)
_HALF = re.compile(r"[-‐–]\s*(?:,|and\b|or\b|to\b)")
_HALF_BEFORE = re.compile(r"[a-z][-‐]$")
#: "The rate was better with A than with B" tells of the rate.
_THAN = re.compile(
    r"(?:better|worse)\s+(?:(?:with|in|after|for|on)\s+[^.;,()]{1,50}\s)?than\b", re.I
)
_AT_END = re.compile(r"\b(?:at|until|after|before|from|to|by)\s+(?:the\s+|study\s+)?$", re.I)
_NEXT_TIME = re.compile(r"\s*(?:,\s*(?:and\s+|or\s+)?|and\s+|or\s+|to\s+)")
_WHEN = re.compile(
    r"\b(?:at|by|within|after|until|over|for|during|every|first|last|in|than|the|up to|with|past)"
    r"\s*$",
    re.I,
)


class Scene:
    """A sentence with all that was found in it."""

    def __init__(
        self, doc: Doc, sentence: Sentence, instruments: list[Term], carried: Carried
    ) -> None:
        self.text: str = doc._.source
        self.start, self.end = sentence.start, sentence.end
        self.found: list[Quantity] = list(within(doc._.quantities, self.start, self.end))
        self.instruments, self.carried = instruments, carried
        events = lexicon("events").find(self.text, self.start, self.end)
        self.events = [t for t in events if not self._is_end(t)]
        self.arms: tuple[ArmSpan, ...] = doc._.arms
        self.places = linking.mentions(self.arms, self.start, self.end)
        self.comparative = doc._.design.design in COMPARATIVE
        self._open: list[Phrase] | None = None
        self.chains = Chains(self.text, self.start, self.end, self.arms, self.places)
        self.told = sentence.part == "results" or not is_plan(
            self.text, self.start, self.end, self.found
        )
        self.sizes = _sizes(doc._.population, self.arms)
        self.measured = self._measure()
        self.groups = self._local() if self.told and len(self.arms) < 2 and self.measured else ()
        if self.groups:
            self.arms = self.groups
            self.places = linking.mentions(self.arms, self.start, self.end)
            self.chains = Chains(self.text, self.start, self.end, self.arms, self.places)
            if any(self._inside_name(q) for q in self.found):
                self.measured = self._measure()

    def _is_end(self, term: Term) -> bool:
        """Whether an event's word is none: "the score at completion", "better with A than B"."""
        if _THAN.match(self.text, term.start, self.end):
            return True
        before = self.text[max(self.start, term.start - 14) : term.start]
        return term.name == "completion" and _AT_END.search(before) is not None

    def _local(self) -> tuple[ArmSpan, ...]:
        """The groups that the sentence compares, where the study's arms are not known."""
        return (
            local_arms.find(self.text, self.start, self.end, self.measured)
            if self.comparative
            else ()
        )

    def _measure(self) -> list[Measurement]:
        """The sentence's measurements: no population sizes, no numbers inside names."""
        clocks = any(naming.is_clock(t.name) for t in self.instruments) or bool(
            _CLOCK.search(self.text, self.start, self.end)
        )
        verbs = frozenset(e.start for e in self.events)
        listed = self._listed_times()
        free = [
            q
            for q in _moved(self.text, self.found)
            if not self._inside_name(q)
            and q.start not in listed
            and not (q.kind == "timepoint" and self._is_when(q))
        ]
        built = build(self.text, free, clocks=clocks, verbs=verbs)
        if self.told:
            built = share_unit(self.text, built)
            built = even_out(self.text, self.start, [self._as_events(m) for m in built])
        no_result = (self._is_size, self._is_half, self._is_total)
        return [m for m in built if not any(says(m) for says in no_result)]

    def _listed_times(self) -> frozenset[int]:
        """Where the numbers of lists of times start: "at 1, 3 and 6 months"."""
        times: set[int] = set()
        run: list[Quantity] = []
        for q in self.found:
            if run and not _NEXT_TIME.fullmatch(self.text, run[-1].end, q.start):
                run = []
            run.append(q)
            if q.kind == "timepoint" and len(run) > 1:
                before = self.text[max(self.start, run[0].start - 22) : run[0].start]
                times.update(x.start for x in run if _WHEN.search(before))
                run = [q]
        return frozenset(times)

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
            _AT_ARM.fullmatch(self.text, m.end, p.start)
            if p.start >= m.end
            else _ARM_AT.fullmatch(self.text, p.end, m.start)
            for p in self.places
        )
        return any(near)

    def _inside_name(self, q: Quantity) -> bool:
        """Whether a number is part of an instrument's, an event's or an arm's name."""
        events = [] if q.kind in {"fraction", "all"} else self.events
        names = [(t.start, t.end) for t in (*self.instruments, *events)]
        inside = any(p.start <= q.start < p.end for p in self.places)
        return inside or any(start < q.end and q.start < end for start, end in names)

    def _is_when(self, q: Quantity) -> bool:
        """Whether a stretch of time says when, and is no result."""
        before = self.text[max(self.start, q.start - 22) : q.start]
        inside = self.text[q.start : q.end]
        if q.high is not None and LASTED.search(self.text, self.start, q.start):
            return True
        return (
            bool(_WHEN.search(before)) or inside[0].isalpha() or ("-" in inside and q.high is None)
        )

    def _is_half(self, m: Measurement) -> bool:
        """Whether a number is part of a word: "two- and three-year survival", "two-by-two"."""
        before = self.text[max(self.start, m.start - 3) : m.start]
        return bool(_HALF.match(self.text, m.end) or _HALF_BEFORE.search(before))

    def _is_total(self, m: Measurement) -> bool:
        """Whether the counts behind a count add up to it: "12 relapsed (10 on A and 2 on B)"."""
        total = m.events.value if m.kind == "count" and m.events is not None else None
        bare = m.events is not None and m.events.kind == "number"
        if total is None or total < 2 or not self.comparative:
            return False
        parts = [
            q.value
            for q in self.found
            if m.end <= q.start < m.end + REACH
            and q.kind in ("number", "n", "fraction")
            and q.value
        ]
        sums = {sum(parts[i : i + k]) for k in (2, 3) for i in range(min(2, len(parts) - k + 1))}
        if bare and total >= LARGE:
            sums |= {a + b for a, b in combinations(parts[:5], 2)}
        return total in sums

    def _is_size(self, m: Measurement) -> bool:
        """Whether a count is the size of the study or of an arm, and no result."""
        q = m.events or m.value
        if q is None or q.kind != "number" or (m.events and m.value):
            return False
        among = _AMONG.finditer(self.text, self.start, self.end)
        if any(match.start("n") == q.start for match in among):
            return True
        if m.kind == "count" and self.comparative and self._are_who(q):
            return True
        tested = self.told and self.has_p() and m.kind == "count"
        return not tested and any(a <= q.start < b for a, b in self.sizes)

    def _are_who(self, q: Quantity) -> bool:
        """Whether a number says of how many people something is told: "the 48 patients on A"."""
        before = self.text[max(self.start, q.start - 20) : q.start]
        if _WITH.search(before) and any(0 <= q.start - p.end < 12 for p in self.places):
            return _WHO.match(self.text, q.end) is not None
        return bool(_OF_THE.search(before) and _WHO.match(self.text, q.end))

    def has_p(self) -> bool:
        """Whether the sentence tests something."""
        return any(q.kind == "p_value" for q in self.found)

    def _among(self, m: Measurement) -> Count | None:
        """The denominator that the sentence names before its counts: "Among 30 responders, ..."."""
        match = _AMONG.search(self.text, self.start, m.start)
        return Count(int(match["n"]), match.span("n")) if match else None


def _moved(text: str, found: Sequence[Quantity]) -> Iterator[Quantity]:
    """The quantities with "rose from 20 to 25" as two numbers, and no interval."""
    for q in found:
        between = _TO.search(text, q.start, q.end) if q.kind == "interval" else None
        if between is None or not _FROM.search(text[max(0, q.start - 90) : q.start]):
            yield q
            continue
        yield Quantity("number", q.start, between.start(), q.value)
        yield Quantity("number", between.end(), q.end, q.high)


def _sizes(population: Population, arms: Sequence[ArmSpan]) -> list[Span]:
    """Where the sizes of the study and of its arms are printed."""
    counts = [population.total, population.enrolled, *(a.n for a in arms)]
    return [c.span for c in counts if c is not None]
