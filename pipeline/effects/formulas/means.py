"""Effect sizes of means: of two arms, of one group before and after, of one group alone."""

from __future__ import annotations

import numpy as np

from pipeline.effects.formulas.table import Array, Columns, Rules, small_sample_factor

YiVi = tuple[Array, Array]


def mean_difference(t: Columns, rules: Rules) -> YiVi:
    """Treated minus control mean; arms may differ in variance. Borenstein et al. (2009), ch. 4."""
    vi = t["sd1i"] ** 2 / t["n1i"] + t["sd2i"] ** 2 / t["n2i"]
    return t["m1i"] - t["m2i"], _positive(vi)


def standardised_mean_difference(t: Columns, rules: Rules) -> YiVi:
    """Hedges' g, in pooled standard deviations.

    Hedges (1981), *J Educ Stat* 6:107, eq. 6e (exact correction); variances: "LS" Hedges and
    Olkin (1985), *Statistical Methods for Meta-Analysis*, p. 86, eq. 14; "UB" Hedges (1983),
    *Psychol Bull* 93:388, eq. 9; "LS2" Borenstein (2009), *Handbook of Research Synthesis and
    Meta-Analysis*, eq. 12.17.
    """
    n1, n2 = t["n1i"], t["n2i"]
    df = n1 + n2 - 2
    pooled = np.sqrt(((n1 - 1) * t["sd1i"] ** 2 + (n2 - 1) * t["sd2i"] ** 2) / df)
    j = small_sample_factor(df)
    yi = j * _ratio(t["m1i"] - t["m2i"], pooled)
    if rules.vtype == "UB":
        return yi, _positive(1 / n1 + 1 / n2 + (1 - (df - 2) / (df * j**2)) * yi**2)
    if rules.vtype == "LS2":
        return yi, j**2 * (1 / n1 + 1 / n2) + yi**2 / (2 * (n1 + n2))
    return yi, 1 / n1 + 1 / n2 + yi**2 / (2 * (n1 + n2))


def standardised_heteroscedastic(t: Columns, rules: Rules) -> YiVi:
    """Mean difference in average standard deviations, for arms that differ in variance.

    Bonett (2008), *Psychol Methods* 13:99, eqs 1 and 3.
    """
    v1, v2, df1, df2 = t["sd1i"] ** 2, t["sd2i"] ** 2, t["n1i"] - 1, t["n2i"] - 1
    mean = (v1 + v2) / 2
    yi = small_sample_factor(df1 + df2) * _ratio(t["m1i"] - t["m2i"], np.sqrt(mean))
    vi = yi**2 * (v1**2 / df1 + v2**2 / df2) / (8 * mean**2) + (v1 / df1 + v2 / df2) / mean
    return yi, _positive(vi)


def standardised_by_control(t: Columns, rules: Rules) -> YiVi:
    """Mean difference in the control arm's standard deviations: Glass (1976), Educ Res 5:3."""
    n2 = t["n2i"]
    yi = small_sample_factor(n2 - 1) * _ratio(t["m1i"] - t["m2i"], t["sd2i"])
    return yi, 1 / t["n1i"] + 1 / n2 + yi**2 / (2 * n2)


def log_ratio_of_means(t: Columns, rules: Rules) -> YiVi:
    """Log of treated over control mean, both positive.

    Hedges, Gurevitch and Curtis (1999), *Ecology* 80:1150, eq. 1; correction for small samples,
    metafor's default since 5.0: Lajeunesse (2015), *Ecology* 96:2056, eq. 8.
    """
    part1, part2 = _squared_cv(t, "1", t["n1i"]), _squared_cv(t, "2", t["n2i"])
    yi = _log(t["m1i"]) - _log(t["m2i"]) + rules.correct * (part1 - part2) / 2
    return yi, _positive(part1 + part2)


def mean_change(t: Columns, rules: Rules) -> YiVi:
    """Mean change m1i - m2i of a group measured twice.

    Morris and DeShon (2002), *Psychol Methods* 7:105, eq. 6.
    """
    return t["m1i"] - t["m2i"], _positive(_change_variance(t) / t["ni"])


def standardised_by_change(t: Columns, rules: Rules) -> YiVi:
    """Mean change in standard deviations of the change, from `m1i m2i sd1i sd2i ri` or paired `ti`.

    Gibbons, Hedeker and Davis (1993), *J Educ Stat* 18:271.
    """
    n = t["ni"]
    if "ti" in t:
        d = t["ti"] / np.sqrt(n)
    else:
        d = _ratio(t["m1i"] - t["m2i"], np.sqrt(_change_variance(t)))
    yi = small_sample_factor(n - 1) * d
    return yi, 1 / n + yi**2 / (2 * n)


