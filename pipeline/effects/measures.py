"""The effect measures: what each is called, computed from, and printed as.

Codes are metafor's; HR is a reported hazard ratio, which metafor takes as GEN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp
from types import MappingProxyType

from pipeline.effects.formulas import (
    YiVi,
    log_odds_ratio,
    log_ratio_of_means,
    log_risk_ratio,
    logit_proportion,
    mean_change,
    mean_difference,
    proportion,
    reported_effect,
    risk_difference,
    standardised_mean_change,
    standardised_mean_difference,
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
        return _BACK[self.scale](y)


def _expit(y: float) -> float:
    """The inverse of the logit; stable for large |y|."""
    return 1 / (1 + exp(-y)) if y >= 0 else exp(y) / (1 + exp(y))


def _same(y: float) -> float:
    """The identity."""
    return y


_BACK: Mapping[str, Callable[[float], float]] = {"log": exp, "logit": _expit, "identity": _same}

_TWO_COUNTS = ("Events 1", "Total 1", "Events 2", "Total 2")
_TWO_MEANS = ("Mean 1", "SD 1", "Total 1", "Mean 2", "SD 2", "Total 2")
_CHANGE = ("Mean change", "SD of change", "Total")
_COUNT = ("Events", "Total")
_EFFECT = ("Effect", "95% CI")

_ROWS = (
    Measure("RR", "Risk ratio", "binary", "two counts", "log", 1.0, _TWO_COUNTS, log_risk_ratio),
    Measure("OR", "Odds ratio", "binary", "two counts", "log", 1.0, _TWO_COUNTS, log_odds_ratio),
    Measure(
        "RD",
        "Risk difference",
        "binary",
        "two counts",
        "identity",
        0.0,
        _TWO_COUNTS,
        risk_difference,
    ),
    Measure("PR", "Proportion", "binary", "count", "identity", None, _COUNT, proportion),
    Measure("PLO", "Proportion", "binary", "count", "logit", None, _COUNT, logit_proportion),
    Measure(
        "MD",
        "Mean difference",
        "continuous",
        "two means",
        "identity",
        0.0,
        _TWO_MEANS,
        mean_difference,
    ),
    Measure(
        "SMD",
        "Standardised mean difference",
        "continuous",
        "two means",
        "identity",
        0.0,
        _TWO_MEANS,
        standardised_mean_difference,
    ),
    Measure(
        "ROM",
        "Ratio of means",
        "continuous",
        "two means",
        "log",
        1.0,
        _TWO_MEANS,
        log_ratio_of_means,
    ),
    Measure("MC", "Mean change", "continuous", "change", "identity", 0.0, _CHANGE, mean_change),
    Measure(
        "SMCC",
        "Standardised mean change",
        "continuous",
        "paired t",
        "identity",
        0.0,
        ("t", "Total"),
        standardised_mean_change,
    ),
    Measure(
        "GEN",
        "Reported difference",
        "continuous",
        "effect",
        "identity",
        0.0,
        _EFFECT,
        reported_effect,
    ),
    Measure("HR", "Hazard ratio", "any", "effect", "log", 1.0, _EFFECT, reported_effect),
)

#: All effect measures by code.
MEASURES: Mapping[str, Measure] = MappingProxyType({row.code: row for row in _ROWS})
