"""Writes numbers, intervals and the lines under a forest plot in the style asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import NormalDist

from pipeline.report.data import MeasureView
from pipeline.schema import EffectSize, PooledEstimate, QuestionResult, SubgroupTest

MINUS, NBSP = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
PLAIN_NUMBER = re.compile(rf"[-{MINUS}]?\d+(\.\d+)?")

METHODS = {
    "REML": "restricted maximum likelihood (REML)",
    "DL": "DerSimonian and Laird (DL)",
    "ML": "maximum likelihood (ML)",
    "HE": "Hedges (HE)",
    "HS": "Hunter and Schmidt (HS)",
    "HSk": "Hunter and Schmidt, corrected (HSk)",
    "SJ": "Sidik and Jonkman (SJ)",
    "EB": "empirical Bayes (EB)",
    "PM": "Paule and Mandel (PM)",
    "EE": "none, equal-effects model (EE)",
    "MH": "none, Mantel-Haenszel (MH)",
    "PETO": "none, Peto's method (PETO)",
    "GLMM": "maximum likelihood, generalised linear mixed model (GLMM)",
}
#: Short and long name of the interval of a pooled estimate, by its test.
INTERVALS = {
    "knha": ("HK", "Hartung-Knapp"),
    "adhoc": ("HK ad hoc", "Hartung-Knapp, never narrower than the normal interval (ad hoc)"),
    "t": ("t", "t distribution"),
    "z": ("Wald", "Wald-type, normal distribution"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How a journal prints intervals and P values; `eq` is the equals sign with its spaces."""

    interval: str
    p: str
    eq: str
    leading_zero: bool
    p_floor: float


STYLES = {
    "revman": Style("{est} [{lo}, {hi}]", "P", " = ", True, 0.00001),
    "bmj": Style("{est} ({lo} to {hi})", "P", "=", True, 0.001),
    "jama": Style("{est} ({lo}-{hi})", "P", " = ", False, 0.001),
}


def number(x: float, digits: int = 2) -> str:
    """Return a number for print, with a real minus sign.

    With two decimals, small values keep one significant digit (0.004, not 0.00) down to 0.0001.
    From 100 000 on, three significant digits.
    """
    if x in (float("inf"), float("-inf")):
        return "∞" if x > 0 else f"{MINUS}∞"
    if abs(x) < 0.5 * 10**-digits:
        text = f"{x:.1g}" if digits == 2 and abs(x) >= 1e-4 else f"{0:.{digits}f}"
    elif abs(x) >= 1e5:
        text = f"{x:.3g}"
    else:
        text = f"{x:.{digits}f}"
    return text.replace("-", MINUS)


def minus(text: str) -> str:
    """Return a cell that holds a plain number with a real minus sign; other text as it is."""
    return text.replace("-", MINUS) if PLAIN_NUMBER.fullmatch(text) else text


def count(n: int) -> str:
    """Return a count, thousands parted by a narrow no-break space."""
    return f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def level_text(level: float) -> str:
    """Return a confidence level as "95%"."""
    return f"{100 * level:g}%"


def study_interval(effect: EffectSize, level: float) -> tuple[float, float]:
    """Return a study's normal interval ``yi -+ z sqrt(vi)`` on the scale of analysis."""
    half: float = NormalDist().inv_cdf(0.5 + level / 2) * effect.vi**0.5
    return effect.yi - half, effect.yi + half


def estimate_text(
    measure: MeasureView, estimate: float | None, lo: float, hi: float, *, style: str
) -> str:
    """Return an estimate and its interval on the natural scale: "0.74 [0.52, 1.05]".

    Parameters
    ----------
    measure : MeasureView
        Gives the natural scale.
    estimate : float or None
        On the scale of analysis; None leaves the interval alone (a prediction interval).
    lo, hi : float
        Bounds on the scale of analysis.
    style : {"revman", "bmj", "jama"}
        Whose punctuation.
    """
    digits = 1 if measure.percent else 2
    est = "" if estimate is None else number(measure.natural(estimate), digits)
    bounds = [number(measure.natural(x), digits) for x in (lo, hi)]
    form = STYLES[style].interval
    if style == "jama" and any(b.startswith(MINUS) for b in bounds):
        form = STYLES["bmj"].interval  # AMA Manual of Style: "to" where a bound is negative
    return form.format(est=est, lo=bounds[0], hi=bounds[1]).strip()


def p_text(p: float, *, style: str) -> str:
    """Return "P = 0.13", "P = 0.002" or "P < 0.001"; JAMA without the leading zero."""
    how = STYLES[style]
    if p < how.p_floor:
        text, sign = f"{how.p_floor:.5f}".rstrip("0"), how.eq.replace("=", "<")
    else:
        digits = 2 if p >= 0.1 else 3 if p >= 0.001 else 5
        text, sign = f"{p:.{digits}f}", how.eq
        text = f"{p:.1g}" if digits == 5 and p >= 1e-4 else text
    text = text if how.leading_zero else text.removeprefix("0")
    return f"{how.p}{sign}{text}"