def standardised_by_first(t: Columns, rules: Rules) -> YiVi:
    """Mean change m1i - m2i in units of `sd1i`: Becker (1988), *Br J Math Stat Psychol* 41:257."""
    n = t["ni"]
    yi = small_sample_factor(n - 1) * _ratio(t["m1i"] - t["m2i"], t["sd1i"])
    return yi, 2 * (1 - t["ri"]) / n + yi**2 / (2 * n)


def standardised_by_first_heteroscedastic(t: Columns, rules: Rules) -> YiVi:
    """Mean change m1i - m2i in units of `sd1i`, where the two variances may differ.

    Bonett (2008), *Psychol Methods* 13:99, eq. 13.
    """
    df = t["ni"] - 1
    yi = small_sample_factor(df) * _ratio(t["m1i"] - t["m2i"], t["sd1i"])
    return yi, _positive(_change_variance(t) / (t["sd1i"] ** 2 * df) + yi**2 / (2 * df))


def standardised_by_both(t: Columns, rules: Rules) -> YiVi:
    """Mean change in units of the average of both standard deviations.

    Bonett (2008), *Psychol Methods* 13:99; Cousineau (2020), *Quant Methods Psychol* 16:418.
    """
    n, r = t["ni"], t["ri"]
    mean = np.sqrt((t["sd1i"] ** 2 + t["sd2i"] ** 2) / 2)
    yi = small_sample_factor(2 * (n - 1) / (1 + r**2)) * _ratio(t["m1i"] - t["m2i"], mean)
    return yi, _positive(2 * (1 - r) / n + yi**2 * (1 + r**2) / (4 * n))


def log_ratio_of_change(t: Columns, rules: Rules) -> YiVi:
    """Log of m1i over m2i of a group measured twice: Lajeunesse (2011), *Ecology* 92:2049."""
    n = t["ni"]
    part1, part2 = _squared_cv(t, "1", n), _squared_cv(t, "2", n)
    shared = 2 * t["ri"] * t["sd1i"] * t["sd2i"] / (t["m1i"] * t["m2i"] * n)
    yi = _log(t["m1i"]) - _log(t["m2i"]) + rules.correct * (part1 - part2) / 2
    return yi, _positive(part1 + part2 - shared)


def mean(t: Columns, rules: Rules) -> YiVi:
    """Mean of one group."""
    return t["mi"], _positive(t["sdi"] ** 2 / t["ni"])


def log_mean(t: Columns, rules: Rules) -> YiVi:
    """Log of the mean of one group."""
    return _log(t["mi"]), _positive(t["sdi"] ** 2 / (t["ni"] * t["mi"] ** 2))


def log_variation(t: Columns, rules: Rules) -> YiVi:
    """Log coefficient of variation: Nakagawa et al. (2015), *Methods Ecol Evol* 6:143, eq. 7."""
    half = 1 / (2 * (t["ni"] - 1))
    yi = _log(t["sdi"] / t["mi"]) + half
    return yi, half + t["sdi"] ** 2 / (t["ni"] * t["mi"] ** 2)


def log_deviation(t: Columns, rules: Rules) -> YiVi:
    """Log standard deviation: Nakagawa et al. (2015), *Methods Ecol Evol* 6:143, eq. 6."""
    half = 1 / (2 * (t["ni"] - 1))
    return _log(t["sdi"]) + half, half


def _change_variance(t: Columns) -> Array:
    """The variance of the changes of a group measured twice, or of changes printed as `sdi`."""
    if "sdi" in t:
        return np.asarray(t["sdi"] ** 2)
    s1, s2 = t["sd1i"], t["sd2i"]
    return np.asarray(s1**2 + s2**2 - 2 * t["ri"] * s1 * s2)


def _squared_cv(t: Columns, arm: str, n: Array) -> Array:
    """The squared coefficient of variation of an arm's mean."""
    return np.asarray(t[f"sd{arm}i"] ** 2 / (n * t[f"m{arm}i"] ** 2))


def _log(x: Array) -> Array:
    """The log; NaN where there is none."""
    return np.log(np.where(x > 0, x, np.nan))


def _ratio(x: Array, sd: Array) -> Array:
    """`x` in standard deviations; NaN where nobody differs from the mean."""
    return x / np.where(sd > 0, sd, np.nan)


def _positive(vi: Array) -> Array:
    """Variances; NaN where one says nothing: a study with vi = 0 would take all the weight."""
    return np.where(vi > 0, vi, np.nan)
