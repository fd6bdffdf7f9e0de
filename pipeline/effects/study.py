"""One study's data -> its `yi` and `vi` by the formula of a measure, or a refusal that says why."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np

from pipeline.effects.convert import se_from_ci
from pipeline.effects.formulas import escalc
from pipeline.errors import EffectSizeError
from pipeline.schema import BinaryData, ContinuousData, ReportedEffect

#: Measures of reported effects that are ratios, analysed as logs.
RATIOS = frozenset({"RR", "OR", "HR", "IRR", "ROM"})

#: What a measure needs beyond numbers, for the refusal.
_NEEDS = {
    "SMD": "4 or more participants and a standard deviation above 0",
    "SMDH": "2 or more participants an arm and a standard deviation above 0",
    "SMD1": "3 or more controls and a standard deviation above 0 among them",
    "ROM": "two positive means and a standard deviation above 0",
    "ROMC": "two positive means and a standard deviation above 0",
    "SMCC": "3 or more patients",
    "PETO": "an event in one arm at least, and not in all patients",
}

#: Columns as a refusal names them.
_WORDS = {
    **{f"m{i}i": f"mean {i}" for i in (1, 2)},
    **{f"sd{i}i": f"SD {i}" for i in (1, 2)},
    **{f"n{i}i": f"n {i}" for i in (1, 2)},
    **{"ai": "events 1", "ci": "events 2", "xi": "events", "ni": "n", "ti": "t", "sdi": "SD"},
}

YiVi = tuple[float, float]


def of_two_counts(code: str) -> Callable[[BinaryData, BinaryData], YiVi]:
    """Return the function of events in two arms, treated and control, for a measure."""

    def compute(treated: BinaryData, control: BinaryData) -> YiVi:
        return _one(code, ai=treated.events, n1i=treated.n, ci=control.events, n2i=control.n)

    return compute


def of_count(code: str) -> Callable[[BinaryData], YiVi]:
    """Return the function of events in one arm for a measure."""
    return lambda arm: _one(code, xi=arm.events, ni=arm.n)


def of_two_means(code: str) -> Callable[[ContinuousData, ContinuousData], YiVi]:
    """Return the function of means in two arms, treated and control, for a measure."""

    def compute(treated: ContinuousData, control: ContinuousData) -> YiVi:
        first = {"m1i": treated.mean, "sd1i": treated.sd, "n1i": treated.n}
        return _one(code, **first, m2i=control.mean, sd2i=control.sd, n2i=control.n)

    return compute


def of_pairs(first: ContinuousData, second: ContinuousData, ri: float) -> YiVi:
    """Return the difference of two means of the same patients, correlated by `ri`."""
    means = {"m1i": first.mean, "sd1i": first.sd, "m2i": second.mean, "sd2i": second.sd}
    return _one("MC", **means, ni=first.n, ri=ri)


def ratio_of_pairs(after: ContinuousData, before: ContinuousData, ri: float) -> YiVi:
    """Return the log ratio of the means of a group measured twice, correlated by `ri`."""
    means = {"m1i": after.mean, "sd1i": after.sd, "m2i": before.mean, "sd2i": before.sd}
    return _one("ROMC", **means, ni=after.n, ri=ri)


def of_percent_change(change: float, n: int, cv: float, ri: float) -> YiVi:
    """Return the log ratio of means behind a percent change, with a borrowed CV.

    Parameters
    ----------
    change : float
        The change in percent of the baseline, above -100; taken for that of the means.
    n : int
        Patients measured twice.
    cv : float
        Coefficient of variation (SD over mean) at both times, borrowed from other studies.
    ri : float
        Assumed correlation of the two measurements.

    Returns
    -------
    yi, vi : float
        log(1 + change / 100) and 2 cv^2 (1 - ri) / n.

    Raises
    ------
    EffectSizeError
        If the change leaves nothing to take a logarithm of, or the variance is 0.

    References
    ----------
    Lajeunesse (2011), *Ecology* 92:2049. metafor: ``escalc(measure="ROMC")``.
    """
    left = 1 + change / 100
    if not left > 0:
        raise EffectSizeError(f"a change of {change:g} % has no logarithm; must be above -100 %")
    return _one("ROMC", m1i=left, sd1i=cv * left, m2i=1.0, sd2i=cv, ni=n, ri=ri)


def mean_change(change: ContinuousData) -> YiVi:
    """Return the mean change of a group measured twice, in the outcome's unit, and its variance.

    Mean and SD are of the changes; from two means see `convert.change_sd`.
    """
    return _one("MC", m1i=change.mean, m2i=0.0, sdi=change.sd, ni=change.n)


def standardised_mean_change(t: float, n: int) -> YiVi:
    """Return the mean change in standard deviations of the change, and its variance.

    `t` is a paired t: of follow-up against baseline, or of two periods of a crossover.
    """
    return _one("SMCC", ti=t, ni=n)


def reported_effect(reported: ReportedEffect) -> YiVi:
    """Return an effect as the authors computed it, ratios as logs, and its variance.

    The variance follows from the interval, taken as a normal one.

    Raises
    ------
    EffectSizeError
        If a ratio or one of its limits is not positive.

    References
    ----------
    *Cochrane Handbook* 6.3.1 (differences) and 6.3.2 (ratios). metafor: ``conv.wald``.
    """
    ratio = reported.measure in RATIOS
    if ratio and not reported.ci_low > 0:
        raise EffectSizeError(
            f"{reported.measure} must be above 0; got {reported.effect:g} "
            f"({reported.ci_low:g} to {reported.ci_high:g})."
        )
    se, _ = se_from_ci(reported.ci_low, reported.ci_high, level=reported.level, ratio=ratio)
    return _one("GEN", yi=log(reported.effect) if ratio else reported.effect, sei=se)


def zero_cells(code: str, *arms: BinaryData) -> str:
    """Return a sentence naming the rule for zero cells that `code` applied, "" where none was."""
    if code in ("AS", "PAS") or not any(arm.events in (0, arm.n) for arm in arms):
        return ""
    counts = " and ".join(f"{arm.events}/{arm.n}" for arm in arms)
    return f"zero cell in {counts}: 1/2 added to every cell ({code}, metafor's add=1/2, to=only0)"


def _one(code: str, **values: float) -> YiVi:
    """The effect of one study; a variance that says nothing would take all the weight."""
    yi, vi = escalc(code, {name: np.array([float(x)]) for name, x in values.items()})
    if not vi[0] > 0:
        shown = ", ".join(f"{_WORDS.get(name, name)} = {x:g}" for name, x in values.items())
        needs = _NEEDS.get(code, "a variance above 0")
        raise EffectSizeError(f"{code} needs {needs}; got {shown}.")
    return float(yi[0]), float(vi[0])
