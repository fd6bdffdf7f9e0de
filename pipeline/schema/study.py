"""What was read: a study with its arms, doses and outcomes, each value with its quote."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from pipeline.schema.record import Problem, Quote

T = TypeVar("T")

DESIGNS = (
    "rct_parallel",
    "rct_crossover",
    "nonrandomised_controlled",
    "single_arm_prospective",
    "retrospective_cohort",
    "case_series",
    "case_report",
    "systematic_review",
    "narrative_review",
    "guideline",
    "protocol",
    "animal",
    "other",
)
ROLES = ("intervention", "comparator")
OUTCOME_TYPES = (
    "mean",
    "mean_change",
    "percent_change",
    "median",
    "count",
    "proportion",
    "difference",
    "ratio",
    "range",
    "qualitative",
)
DIRECTIONS = ("improved", "worsened", "no difference")

Number = float | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value and the phrase it was read from; `quote` is None only where a rule derived it.

    `derived` names the rule ("sum of arms", "days x amount"); "" for what stands in the text.
    `confidence` is the share of readings like this one that were right on gold records, None
    where none judges them. `reviewed` is what people made of it ("accepted", "corrected",
    "agreed", "adjudicated"), "" for a reading that nobody has checked.
    """

    value: T
    quote: Quote | None = None
    derived: str = ""
    confidence: float | None = None
    reviewed: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """A group of patients; `n` as analysed where several are printed.

    Of an arm, a dose and an outcome, `reviewed` names the words that a person has checked: those of
    its fields that hold no reading. A reading says itself whether it was.
    """

    label: str
    role: str
    treatment: str = ""
    n: Reading[int] | None = None
    quote: Quote | None = None
    reviewed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _one_of("role", self.role, ROLES)
        if self.n is not None and self.n.value < 0:
            raise ValueError(f"Invalid arm size {self.n.value}; must be 0 or more.")


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose as printed; `total_per_course_g_per_kg` only where it follows from the text."""

    drug: str
    amount: Reading[Number] | None = None
    unit: str | None = None
    per: str | None = None
    duration_days: Reading[Number] | None = None
    frequency: Reading[str] | None = None
    total_per_course_g_per_kg: Reading[float] | None = None
    phase: str | None = None
    route: str | None = None
    quote: Quote | None = None
    reviewed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timepoint:
    """When an outcome was measured; `days` is a number, a (first, last) pair, or None."""

    text: str
    days: Number | None = None
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result of one arm, or of two arms compared.

    With two arms the intervention stands in `value`, `events`, `n` and the other in
    `comparator_*`. A value the text does not state is None.
    """

    measure: str
    type: str
    arm: str = ""
    scale: Reading[str] | None = None
    timepoint: Timepoint | None = None
    value: Reading[float] | None = None
    sd: Reading[float] | None = None
    se: Reading[float] | None = None
    spread_unlabelled: Reading[float] | None = None
    ci_low: Reading[float] | None = None
    ci_high: Reading[float] | None = None
    iqr: Reading[Number] | None = None
    range: Reading[Number] | None = None
    n: Reading[int] | None = None
    events: Reading[int] | None = None
    baseline_value: Reading[float] | None = None
    baseline_sd: Reading[float] | None = None
    baseline_se: Reading[float] | None = None
    baseline_spread_unlabelled: Reading[float] | None = None
    baseline_iqr: Reading[Number] | None = None
    comparator_value: Reading[float] | None = None
    comparator_sd: Reading[float] | None = None
    comparator_se: Reading[float] | None = None
    comparator_spread_unlabelled: Reading[float] | None = None
    comparator_iqr: Reading[Number] | None = None
    comparator_range: Reading[Number] | None = None
    comparator_ci_low: Reading[float] | None = None
    comparator_ci_high: Reading[float] | None = None
    comparator_n: Reading[int] | None = None
    comparator_events: Reading[int] | None = None
    effect_measure: Reading[str] | None = None
    effect: Reading[float] | None = None
    effect_ci_low: Reading[float] | None = None
    effect_ci_high: Reading[float] | None = None
    p_value: Reading[str] | None = None
    direction: Reading[str] | None = None
    quote: Quote | None = None
    reviewed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _one_of("type", self.type, OUTCOME_TYPES)
        for events, n in ((self.events, self.n), (self.comparator_events, self.comparator_n)):
            if events is not None and n is not None and not 0 <= events.value <= n.value:
                raise ValueError(f"Invalid events {events.value}; must lie in [0, {n.value}].")

    def readings(self) -> dict[str, Reading[object]]:
        """Return the fields that hold a reading, by name, in the order of the class."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in named if isinstance(value, Reading)}


@dataclass(frozen=True, slots=True)
class Extractor:
    """Which code and rules read the text: `rules_hash` is the SHA-256 over all rule files."""

    name: str
    version: str
    rules_hash: str


@dataclass(frozen=True, slots=True)
class Study:
    """What a record says of its study; a study with several reports lists all their PMIDs."""

    record_id: str
    design: Reading[str]
    pmids: tuple[str, ...] = ()
    doi: str | None = None
    slab: str = ""
    year: int | None = None
    comparison_class: Reading[str] | None = None
    condition: Reading[str] | None = None
    condition_mesh: str | None = None
    n_total: Reading[int] | None = None
    n_enrolled: Reading[int] | None = None
    n_completed: Reading[int] | None = None
    arms: tuple[Arm, ...] = ()
    doses: tuple[Dose, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    registry_ids: tuple[Reading[str], ...] = ()
    problems: tuple[Problem, ...] = ()
    extractor: Extractor = Extractor("", "", "")

    def __post_init__(self) -> None:
        _one_of("design", self.design.value, DESIGNS)


@dataclass(frozen=True, slots=True)
class BinaryData:
    """Events among `n` participants of one arm."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if self.n <= 0:
            raise ValueError(f"Invalid n {self.n}; must be 1 or more.")
        if not 0 <= self.events <= self.n:
            raise ValueError(f"Invalid events {self.events}; must lie in [0, {self.n}].")


@dataclass(frozen=True, slots=True)
class ContinuousData:
    """Mean and standard deviation of `n` participants of one arm, in the outcome's unit."""

    mean: float
    sd: float
    n: int

    def __post_init__(self) -> None:
        if self.n <= 0:
            raise ValueError(f"Invalid n {self.n}; must be 1 or more.")
        if not self.sd >= 0:
            raise ValueError(f"Invalid SD {self.sd}; must be 0 or more.")


@dataclass(frozen=True, slots=True)
class ReportedEffect:
    """An effect as the authors computed it, with its interval; ratios on the natural scale."""

    measure: str
    effect: float
    ci_low: float
    ci_high: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.ci_low <= self.effect <= self.ci_high:
            raise ValueError(
                f"Invalid effect {self.effect}; must lie in its interval "
                f"[{self.ci_low}, {self.ci_high}]."
            )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value outside a closed vocabulary."""
    if value not in allowed:
        raise ValueError(f"Invalid {name} {value!r}; must be one of {', '.join(allowed)}.")
