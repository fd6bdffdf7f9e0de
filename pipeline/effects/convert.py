"""Stands in for a number that a paper does not print: each answer comes with how it was found.

Sections are those of the *Cochrane Handbook for Systematic Reviews of Interventions*, version 6.
"""

from __future__ import annotations

import re
from math import ceil, floor, log, sqrt

from scipy import stats

from pipeline.errors import EffectSizeError

#: Conversions that assume something a paper does not say: a question must name them in `recover`.
RECOVERIES = (
    *("events_from_percent", "t_from_p", "sd_from_p", "se_from_p", "mean_from_median"),
    "log_ratio_from_percent",
)

Recovered = tuple[float, str]


def se_from_ci(low: float, high: float, *, level: float = 0.95, ratio: bool = False) -> Recovered:
    """Return the standard error behind a normal confidence interval.

    Parameters
    ----------
    low, high : float
        Limits of the interval as printed.
    level : float
        Its confidence level.
    ratio : bool
        Whether it is that of a ratio: the standard error is then that of the log.

    Raises
    ------
    EffectSizeError
        If the limits are reversed, or those of a ratio not positive.

    References
    ----------
    Handbook 6.3.1 and 6.3.2. metafor: ``conv.wald``.
    """
    _check_interval(low, high)
    if ratio and low <= 0:
        raise EffectSizeError(f"Invalid limit {low:g} of a ratio; must be above 0.")
    width = log(high) - log(low) if ratio else high - low
    se = width / (2 * float(stats.norm.ppf(0.5 + level / 2)))
    scale = "log of the ratio" if ratio else "difference"
    return se, f"SE of the {scale} from its {_percent(level)} CI, taken as normal (Handbook 6.3)"


def sd_from_se(se: float, n: int) -> Recovered:
    """Return the standard deviation of `n` values whose mean has standard error `se`.

    References
    ----------
    Handbook 6.5.2.2: SD = SE x sqrt(n).
    """
    return se * sqrt(n), f"SD from SE {se:g} and n = {n} (Handbook 6.5.2.2)"


def sd_from_ci(low: float, high: float, n: int, *, level: float = 0.95) -> Recovered:
    """Return the standard deviation of `n` values from the t interval of their mean.

    Raises
    ------
    EffectSizeError
        If the limits are reversed, or `n` is below 2.

    References
    ----------
    Handbook 6.5.2.2, with the t distribution of n - 1 degrees of freedom.
    """
    _check_interval(low, high)
    if n < 2:
        raise EffectSizeError(f"An SD from a CI needs 2 or more patients; got n = {n}.")
    t = float(stats.t.ppf(0.5 + level / 2, n - 1))
    sd = sqrt(n) * (high - low) / (2 * t)
    return sd, (
        f"SD from the {_percent(level)} CI {low:g} to {high:g} and n = {n}, "
        "taken as a t interval (Handbook 6.5.2.2)"
    )


def change_sd(sd_baseline: float, sd_final: float, ri: float) -> Recovered:
    """Return the standard deviation of the change between two measurements of each patient.

    Parameters
    ----------
    sd_baseline, sd_final : float
        Standard deviations at the two times.
    ri : float
        Assumed correlation of the two measurements, between -1 and 1.

    References
    ----------
    Handbook 6.5.2.8.
    """
    variance = sd_baseline**2 + sd_final**2 - 2 * ri * sd_baseline * sd_final
    return sqrt(variance), (
        f"SD of the change from SDs {sd_baseline:g} and {sd_final:g} "
        f"with an assumed correlation r = {ri:g} (Handbook 6.5.2.8)"
    )


