"""Formulas of effect sizes: the data of one study -> `yi` and its sampling variance `vi`.

Variances and the rule for zero cells are metafor's (`escalc` of version 5.0): R gives the same.
"""

from __future__ import annotations

from math import exp, isfinite, lgamma, log, sqrt

from pipeline.effects.convert import se_from_ci
from pipeline.errors import EffectSizeError
from pipeline.schema import BinaryData, ContinuousData, ReportedEffect

#: What metafor adds to a cell where there is a zero: `add = 1/2, to = "only0"`.
HALF = 0.5

#: Measures of reported effects that are ratios, analysed as logs.
RATIOS = frozenset({"RR", "OR", "HR", "IRR", "ROM"})

YiVi = tuple[float, float]


def log_risk_ratio(treated: BinaryData, control: BinaryData) -> YiVi:
    """Return the log risk ratio of two arms and its variance.

    Parameters
    ----------
    treated, control : BinaryData
        Events and participants per arm. If one of the four cells is 0, 1/2 is added to all.

    References
    ----------
    Borenstein et al. (2009), *Introduction to Meta-Analysis*, eqs 5.1-5.3 (chapter 5).
    metafor: ``escalc(measure="RR")``.
    """
    a, n1, c, n2 = _cells(treated, control)
    return log(a / n1) - log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2


def log_odds_ratio(treated: BinaryData, control: BinaryData) -> YiVi:
    """Return the log odds ratio of two arms and its variance.

    Parameters
    ----------
    treated, control : BinaryData
        Events and participants per arm. If one of the four cells is 0, 1/2 is added to all.

    References
    ----------
    Woolf (1955), *Ann Hum Genet* 19:251; Borenstein et al. (2009), chapter 5.
    metafor: ``escalc(measure="OR")``.
    """
    a, n1, c, n2 = _cells(treated, control)
    b, d = n1 - a, n2 - c
    return log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def risk_difference(treated: BinaryData, control: BinaryData) -> YiVi:
    """Return the risk difference of two arms (-1 to 1) and its variance.

    Parameters
    ----------
    treated, control : BinaryData
        Events and participants per arm. If one of the four cells is 0, 1/2 is added to all, as
        metafor does: without it the variance of an arm with 0 or all events is 0.

    References
    ----------
    Borenstein et al. (2009), chapter 5. metafor: ``escalc(measure="RD")``.
    """
    a, n1, c, n2 = _cells(treated, control)
    p1, p2 = a / n1, c / n2
    return p1 - p2, p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2


def proportion(arm: BinaryData) -> YiVi:
    """Return the proportion with the event (0 to 1) and its variance.

    Parameters
    ----------
    arm : BinaryData
        Events and participants. If none or all have the event, 1/2 is added to both cells.

    References
    ----------
    metafor: ``escalc(measure="PR")``: p (1 - p) / n.
    """
    x, n = _proportion_cells(arm)
    return x / n, x / n * (1 - x / n) / n


def logit_proportion(arm: BinaryData) -> YiVi:
    """Return the logit of the proportion with the event and its variance.

    Parameters
    ----------
    arm : BinaryData
        Events and participants. If none or all have the event, 1/2 is added to both cells.

    References
    ----------
    metafor: ``escalc(measure="PLO")``: log(x / (n - x)) and 1/x + 1/(n - x).
    """
    x, n = _proportion_cells(arm)
    return log(x / (n - x)), 1 / x + 1 / (n - x)


def mean_difference(treated: ContinuousData, control: ContinuousData) -> YiVi:
    """Return treated minus control mean, in the outcome's unit, and its variance.

    The arms may differ in variance.

    References
    ----------
    Borenstein et al. (2009), chapter 4. metafor: ``escalc(measure="MD")``, vtype "LS".
    """
    vi = treated.sd**2 / treated.n + control.sd**2 / control.n
    return treated.mean - control.mean, _positive("MD", vi)


def standardised_mean_difference(treated: ContinuousData, control: ContinuousData) -> YiVi:
    """Return Hedges' g, in pooled standard deviations, and its large-sample variance.

    Raises
    ------
    EffectSizeError
        If the arms hold fewer than 4 participants together, or nobody differs from the mean.

    References
    ----------
    Hedges (1981), *J Educ Stat* 6:107, eq. 6e (exact correction); variance: Hedges and Olkin
    (1985), *Statistical Methods for Meta-Analysis*, p. 86, eq. 14.
    metafor: ``escalc(measure="SMD")``, vtype "LS".
    """
    n1, n2 = treated.n, control.n
    df = n1 + n2 - 2
    if df < 2:
        raise EffectSizeError(f"SMD needs 4 or more participants; got {n1} and {n2}.")
    pooled = sqrt(((n1 - 1) * treated.sd**2 + (n2 - 1) * control.sd**2) / df)
    if pooled == 0:
        raise EffectSizeError("SMD needs a standard deviation above 0; both arms have SD 0.")
    yi = small_sample_factor(df) * (treated.mean - control.mean) / pooled
    return yi, 1 / n1 + 1 / n2 + yi**2 / (2 * (n1 + n2))


