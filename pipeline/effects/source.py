"""A printed result while it is being read: what is taken leaves its quote, what is done a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.config import OutcomeDef, Question
from pipeline.effects.measures import MEASURES, Measure
from pipeline.effects.scale import check_range, unit_factor
from pipeline.effects.study import YiVi
from pipeline.errors import EffectSizeError
from pipeline.schema import Outcome, Quote

#: What is assumed, by the kind of note that a reader leaves.
ASSUMPTIONS: Mapping[str, str] = {
    "zero cell": "Where a cell is 0, 1/2 is added to every cell of that study",
    "events_from_percent": (
        "Events are recovered from a percentage where exactly one whole number rounds to it"
    ),
    "mean_from_median": "Means and SDs are recovered from medians with quartiles or ranges",
    "t_from_p": "Paired t statistics are recovered from exact p values, taken as of paired t tests",
    "crossover": "The periods of a crossover correlate as the protocol assumes",
    "sd_from_p": "SDs are recovered from exact p values, taken as of two-sample t tests",
    "se_from_p": "SEs of printed effects are recovered from exact p values, taken as of z tests",
    "ri": "The SD of a change is computed with the protocol's correlation of the two measurements",
    "sd": "SDs are computed from printed SEs and confidence intervals",
    "log_ratio_from_percent": (
        "Log ratios of means are recovered from percent changes: the mean of percent changes is "
        "taken for the percent change of means, with a borrowed coefficient of variation and an "
        "assumed correlation"
    ),
    "log ratio": "Log ratios of means after and before are paired by an assumed correlation",
    "effect": "The authors' own effect and its 95% CI, taken as normal, stand in for arm data",
    "scale": "Scores of a 0-100 scale are divided by 10",
    "sign": "A printed improvement on a scale where lower is better is taken as a fall",
    "change": "Differences of changes stand for differences of final scores",
    "improvement": "Means are improvements as printed: a positive change is better",
    "derived": "Numbers that are not printed with a result follow by a rule from the text",
    "contradiction": "A printed percentage does not match its count; the count is used",
}


#: Numbers that an analysis assumes where a correlation, or a CV, is not known.
ASSUMED_R, BORROWED_CV = "assumed correlations", "borrowed coefficients of variation"
R_OF_CHANGES = "SDs of changes with an assumed correlation"

#: What a number that is not printed was recovered from, by the kind of note.
RECOVERED: Mapping[str, str] = {
    "events_from_percent": "events from percentages",
    "mean_from_median": "means and SDs from medians",
    "t_from_p": "paired t statistics from P values",
    "sd_from_p": "SDs from P values",
    "se_from_p": "intervals from P values",
    "sd": "SDs from SEs or intervals",
    "ri": R_OF_CHANGES,
    "crossover": ASSUMED_R,
}


@dataclass(frozen=True, slots=True)
class Computed:
    """An effect size with what it came from; `notes` are (kind of assumption, sentence) pairs.

    It rests on so many `numbers`; `unprinted` says of each that the paper does not print what it
    was recovered from. `counts` are the study's table by metafor's names, where it is one. It is
    `reviewed` if a person has checked each reading that was taken.
    """

    yi: float
    vi: float
    ni: int
    cells: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]
    quotes: tuple[Quote, ...]
    numbers: int = 0
    unprinted: tuple[str, ...] = ()
    counts: tuple[tuple[str, float], ...] = ()
    reviewed: bool = False


@dataclass(slots=True)
class Source:
    """A printed result being read: what is taken from it leaves its quote, what is done a note.

    `recovered` names the numbers that are not printed, each with what it was recovered from.
    """

    row: Outcome
    question: Question
    outcome: OutcomeDef
    design: str
    notes: list[tuple[str, str]] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    recovered: dict[str, str] = field(default_factory=dict)

    @property
    def measure(self) -> Measure:
        """The question's effect measure."""
        return MEASURES[self.question.measure]

    def take(self, name: str) -> Any:
        """Return the value of a field of the row, or None."""
        reading = getattr(self.row, name)
        if reading is None:
            return None
        self.taken.append(bool(reading.reviewed))
        if reading.derived:
            said = f"{name.replace('_', ' ')} {reading.value}: {reading.derived}"
            self.note("derived", said)
        if reading.quote is not None and reading.quote not in self.quotes:
            self.quotes.append(reading.quote)
        return reading.value

    def note(self, kind: str, sentence: str) -> None:
        """Remember what was assumed or done, once."""
        if (kind, sentence) not in self.notes:
            self.notes.append((kind, sentence))

    def recover(self, kind: str, sentence: str, *numbers: str) -> None:
        """Remember numbers that are not printed, and how they were found."""
        self.note(kind, sentence)
        self.recovered |= dict.fromkeys(numbers, RECOVERED[kind])

    def factor(self) -> float:
        """Return what the row's scores are multiplied with to be in the outcome's unit."""
        factor, sentence = unit_factor(self.row, self.outcome, self.measure.code)
        if sentence:
            self.take("scale")
            self.note("scale", sentence)
        return factor

    def check_range(self, value: float, *, change: bool) -> None:
        """Refuse a score, or a change, that the outcome's range does not hold."""
        check_range(value, self.outcome, self.measure.code, change=change)

    def rises(self) -> bool | None:
        """Return whether the printed direction means a higher score; None where it is unclear."""
        worded, good = self.take("direction"), self.outcome.direction
        if worded not in ("improved", "worsened") or good is None:
            return None
        return bool((worded == "improved") == (good == "higher is better"))

    def check_sign(self, difference: float) -> None:
        """Refuse a difference whose sign contradicts its direction: "1.55 lower" is not +1.55."""
        rises = self.rises()
        if rises is not None and difference != 0 and rises != (difference > 0):
            worded, good = self.row.direction, self.outcome.direction
            raise EffectSizeError(
                f"a difference of {difference:g} contradicts the direction "
                f"{worded.value if worded else ''!r} ({good})"
            )

    def computed(
        self, result: YiVi, ni: int, *cells: float | str | None, numbers: int | None = None
    ) -> Computed:
        """Return the effect size with everything taken so far.

        It rests on as many `numbers` as cells are shown, where nothing else is said.
        """
        shown = tuple("" if c is None else c if isinstance(c, str) else f"{c:g}" for c in cells)
        quotes = tuple(self.quotes) or ((self.row.quote,) if self.row.quote else ())
        reviewed = bool(self.taken) and all(self.taken)
        return Computed(
            *result,
            ni,
            shown,
            tuple(self.notes),
            quotes,
            sum(map(bool, shown)) if numbers is None else numbers,
            tuple(self.recovered.values()),
            reviewed=reviewed,
        )
