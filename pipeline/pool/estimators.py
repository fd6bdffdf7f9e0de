"""Calls PyMARE: effect sizes in columns -> tau2, the pooled effect and its inference.

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
import numpy.typing as npt

with warnings.catch_warnings():
    # PyMARE 0.0.13 leaves a file of its own open while it is imported.
    warnings.simplefilter("ignore", ResourceWarning)
    from pymare.estimators import (
        DerSimonianLaird,
        Hedges,
        VarianceBasedLikelihoodEstimator,
        WeightedLeastSquares,
    )
    from pymare.stats import q_gen, q_profile

Array = npt.NDArray[np.float64]

#: PyMARE's names of metafor's tests.
CORRECTIONS = {
    "z": "wald",
    "knha": "knapp-hartung",
    "adhoc": "knapp-hartung-conservative",
}

#: PyMARE narrows tau2 to 1e-6 of the bracket by default; 1e-9 costs a few evaluations more and
#: agrees with metafor, solved to 1e-12, in two more digits.
_SEARCH = {"xtol": 1e-9, "ftol": 1e-15, "maxiter": 200}


@dataclass(frozen=True, slots=True)
class Estimator:
    """A row of `ESTIMATORS`: an estimator of tau2; `make` builds PyMARE's, None means tau2 = 0."""

    code: str
    name: str
    source: str
    make: Callable[[], Any] | None


_ROWS = (
    Estimator("EE", "equal effects", "Hedges and Olkin (1985), chapter 6", None),
    Estimator(
        "DL",
        "DerSimonian-Laird",
        "DerSimonian and Laird (1986), Control Clin Trials 7:177",
        partial(DerSimonianLaird, small_sample_correction="wald"),
    ),
    Estimator(
        "HE",
        "Hedges",
        "Hedges and Olkin (1985), chapter 9",
        partial(Hedges, small_sample_correction="wald"),
    ),
    Estimator(
        "ML",
        "maximum likelihood",
        "Hardy and Thompson (1996), Stat Med 15:619",
        partial(
            VarianceBasedLikelihoodEstimator,
            method="ml",
            small_sample_correction="wald",
            **_SEARCH,
        ),
    ),
    Estimator(
        "REML",
        "restricted maximum likelihood",
        "Viechtbauer (2005), J Educ Behav Stat 30:261",
        partial(
            VarianceBasedLikelihoodEstimator,
            method="reml",
            small_sample_correction="wald",
            **_SEARCH,
        ),
    ),
)

#: All estimators of the between-study variance by code.
ESTIMATORS: Mapping[str, Estimator] = {row.code: row for row in _ROWS}


@dataclass(frozen=True, slots=True)
class Inference:
    """A pooled effect, its standard error, and the degrees of freedom of t (None: normal)."""

    estimate: float
    se: float
    df: int | None


def tau2_of(y: Array, v: Array, method: str) -> Array:
    """Return tau2 of each column of `y` and `v` (studies x data sets), shape (data sets,)."""
    make = ESTIMATORS[method].make
    if make is None:
        return np.zeros(y.shape[1])
    fitted = make().fit(y=y, v=v, X=_intercept(y))
    return np.asarray(fitted.params_["tau2"], dtype=float).reshape(-1)


def infer(y: Array, v: Array, tau2: Array, test: str) -> list[Inference]:
    """Return the weighted mean of each column with weights 1/(v + tau2), by the named test."""
    model = WeightedLeastSquares(tau2=tau2, small_sample_correction=CORRECTIONS[test])
    fitted = model.fit(y=y, v=v, X=_intercept(y)).params_
    means = np.asarray(fitted["fe_params"], dtype=float).reshape(-1)
    errors = np.sqrt(np.asarray(fitted["inv_cov"], dtype=float).reshape(-1))
    df = None if test == "z" else y.shape[0] - 1
    return [Inference(float(m), float(se), df) for m, se in zip(means, errors, strict=True)]


def cochran_q(y: Array, v: Array) -> Array:
    """Return Cochran's Q of each column."""
    return np.asarray(q_gen(y, v, _intercept(y), 0.0), dtype=float).reshape(-1)


def tau2_interval(y: Array, v: Array, level: float) -> tuple[float, float]:
    """Return the Q-profile interval of tau2 of one data set (Viechtbauer 2007, Stat Med 26:37).

    PyMARE finds the limits to an absolute 2e-12, so `y` must not be on a tiny scale.
    """
    limits = q_profile(y, v, _intercept(y[:, np.newaxis]), alpha=1 - level)
    return float(limits["ci_l"]), float(limits["ci_u"])


def _intercept(y: Array) -> Array:
    """The design of a model with nothing but a mean."""
    return np.ones((y.shape[0], 1))
