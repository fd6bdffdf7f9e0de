"""Formulas of effect sizes: columns of study data -> `yi` and sampling variances `vi`.

Names of columns and measures, variances and the rule for zero cells are those of metafor's
`escalc` (version 5.0): R gives the same numbers. A study whose effect or variance is not defined
has NaN, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pipeline.effects.formulas import association, counts, means
from pipeline.effects.formulas.table import Array, Columns, Rules, check
from pipeline.errors import EffectSizeError

__all__ = ["FORMULAS", "Array", "Columns", "Formula", "Rules", "escalc"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A row of `FORMULAS`: sets of columns, any of which gives the effect, how, and its scale."""

    code: str
    name: str
    columns: tuple[tuple[str, ...], ...]
    compute: Callable[[Columns, Rules], tuple[Array, Array]]
    scale: str = "identity"


_TABLE = (("ai", "bi", "ci", "di"), ("ai", "n1i", "ci", "n2i"))
_PROPORTION = (("xi", "ni"),)
_RATE = (("xi", "ti"),)
_RATES = (("x1i", "t1i", "x2i", "t2i"),)
_MEANS = (("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"),)
_CHANGE = ("m1i", "m2i", "sd1i", "sd2i", "ni", "ri")
_CHANGES = (_CHANGE, ("m1i", "m2i", "sdi", "ni"))
_GROUP = (("mi", "sdi", "ni"),)
_PAIRS = (("ri", "ni"),)
_EFFECT = (("yi", "vi"), ("yi", "sei"))

_ROWS = (
    Formula("RR", "risk ratio", _TABLE, counts.log_risk_ratio, "log"),
    Formula("OR", "odds ratio", _TABLE, counts.log_odds_ratio, "log"),
    Formula("RD", "risk difference", _TABLE, counts.risk_difference),
    Formula("AS", "arcsine risk difference", _TABLE, counts.arcsine_difference),
    Formula("PETO", "Peto odds ratio", _TABLE, counts.peto_odds_ratio, "log"),
    Formula("MD", "mean difference", _MEANS, means.mean_difference),
    Formula("SMD", "standardised mean difference", _MEANS, means.standardised_mean_difference),
    Formula(
        "SMDH",
        "standardised mean difference, unequal variances",
        _MEANS,
        means.standardised_heteroscedastic,
    ),
    Formula(
        "SMD1",
        "standardised mean difference by the control's SD",
        _MEANS,
        means.standardised_by_control,
    ),
    Formula("ROM", "ratio of means", _MEANS, means.log_ratio_of_means, "log"),
    Formula("MC", "mean change", _CHANGES, means.mean_change),
    Formula(
        "SMCC",
        "standardised mean change by the SD of change",
        (*_CHANGES, ("ti", "ni")),
        means.standardised_by_change,
    ),
    Formula(
        "SMCR",
        "standardised mean change by the first SD",
        (("m1i", "m2i", "sd1i", "ni", "ri"),),
        means.standardised_by_first,
    ),
    Formula(
        "SMCRH",
        "standardised mean change by the first SD, unequal variances",
        (_CHANGE,),
        means.standardised_by_first_heteroscedastic,
    ),
    Formula(
        "SMCRP", "standardised mean change by both SDs", (_CHANGE,), means.standardised_by_both
    ),
    Formula(
        "ROMC", "ratio of means before and after", (_CHANGE,), means.log_ratio_of_change, "log"
    ),
    Formula("PR", "proportion", _PROPORTION, counts.proportion),
    Formula("PLN", "proportion", _PROPORTION, counts.log_proportion, "log"),
    Formula("PLO", "proportion", _PROPORTION, counts.logit_proportion, "logit"),
    Formula("PAS", "proportion", _PROPORTION, counts.arcsine_proportion, "arcsine"),
    Formula("PFT", "Freeman-Tukey proportion", _PROPORTION, counts.freeman_tukey_proportion),
    Formula("MN", "mean", _GROUP, means.mean),
    Formula("MNLN", "mean", _GROUP, means.log_mean, "log"),
    Formula("CVLN", "coefficient of variation", _GROUP, means.log_variation, "log"),
    Formula("SDLN", "standard deviation", _GROUP, means.log_deviation, "log"),
    Formula("IRR", "incidence rate ratio", _RATES, counts.log_rate_ratio, "log"),
    Formula("IRLN", "incidence rate", _RATE, counts.log_rate, "log"),
    Formula("IRFT", "Freeman-Tukey incidence rate", _RATE, counts.freeman_tukey_rate),
    Formula("COR", "correlation", _PAIRS, association.correlation),
    Formula("ZCOR", "correlation", _PAIRS, association.fisher_z, "z"),
    Formula("HR", "hazard ratio", _EFFECT, association.generic, "log"),
    Formula("GEN", "effect as given", _EFFECT, association.generic),
)

#: All formulas by metafor's code; HR is GEN on the log scale.
FORMULAS: Mapping[str, Formula] = MappingProxyType({row.code: row for row in _ROWS})


def escalc(measure: str, table: Columns, rules: Rules = Rules()) -> tuple[Array, Array]:  # noqa: B008
    """Return the effect sizes of studies and their sampling variances.

    Parameters
    ----------
    measure : str
        A code of `FORMULAS`.
    table : mapping of str to array, each of shape (k,)
        Columns by metafor's names; NaN where a study does not print a number.
    rules : Rules
        Zero cells, kind of variance, corrections.

    Returns
    -------
    yi, vi : arrays of shape (k,)
        Both NaN where the numbers are missing or the effect is not defined.

    Raises
    ------
    EffectSizeError
        If the measure is unknown, a column is missing, or a value is impossible (more events
        than patients): the message names column, row (from 1) and rule.
    """
    if measure not in FORMULAS:
        known = ", ".join(FORMULAS)
        raise EffectSizeError(f"Unknown measure {measure!r}; must be one of {known}.")
    formula = FORMULAS[measure]
    used = _columns(formula, table)
    check(used, rules)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        yi, vi = formula.compute(used, rules)
        good = np.isfinite(yi) & np.isfinite(vi) & (vi >= 0)
    return np.where(good, yi, np.nan), np.where(good, vi, np.nan)


def _columns(formula: Formula, table: Columns) -> dict[str, Array]:
    """The first set of the formula's columns that the table holds."""
    for names in formula.columns:
        if all(name in table for name in names):
            return {name: np.asarray(table[name], dtype=float) for name in names}
    sets = " or ".join(" ".join(names) for names in formula.columns)
    raise EffectSizeError(
        f"{formula.code} needs the columns {sets}; the table has {' '.join(table) or 'none'}."
    )