def log_ratio_of_means(treated: ContinuousData, control: ContinuousData) -> YiVi:
    """Return the bias-corrected log ratio of two means and its variance.

    Since version 5.0 metafor corrects `yi` for small samples by default; earlier versions, and
    Hedges, Gurevitch and Curtis (1999), give the uncorrected log(mean1 / mean2).

    Raises
    ------
    EffectSizeError
        If the means are not both positive, where the log is not defined.

    References
    ----------
    Lajeunesse (2015), *Ecology* 96:2056, eq. 8 (correction); Hedges et al. (1999), *Ecology*
    80:1150, eq. 1 (variance). metafor: ``escalc(measure="ROM")``, vtype "LS".
    """
    if treated.mean <= 0 or control.mean <= 0:
        raise EffectSizeError(
            f"ROM needs two positive means; got {treated.mean:g} and {control.mean:g}."
        )
    part1 = treated.sd**2 / (treated.n * treated.mean**2)
    part2 = control.sd**2 / (control.n * control.mean**2)
    yi = log(treated.mean / control.mean) + (part1 - part2) / 2
    return yi, _positive("ROM", part1 + part2)


def mean_change(change: ContinuousData) -> YiVi:
    """Return the mean change of one group, in the outcome's unit, and its variance.

    Parameters
    ----------
    change : ContinuousData
        Mean and standard deviation of the changes, and the number of patients measured twice.
        From two means see `convert.change_sd`.

    References
    ----------
    Morris and DeShon (2002), *Psychol Methods* 7:105. metafor: ``escalc(measure="MC")``.
    """
    return change.mean, _positive("MC", change.sd**2 / change.n)


def standardised_mean_change(t: float, n: int) -> YiVi:
    """Return the mean change in standard deviations of the change, and its variance.

    Parameters
    ----------
    t : float
        Paired t statistic: of follow-up against baseline, or of two periods of a crossover.
    n : int
        Patients measured twice.

    Raises
    ------
    EffectSizeError
        If `n` is below 3, where the small-sample correction is not defined.

    References
    ----------
    Gibbons, Hedeker and Davis (1993), *J Educ Stat* 18:271. metafor:
    ``escalc(measure="SMCC", ti=, ni=)``, vtype "LS".
    """
    if n < 3:
        raise EffectSizeError(f"SMCC needs 3 or more patients; got {n}.")
    yi = small_sample_factor(n - 1) * t / sqrt(n)
    return yi, 1 / n + yi**2 / (2 * n)


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
    yi = log(reported.effect) if ratio else reported.effect
    return yi, _positive(reported.measure, se**2)


def small_sample_factor(df: int) -> float:
    """Return J, which makes a standardised mean unbiased, for 2 or more degrees of freedom.

    References
    ----------
    Hedges (1981), *J Educ Stat* 6:107, eq. 6e: the exact form, by the gamma function.
    """
    return exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)


def zero_cells(code: str, *arms: BinaryData) -> str:
    """Return a sentence naming the rule for zero cells that `code` applied, "" where none was."""
    counts = " and ".join(f"{arm.events}/{arm.n}" for arm in arms)
    if not _has_zero(*arms):
        return ""
    return f"zero cell in {counts}: 1/2 added to every cell ({code}, metafor's add=1/2, to=only0)"


def _has_zero(*arms: BinaryData) -> bool:
    """Whether in some arm none or all have the event."""
    return any(arm.events in (0, arm.n) for arm in arms)


def _cells(treated: BinaryData, control: BinaryData) -> tuple[float, float, float, float]:
    """Events and totals of two arms, with 1/2 in each of the four cells where one is 0."""
    add = HALF if _has_zero(treated, control) else 0.0
    n1, n2 = treated.n + 2 * add, control.n + 2 * add
    return treated.events + add, n1, control.events + add, n2


def _proportion_cells(arm: BinaryData) -> tuple[float, float]:
    """Events and total of an arm, with 1/2 in both cells where one is 0."""
    add = HALF if _has_zero(arm) else 0.0
    return arm.events + add, arm.n + 2 * add


def _positive(code: str, vi: float) -> float:
    """Refuse a variance that says nothing: a study with vi = 0 would take all the weight."""
    if not (isfinite(vi) and vi > 0):
        raise EffectSizeError(f"{code} needs a variance above 0; got {vi:g}.")
    return vi
