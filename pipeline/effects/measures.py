"""The effect measures: what each is called, computed from, and printed as.

Codes are metafor's; HR is a reported hazard ratio, which metafor takes as GEN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.effects.formulas.scales import BACK
from pipeline.effects.study import (
    YiVi,
    mean_change,
    of_count,
    of_two_counts,
    of_two_means,
    ratio_of_pairs,
    reported_effect,
    standardised_mean_change,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of `MEASURES`: an effect measure and what the stages need to know of it.

    `data` names what it is computed from, `kind` the outcomes it fits; `null` is the value of no
    effect on the printed scale, to which `back` leads; `columns` head the study's printed data.
    """

    code: str
    name: str
    kind: str
    data: str
    scale: str
    null: float | None
    columns: tuple[str, ...]
    compute: Callable[..., YiVi]

    @property
    def axis(self) -> str:
        """The label of the plot's axis."""
        return f"{self.name} (log scale)" if self.scale == "log" else self.name

    def back(self, y: float) -> float:
        """Return `y`, a value on the scale of analysis, on the printed scale."""
        return BACK[self.scale](y)


_TWO_COUNTS = ("Events 1", "Total 1", "Events 2", "Total 2")
_TWO_MEANS = ("Mean 1", "SD 1", "Total 1", "Mean 2", "SD 2", "Total 2")
_CHANGE = ("Mean change", "SD of change", "Total")
_COUNT = ("Events", "Total")
_EFFECT = ("Effect", "95% CI")


def _counts(code: str, name: str, scale: str, null: float) -> Measure:
    """A measure of events in two arms."""
    return Measure(
        code, name, "binary", "two counts", scale, null, _TWO_COUNTS, of_two_counts(code)
    )


def _proportion(code: str, scale: str) -> Measure:
    """A measure of events in one arm, all printed as proportions."""
    return Measure(code, "Proportion", "binary", "count", scale, None, _COUNT, of_count(code))


def _means(code: str, name: str, scale: str, null: float) -> Measure:
    """A measure of means in two arms."""
    compute = of_two_means(code)
    return Measure(code, name, "continuous", "two means", scale, null, _TWO_MEANS, compute)


def _other(
    code: str, name: str, data: str, columns: tuple[str, ...], compute: Callable[..., YiVi]
) -> Measure:
    """A measure of changes or of printed effects, on the scale of the outcome."""
    return Measure(code, name, "continuous", data, "identity", 0.0, columns, compute)


_ROWS = (
    _counts("RR", "Risk ratio", "log", 1.0),
    _counts("OR", "Odds ratio", "log", 1.0),
    _counts("RD", "Risk difference", "identity", 0.0),
    _counts("AS", "Arcsine risk difference", "identity", 0.0),
    _counts("PETO", "Peto odds ratio", "log", 1.0),
    _proportion("PR", "identity"),
    _proportion("PLN", "log"),
    _proportion("PLO", "logit"),
    _proportion("PAS", "arcsine"),
    _means("MD", "Mean difference", "identity", 0.0),
    _means("SMD", "Standardised mean difference", "identity", 0.0),
    _means("SMDH", "Standardised mean difference, unequal variances", "identity", 0.0),
    _means("SMD1", "Standardised mean difference by the control's SD", "identity", 0.0),
    _means("ROM", "Ratio of means", "log", 1.0),
    _other("MC", "Mean change", "change", _CHANGE, mean_change),
    Measure(
        "ROMC",
        "Ratio of means, after to before",
        "continuous",
        "ratio of change",
        "log",
        1.0,
        ("Change, %", "CV before", "CV after", "Total"),
        ratio_of_pairs,
    ),
    _other(
        "SMCC", "Standardised mean change", "paired t", ("t", "Total"), standardised_mean_change
    ),
    _other("GEN", "Reported difference", "effect", _EFFECT, reported_effect),
    Measure("HR", "Hazard ratio", "any", "effect", "log", 1.0, _EFFECT, reported_effect),
)

#: All effect measures by code.
MEASURES: Mapping[str, Measure] = MappingProxyType({row.code: row for row in _ROWS})
