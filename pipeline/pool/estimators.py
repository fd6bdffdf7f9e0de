"""Estimators of tau2, PyMARE's and ours, and inference on coefficients: floats in, floats out.

PyMARE is alpha software that changed its default inference and once shipped wrong variances, so
nothing is left to its defaults: arrays in, every option by name, floats out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool import moments
from pipeline.pool.likelihood import highest
from pipeline.pool.linear import Array, intercept

with warnings.catch_warnings():
    # PyMARE 0.0.13 leaves a file of its own open while it is imported.
    warnings.simplefilter("ignore", ResourceWarning)
    from pymare.estimators import (
        DerSimonianLaird,
        Hedges,
        WeightedLeastSquares,
    )
    from pymare.stats import q_gen, q_profile

#: PyMARE's names of metafor's tests.
CORRECTIONS = {
    "z": "wald",
    "t": "wald",
    "knha": "knapp-hartung",
    "adhoc": "knapp-hartung-conservative",
}


@dataclass(frozen=True, slots=True)
class Estimator:
    """A row of `ESTIMATORS`: an estimator of tau2; `solve` takes y, v and the design x."""

    code: str
    name: str
    source: str
    solve: Callable[[Array, Array, Array], Array]


def _zero(y: Array, v: Array, x: Array) -> Array:
    """No heterogeneity, by assumption."""
    return np.zeros(y.shape[1])


def _pymare(make: Callable[[], Any]) -> Callable[[Array, Array, Array], Array]:
    """An estimator of PyMARE's as a function of y, v and x."""

    def solve(y: Array, v: Array, x: Array) -> Array:
        fitted = make().fit(y=y, v=v, X=x)
        return np.asarray(fitted.params_["tau2"], dtype=float).reshape(-1)

    return solve


_ROWS = (
    Estimator("EE", "equal effects", "Hedges and Olkin (1985), chapter 6", _zero),
    Estimator(
        "DL",
        "DerSimonian-Laird",
        "DerSimonian and Laird (1986), Control Clin Trials 7:177",
        _pymare(partial(DerSimonianLaird, small_sample_correction="wald")),
    ),
    Estimator(
        "HE",
        "Hedges",
        "Hedges and Olkin (1985), chapter 9",
        _pymare(partial(Hedges, small_sample_correction="wald")),
    ),
    Estimator(
        "HS",
        "Hunter-Schmidt",
        "Hunter and Schmidt (1990), Methods of Meta-Analysis",
        moments.hunter_schmidt,
    ),
    Estimator(
        "HSk",
        "Hunter-Schmidt, corrected",
        "Brannick et al. (2019), Organ Res Methods 22:490",
        moments.hunter_schmidt_corrected,
    ),
    Estimator(
        "SJ",
        "Sidik-Jonkman",
        "Sidik and Jonkman (2005), Appl Stat 54:367",
        moments.sidik_jonkman,
    ),
    Estimator(
        "ML",
        "maximum likelihood",
        "Hardy and Thompson (1996), Stat Med 15:619",
        partial(highest, restricted=False),
    ),
    Estimator(
        "REML",
        "restricted maximum likelihood",
        "Viechtbauer (2005), J Educ Behav Stat 30:261",
        partial(highest, restricted=True),
    ),
    Estimator(
        "EB",
        "empirical Bayes",
        "Morris (1983), J Am Stat Assoc 78:47",
        moments.paule_mandel,
    ),
    Estimator(
        "PM",
        "Paule-Mandel",
        "Paule and Mandel (1982), J Res Natl Bur Stand 87:377",
        moments.paule_mandel,
    ),
)

#: All estimators of the between-study variance by code.
ESTIMATORS: Mapping[str, Estimator] = {row.code: row for row in _ROWS}


def tau2_of(y: Array, v: Array, method: str, x: Array | None = None) -> Array:
    """Return tau2 of each column of `y` and `v` (studies x data sets), shape (data sets,).

    Raises
    ------
    PoolError
        If the method is none of `ESTIMATORS`.
    """
    if method not in ESTIMATORS:
        raise PoolError(f"{method} estimates no tau2 of effect sizes; {', '.join(ESTIMATORS)} do.")
    return ESTIMATORS[method].solve(y, v, intercept(y.shape[0]) if x is None else x)


def infer(y: Array, v: Array, tau2: Array, test: str) -> tuple[Array, Array]:
    """Return the weighted mean of each column, weights 1/(v + tau2), and its error by the test."""
    model = WeightedLeastSquares(tau2=tau2, small_sample_correction=CORRECTIONS[test])
    fitted = model.fit(y=y, v=v, X=intercept(y.shape[0])).params_
    means = np.asarray(fitted["fe_params"], dtype=float).reshape(-1)
    errors = np.sqrt(np.asarray(fitted["inv_cov"], dtype=float).reshape(-1))
    return means, errors


def cochran_q(y: Array, v: Array) -> Array:
    """Return Cochran's Q of each column."""
    return np.asarray(q_gen(y, v, intercept(y.shape[0]), 0.0), dtype=float).reshape(-1)


def tau2_interval(y: Array, v: Array, level: float, x: Array | None = None) -> tuple[float, float]:
    """Return the Q-profile interval of tau2 of one data set (Viechtbauer 2007, Stat Med 26:37).

    PyMARE finds the limits to an absolute 2e-12, so `y` must not be on a tiny scale.
    """
    design = intercept(y.shape[0]) if x is None else x
    limits = q_profile(y, v, design, alpha=1 - level)
    return float(limits["ci_l"]), float(limits["ci_u"])
