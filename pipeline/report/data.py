"""What a report is written from: the values of one run, and how each measure is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, inf, pi, sin, tanh

from pipeline.schema import Flow, Problem, QuestionResult, Record, Screening, Search, Study

STYLES = ("revman", "bmj", "jama")


def _exp(x: float) -> float:
    """e to the x, infinite where a float ends."""
    return exp(x) if x < 700 else inf


def _expit(x: float) -> float:
    """The proportion of a logit."""
    return 1 / (1 + _exp(-x))


def _squared_sine(x: float) -> float:
    """The proportion of an arcsine of its square root; 0 or 1 beyond its range."""
    return float(sin(min(max(x, 0.0), pi / 2)) ** 2)


#: From the scale of analysis to the natural one, by name.
BACK: Mapping[str, Callable[[float], float]] = {
    "identity": lambda x: x,
    "exp": _exp,
    "expit": _expit,
    "squared sine": _squared_sine,
    "tanh": tanh,
}


@dataclass(frozen=True, slots=True)
class MeasureView:
    """How an effect measure is shown.

    `null` is the value of no effect on the natural scale, None where there is none (a single
    proportion). `ratio` asks for a log axis, `percent` for proportions as 0 to 100 %; `back` names
    the way from the scale of analysis to the natural one. `groups` labels the data columns whose
    header ends in 1 and 2.
    """

    code: str
    name: str
    axis: str
    null: float | None = None
    ratio: bool = False
    back: str = "identity"
    percent: bool = False
    groups: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.back not in BACK:
            raise ValueError(f"Invalid back {self.back!r}; must be one of {', '.join(BACK)}.")
        if self.back in ("expit", "squared sine") and not self.percent:
            raise ValueError(f"Invalid percent False of {self.code}; proportions are percentages.")

    def natural(self, x: float) -> float:
        """Return a value of the scale of analysis on the natural scale; proportions in percent."""
        value = BACK[self.back](x)
        return 100 * value if self.percent else value


@dataclass(frozen=True)
class ReportData:
    """All that one report shows.

    `favours` gives the words under the axis of a question's plot, left and right of no effect.
    `reviewed` holds the ids of the records whose readings a person has checked.
    """

    title: str
    search: Search
    flow: Flow
    version: str
    style: str = "revman"
    records: tuple[Record, ...] = ()
    studies: tuple[Study, ...] = ()
    screenings: tuple[Screening, ...] = ()
    results: tuple[QuestionResult, ...] = ()
    measures: Mapping[str, MeasureView] = field(default_factory=dict)
    favours: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    assumptions: tuple[str, ...] = ()
    reviewed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"Invalid style {self.style!r}; must be one of {', '.join(STYLES)}.")
        for result in self.results:
            if result.measure not in self.measures:
                raise ValueError(
                    f"Invalid measure {result.measure!r} of {result.question_id}; "
                    f"must be one of {', '.join(self.measures)}."
                )

    @cached_property
    def _records(self) -> dict[str, Record]:
        """The records by id."""
        return {r.record_id: r for r in self.records}

    @cached_property
    def study_ids(self) -> frozenset[str]:
        """The ids of the records that have a study."""
        return frozenset(s.record_id for s in self.studies)

    def record(self, record_id: str) -> Record | None:
        """Return the record of that id, None where the report has none."""
        return self._records.get(record_id)
