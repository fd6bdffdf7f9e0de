"""A row of results as found in a text, before it becomes an `Outcome`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.effects import EffectSpan
from pipeline.extract.measurements import Measurement
from pipeline.extract.naming import Name
from pipeline.extract.population import Count
from pipeline.extract.quantities import Quantity

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OutcomeSpan:
    """One row of results as found; `other` is the comparator's or the baseline's measurement.

    `arm` and `against` number the arms; `whole` says that the row is about all patients, and
    `among` is a denominator that the sentence names for its counts. `groups` are the arms that the
    numbers count in, where the sentence alone names them; `is_open` as in `Name`.
    """

    measure: str
    named: Span
    type: str
    span: Span
    direction: str | None = None
    arm: int | None = None
    against: int | None = None
    main: Measurement | None = None
    other: Measurement | None = None
    other_is: str = ""
    effect: EffectSpan | None = None
    time: Quantity | None = None
    p: Quantity | None = None
    lasted: Quantity | None = None
    whole: bool = False
    among: Count | None = None
    by_event: bool = False
    is_open: bool = False
    groups: tuple[ArmSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """What was last named before a sentence: outcomes for its values and effects, arms in order."""

    value: Name | None = None
    effect: Name | None = None
    order: tuple[int, int] | None = None
