"""Groups the measurements of a sentence that are values of one outcome: arms, or two times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.extract import linking
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.linking import Mention
from pipeline.extract.measurements import Measurement, alike

_RESPECTIVELY = re.compile(r"^,?[^,;.]{0,60},?\s*respectively\b", re.IGNORECASE)
_WERE = re.compile(r"\b(?:were|was|of)\s+$", re.IGNORECASE)
#: Two times: the values behind them may be those of one arm.
_TIMES = re.compile(
    r"\d[\s-]*(?:years?|months?|weeks?|days?|h(?:ours?)?)?,?\s+(?:and|to|or)\s+\d+[\s-]*(?:year|month|week|day|h\b|hour)",
    re.I,
)
_ENDS = re.compile(r"\s*(?:[a-z/%]{1,8}\s*)?(?:\(\s?[pP]\b|[.;]|$)")
_NAME = r"[\w/+-]+(?:\s[\w/+-]+){0,3}"
_NEXT_BRACKET = re.compile(
    rf"[\s%)\]]*,?\s*(?:and|versus|vs\.?|compared\s+(?:with|to)|than)\s+(?:(?:in|with|for|on|by|the|those|that)\s+){{0,3}}{_NAME}\s*[(\[]\s*",
    re.IGNORECASE,
)
_FIRST_LABEL = re.compile(rf"[(\[:;,]\s*{_NAME}\s*[:,=]\s*$")
_NEXT_LABEL = re.compile(
    rf"\s*(?:%|mm\s?Hg|months?|days?|weeks?|years?)?\s*[;,]\s*(?:and\s+)?{_NAME}\s*[:,=]\s*"
)
_AT_NAMES = re.compile(
    r"[\s)\]]*(?:(?:of\s+)?(?:the\s+)?(?:patients|women|participants|subjects|cases)\s+)?(?:in|with|for|on|of)\s+(?:the\s+)?",
    re.IGNORECASE,
)
_JOIN = re.compile(r"(?:\s+(?:group|arm))?\s*(?:and|versus|vs\.?)\s+(?:the\s+)?", re.IGNORECASE)
_SAID = re.compile(r"\brespective(?:ly)?\b", re.IGNORECASE)
_AND = re.compile(
    r"\s*(?:months?|days?|weeks?|years?|points?|[kmµμnp]?g(?:/[dm]?[lL])?|patients|mm\s?Hg|mm|cm|m[lL]|hours?|h|min)?\s*(?:\([^()]{0,40}\)\s*)?(?:and|or)\s*",
    re.IGNORECASE,
)
_COMMA = re.compile(r"\s*(?:%|[a-zA-Z/]{1,6}\s?){0,2}\s*,\s*")
_GROUP_BEHIND = re.compile(
    r"^[\s)\]]*(?:\([^()]{0,45}\)\s*)?(?:of\s+(?:the\s+)?(?:patients|women|participants|subjects|cases)\s+)?"
    r"(?P<word>in|for|with|on|of|among|after|receiving|from)\s+(?:(?:the|those|patients|women)\s+)*[^,;.]{0,40}?"
    r"(?:\bgroup\b|\barm\b|\bpatients\b|\bcontrols?\b|\bplacebo\b|[A-Z])",
    re.IGNORECASE,
)
#: Two measurements further apart than this are not one comparison.
APART = 160


@dataclass(frozen=True, slots=True)
class Chains:
    """A sentence (``text[start:end]``) with the study's arms and where it names them."""

    text: str
    start: int
    end: int
    arms: Sequence[ArmSpan]
    places: Sequence[Mention]

    def of(self, found: Sequence[Measurement]) -> Iterator[list[Measurement]]:
        """Yield the measurements in groups: one for each arm at most, or baseline and follow-up."""
        runs = self.runs(found)
        if runs:
            yield from (list(pair) for pair in zip(*runs, strict=True))
            return
        longest = max(2, len(self.arms))
        chain: list[Measurement] = []
        for m in found:
            if chain and len(chain) < longest and self._goes_on(chain, m, found):
                chain.append(m)
                continue
            if chain:
                yield chain
            chain = [m]
        if chain:
            yield chain

    def runs(self, found: Sequence[Measurement]) -> list[list[Measurement]]:
        """Return the measurements by arm where each arm has several in a row, else nothing.

        "6.0 and 5.9 with A and 4.8 and 4.6 with B", "A had 7% and 11%, B had 19% and 42%".
        """
        if not linking.side(self.places, found):
            return []
        runs, named = self._runs_and_names(found)
        lengths = {len(run) for run in runs}
        if len(lengths) != 1 or len(runs[0]) < 2 or not 2 <= len(runs) == len(named):
            return []
        if any(len(arms) != 1 for arms in named) or len(set().union(*named)) != len(named):
            return []
        if any(self.is_times(run) or self._is_compared(run) for run in runs):
            return []
        like = all(alike(a, b) for run in runs[1:] for a, b in zip(runs[0], run, strict=True))
        return runs if like else []

    def _runs_and_names(
        self, found: Sequence[Measurement]
    ) -> tuple[list[list[Measurement]], list[set[int]]]:
        """The measurements between two places that name arms, and the arms between two runs."""
        runs: list[list[Measurement]] = []
        named: list[set[int]] = []
        last = ""
        both: list[Measurement | Mention] = [*found, *self.places]
        for x in sorted(both, key=lambda x: x.start):
            if isinstance(x, Mention):
                if last != "arm":
                    named.append(set())
                named[-1].add(x.arm)
                last = "arm"
            else:
                if last != "value":
                    runs.append([])
                runs[-1].append(x)
                last = "value"
        return runs, named

    def _is_compared(self, run: Sequence[Measurement]) -> bool:
        """Whether two neighbours of a run are compared with each other."""
        gaps = (self.text[a.end : b.start] for a, b in pairwise(run))
        return any(linking.STRICT.search(gap) for gap in gaps)

    def is_times(self, chain: Sequence[Measurement]) -> bool:
        """Return whether the first two of a chain are baseline and follow-up."""
        return linking.is_baseline_pair(self.text, chain[0], chain[1], self.start, self.end)

    def _goes_on(
        self, chain: list[Measurement], m: Measurement, found: Sequence[Measurement]
    ) -> bool:
        """Whether a measurement belongs to the chain before it."""
        if not alike(chain[-1], m) or (len(chain) == 2 and self.is_times(chain)):
            return False
        return self._belong(chain[-1], m, found)

    def _belong(self, a: Measurement, b: Measurement, found: Sequence[Measurement]) -> bool:
        """Whether two neighbours are baseline and follow-up, or two arms."""
        if self.is_times((a, b)):
            return True
        gap = self.text[a.end : b.start]
        if len(gap) > APART:
            return False
        if linking.STRICT.search(gap):
            return True
        if not linking.LOOSE.search(gap):
            return False
        if _AND.fullmatch(gap) and _SAID.search(self.text, self.start, self.end):
            return not self._is_third(a, found)
        if self._is_plain_pair(a, b) or self._are_labelled(a, gap) or self._are_joint(gap, b):
            return True
        if self._parallel(gap, b):
            return True
        if len(self.arms) == 2 and _RESPECTIVELY.match(self.text[b.end : self.end]):
            return True
        if len(self.arms) < 2:
            return False
        own = [linking.arms_of(self.text, [m], self.places, found)[0] for m in (a, b)]
        return None not in own and own[0] != own[1]

    def _is_third(self, a: Measurement, found: Sequence[Measurement]) -> bool:
        """Whether a value ends a longer list than there are arms: "3, 4 and 5 at 2, 4 and 8 h"."""
        if len(self.arms) > 2:
            return False
        before = max((x for x in found if x.end <= a.start), key=lambda x: x.end, default=None)
        return before is not None and _COMMA.fullmatch(self.text, before.end, a.start) is not None

    def _is_plain_pair(self, a: Measurement, b: Measurement) -> bool:
        """Whether the values of two arms are joined by "and" alone: "were 19 and 44 months"."""
        before = self.text[max(self.start, a.start - 12) : a.start]
        gap = self.text[a.end : b.start]
        if len(self.arms) != 2 or not _AND.fullmatch(gap) or "or" in gap:
            return False
        if not _WERE.search(before) or _TIMES.search(self.text, self.start, self.end):
            return False
        return not self.places or _ENDS.match(self.text, b.end) is not None

    def _are_labelled(self, a: Measurement, gap: str) -> bool:
        """Whether two values have labels: "A (53%) and B (62%)", "(A: 53%; B: 62%)"."""
        beside = (
            a.end <= p.start < a.end + len(gap) or 0 <= a.start - p.end < 4 for p in self.places
        )
        if len(self.arms) < 2 or not any(beside):
            return False
        if _NEXT_BRACKET.fullmatch(gap) and self.text[a.start - 2 : a.start].strip() in "([":
            return True
        before = self.text[max(self.start, a.start - 40) : a.start]
        return bool(_NEXT_LABEL.fullmatch(gap) and _FIRST_LABEL.search(before))

    def _are_joint(self, gap: str, b: Measurement) -> bool:
        """Whether both arms are named behind two values: "in 6 and 3 in the A and B groups"."""
        behind = [p for p in self.places if p.start >= b.end][:2]
        if len(behind) != 2 or behind[0].arm == behind[1].arm or not _AND.fullmatch(gap):
            return False
        first, second = behind
        near = _AT_NAMES.fullmatch(self.text, b.end, first.start)
        return bool(near and _JOIN.fullmatch(self.text, first.end, second.start))

    def _parallel(self, gap: str, b: Measurement) -> bool:
        """Whether two values stand in like phrases: "12% in group A and 30% in group B"."""
        first = _GROUP_BEHIND.match(gap)
        second = _GROUP_BEHIND.match(self.text[b.end : min(self.end, b.end + 60)])
        return bool(first and second and first["word"].lower() == second["word"].lower())
