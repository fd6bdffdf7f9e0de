"""Correlations, and effects that a paper prints with their error."""

from __future__ import annotations

import numpy as np

from pipeline.effects.formulas.table import Array, Columns, Rules

YiVi = tuple[Array, Array]


def correlation(t: Columns, rules: Rules) -> YiVi:
    """Pearson's r: Hedges (1989), "LS" variance (1 - r^2)^2 / (n - 1)."""
    r = t["ri"]
    return r, (1 - r**2) ** 2 / (t["ni"] - 1)


def fisher_z(t: Columns, rules: Rules) -> YiVi:
    """Fisher's z of r: Fisher (1921), *Metron* 1:3, variance 1 / (n - 3)."""
    return np.arctanh(t["ri"]), 1 / np.where(t["ni"] > 3, t["ni"] - 3, np.nan)


def generic(t: Columns, rules: Rules) -> YiVi:
    """An effect on the scale of analysis with its variance `vi` or standard error `sei`."""
    return t["yi"], t["vi"] if "vi" in t else t["sei"] ** 2