def t_from_p(p: float, n: int) -> Recovered:
    """Return the size of the paired t statistic behind an exact two-sided p value.

    Parameters
    ----------
    p : float
        The p value, above 0 and up to 1.
    n : int
        Patients measured twice.

    Raises
    ------
    EffectSizeError
        If `p` or `n` allow no t.

    References
    ----------
    Handbook 6.5.2.3, with n - 1 degrees of freedom as in a paired test.
    """
    if not 0 < p <= 1:
        raise EffectSizeError(f"Invalid p {p:g}; must lie in (0, 1].")
    if n < 2:
        raise EffectSizeError(f"A paired t needs 2 or more patients; got n = {n}.")
    return float(stats.t.isf(p / 2, n - 1)), (
        f"t from p = {p:g} and n = {n}, taken as a two-sided paired t test (Handbook 6.5.2.3)"
    )


def se_from_p(effect: float, p: float) -> Recovered:
    """Return the standard error behind an effect and its exact two-sided p value, by a z test.

    Parameters
    ----------
    effect : float
        On the scale of analysis (ratios as logs), not 0.
    p : float
        Above 0 and below 1.

    References
    ----------
    Handbook 6.3.3. metafor: ``conv.wald``.
    """
    if not 0 < p < 1 or effect == 0:
        raise EffectSizeError(f"No SE follows from an effect of {effect:g} with p = {p:g}.")
    se = abs(effect) / float(stats.norm.isf(p / 2))
    return se, f"SE from the effect and p = {p:g}, taken as a z test (Handbook 6.3.3)"


def sd_from_p(difference: float, p: float, n1: int, n2: int) -> Recovered:
    """Return the average SD of two arms behind a difference and the p value of its t test.

    References
    ----------
    Handbook 6.5.2.3, with n1 + n2 - 2 degrees of freedom.
    """
    if not 0 < p < 1 or difference == 0 or n1 + n2 < 3:
        raise EffectSizeError(
            f"No SD follows from a difference of {difference:g} with p = {p:g} ({n1} and {n2})."
        )
    se = abs(difference) / float(stats.t.isf(p / 2, n1 + n2 - 2))
    return se / sqrt(1 / n1 + 1 / n2), (
        f"SD from p = {p:g} of the difference {difference:g}, taken as a two-sample t test "
        "(Handbook 6.5.2.3)"
    )


def exact_p(text: str) -> float | None:
    """Return a p value printed as an exact number ("0.0021", "p = .03"); None for "<0.001"."""
    found = re.fullmatch(r"(?:p\s*)?=?\s*([01]?[.·]\d+)", text.strip(), re.IGNORECASE)
    return float(found[1].replace("·", ".")) if found else None


def events_from_percent(percent: float, n: int, *, decimals: int = 0) -> tuple[int, str]:
    """Return the number of events behind a rounded percentage, where exactly one fits.

    Parameters
    ----------
    percent : float
        The percentage as printed, 0 to 100.
    n : int
        Patients it is a percentage of.
    decimals : int
        Digits printed after its decimal point: 46.7 stands for 46.65 to 46.75.

    Raises
    ------
    EffectSizeError
        If no whole number of patients, or more than one, rounds to the percentage.
    """
    half = 0.5 * 10**-decimals
    first = max(0, ceil(n * (percent - half) / 100))
    last = min(n, floor(n * (percent + half) / 100))
    if first > last:
        raise EffectSizeError(
            "a percentage without a count; "
            f"{percent:.{decimals}f} % of {n} is not a whole number of patients"
        )
    if first < last:
        raise EffectSizeError(
            "a percentage without a count; "
            f"{percent:.{decimals}f} % of {n} fits {first} to {last} patients"
        )
    return first, (
        f"{first} of {n} from {percent:.{decimals}f} %: the only whole number that rounds to it"
    )


def _check_interval(low: float, high: float) -> None:
    """Refuse an interval whose limits are reversed or equal."""
    if not low < high:
        raise EffectSizeError(f"Invalid interval {low:g} to {high:g}; must run upwards.")


def _percent(level: float) -> str:
    """0.95 -> "95%"."""
    return f"{100 * level:g}%"