def heterogeneity_text(pooled: PooledEstimate, *, style: str) -> str:
    """Return the heterogeneity line in RevMan's, the BMJ's or JAMA's wording."""
    q, p = number(pooled.q), p_text(pooled.q_pval, style=style)
    i2, eq = f"{i2_of(pooled):.0f}%", STYLES[style].eq
    tau, chi = ("Tau²", "Chi²") if style == "revman" else ("τ²", "χ²")
    tau2 = "" if not pooled.random else f"{tau}{eq}{_tau2_text(pooled, style)}; "
    if style == "bmj":
        return f"Test for heterogeneity: {tau2}{chi}={q}, df={pooled.q_df}, {p}; I²={i2}"
    return f"Heterogeneity: {tau2}{chi} = {q}, df = {pooled.q_df} ({p}); I² = {i2}"


def i2_of(pooled: PooledEstimate) -> float:
    """Return I2 in percent: from tau2, or from Q where the model has none."""
    return pooled.i2 if pooled.random else pooled.i2_q


def _tau2_text(pooled: PooledEstimate, style: str) -> str:
    """Tau2 with its interval, where there is one."""
    lo, hi = pooled.tau2_ci_lb, pooled.tau2_ci_ub
    if lo is None or hi is None:
        return number(pooled.tau2)
    form = STYLES[style].interval
    return form.format(est=number(pooled.tau2), lo=number(lo), hi=number(hi))


def effect_test_text(pooled: PooledEstimate, *, style: str) -> str:
    """Return the line of the test of the pooled effect: Z, or t with its degrees of freedom."""
    stat, p = number(abs(pooled.stat)), p_text(pooled.pval, style=style)
    name = "t" if pooled.df is not None else "z" if style != "revman" else "Z"
    eq = STYLES[style].eq
    df = "" if pooled.df is None else f", df{eq}{pooled.df:g}"
    tail = f", {p}" if style == "bmj" else f" ({p})"
    return f"Test for overall effect: {name}{eq}{stat}{df}{tail}"


def subgroup_test_text(test: SubgroupTest, *, style: str) -> str:
    """Return the line of the test for subgroup differences; I² from Q (Higgins, Thompson 2002)."""
    i2 = max(0.0, 100 * (test.q - test.df) / test.q) if test.q > 0 else 0.0
    q, p = number(test.q), p_text(test.pval, style=style)
    if style == "bmj":
        return f"Test for subgroup differences: χ²={q}, df={test.df}, {p}; I²={i2:.0f}%"
    chi = "χ²" if style == "jama" else "Chi²"
    return f"Test for subgroup differences: {chi} = {q}, df = {test.df} ({p}), I² = {i2:.0f}%"


def interval_head(pooled: PooledEstimate | None) -> str:
    """Return the second line of the effect's head: "REML, HK 95% CI"."""
    if pooled is None:
        return "95% CI"
    short = INTERVALS.get(pooled.test, (pooled.test, ""))[0]
    return f"{pooled.method}, {short} {level_text(pooled.level)} CI"


#: How the footnote names a scale of analysis, by the way back from it.
_SCALES = {
    "exp": " analysed as a log",
    "expit": " analysed as a logit",
    "squared sine": " analysed as an arcsine",
    "tanh": " analysed as Fisher's z",
}


def method_note(result: QuestionResult, measure: MeasureView) -> str:
    """Return the footnote on methods: effect, tau2 estimator, interval, I2 formula, k and n."""
    scale = _SCALES.get(measure.back, "")
    effect = f"Effect: {measure.name.lower()} ({measure.code}){scale}."
    pooled = result.pooled
    if pooled is None:
        ns = [e.ni for e in result.effects if e.ni is not None]
        n = f", n = {count(sum(ns))}" if len(ns) == len(result.effects) else ""
        return (
            f"{effect} Study intervals: Wald-type, 95%. k = {len(result.effects)}{n}. Not pooled."
        )
    interval = INTERVALS.get(pooled.test, ("", pooled.test))[1]
    df = "" if pooled.df is None else f", df = {pooled.df:g}"
    n = "" if pooled.n is None else f", n{NBSP}={NBSP}{count(pooled.n)}"
    i2 = "tau²" if pooled.random else "Q"
    return (
        f"{effect} Tau² estimator: {METHODS.get(pooled.method, pooled.method)}. "
        f"{level_text(pooled.level)} CI of the pooled effect: {interval}{df}; of the studies: "
        f"Wald-type. I² computed from {i2}. k{NBSP}={NBSP}{pooled.k}{n}."
    )


def recovered_text(result: QuestionResult) -> str:
    """Return how many of a question's numbers the papers do not print; "" without studies."""
    unprinted, every = result.unprinted, result.numbers
    if not every:
        return ""
    of = f"{count(every)} numbers {'of this pool' if result.pooled else 'of the studies shown'}"
    if not unprinted:
        return f"None of the {of} is recovered."
    kinds = ", ".join(f"{what} ({n})" for what, n in unprinted.items())
    n = sum(unprinted.values())
    return f"{count(n)} of {of} {'is' if n == 1 else 'are'} not printed but recovered: {kinds}."


def unreviewed_text(effects: tuple[EffectSize, ...]) -> str:
    """Return "2 of 4 studies unreviewed (machine-read values)", or that all were reviewed."""
    n, m = sum(not e.reviewed for e in effects), len(effects)
    studies = "study" if m == 1 else "studies"
    if n == 0:
        return f"All {m} studies reviewed" if m > 1 else "The study was reviewed"
    return f"{n} of {m} {studies} unreviewed (machine-read values)"
