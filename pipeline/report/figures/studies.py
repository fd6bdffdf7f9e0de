"""What the figures are drawn from: the studies of one analysis, and words on its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

from pipeline.report.data import MeasureView
from pipeline.report.plain import one_line
from pipeline.report.wording import (
    INTERVALS,
    METHODS,
    estimate_text,
    i2_of,
    level_text,
    number,
)
from pipeline.schema import PooledEstimate

#: Radius of the heaviest study's point and of the lightest; area follows the weight between.
LARGEST, SMALLEST = 9.0, 2.0

#: The measures' ways back to the natural scale: of `effects.formulas`, by the names of `data.BACK`.
_BACK = {"log": "exp", "logit": "expit", "arcsine": "squared sine", "z": "tanh"}
#: Measures of one group, which have no value of no effect.
_SINGLE = frozenset(
    {"PR", "PLN", "PLO", "PAS", "PFT", "MN", "MNLN", "CVLN", "SDLN", "IRLN", "IRFT"}
)
#: Letters of a unit.
UNIT_LIMIT = 24
#: Measures printed in percent.
_PERCENT = frozenset({"PR", "PLN", "PLO", "PAS"})


@dataclass(frozen=True, slots=True)
class Studies:
    """Studies on the scale of analysis: names, effects, their variances, weights in percent.

    `weights` may be empty: points are then all alike.
    """

    slab: tuple[str, ...]
    yi: tuple[float, ...]
    vi: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        k = len(self.yi)
        if k == 0 or len(self.slab) != k or len(self.vi) != k or len(self.weights) not in (0, k):
            sizes = (len(self.slab), k, len(self.vi), len(self.weights))
            raise ValueError(f"Invalid studies; names, effects, variances, weights are {sizes}.")
        for name, y, v in zip(self.slab, self.yi, self.vi, strict=True):
            if not (isfinite(y) and isfinite(v) and v > 0):
                raise ValueError(f"Invalid effect {y} of {name} with variance {v}; must be finite.")

    @property
    def sei(self) -> tuple[float, ...]:
        """The standard errors."""
        return tuple(sqrt(v) for v in self.vi)


def view_of(code: str, name: str, scale: str, *, unit: str = "") -> MeasureView:
    """Return how figures show a measure of `effects.formulas`.

    Parameters
    ----------
    code, name, scale : str
        A row of `FORMULAS`: "RR", "risk ratio", "log".
    unit : str
        Of a mean or a difference of means, as "kg".
    """
    percent, back = code in _PERCENT, _BACK.get(scale, "identity")
    ratio = scale == "log" and not percent
    title = name[:1].upper() + name[1:]
    tail = " (log scale)" if ratio else ""
    of = ", %" if percent else f", {one_line(unit, UNIT_LIMIT)}" if unit else ""
    return MeasureView(
        code=code,
        name=title,
        axis=f"{title}{of}{tail}",
        null=None if code in _SINGLE else 1.0 if ratio else 0.0,
        ratio=ratio,
        back=back,
        percent=percent,
    )


def null_of(measure: MeasureView) -> float | None:
    """Return the value of no effect on the scale of analysis: 0, or None where there is none."""
    return None if measure.null is None else 0.0


def radii(weights: Sequence[float], k: int, alike: float) -> tuple[float, ...]:
    """Return the points' radii: areas proportional to the weights, with a floor."""
    heaviest = max(weights, default=0.0)
    if not heaviest > 0:
        return (alike,) * k
    return tuple(max(SMALLEST, LARGEST * sqrt(max(w, 0.0) / heaviest)) for w in weights)


def model_text(pooled: PooledEstimate | None, k: int) -> str:
    """Return the caption's words on the model: k, estimator of tau2, interval."""
    if pooled is None:
        return f"k = {k}. Not pooled."
    interval = INTERVALS.get(pooled.test, ("", pooled.test))[1]
    return (
        f"k = {pooled.k}. Tau²: {METHODS.get(pooled.method, pooled.method)}; "
        f"{level_text(pooled.level)} CI: {interval}."
    )


def pooled_text(measure: MeasureView, pooled: PooledEstimate | None) -> str:
    """Return "Pooled risk ratio 0.49 [0.34, 0.70], tau² 0.31, I² 92%."; "" without a pool."""
    if pooled is None:
        return ""
    interval = estimate_text(measure, pooled.estimate, pooled.ci_lb, pooled.ci_ub, style="revman")
    tau2 = f"tau² {number(pooled.tau2)}, " if pooled.random else ""
    name = f"{measure.name[:1].lower()}{measure.name[1:]}"
    return f"Pooled {name} {interval}, {tau2}I² {i2_of(pooled):.0f}%."


def sentences(*parts: str) -> str:
    """Return the parts that say something, as one text."""
    return " ".join(part for part in parts if part)
