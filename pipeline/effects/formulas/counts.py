"""Effect sizes of counts and rates: two arms' events, one arm's proportion, events per time.

Variances and the rule for zero cells are metafor's (`escalc` of version 5.0): R gives the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.effects.formulas.table import Array, Columns, Rules, with_added

YiVi = tuple[Array, Array]


class TwoByTwo(NamedTuple):
    """Events and others in the treated (a, b) and the control arm (c, d)."""

    a: Array
    b: Array
    c: Array
    d: Array

    @property
    def n1(self) -> Array:
        """The size of the treated arms."""
        return self.a + self.b

    @property
    def n2(self) -> Array:
        """The size of the control arms."""
        return self.c + self.d


def two_by_two(t: Columns) -> TwoByTwo:
    """Return the tables as printed, from `ai bi ci di` or `ai n1i ci n2i`."""
    b = t["bi"] if "bi" in t else t["n1i"] - t["ai"]
    d = t["di"] if "di" in t else t["n2i"] - t["ci"]
    return TwoByTwo(t["ai"], b, t["ci"], d)


def adjusted(t: Columns, rules: Rules) -> TwoByTwo:
    """Return the tables with the rule for zero cells applied; left out studies are NaN."""
    cells = two_by_two(t)
    zero = np.logical_or.reduce([cell == 0 for cell in cells])
    made = TwoByTwo(*with_added(tuple(cells), zero, rules))
    if not rules.drop00:
        return made
    out = ((cells.a == 0) & (cells.c == 0)) | ((cells.b == 0) & (cells.d == 0))
    return TwoByTwo(*(np.where(out, np.nan, cell) for cell in made))


def log_risk_ratio(t: Columns, rules: Rules) -> YiVi:
    """Log risk ratio: Borenstein et al. (2009), eqs 5.1-5.3 (chapter 5)."""
    x = adjusted(t, rules)
    yi = np.log(x.a / x.n1) - np.log(x.c / x.n2)
    return yi, 1 / x.a - 1 / x.n1 + 1 / x.c - 1 / x.n2


def log_odds_ratio(t: Columns, rules: Rules) -> YiVi:
    """Log odds ratio: Woolf (1955), *Ann Hum Genet* 19:251; Borenstein et al. (2009), ch. 5."""
    x = adjusted(t, rules)
    return np.log(x.a * x.d / (x.b * x.c)), 1 / x.a + 1 / x.b + 1 / x.c + 1 / x.d


def risk_difference(t: Columns, rules: Rules) -> YiVi:
    """Risk difference (-1 to 1): Borenstein et al. (2009), chapter 5."""
    x = adjusted(t, rules)
    p1, p2 = x.a / x.n1, x.c / x.n2
    less = 1.0 if rules.vtype == "UB" else 0.0
    return p1 - p2, p1 * (1 - p1) / (x.n1 - less) + p2 * (1 - p2) / (x.n2 - less)


def arcsine_difference(t: Columns, rules: Rules) -> YiVi:
    """Difference of arcsine-transformed risks, in radians; zero cells need no rule.

    Ruecker et al. (2009), *Stat Med* 28:721.
    """
    x = adjusted(t, Rules(to="none", drop00=rules.drop00))
    yi = np.arcsin(np.sqrt(x.a / x.n1)) - np.arcsin(np.sqrt(x.c / x.n2))
    return yi, 1 / (4 * x.n1) + 1 / (4 * x.n2)


def peto_odds_ratio(t: Columns, rules: Rules) -> YiVi:
    """Peto's log odds ratio, (O - E) / V: Yusuf et al. (1985), *Prog Cardiovasc Dis* 27:335."""
    x = adjusted(t, rules)
    n, events, others = x.n1 + x.n2, x.a + x.c, x.b + x.d
    v = events * others * (x.n1 / n) * (x.n2 / n) / (n - 1)
    return (x.a - events * x.n1 / n) / v, 1 / v


def proportion(t: Columns, rules: Rules) -> YiVi:
    """Proportion with the event (0 to 1)."""
    x, n = _one_arm(t, rules)
    less = 1.0 if rules.vtype == "UB" else 0.0
    return x / n, x / n * (1 - x / n) / (n - less)


def log_proportion(t: Columns, rules: Rules) -> YiVi:
    """Log of the proportion with the event."""
    x, n = _one_arm(t, rules)
    return np.log(x / n), 1 / x - 1 / n


def logit_proportion(t: Columns, rules: Rules) -> YiVi:
    """Logit of the proportion with the event."""
    x, n = _one_arm(t, rules)
    return np.log(x / (n - x)), 1 / x + 1 / (n - x)


def arcsine_proportion(t: Columns, rules: Rules) -> YiVi:
    """Arcsine of the square root of the proportion, in radians; zero cells need no rule."""
    return np.arcsin(np.sqrt(t["xi"] / t["ni"])), 1 / (4 * t["ni"])


def freeman_tukey_proportion(t: Columns, rules: Rules) -> YiVi:
    """Double arcsine of a proportion, in radians, halved as metafor does.

    Freeman and Tukey (1950), *Ann Math Stat* 21:607.
    """
    x, n = t["xi"], t["ni"]
    yi = (np.arcsin(np.sqrt(x / (n + 1))) + np.arcsin(np.sqrt((x + 1) / (n + 1)))) / 2
    return yi, 1 / (4 * n + 2)


def log_rate_ratio(t: Columns, rules: Rules) -> YiVi:
    """Log incidence rate ratio: Rothman, Greenland and Lash (2008), chapter 14."""
    zero = (t["x1i"] == 0) | (t["x2i"] == 0)
    x1, x2 = with_added((t["x1i"], t["x2i"]), zero, rules)
    yi = np.log(x1 / t["t1i"]) - np.log(x2 / t["t2i"])
    out = (t["x1i"] == 0) & (t["x2i"] == 0) & rules.drop00
    return np.where(out, np.nan, yi), 1 / x1 + 1 / x2


def log_rate(t: Columns, rules: Rules) -> YiVi:
    """Log incidence rate of one group."""
    (x,) = with_added((t["xi"],), t["xi"] == 0, rules)
    return np.log(x / t["ti"]), 1 / x


def freeman_tukey_rate(t: Columns, rules: Rules) -> YiVi:
    """Freeman and Tukey's (1950) double square root of an incidence rate, halved."""
    x, time = t["xi"], t["ti"]
    return (np.sqrt(x / time) + np.sqrt((x + 1) / time)) / 2, 1 / (4 * time)


def _one_arm(t: Columns, rules: Rules) -> tuple[Array, Array]:
    """Events and totals of one arm, with the rule for zero cells applied."""
    x, others = t["xi"], t["ni"] - t["xi"]
    x, others = with_added((x, others), (x == 0) | (others == 0), rules)
    return x, x + others
