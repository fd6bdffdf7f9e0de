"""Cluster trials analysed as if patients had been randomised: brought to their effective size.

Patients of one practice or ward are alike, so that a trial of clusters tells less than its number
of patients says: by the design effect, how many times the variance is that of single patients.
"""

from __future__ import annotations

import numpy as np

from pipeline.effects.formulas.table import Array, Columns, refuse
from pipeline.errors import EffectSizeError

#: What a table holds of clusters: intracluster correlation, and the average size of a cluster.
CLUSTERS = ("icc", "cluster_size")

#: Divided by the design effect: patients, events, and time at risk.
_SIZES = (
    *("ai", "bi", "ci", "di", "n1i", "n2i", "xi", "ni"),
    *("x1i", "x2i", "t1i", "t2i"),
)


def design_effect(icc: Array, size: Array) -> Array:
    """Return how many times larger a cluster trial's variance is than that of single patients.

    Parameters
    ----------
    icc : array of shape (k,)
        Intracluster correlations, 0 to 1; NaN where a study has no clusters.
    size : array of shape (k,)
        Average numbers of patients of a cluster, 1 or more; NaN where a study has no clusters.

    Returns
    -------
    array of shape (k,)
        1 + (size - 1) icc; 1 where a study has no clusters.

    Raises
    ------
    EffectSizeError
        If a value is impossible, or one of the two is missing: names column, row (from 1), rule.

    References
    ----------
    *Cochrane Handbook* 23.1.4; Donner and Klar (2002), *Stat Med* 21:2971.
    """
    refuse("icc", icc, (icc < 0) | (icc > 1), "must lie in [0, 1]")
    refuse("cluster_size", size, size < 1, "must be 1 or more")
    for row in np.flatnonzero(np.isnan(icc) != np.isnan(size)):
        there, missing = CLUSTERS if np.isnan(size[row]) else CLUSTERS[::-1]
        raise EffectSizeError(f"Row {row + 1} has {there} without {missing}; both are needed.")
    return np.where(np.isnan(icc), 1.0, 1 + (size - 1) * icc)


def effective(columns: Columns) -> dict[str, Array]:
    """Return the columns of studies with those of cluster trials brought to their effective size.

    Parameters
    ----------
    columns : mapping of str to array of shape (k,)
        By metafor's names, `icc` and `cluster_size` among them; without both nothing changes.

    Returns
    -------
    dict of str to array
        Without `icc` and `cluster_size`. Events, patients and time are divided by the design
        effect, and not rounded; means, SDs and correlations stay; `vi` is multiplied by it, `sei`
        by its root, and a paired t is divided by its root: its patients become fewer, its mean in
        SDs stays.

    Raises
    ------
    EffectSizeError
        As of `design_effect`; or if only one of the two columns is there.

    References
    ----------
    *Cochrane Handbook* 23.1.4 (effective sample sizes) and 23.1.6 (inflated standard errors).
    """
    given = [name for name in CLUSTERS if name in columns]
    if not given:
        return dict(columns)
    if len(given) == 1:
        missing = next(name for name in CLUSTERS if name not in columns)
        raise EffectSizeError(f"A cluster trial needs icc and cluster_size; got no {missing}.")
    factor = design_effect(*(np.asarray(columns[name], dtype=float) for name in CLUSTERS))
    powers = _powers(columns)
    return {
        name: values * factor ** powers[name] if name in powers else values
        for name, values in columns.items()
        if name not in CLUSTERS
    }


def _powers(columns: Columns) -> dict[str, float]:
    """To which power of the design effect a column is multiplied; `ti` with `xi` is time."""
    time = -1.0 if "xi" in columns else -0.5
    return dict.fromkeys(_SIZES, -1.0) | {"vi": 1.0, "sei": 0.5, "ti": time}
